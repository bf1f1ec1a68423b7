"""How much is done for an admission, counted instead of timed: the same on every machine, however busy.

Calls are those of Python functions and of functions in C; opcodes are steps of Python's interpreter. Both depend on
the minor version of Python, so the figures to compare with are kept by version.
"""

import gc
import json
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.path import whole
from benchmarks.workloads import WORKLOADS, Workload

EXPECTED = Path(__file__).with_name("expected_counts.json")
REFRESH = "python -m benchmarks counts --update"
TOLERANCE = 0.05
COUNTED = ("frontend", "checkout", "postgres", "payout", "trace-agent", "suite", "egress")
"""One of each kind: a plain one, two containers, init containers, a Job, many variables, many containers, a gateway."""
WARM_UPS = 3
"""Admissions before the one that is counted: they fill what is kept per config, shape or version."""


@dataclass(frozen=True)
class Counts:
    """What one admission takes, from the bytes of the review to the answer."""

    calls: int
    opcodes: int


def count(workload: Workload) -> Counts:
    """Count what an admission of this workload takes, from the bytes of the review to the answer, without Kopf."""
    function = whole(workload)
    for _ in range(WARM_UPS):
        function()
    gc.collect()
    gc.disable()  # what a collection happens to finalize is no part of an admission
    try:
        return Counts(_calls(function), _opcodes(function))
    finally:
        gc.enable()


def counted() -> dict[str, Counts]:
    """Count for each workload of COUNTED."""
    return {workload.name: count(workload) for workload in WORKLOADS if workload.name in COUNTED}


def version() -> str:
    """Return the version of Python that figures are for."""
    return f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}"


def expected() -> Mapping[str, Counts] | None:
    """Return the figures to compare with; None if there are none for this version of Python."""
    table = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    found = table.get(version())
    return {name: Counts(**figures) for name, figures in found.items()} if found else None


def update(found: Mapping[str, Counts]) -> None:
    """Write the figures to compare with from now on; those for other versions of Python stay."""
    table = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    table[version()] = {name: asdict(counts) for name, counts in found.items()}
    EXPECTED.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n")


def grown(before: Mapping[str, Counts], found: Mapping[str, Counts]) -> list[str]:
    """Return, in words, each figure that is over what was expected by more than the tolerance, or is not known."""
    return [
        f"{name}: {now} {what}, expected {then} ({now / then - 1:+.1%})"
        for name, counts in found.items()
        for what in ("calls", "opcodes")
        for now, then in [(getattr(counts, what), getattr(before.get(name, Counts(1, 1)), what))]
        if now > then * (1 + TOLERANCE)
    ]


def shrunk(before: Mapping[str, Counts], found: Mapping[str, Counts]) -> bool:
    """Tell whether some figure is under what was expected by more than the tolerance."""
    return any(
        getattr(counts, what) < getattr(before[name], what) * (1 - TOLERANCE)
        for name, counts in found.items()
        if name in before
        for what in ("calls", "opcodes")
    )


def _calls(function: Callable[[], Any]) -> int:
    found = 0

    def on_event(_: FrameType, event: str, __: Any) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        function()
    finally:
        sys.setprofile(before)
    return found


def _opcodes(function: Callable[[], Any]) -> int:
    found = 0

    def on_event(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal found
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        found += event == "opcode"
        return on_event

    before = sys.gettrace()
    sys.settrace(on_event)
    try:
        function()
    finally:
        sys.settrace(before)
    return found
