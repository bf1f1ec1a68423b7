"""Carries out one order: as many requests as there are connections are under way all the time."""

import contextlib
import gc
import json
import selectors
import ssl
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.load import wire
from benchmarks.load.connection import Connection, tls_context
from benchmarks.load.orders import Order, Report, Target
from benchmarks.processes import cpu_seconds
from benchmarks.workloads.model import Workload
from benchmarks.workloads.reviews import Envelope, Values, encoded, review, rounds

ANSWER_SECONDS = 30
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Client:
    """Makes load with Pods of these workloads."""

    def __init__(self, workloads: Sequence[Workload]) -> None:
        self._bodies = [encoded(review(workload)) for workload in workloads]
        self._names = [workload.name for workload in workloads]

    def verify(self, target: Target) -> dict[str, str]:
        """Send one Pod of each workload and look closely at each answer; return what is wrong, by workload."""
        values = Values(seed=0xFFFF)
        connection = Connection(target, tls_context(target))
        found: dict[str, str] = {}
        try:
            for name, each in zip(self._names, self._envelopes(target), strict=True):
                answer = _exchange(connection, each.fill(values))
                if wrong := wire.verify(bytes(answer), connection.uid, patches=target.patches):
                    found[name] = wrong
        finally:
            connection.close()
        return found

    def run(self, order: Order) -> Report:
        """Carry out an order. Raises OSError when the target cannot be reached or stops answering."""
        context = tls_context(order.target)
        with contextlib.ExitStack() as stack:
            opened = (contextlib.closing(Connection(order.target, context)) for _ in range(order.connections))
            load = _Load(order, [stack.enter_context(each) for each in opened], self._filled(order))
            if order.warm_up:
                load.run(requests=order.warm_up)
            return load.run(order.seconds, order.requests)

    def _envelopes(self, target: Target) -> list[Envelope]:
        return [Envelope(body, wire.head(target, len(body))) for body in self._bodies]

    def _filled(self, order: Order) -> Iterator[bytearray]:
        values = Values(order.seed)
        return (envelope.fill(values) for envelope in rounds(self._envelopes(order.target)))


class _Load:
    def __init__(self, order: Order, connections: Sequence[Connection], requests: Iterator[bytearray]) -> None:
        self._order = order
        self._connections = connections
        self._requests = requests

    def run(self, seconds: float = 0.0, requests: int = 0) -> Report:
        """Load for so long, or with so many requests; afterwards nothing is under way."""
        self._errors: Counter[str] = Counter()
        self._latencies = array("q")
        self._sent = self._received = self._begun = 0
        self._limit, self._deadline = requests, time.perf_counter() + seconds if seconds else float("inf")
        pid = self._order.target.pid
        before = cpu_seconds(pid) if pid else None
        started, own = time.perf_counter(), time.process_time()
        gc.disable()
        try:
            self._work()
        finally:
            gc.enable()
        took, own = time.perf_counter() - started, time.process_time() - own
        return Report(
            requests=len(self._latencies),
            seconds=took,
            client_cpu=own,
            server_cpu=None if pid is None or before is None else cpu_seconds(pid) - before,
            bytes_sent=self._sent,
            bytes_received=self._received,
            errors=dict(self._errors),
            latencies=list(self._latencies) if self._order.latencies else [],
        )

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            busy = 0
            for connection in self._connections:
                selector.register(connection, _READ)
                busy += self._begin(connection, selector)
            while busy:
                ready = selector.select(ANSWER_SECONDS)
                if not ready:
                    raise TimeoutError(f"{busy} requests were not answered within {ANSWER_SECONDS} s")
                for key, events in ready:
                    found = key.fileobj
                    assert isinstance(found, Connection)
                    if events & _WRITE and found.go_on():
                        selector.modify(found, _READ)
                    if events & _READ and (answer := found.receive()) is not None:
                        self._note(found, answer)
                        busy -= not self._begin(found, selector)

    def _begin(self, connection: Connection, selector: selectors.BaseSelector) -> bool:
        if time.perf_counter() >= self._deadline or (self._limit and self._begun >= self._limit):
            return False
        self._begun += 1
        request = next(self._requests)
        self._sent += len(request)
        if not connection.begin(request):
            selector.modify(connection, _READ | _WRITE)
        return True

    def _note(self, connection: Connection, answer: bytearray) -> None:
        micros = connection.micros
        self._received += len(answer)
        if wrong := wire.problem(answer, connection.uid, patches=self._order.target.patches):
            self._errors[wrong] += 1
        else:
            self._latencies.append(micros)


def _exchange(connection: Connection, request: bytearray) -> bytearray:
    with selectors.DefaultSelector() as selector:
        events = _READ if connection.begin(request) else _READ | _WRITE
        key = selector.register(connection, events)
        while ready := selector.select(ANSWER_SECONDS):
            if ready[0][1] & _WRITE and connection.go_on():
                key = selector.modify(connection, _READ)
            if ready[0][1] & _READ and (answer := connection.receive()) is not None:
                return answer
    raise TimeoutError(f"no answer within {ANSWER_SECONDS} s ({key.fd})")


def problem_of(error: Exception, target: Target) -> str:
    """Say in one line why a target could not be loaded."""
    what = "its certificate is not accepted: " if isinstance(error, ssl.SSLCertVerificationError) else ""
    return json.dumps(f"{target.name} at {target.host}:{target.port}: {what}{error}")
