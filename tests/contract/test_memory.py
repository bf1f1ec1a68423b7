"""Admissions leave nothing behind."""

import gc
from pathlib import Path

from tests.contract.harness import Service, config, exchange, pod, review, service

WARM_UP, ADMISSIONS = 500, 3000
MOST_KIBIBYTES, MOST_OBJECTS = 2048, ADMISSIONS // 10
"""What may come on top in the measured part; one forgotten object of each admission would be more."""


def admit(running: Service, start: int, end: int) -> None:
    """Admit Pods that all differ, 50 over each connection, and now and then a config, a Pod's update, a stray call."""
    for first in range(start, end, 50):
        connection = running.connect()
        for number in range(first, first + 50):
            found = pod(uid=f"pod-{number}", labels={"app": f"a{number}"}, annotations={"a.example/note": str(number)})
            body = review(found, uid=f"review-{number}", operation="CREATE" if number % 10 else "UPDATE")
            assert exchange(connection, "/inject/mesh" if number % 7 else "/inject/none", body).status in (200, 404)
        edited = config("new", template="spec: {}" if first % 100 else "{{")
        running.validate({**edited, "metadata": {**edited["metadata"], "uid": f"config-{first}"}}, operation="UPDATE")
        connection.close()
    gc.collect()


def resident_kibibytes() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_memory_does_not_grow_with_admissions() -> None:
    with service(remembered_mib=0.1) as running:  # decisions are remembered up to a limit, which is soon reached
        admit(running, 0, WARM_UP)
        kibibytes, objects = resident_kibibytes(), len(gc.get_objects())
        admit(running, WARM_UP, WARM_UP + ADMISSIONS)
        assert resident_kibibytes() - kibibytes < MOST_KIBIBYTES
        assert len(gc.get_objects()) - objects < MOST_OBJECTS
        assert running.server._bodies.held == 0
