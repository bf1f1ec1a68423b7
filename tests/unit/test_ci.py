"""Continuous integration fails when make does, and when no test ran."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("last_line", "code_of_make", "succeeds"),
    [
        ("===== 870 passed, 281 deselected in 29.97s =====", 0, True),
        ("===== 1 failed, 870 passed in 30.10s =====", 2, False),
        ("===== 870 passed in 30.10s =====", 2, False),
        ("===== 281 deselected in 1.00s =====", 0, False),
        ("===== no tests ran in 0.01s =====", 0, False),
        ("===== 870 passed in 30.10s =====\nsomething else", 0, False),
    ],
)
def test_ci_succeeds_only_if_make_does_and_tests_have_passed(
    tmp_path: Path, last_line: str, code_of_make: int, succeeds: bool
) -> None:
    make = tmp_path / "make"
    make.write_text(f"#!/bin/sh\n[ \"$1\" = test ] || exit 9\necho '{last_line}'\nexit {code_of_make}\n")
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", ".ci/run"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode == 0) == succeeds, done.stderr
    assert done.stdout == f"{last_line}\n"
