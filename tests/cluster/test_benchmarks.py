"""The benchmarks on a real API server: they measure the operator and clean up, and their Pods are real ones."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.workloads import NAMESPACES, WORKLOADS
from benchmarks.workloads.reviews import Values, filled
from tests.cluster.test_demo import children, is_running
from tests.kubernetes.cluster import Cluster, wait_until

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks", "--quick", *arguments]
    environment = {**os.environ, "PYTHONPATH": "operator"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures of a quick run of everything that needs a cluster."""
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    with running("--only", "start,http,live,memory", "--json", str(file)) as benchmark:
        output, progress = benchmark.communicate(timeout=SECONDS)
    assert benchmark.returncode == 0, progress
    assert "HTTPS, 8 connections" in output
    found: dict[str, Any] = results.read(file)["sections"]
    return found


def test_the_operator_and_the_floor_are_measured_and_answer_without_errors(sections: dict[str, Any]) -> None:
    servers = sections["http"]["servers"]
    assert servers.keys() == {"operator", "plain", "own", "bare", "kopf", "aiohttp"}
    for server in servers.values():
        assert server["8"]["errors"] == {}
        assert server["8"]["admissions"] > 0
        assert min(server["8"]["cpu_rounds"]) > 0


def test_an_operator_that_remembers_has_found_pods_again(sections: dict[str, Any]) -> None:
    assert sections["http"]["remembered"]["Hit"] > sections["http"]["remembered"]["Miss"]


def test_starts_edits_and_memory_are_measured(sections: dict[str, Any]) -> None:
    assert sections["start"]["seconds"]["lowest"] > 0
    live = sections["live"]
    assert live["live_millis"]["lowest"] >= live["answered_millis"]["lowest"] > 0
    assert sections["memory"]["configs"].keys() == {"2", "4"}
    assert sections["memory"]["admissions"].keys() == {"0", "100", "200", "300", "400", "500"}


def test_ctrl_c_ends_the_benchmarks_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running("--only", "http", "--rounds", "1000", "--json", str(tmp_path / "figures.json")) as benchmark:
        assert benchmark.stderr
        for line in benchmark.stderr:
            if "round 1 of" in line:
                break
        started = children(benchmark)
        assert any("benchmarks.servers.floor" in (entry / "cmdline").read_text() for entry in started)
        assert any("sidecar_injector" in (entry / "cmdline").read_text() for entry in started)
        directories = files_of(started)
        assert directories
        benchmark.send_signal(signal.SIGINT)
        rest = benchmark.stderr.read()
        assert benchmark.wait(SECONDS) == 130, rest
    assert "Everything that was started is stopped and removed." in rest
    wait_until(lambda: not any(is_running(entry) for entry in started), seconds=5, what="all that it started has ended")
    assert [path for path in directories if path.exists()] == []
    assert list(tmp_path.iterdir()) == []


def files_of(started: list[Path]) -> set[Path]:
    """Return the directories that processes were told of."""
    words = " ".join((entry / "cmdline").read_text().replace("\0", " ") for entry in started)
    return {Path(found) for found in re.findall(r"/\S*/sidecar-injector-benchmark-\w+", words)}


@pytest.fixture(scope="module")
def surroundings(control_plane: Cluster) -> Iterator[Cluster]:
    """What the Pods of the workloads need to be created."""
    accounts = {(workload.namespace, workload.account) for workload in WORKLOADS} - {(n, "default") for n in NAMESPACES}
    classes = {workload.priority_class for workload in WORKLOADS} - {""}
    objects: list[dict[str, Any]] = [
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES),
        *(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}}
            for namespace, account in sorted(accounts)
        ),
        *(
            {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 0}
            for name in sorted(classes)
        ),
    ]
    control_plane.kubectl("apply", "-f-", input=objects)
    for name in NAMESPACES:
        control_plane.kubectl("wait", "--for=create", "serviceaccount/default", "-n", name, "--timeout=20s")
    yield control_plane
    control_plane.kubectl("delete", "namespace", *NAMESPACES, "--wait=false")
    control_plane.kubectl("delete", "priorityclass", *sorted(classes))


def test_the_api_server_adds_nothing_to_the_pods_of_the_workloads(surroundings: Cluster) -> None:
    if not surroundings.has_controllers:
        pytest.skip("needs the controller that makes ServiceAccounts")
    values = Values()
    sent = [filled(workload, values)["request"]["object"] for workload in WORKLOADS]
    written = [{**each, "metadata": {**each["metadata"], "managedFields": None}} for each in sent]
    done = surroundings.kubectl("create", "--dry-run=server", "-o", "json", "-f-", input=written)
    stored = documents(done.stdout)
    assert len(stored) == len(sent)
    found = {
        workload.name: different
        for workload, before, after in zip(WORKLOADS, sent, stored, strict=True)
        if (different := differences(before["spec"], after["spec"], "spec"))
    }
    assert found == {}
    for before, after in zip(sent, stored, strict=True):
        assert after["metadata"]["labels"] == before["metadata"]["labels"]
        assert after["metadata"].get("annotations") == before["metadata"].get("annotations")


def documents(text: str) -> list[dict[str, Any]]:
    """Return what kubectl prints of several objects: one JSON document after the other."""
    found, decoder, position = [], json.JSONDecoder(), 0
    while position < len(text.rstrip()):
        document, end = decoder.raw_decode(text, position)
        found.append(document)
        position = end + 1
    return found


def differences(one: Any, other: Any, path: str) -> list[str]:
    """Return, in words, where two documents differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [d for key in {**one, **other} for d in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for index, pair in pairs for d in differences(*pair, f"{path}[{index}]")]
    return [] if one == other else [f"{path}: {one!r}, and after that {other!r}"]
