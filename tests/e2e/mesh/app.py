"""The application: tells what it sees of a request, and makes requests when it is asked to.

    GET /fetch?url=&count=   makes so many requests and answers with what came back
    GET anything else        what arrived: the path, the headers, the address that it arrived at

With a URL and a count as arguments it makes the requests itself and prints what came back.
"""

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT = 8080


def fetch(url: str, count: int) -> list[dict[str, object]]:
    """Make so many requests, each over a connection of its own, and return what came back."""
    found = []
    for _ in range(count):
        with urllib.request.urlopen(url, timeout=10) as answer:
            found.append({"headers": dict(answer.headers), "body": json.load(answer)})
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/fetch":
            self._answer(fetch(query["url"], int(query["count"])))
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            arrived = ":".join(map(str, self.connection.getsockname()))
            self._answer({"path": self.path, "headers": headers, "arrived_at": arrived})

    def _answer(self, value: object) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(fetch(sys.argv[1], int(sys.argv[2]))))
    else:
        ThreadingHTTPServer(("", PORT), Handler).serve_forever()
