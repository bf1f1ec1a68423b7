"""What the process that makes load is told, and what it tells: each one line of JSON."""

import json
from dataclasses import asdict, dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Target:
    """A webhook to be called.

    path        -- with the query, such as an API server adds: `?timeout=10s`
    server_name -- what the certificate is to be valid for; empty: the certificate is not checked
    ca          -- PEM; empty with a server_name: what this machine trusts
    pid         -- the process whose processor time is measured; None: there is none on this machine
    patches     -- whether a patch is expected in each answer
    """

    name: str
    host: str
    port: int
    path: str
    server_name: str = ""
    ca: str = ""
    pid: int | None = None
    patches: bool = True


@dataclass(frozen=True)
class Order:
    """Load for so many seconds, after as many admissions as `warm_up` says have been made; or for so many admissions.

    latencies -- whether they shall be reported
    """

    target: Target
    connections: int
    seconds: float = 0.0
    requests: int = 0
    warm_up: int = 0
    seed: int = 0
    latencies: bool = True

    def line(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, line: str) -> Self:
        """Read it from a line."""
        found = json.loads(line)
        return cls(**{**found, "target": Target(**found["target"])})


@dataclass(frozen=True)
class Report:
    """What came of an order.

    server_cpu -- seconds of the target's process; None where its pid is not known
    errors     -- answers that were no admission, by what was wrong; among them none that counts as a request
    latencies  -- of each request in microseconds, in no order
    """

    requests: int
    seconds: float
    client_cpu: float
    server_cpu: float | None
    bytes_sent: int
    bytes_received: int
    errors: dict[str, int]
    latencies: list[int]

    def line(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, line: str) -> Self:
        """Read it from a line."""
        return cls(**json.loads(line))

    @property
    def cpu_micros(self) -> float:
        """Microseconds of processor time of the server for one admission; 0 if it is not known."""
        return self.server_cpu * 1e6 / self.requests if self.server_cpu and self.requests else 0.0

    @property
    def rate(self) -> float:
        """Admissions in a second."""
        return self.requests / self.seconds if self.seconds else 0.0


def target_of(url: str, *, name: str, ca: str = "", insecure: bool = False, pid: int | None = None) -> Target:
    """Return the target of a URL; raises ValueError, which says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"{url!r}: must be https://HOST[:PORT]/PATH")
    path = f"{parts.path or '/'}?{parts.query or 'timeout=10s'}"
    server_name = "" if insecure else parts.hostname
    return Target(name, parts.hostname, parts.port or 443, path, server_name, ca, pid)
