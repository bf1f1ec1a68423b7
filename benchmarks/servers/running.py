"""The servers of the floor, started for a while."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.orders import Target
from benchmarks.processes import ended, pin, split, started
from sidecar_injector import names
from sidecar_injector.certificates import service_hosts

ROOT = Path(__file__).resolve().parents[2]


class ServerError(Exception):
    """A server has not come up."""


@dataclass(frozen=True)
class Floor:
    """A server of the floor: its word on the command line, what it is called in tables, its path, its certificate."""

    kind: str
    title: str
    path: str
    server_name: str


OWN_NAME = service_hosts(names.APP, names.APP)[0]
INJECT = "/inject/istio?timeout=5s"

FLOORS = (
    Floor("kopf", "Kopf's stock server, empty handler", "/inject?timeout=5s", "127.0.0.1"),
    Floor("own", "our server, empty handler of Kopf's", INJECT, OWN_NAME),
    Floor("bare", "our server, empty answer", INJECT, OWN_NAME),
    Floor("aiohttp", "aiohttp alone, empty answer", "/?timeout=5s", "127.0.0.1"),
)


@contextlib.contextmanager
def floor(which: Floor) -> Iterator[Target]:
    """Run a server of the floor on the servers' processor; raises ServerError."""
    with tempfile.TemporaryDirectory(prefix="sidecar-injector-benchmark-") as directory:
        process = started(["-m", "benchmarks.servers.floor", which.kind, directory], ROOT)
        try:
            assert process.stdout
            line = process.stdout.readline()
            if not line:
                raise ServerError(f"{which.title}: did not start; what it said is above")
            found = json.loads(line)
            pin(process.pid, split()[0])
            yield Target(
                which.title,
                "127.0.0.1",
                found["port"],
                which.path,
                which.server_name,
                found["ca"],
                process.pid,
                patches=False,
            )
        finally:
            ended(process)
