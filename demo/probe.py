"""Pods created as fast as the API server answers, to see to the millisecond when an edit takes effect."""

import base64
import http.client
import json
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PAUSE_SECONDS = 0.002


@dataclass(frozen=True)
class Sample:
    """One Pod: when the API server had answered (by time.monotonic), the status and the object of the answer."""

    answered: float
    status: int
    answer: dict[str, Any]


class Probe:
    """Creates a Pod again and again, in a thread, with `dryRun=All`: admitted like any other, but not stored."""

    def __init__(self, kubeconfig: Path, namespace: str, pod: dict[str, Any]) -> None:
        self._kubeconfig = kubeconfig
        self._path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
        self._body = json.dumps(pod)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Sample] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def first(self, wanted: Callable[[Sample], bool], seconds: float) -> Sample | None:
        """Return the first sample of this kind, waiting for it for so long at most."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = next((sample for sample in list(self.samples) if wanted(sample)), None)
            if found:
                return found
            time.sleep(PAUSE_SECONDS)
        return None

    def _run(self) -> None:
        connection = _connect(self._kubeconfig)
        headers = {"Content-Type": "application/json"}
        while not self._stopped.wait(PAUSE_SECONDS):
            connection.request("POST", self._path, self._body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            self.samples.append(Sample(time.monotonic(), response.status, answer))
        connection.close()


def _connect(kubeconfig: Path) -> http.client.HTTPSConnection:
    document = json.loads(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    # The standard library takes client certificates from files only.
    identity = kubeconfig.with_name("probe.pem")
    identity.touch(mode=0o600)
    identity.write_bytes(b"".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key")))
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(identity)
    server = urllib.parse.urlsplit(cluster["server"])
    return http.client.HTTPSConnection(str(server.hostname), server.port, context=context, timeout=30)
