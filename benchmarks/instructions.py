"""Section `instructions`: those of the processor for an admission, where valgrind is there to count them."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.context import Bench, SkippedError
from benchmarks.path import TWO_CONTAINERS

ROOT = Path(__file__).resolve().parents[1]
FEW, MANY = 20, 120
SECONDS = 600
_COLLECTED = re.compile(r"Collected : (\d+)")

_PROGRAM = """
import sys
from benchmarks.path import pipeline
from benchmarks.workloads import WORKLOADS
admission = pipeline(next(each for each in WORKLOADS if each.name == sys.argv[1]))
for _ in range(int(sys.argv[2])):
    admission()
"""


def measure(bench: Bench) -> dict[str, Any]:
    """Count what the pipeline takes for a Pod of two containers.

    Two runs differ in nothing but the number of admissions, so what starting takes cancels out.
    """
    valgrind = shutil.which("valgrind")
    if bench.plan.quick or not valgrind:
        raise SkippedError("they are not counted in a quick run" if valgrind else "valgrind is not installed")
    collected = []
    for times in (FEW, MANY):
        bench.progress.say(f"a run of {times} admissions")
        collected.append(_collected(valgrind, TWO_CONTAINERS, times))
    return {"each": round((collected[1] - collected[0]) / (MANY - FEW))}


def _collected(valgrind: str, workload: str, times: int) -> int:
    with tempfile.TemporaryDirectory(prefix="sidecar-injector-benchmark-") as directory:
        tool = [valgrind, "--tool=callgrind", f"--callgrind-out-file={directory}/callgrind.out"]
        done = subprocess.run(
            [*tool, sys.executable, "-c", _PROGRAM, workload, str(times)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": f"{ROOT / 'operator'}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    found = _COLLECTED.search(done.stderr)
    if not found:
        raise SkippedError("valgrind cannot run Python here")
    if done.returncode != 0:
        raise AssertionError(f"what valgrind was to run has failed:\n{done.stderr}")
    return int(found[1])
