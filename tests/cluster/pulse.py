"""How long a replica's event loop takes to answer: `python -m tests.cluster.pulse PORT` asks /livez until stdin ends.

Of a loop that stands still, the replica itself knows nothing: it has not seen the request yet.
"""

import json
import select
import socket
import sys
import time

PAUSE = 0.01
REQUEST = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def main(port: int) -> None:
    """Print how often it was asked, and the longest time it took."""
    slowest, count = 0.0, 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while not select.select([sys.stdin], [], [], PAUSE)[0]:
            began = time.monotonic()
            connection.sendall(REQUEST)
            connection.recv(4096)
            slowest, count = max(slowest, time.monotonic() - began), count + 1
    print(json.dumps({"slowest": slowest, "count": count}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
