"""Five hundred Pods at once on two replicas, while they judge a large template, take in an edit and are scraped."""

import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from sidecar_injector import names
from tests.cluster.admissions import connected
from tests.cluster.conftest import config as small_config
from tests.cluster.conftest import installed, two_behind_the_service
from tests.cluster.operator_process import ROOT, Operator
from tests.cluster.pods import pod
from tests.figures import Figures
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

PODS = 500
AT_ONCE = 64
"""Requests in flight; the API server then works on as many."""
BOUND_SECONDS = 0.25
"""No admission takes longer: a bound of a bucket of the replicas' own histogram."""
STANDSTILL_SECONDS = BOUND_SECONDS / 2
"""No event loop stands still for longer: an admission that arrives then has as much left."""
BUSY_SECONDS = 2.5
"""No admission takes longer on a machine that lets the replicas wait for a processor: half of `timeoutSeconds`."""
IDLE = 0.35
"""A machine is idle enough if none of those that are preferred waits for a processor for more of the time."""
NICENESS = -15
READY_SECONDS = 40
LINES = 2000
MESH = "istio"
EDIT = {"spec": {"values": {"global": {"proxy": {"logLevel": "debug"}}}}}
SAMPLE = re.compile(r'^(\w+)_bucket\{(.*)le="([^"]+)"\} (\S+)$', re.MULTILINE)
API_SERVERS = "apiserver_admission_webhook_admission_duration_seconds"

Buckets = Mapping[float, float]
"""How many took so many seconds, or less."""


def mesh() -> dict[str, Any]:
    """Return the stock config of profile Istio, which fails closed."""
    command = (sys.executable, "-m", "sidecar_injector", "config", "istio")
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = yaml.safe_load(text)
    found["spec"]["failurePolicy"] = "Fail"
    return found


