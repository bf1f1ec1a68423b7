"""The bill of materials: made by a locked tool, and never of other packages than the image's."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-sbom.lock"


def load(path: Path) -> ModuleType:
    """A program of hack/, which is no package."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


sbom = load(ROOT / "hack" / "sbom.py")
PINS = sbom.pins((ROOT / "requirements.lock").read_text())


def bill(pins: dict[str, str]) -> dict[str, Any]:
    return {"components": [{"name": name, "version": version} for name, version in pins.items()]}


def test_every_package_of_the_tool_is_pinned_with_a_hash_and_has_no_source_of_its_own() -> None:
    text = LOCK.read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert len(entries) == len(sbom.pins(text)) > 10
    assert not re.search(r"--(index-url|extra-index-url|find-links|trusted-host)|://", text)


def test_the_lock_of_the_image_is_read_whole() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert len(PINS) == len([line for line in lines if re.match(r"[A-Za-z0-9]", line)])
    assert {"kopf", "kubernetes", "jinja2", "cryptography"} <= PINS.keys()


def test_a_bill_of_exactly_the_locked_packages_is_right_however_their_names_are_spelt() -> None:
    spelt = {name.replace("-", "_").title(): version for name, version in PINS.items()}
    assert sbom.differences(sbom.components(bill(spelt)), PINS) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kopf": "0"}, "kopf (0 in the bill,"),
        ({"stowaway": "1"}, "stowaway (1 in the bill, missing in the lock)"),
    ],
)
def test_another_version_and_another_package_are_told(change: dict[str, str], complaint: str) -> None:
    (told,) = sbom.differences(sbom.components(bill({**PINS, **change})), PINS)
    assert told.startswith(complaint)


def test_a_missing_package_is_told() -> None:
    fewer = {name: version for name, version in PINS.items() if name != "kopf"}
    (told,) = sbom.differences(sbom.components(bill(fewer)), PINS)
    assert told.startswith("kopf (missing in the bill,")
