"""The page on injecting as Istio does can be followed: its files are written, its commands run, its outcomes compared.

A block of YAML whose first line is `# NAME.yaml` is a file, `# in NAME.yaml` changes one, and `# out of it` is a part
of what the command before it has printed. Of the commands only those that need no cluster are run.
"""

import copy
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "inject-as-istio.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
MEANING = re.compile(r"# (?:(?P<file>[\w-]+\.yaml)|in (?P<changed>[\w-]+\.yaml)|out of it)")


def over(below: Any, above: Any) -> Any:
    """One tree over another; lists of items with names are appended."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: over(below.get(key), value) for key, value in above.items()}}
    if isinstance(below, list) and all(isinstance(item, dict) for item in above):
        return [*below, *above]
    return above


def differences(wanted: Any, got: Any, path: str = "") -> Iterator[str]:
    """Where what was printed lacks something; of a list of containers, their names have to be all, in order."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            yield from differences(value, got.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list):
        yield from _in_list(wanted, got, path)
    elif wanted != got:
        yield f"{path}: the page has {wanted!r}, the command {got!r}"


def _in_list(wanted: list[Any], got: list[Any], path: str) -> Iterator[str]:
    if path.endswith("ontainers") and [item["name"] for item in wanted] != [item["name"] for item in got]:
        yield f"{path}: the command has {[item['name'] for item in got]}"
    for index, item in enumerate(wanted):
        near = [other for other in got if isinstance(item, dict) and other.get("name") == item.get("name")]
        others = [list(differences(item, other, f"{path}[{index}]")) for other in near or got]
        if all(others):
            yield from min(others, key=len, default=[f"{path}: the list is empty"])


class Reader:
    """Somebody who follows the page, in a directory of their own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.printed = ""

    def take(self, language: str, text: str) -> list[str]:
        """Do what a block says; return what is not as it says."""
        if language == "sh":
            return self._run(text)
        found = MEANING.match(text)
        assert found, f"nobody knows what to do with {text[:80]!r}"
        if found["file"]:
            (self.home / found["file"]).write_text(text)
            return []
        if found["changed"]:
            return self._change(self.home / found["changed"], yaml.safe_load(text))
        return list(differences(yaml.safe_load(text), yaml.safe_load(self.printed)))

    def _run(self, text: str) -> list[str]:
        lines = text.replace("\\\n", "").splitlines()
        return [wrong for line in lines if not line.startswith("kubectl ") for wrong in self._run_line(line)]

    def _run_line(self, line: str) -> list[str]:
        paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": paths, "PYTHONPATH": str(ROOT / "operator")}
        command = ["sh", "-c", line]
        done = subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True, check=False)
        self.printed = done.stdout
        return [done.stderr] if done.returncode else []

    def _change(self, path: Path, change: Any) -> list[str]:
        """Change a file as an author would: only what changes is touched, since comments and order are of use."""
        before = yaml.safe_load(path.read_text())
        path.write_text(in_place(path.read_text(), before, over(copy.deepcopy(before), change)))
        return []


def in_place(text: str, before: Any, after: Any) -> str:
    """The text of a config with other values, default templates or templates in it."""
    spec, new = before["spec"], after["spec"]
    if spec["values"] != new["values"]:
        old, cni = "cni: {enabled: false, provider: default}", new["values"]["pilot"]["cni"]
        text = text.replace(old, f"cni: {{enabled: {str(cni['enabled']).lower()}, provider: {cni['provider']}}}")
    text = text.replace("defaultTemplates: [sidecar]", f"defaultTemplates: [{', '.join(new['defaultTemplates'])}]")
    for entry in new["templates"][len(spec["templates"]) :]:
        lines = "\n".join(f"        {line}" for line in entry["template"].splitlines())
        text += f"\n    - name: {entry['name']}\n      template: |\n{lines}\n"
    assert yaml.safe_load(text) == after
    return text


def test_every_step_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    assert [wrong for language, text in BLOCKS for wrong in reader.take(language, text)] == []


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": {"b": 1}}, {}),
        ({"containers": [{"name": "a"}]}, {"containers": [{"name": "a"}, {"name": "b"}]}),
        ({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "B"}, {"name": "A", "value": "2"}]}),
        ({"args": ["x"]}, {"args": ["y"]}),
        ({"args": ["x"]}, {"args": []}),
    ],
)
def test_a_difference_would_be_noticed(wanted: Any, got: Any) -> None:
    assert list(differences(wanted, got))


def test_a_part_is_no_difference() -> None:
    got = {"a": 1, "env": [{"name": "B"}, {"name": "A", "value": "1"}], "containers": [{"name": "c", "x": 1}]}
    assert not list(differences({"env": [{"name": "A", "value": "1"}], "containers": [{"name": "c"}]}, got))


def test_the_page_is_about_something() -> None:
    commands = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
    assert len([line for line in commands if line.startswith("sidecar-injector inject")]) > 8
