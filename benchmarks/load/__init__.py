"""Load on a webhook, as an API server puts it there: HTTPS with keep-alive, each answer awaited, from a process apart.

`orders` says what is to be done and what was found, `wire` is HTTP as bytes, `connection` one connection, `client`
many of them, `driver` the process.
"""

from benchmarks.load.driver import Driver, LoadError
from benchmarks.load.orders import Order, Report, Target

__all__ = ["Driver", "LoadError", "Order", "Report", "Target"]
