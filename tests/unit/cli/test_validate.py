"""`sidecar-injector validate`: verdicts, forms of output, exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.cli.program import call, config, pod, write


@pytest.fixture
def files(tmp_path: Path) -> Path:
    items = {"apiVersion": "v1", "kind": "List", "items": [pod("p"), config("third")]}
    write(tmp_path / "d" / "a.yaml", config("first"), pod("other"), config("second", mode="Off", order=-1))
    write(tmp_path / "d" / "b.yaml", items)
    return tmp_path / "d"


def test_every_object_gets_a_verdict(files: Path) -> None:
    result = call("validate", "-f", files)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{files}/a.yaml: document 1: SidecarInjectorConfig/first: accepted (revision ")
    assert lines[1:5] == [
        f"{files}/a.yaml: document 2: Pod/other: skipped",
        f"{files}/a.yaml: document 3: SidecarInjectorConfig/second: refused",
        "  spec.mode: is 'Off'; allowed: Enforce, Audit, Disabled",
        "  spec.order: is -1; allowed: 0 to 1000",
    ]
    assert lines[5] == f"{files}/b.yaml: document 1: items[0]: Pod/p: skipped"
    assert lines[6].startswith(f"{files}/b.yaml: document 1: items[1]: SidecarInjectorConfig/third: accepted")


@pytest.mark.parametrize(("form", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_scripts_get_the_same_as_data(files: Path, form: str, load: Callable[[str], list[dict[str, Any]]]) -> None:
    result = call("validate", "-f", files, "-o", form)
    first, skipped, second, _, third = load(result.stdout)
    assert result.exit_code == 1
    assert {**first, "revision": len(first["revision"])} == {
        "file": f"{files}/a.yaml",
        "document": 1,
        "kind": "SidecarInjectorConfig",
        "name": "first",
        "result": "accepted",
        "revision": 10,
    }
    assert skipped["result"] == "skipped"
    assert second["problems"] == [
        {"path": "spec.mode", "message": "is 'Off'; allowed: Enforce, Audit, Disabled"},
        {"path": "spec.order", "message": "is -1; allowed: 0 to 1000"},
    ]
    assert third["path"] == "items[1]"


def test_a_template_that_fails_is_shown_with_its_line(tmp_path: Path) -> None:
    template = "spec:\n  sidecars:\n    - name: a\n      image: {{ valeus.image }}\n"
    broken = config(templates=[{"name": "main", "template": template}])
    result = call("validate", "-f", write(tmp_path / "c.yaml", broken))
    assert result.exit_code == 1
    assert "spec.templates[0].template: agent/main:4" in result.stdout
    assert "valeus" in result.stdout


def test_a_config_of_the_wrong_version_or_kind_is_refused_rather_than_skipped(tmp_path: Path) -> None:
    older, misspelt = {**config(), "apiVersion": "sidecarinjector.dev/v1"}, {**config(), "kind": "SidecarConfig"}
    result = call("validate", "-f", write(tmp_path / "c.yaml", older, misspelt))
    assert result.exit_code == 1
    assert "apiVersion: is 'sidecarinjector.dev/v1'; sidecarinjector.dev/v1alpha1 is expected" in result.stdout
    assert "kind: is 'SidecarConfig'; SidecarInjectorConfig is expected" in result.stdout


def test_accepted_configs_give_exit_code_0(tmp_path: Path) -> None:
    assert call("validate", "-f", write(tmp_path / "c.yaml", config(), pod())).exit_code == 0


def test_files_without_a_config_give_exit_code_2(tmp_path: Path) -> None:
    result = call("validate", "-f", write(tmp_path / "c.yaml", pod()))
    assert result.exit_code == 2
    assert result.stderr == "Error: there is no SidecarInjectorConfig in these files\n"


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    good, bad = write(tmp_path / "good.yaml", config()), tmp_path / "bad.yaml"
    bad.write_text("a: [")
    result = call("validate", "-f", bad, "-f", tmp_path / "absent", "-f", good)
    assert result.exit_code == 2
    assert f"Error: {bad}: document 1: " in result.stderr
    assert f"Error: {tmp_path / 'absent'}: cannot be read" in result.stderr
    assert "accepted" in result.stdout


def test_standard_input_is_read_for_a_dash() -> None:
    result = call("validate", "-f", "-", stdin=json.dumps(config()))
    assert result.stdout.startswith("standard input: document 1: SidecarInjectorConfig/agent: accepted")
