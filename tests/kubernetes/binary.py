"""The one binary with a whole Kubernetes in it: built once, afterwards taken from the cache."""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kubernetes.progress import EVERY_SECONDS, CommandError, run, say
from tests.kubernetes.toolchain import find_go

SOURCE = Path(__file__).with_name("binary")
ERROR_LINES = 25


class BuildError(Exception):
    """The binary could not be built."""


def ensure_binary() -> Path:
    """Return the path of the binary, building it first if the cache does not have it (minutes, once).

    Raises BuildError, or ToolchainError when there is no Go and none can be installed.
    """
    binary = cache_directory() / binary_name()
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        with lock(binary.parent / "build.lock"):
            if not binary.exists():
                _build(binary)
    return binary


def cache_directory() -> Path:
    """Return the directory of what is built once."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sidecar-injector"


def binary_name() -> str:
    """Return the file name of the binary, which changes with everything that it is made of."""
    content = hashlib.sha256(_linker_flags().encode())
    for path in sorted(SOURCE.iterdir()):
        if path.suffix == ".go" or path.name in ("go.mod", "go.sum"):
            content.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"kubernetes-{kubernetes_version()}-{platform.machine()}-{content.hexdigest()[:12]}"


def kubernetes_version() -> str:
    """Return the version of Kubernetes, such as "v1.36.3". Its one home is the go.mod."""
    return _in_go_mod(r"^\tk8s\.io/kubernetes (v\S+)$")


def _in_go_mod(pattern: str) -> str:
    match = re.search(pattern, (SOURCE / "go.mod").read_text(), re.MULTILINE)
    if not match:
        raise BuildError(f"{SOURCE / 'go.mod'} has no line that matches {pattern}.")
    return match[1]


def _linker_flags() -> str:
    """Stamp the version: kubectl cannot parse the one that it reports otherwise."""
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return "-s -w " + " ".join(f"-X {package}.{name}={stamps[name]}" for package in packages for name in stamps)


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold a lock between processes; say so while another one has it."""
    with path.open("w") as file:
        waited = 0
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited % EVERY_SECONDS == 0:
                    say(f"  {waited:4d} s: waiting for another process that is building the same")
                time.sleep(1)
                waited += 1
        yield


def _build(binary: Path) -> None:
    cache = binary.parent
    go = find_go(_in_go_mod(r"^go (\S+)$"), cache)
    say(f"Building Kubernetes {kubernetes_version()} for the tests, once: takes 6 to 15 minutes on two cores.")
    started = time.monotonic()
    scratch = cache / "build"
    # Whoever was here before and was killed left it.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        _compile(go, _go_environment(go, cache, scratch), scratch / binary.name)
        (scratch / binary.name).replace(binary)
    except CommandError as error:
        raise BuildError(_explain(error)) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    say(f"Built {binary} in {time.monotonic() - started:.0f} s.")


def _compile(go: Path, env: dict[str, str], target: Path) -> None:
    listed = run(
        [str(go), "list", "-deps", "."],
        cwd=SOURCE,
        env=env,
        describe=lambda lines: f"downloading modules ({len(lines)} so far)",
    )
    packages = [line for line in listed if not line.startswith("go: ")]
    run(
        [str(go), "build", "-v", "-trimpath", "-ldflags", _linker_flags(), "-o", str(target), "."],
        cwd=SOURCE,
        env=env,
        describe=lambda lines: f"compiled {len(lines)} packages (of {len(packages)} at most)",
    )


def _go_environment(go: Path, cache: Path, scratch: Path) -> dict[str, str]:
    # The toolchain knows its own GOROOT.
    env = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    # With another value of CGO_ENABLED nothing that is already compiled could be used again.
    env |= {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    env |= {"GOTMPDIR": str(scratch)}
    for name in ("GOCACHE", "GOMODCACHE"):
        usual = subprocess.run([go, "env", name], env=env, cwd=SOURCE, capture_output=True, text=True).stdout.strip()
        if not _is_writable(usual):
            env[name] = str(cache / name.lower())
    return env


def _is_writable(directory: str) -> bool:
    path = Path(directory)
    if not path.is_absolute():
        return False
    while not path.exists():
        path = path.parent
    return os.access(path, os.W_OK)


def _explain(error: CommandError) -> str:
    end = "\n".join(error.lines[-ERROR_LINES:])
    return (
        f"The test cluster's binary could not be built: {error}. The end of what it said:\n{end}\n"
        f"If it could not download modules: it needs a Go module proxy (the variable GOPROXY) the first time.\n"
        f"If there was no space: it needs about 5 GB. Where Go keeps them: `go env GOCACHE GOMODCACHE`."
    )