def large(generation: int) -> dict[str, Any]:
    """Return a config of 2,000 lines of template, another one for each number, that selects no Namespace there is."""
    lines = ["spec:", "  containers:", "    - name: large", "      image: example.org/large:1", "      env:"]
    for number in range((LINES - len(lines)) // 2):
        value = "{{ pod.metadata.labels.get('app', 'none') }}" if number % 5 < 2 else f"plain {generation}"
        lines += [f"        - name: VALUE_{number}", f"          value: {value}"]
    selector = {"namespaceSelector": {"matchLabels": {"example.org/nobody": "here"}}}
    found = small_config("large", match=selector)
    found["spec"]["templates"] = [{"name": "sidecar", "template": "\n".join(lines) + "\n"}]
    return found


@pytest.fixture
def replicas(control_plane: Cluster) -> Iterator[Sequence[Operator]]:
    with installed(control_plane), two_behind_the_service(control_plane, ("one", "two")) as both:
        control_plane.kubectl("delete", "sic", "--all")
        control_plane.kubectl("apply", "-f-", input=mesh())
        for replica in both:
            replica.start()
            prefer(replica.process_id)
        ready = control_plane.kubectl(
            "wait", "--for=condition=Ready", f"sic/{MESH}", f"--timeout={READY_SECONDS}s", check=False
        )
        assert ready.returncode == 0, "\n".join((ready.stderr, *(replica.log() for replica in both)))
        yield both


def prefer(process: int) -> None:
    """Give a process a processor before the API server, etcd and the clients, if that is allowed.

    In a cluster a replica has its share, whatever others do; here all of them have two processors or so. What is
    measured is how long a replica takes, and not how long it waits for the others.
    """
    directory = Path(f"/proc/{process}")
    with contextlib.suppress(OSError):
        (directory / "autogroup").write_text(str(NICENESS))  # where the kernel shares time between sessions
    with contextlib.suppress(OSError):
        for thread in (directory / "task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), NICENESS)


@dataclass(frozen=True)
class Effort:
    """What a process has needed of the machine, in seconds: on a processor, and waiting for one."""

    running: float
    waiting: float

    @classmethod
    def of(cls, process: int) -> "Effort":
        """Read it from the kernel's statistics of its main thread, which runs the event loop."""
        running, waiting, _ = Path(f"/proc/{process}/schedstat").read_text().split()
        return cls(int(running) / 1e9, int(waiting) / 1e9)


class Pulse:
    """Asks a replica's event loop for an answer all the time, from a process that is preferred like the replica."""

    def __init__(self, replica: Operator) -> None:
        command = (sys.executable, "-m", "tests.cluster.pulse", str(replica.health_port))
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )
        prefer(self._process.pid)

    @property
    def process_id(self) -> int:
        return self._process.pid

    def stop(self) -> dict[str, float]:
        """Return how often it has asked, and the slowest answer."""
        found: dict[str, float] = json.loads(self._process.communicate(timeout=20)[0])
        return found

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def pulses(replicas: Sequence[Operator]) -> Iterator[Sequence[Pulse]]:
    with contextlib.ExitStack() as kept:
        started = [Pulse(replica) for replica in replicas]
        for pulse in started:
            kept.callback(pulse.kill)
        yield started


@contextlib.contextmanager
def again_and_again(work: Callable[[], object], pause: float) -> Iterator[list[object]]:
    """Do something all the time in a thread; what comes of it is collected."""
    results: list[object] = []
    enough = threading.Event()

    def loop() -> None:
        while not enough.wait(pause):
            results.append(work())

    worker = threading.Thread(target=loop)
    worker.start()
    try:
        yield results
    finally:
        enough.set()
        worker.join()


def create(pool: urllib3.PoolManager, url: str, number: int) -> tuple[str, float]:
    """Create a Pod; return what came of it, and how long it took."""
    began = time.monotonic()
    body = json.dumps(pod(f"p-{number}", labels={"app": f"app-{number}"})).encode()
    answer = pool.request("POST", url, body=body, headers={"Content-Type": "application/json"})
    seconds = time.monotonic() - began
    if answer.status != 201:
        return answer.data.decode(), seconds
    spec = answer.json()["spec"]
    found = [each["name"] for field in ("initContainers", "containers") for each in spec.get(field, [])]
    return ("injected" if found.count("istio-proxy") == 1 else f"not injected: {found}"), seconds


def buckets(text: str, metric: str, label: str) -> Counter[float]:
    """Return the cumulative buckets of a histogram, of the series with this label."""
    found: Counter[float] = Counter()
    for name, labels, bound, count in SAMPLE.findall(text):
        if name == metric and label in labels:
            found[float(bound)] += float(count)  # type: ignore[assignment]  # counts of a Counter may be fractions
    return found


def slowest(before: Buckets, after: Buckets) -> float:
    """Return the bound of the bucket that the slowest is in."""
    added = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    total = added[float("inf")]
    return next(bound for bound, count in added.items() if count == total)


def test_no_admission_of_500_at_once_takes_longer_than_a_quarter_of_a_second(
    control_plane: Cluster, replicas: Sequence[Operator], namespace: MakeNamespace, figures: Figures
) -> None:
    shop = namespace("shop", {"istio-injection": "enabled"})
    generations = iter(range(1, 1000))

    def judge() -> int:
        return control_plane.kubectl("apply", "-f-", input=large(next(generations)), check=False).returncode

    def scrape() -> int:
        return sum(len(replica.metrics()) for replica in replicas)

    def own() -> Counter[float]:
        text = "\n".join(replica.metrics() for replica in replicas)
        return buckets(text, names.Metric.ADMISSION_SECONDS, f'config="{MESH}"')

    def api_servers() -> Counter[float]:
        return buckets(control_plane.kubectl("get", "--raw", "/metrics").stdout, API_SERVERS, 'type="admit"')

    with (
        connected(control_plane, AT_ONCE) as (server, pool),
        ThreadPoolExecutor(AT_ONCE) as clients,
        pulses(replicas) as asking,
    ):
        make = functools.partial(create, pool, f"{server}/api/v1/namespaces/{shop}/pods?dryRun=All")
        list(clients.map(make, range(AT_ONCE)))  # connections are there, as in a cluster that is in use
        processes = [each.process_id for each in (*replicas, *asking)]
        before, before_api, efforts = own(), api_servers(), list(map(Effort.of, processes))
        began = time.monotonic()
        with again_and_again(judge, 0.1) as judged, again_and_again(scrape, 0.2) as scraped:
            creations = [clients.submit(make, number) for number in range(PODS)]
            creations[PODS // 3].result()
            control_plane.kubectl("patch", "sic", MESH, "--type=merge", "-p", json.dumps(EDIT))
            made = [creation.result() for creation in creations]
        passed = time.monotonic() - began
        spent = list(zip(map(Effort.of, processes), efforts, strict=True))
        after, after_api, answers = own(), api_servers(), [pulse.stop() for pulse in asking]
    waiting = max((now.waiting - then.waiting) / passed for now, then in spent)
    longest, longest_api = slowest(before, after), slowest(before_api, after_api)
    stillest = max(answer["slowest"] for answer in answers)
    figures(
        pods=len(made),
        seconds=passed,
        slowest_admission_by_the_replicas_at_most=longest,
        slowest_admission_by_the_api_server_at_most=longest_api,
        slowest_creation=max(seconds for _, seconds in made),
        slowest_answer_of_an_event_loop=f"{stillest:.3f} of {sum(answer['count'] for answer in answers)}",
        templates_judged=len(judged),
        scrapes=len(scraped),
        replicas_on_a_processor=[round(now.running - then.running, 2) for now, then in spent[: len(replicas)]],
        part_of_the_time_waiting_for_a_processor=waiting,
    )
    assert Counter(outcome for outcome, _ in made) == {"injected": PODS}
    assert set(judged) == {0}
    assert scraped
    assert sum(after.values()) > sum(before.values())
    assert max(longest, longest_api, stillest) <= BUSY_SECONDS
    if waiting < IDLE:
        assert longest <= BOUND_SECONDS
        assert stillest <= STANDSTILL_SECONDS
