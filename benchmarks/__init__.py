"""How fast the injector is, against what, and what grows with what: `make bench`, or `python -m benchmarks --help`."""
