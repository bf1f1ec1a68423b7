"""Promises about the repository itself: its layout, its locks, its version, its size."""

import operator
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sidecar_injector

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LINES_PER_FILE = 400

LONGER_FOR_A_REASON = {
    "operator/sidecar_injector/injection/pod_schema.py": "generated: one table of every field of Pod",
}
"""Files of operator/ that are over the limit, and why each is better in one piece."""

REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("proxy", "golang", "org"),
        ("goproxy", "io"),
        ("docker", "io"),
        ("quay", "io"),
        ("gcr", "io"),
        ("ghcr", "io"),
        ("registry", "k8s", "io"),
        ("npmjs", "org"),
    ]
]

COMMON_DIRECTORIES = {"/", "/app", "/home", "/mnt", "/opt", "/root", "/src", "/srv", "/tmp", "/usr", "/usr/src", "/var"}
"""Parents of a checkout that say nothing about the machine: files may name them for reasons of their own."""


def tracked_files() -> list[Path]:
    """Files that are in git or would be with `git add --all`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for name in output.split("\0") if name and (path := ROOT / name).is_file()]


def locked(lock: str) -> dict[str, str]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\S+) \\$", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_the_source_root_is_no_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_import_operator_is_the_standard_librarys_even_from_the_root() -> None:
    program = "import operator; print(operator.itemgetter, operator.__file__)"
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert found.stdout.split()[-1] == operator.__file__
    assert ROOT not in Path(str(operator.__file__)).parents


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", []), ("requirements-dev.lock", ["dev"])], ids=lambda value: str(value)
)
def test_the_locks_pin_every_declared_dependency_within_its_range(lock: str, extras: list[str]) -> None:
    pins = locked(lock)
    declared = PROJECT["dependencies"] + [line for extra in extras for line in PROJECT["optional-dependencies"][extra]]
    for requirement in map(Requirement, declared):
        version = pins.get(canonicalize_name(requirement.name))
        assert version, f"{requirement.name} is missing in {lock}: run make lock"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}: {lock} has {version}"


def test_the_image_gets_the_versions_that_were_tested() -> None:
    development = locked("requirements-dev.lock")
    assert locked("requirements.lock").items() <= development.items()
    assert locked("requirements-build.lock").items() <= development.items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"])
def test_every_pin_has_a_hash_and_no_source_of_its_own(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(locked(lock)) > 0
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"--(index-url|extra-index-url|find-links|trusted-host)|://", text)


def test_version_is_the_same_everywhere() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    images = re.findall(
        r"^ +image: sidecar-injector:(\S+)$", (ROOT / "manifests/install.yaml").read_text(), re.MULTILINE
    )
    assert {PROJECT["version"], versions[0], *images} == {sidecar_injector.__version__}


def test_no_source_file_is_too_long_without_a_reason() -> None:
    source = sorted((ROOT / "operator").rglob("*.py"))
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in source}
    too_long = {name for name, length in lengths.items() if length > LINES_PER_FILE}
    assert too_long == set(LONGER_FOR_A_REASON), "over the limit without a reason, or a reason for a file that is not"


def test_no_file_names_this_machine_or_a_package_registry() -> None:
    machine = [f"{ROOT}/"] if str(ROOT.parent) in COMMON_DIRECTORIES else [f"{ROOT.parent}/"]
    forbidden = [*REGISTRY_HOSTS, *machine]
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked_files()
        for word in forbidden
        if re.search(rf"(?<![\w.]){re.escape(word)}", path.read_text(errors="replace"))
    ]
    assert found == []
