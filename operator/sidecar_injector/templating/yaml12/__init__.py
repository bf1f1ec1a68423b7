"""YAML without surprises: what a scalar means, nodes with positions, values, files, and writing YAML.

In reading order: `scalars`, `compose` (with `words`), `construct`, `documents`, `dump`.
"""
