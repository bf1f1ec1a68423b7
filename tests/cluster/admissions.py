"""Admissions in great numbers, by several clients at a time, and everything that is to hold meanwhile."""

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import urllib3
from kubernetes import client, config

from sidecar_injector import names
from sidecar_injector.cluster import paths
from tests.cluster.pods import images, pod
from tests.kubernetes.cluster import Cluster

CLIENTS = 32
"""API servers keep 25 idle connections to a webhook: with more at a time there are always new ones."""
PAUSE = 0.05
FEW = 20


@dataclass
class Admissions:
    """What came of them."""

    outcomes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """How often Pods had these images."""
    failures: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(self.outcomes.values())

    def verdict(self) -> tuple[set[tuple[str, ...]], list[str]]:
        """Return every outcome that there was, and the first failures."""
        return set(self.outcomes), self.failures[:FEW]


@contextlib.contextmanager
def admitting(cluster: Cluster, namespace: str, *, clients: int = CLIENTS) -> Iterator[Admissions]:
    """Create Pods by dry run all the time: the API server calls the webhook, and stores nothing."""
    found, enough = Admissions(), threading.Event()
    with connected(cluster, clients) as (server, pool), contextlib.ExitStack() as workers:

        def work(number: int) -> None:
            body = json.dumps(pod(f"p-{number}")).encode()
            while not enough.wait(PAUSE):
                _admit(pool, f"{server}/api/v1/namespaces/{namespace}/pods?dryRun=All", body, found)

        for number in range(clients):
            worker = threading.Thread(target=work, args=(number,))
            worker.start()
            workers.callback(worker.join)
        workers.callback(enough.set)
        yield found


def _admit(pool: urllib3.PoolManager, url: str, body: bytes, found: Admissions) -> None:
    try:
        answer = pool.request("POST", url, body=body, headers={"Content-Type": "application/json"})
    except urllib3.exceptions.HTTPError as error:
        found.failures.append(repr(error))
        return
    if answer.status == 201:
        found.outcomes[tuple(images(answer.json()))] += 1
    else:
        found.failures.append(answer.data.decode())


@dataclass
class Handshakes:
    """What came of new connections: the certificates that were presented at each port, and what failed."""

    presented: dict[int, list[bytes]]
    failures: list[str] = field(default_factory=list)
    count: int = 0


@contextlib.contextmanager
def shaking_hands(cluster: Cluster, *ports: int) -> Iterator[Handshakes]:
    """Connect to each port all the time, as an API server would: trusting what is registered at that moment."""
    found, enough = Handshakes({port: [] for port in ports}), threading.Event()

    def work() -> None:
        with connected(cluster) as (server, pool):
            while not enough.wait(PAUSE):
                trusted = registered(server, pool)
                for port in ports:
                    _try(port, trusted, found)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield found
    finally:
        enough.set()
        worker.join()


def _try(port: int, trusted: str, found: Handshakes) -> None:
    try:
        certificate = handshake(port, trusted)
    except OSError as error:
        found.failures.append(f"{port}: {error}")
        return
    found.count += 1
    if certificate not in found.presented[port]:
        found.presented[port].append(certificate)


def registered(server: str, pool: urllib3.PoolManager) -> str:
    """Return the CAs that API servers are told to trust."""
    (entry,) = pool.request("GET", server + paths.MUTATING_WEBHOOK).json()["webhooks"]
    return base64.b64decode(entry["clientConfig"]["caBundle"]).decode()


def handshake(port: int, trusted: str) -> bytes:
    """Return the certificate that is presented to a client that trusts these CAs; raises OSError if it is not valid."""
    context = ssl.create_default_context(cadata=trusted)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=f"{names.APP}.{names.APP}.svc") as wrapped,
    ):
        return wrapped.getpeercert(binary_form=True) or b""


@contextlib.contextmanager
def connected(cluster: Cluster, connections: int = 1) -> Iterator[tuple[str, urllib3.PoolManager]]:
    """Yield the API server's URL, and connections to it as the administrator."""
    configuration = client.Configuration()
    config.load_kube_config(str(cluster.kubeconfig), client_configuration=configuration)
    with urllib3.PoolManager(
        maxsize=connections,
        ca_certs=configuration.ssl_ca_cert,
        cert_file=configuration.cert_file,
        key_file=configuration.key_file,
        retries=False,
        timeout=30,
    ) as pool:
        yield configuration.host, pool
