"""What is known about processes."""

import os
import subprocess
import sys
import time

from benchmarks.processes import cpu_seconds, descendants, pinned, processors, resident_mib, split

BUSY = "while True: pass"


def test_the_processor_time_of_a_busy_process_grows_and_that_of_a_sleeping_one_does_not() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as busy:
        try:
            before, deadline = cpu_seconds(busy.pid), time.monotonic() + 30
            while cpu_seconds(busy.pid) < before + 0.05 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert cpu_seconds(busy.pid) >= before + 0.05
        finally:
            busy.kill()


def test_this_process_has_memory() -> None:
    assert 5 < resident_mib(os.getpid()) < 10_000


def test_a_child_is_a_descendant_and_can_be_confined_for_a_while() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        assert child.pid in descendants(os.getpid())
        everywhere, (one, _) = os.sched_getaffinity(child.pid), split()
        with pinned([child.pid], one):
            assert os.sched_getaffinity(child.pid) == one
        assert os.sched_getaffinity(child.pid) == everywhere == set(processors())
        child.communicate()


def test_servers_and_load_have_processors_of_their_own_where_there_are_two() -> None:
    servers, load = split()
    assert len(servers) == 1
    assert servers.isdisjoint(load) or len(processors()) == 1
