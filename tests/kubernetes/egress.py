"""The way from the API server to webhooks behind a Service, without kube-proxy and without privileges.

The API server calls a `service:` webhook by connecting to the Service's ClusterIP. Its egress selector sends these
connections here, as HTTP CONNECT requests on a unix socket, and this process passes them to a port of the loopback
interface: one of those that the routes file names for the Service, each in its turn. Anything else is refused, so
nothing ever leaves the machine. Run as `python egress.py SOCKET ROUTES SERVER CA CERTIFICATE KEY`.

The routes file is a JSON object, `{"NAMESPACE/SERVICE:PORT": [LOCAL_PORT, …]}`, and is read for every connection.
As with kube-proxy, a connection to a port where nobody listens fails: it is not tried elsewhere.
"""

import asyncio
import itertools
import json
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

CHUNK = 65536
LOOKUP_SECONDS = 5


class NoRouteError(Exception):
    """Nobody has registered a local port for the target."""


@dataclass(frozen=True)
class Router:
    """Finds the local port for a target `HOST:PORT`, asking the API server which Service has the ClusterIP."""

    routes: Path
    server: str
    tls: ssl.SSLContext
    turns: Iterator[int] = field(default_factory=itertools.count)

    def local_port(self, target: str) -> int:
        """Return the local port for a target; raises NoRouteError."""
        host, _, port = target.rpartition(":")
        service = self._service(host)
        routes: dict[str, list[int]] = json.loads(self.routes.read_text())
        key = f"{service}:{port}"
        ports = routes.get(key)
        if not ports:
            raise NoRouteError(f"no route to {key} ({target}); there are routes to: {', '.join(routes) or 'nothing'}")
        return ports[next(self.turns) % len(ports)]

    def _service(self, host: str) -> str:
        if host.endswith(".svc"):
            name, namespace, _ = host.split(".")
            return f"{namespace}/{name}"
        query = urlencode({"fieldSelector": f"spec.clusterIP={host}"})
        url = f"{self.server}/api/v1/services?{query}"
        with urlopen(url, context=self.tls, timeout=LOOKUP_SECONDS) as response:
            services = json.load(response)["items"]
        if not services:
            raise NoRouteError(f"no Service has the address {host}")
        metadata = services[0]["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}"


async def serve(router: Router, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one CONNECT request and then the connection it asks for."""
    try:
        request = await reader.readuntil(b"\r\n\r\n")
        target = request.split(b" ", 2)[1].decode()
        try:
            port = await asyncio.to_thread(router.local_port, target)
            local_reader, local_writer = await asyncio.open_connection("127.0.0.1", port)
        except (NoRouteError, OSError) as error:
            print(target, "refused:", error, flush=True)
            writer.write(f"HTTP/1.1 502 {error}\r\n\r\n".encode())
            return
        print(target, "->", port, flush=True)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(copy(reader, local_writer), copy(local_reader, writer))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        pass
    finally:
        writer.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until either side ends."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(socket: str, routes: str, server: str, ca: str, certificate: str, key: str) -> None:
    """Serve until killed."""
    tls = ssl.create_default_context(cafile=ca)
    tls.load_cert_chain(certificate, key)
    router = Router(Path(routes), server, tls)
    listening = await asyncio.start_unix_server(lambda r, w: serve(router, r, w), socket)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
