"""The process that makes load: `python -m benchmarks.load` reads orders and writes reports, a line each."""

import json
import sys
from typing import TextIO

from benchmarks.load.client import Client, problem_of
from benchmarks.load.orders import Order
from benchmarks.workloads import WORKLOADS


def serve(orders: TextIO, reports: TextIO) -> None:
    """Carry out orders until there are no more."""
    client = Client(WORKLOADS)
    for line in orders:
        verb, _, rest = line.partition(" ")
        order = Order.of(rest)
        try:
            answer = json.dumps(client.verify(order.target)) if verb == "verify" else client.run(order).line()
        except OSError as error:
            answer = f"failed {problem_of(error, order.target)}"
        print(answer, file=reports, flush=True)


if __name__ == "__main__":
    try:
        serve(sys.stdin, sys.stdout)
    except KeyboardInterrupt:  # Ctrl-C reaches every process of a terminal, and who gave the orders tells about it
        sys.exit(130)
