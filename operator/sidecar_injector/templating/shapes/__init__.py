"""Shapes: rendered text with markers, the plans to fill them with values, and the way back to lines of the template.

In reading order: `plan`, `shared`, `plain`, `settled`, `fitted`, `locate`, `tracing`.
"""
