"""Whatever is in a file, the answer is a message and a documented exit code, never a defect."""

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector.cli.files import read_file
from sidecar_injector.errors import InputFileError
from tests.unit.cli.program import call, config, pod, write

ACCEPTABLE = {0, 1, 2}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"a": "b"}},
    "spec": {"template": {"metadata": {"annotations": {"x": "y"}}, "spec": pod()["spec"]}},
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": {"a": "b"}}}
LIST = {"apiVersion": "v1", "kind": "List", "items": [pod(labels={"a": "b"}), DEPLOYMENT, NAMESPACE]}
_SNIPPETS = "a: _- _[_{_}_'_\"_\n_  _---\n_&a _*a_!!x _<<: _\t_\x85_|_>_#"
SNIPPETS = _SNIPPETS.split("_")


@pytest.fixture(scope="module")
def config_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield write(Path(directory) / "config.yaml", config())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, member in inside for found in [(*path, key), *places(member, (*path, key))]]


NONSENSE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)


@settings(deadline=None)
@given(text=st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=3), max_size=12).map("".join))
def test_text_that_may_be_no_yaml(config_file: Path, text: str) -> None:
    stdin = text.encode("utf-8", "replace")
    assert call("inject", "-f", "-", "--config", config_file, stdin=stdin).exit_code in ACCEPTABLE
    assert call("validate", "-f", "-", stdin=stdin).exit_code in ACCEPTABLE


@given(content=st.binary(max_size=40))
def test_bytes_that_may_be_no_text(content: bytes) -> None:
    assert call("validate", "-f", "-", stdin=content).exit_code in ACCEPTABLE


@settings(deadline=None, max_examples=300)
@given(path=st.sampled_from(places(LIST)), value=NONSENSE)
def test_objects_with_nonsense_in_one_place(config_file: Path, path: tuple[Any, ...], value: object) -> None:
    objects: Any = copy.deepcopy(LIST)
    target = objects
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    result = call("inject", "-f", "-", "--config", config_file, stdin=json.dumps(objects))
    assert result.exit_code in ACCEPTABLE, result.stderr
    assert (result.stdout == "") is (result.exit_code != 0)


@pytest.mark.parametrize("name", ["", "a" * 5000, "/dev/null/a", "\0"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    for arguments in (("validate", "-f", name), ("inject", "-f", name, "--config", name)):
        result = call(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("Error: ")


def test_a_standard_input_that_is_closed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputFileError, match="it is closed"):
        read_file("-")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_without_end_is_refused(opening: str) -> None:
    result = call("validate", "-f", "-", stdin=opening * 100_000)
    assert result.exit_code == 2
    assert len(result.stderr) < 500


def test_aliases_that_would_fill_the_memory_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    result = call("validate", "-f", "-", stdin="\n".join(lines))
    assert result.exit_code == 2
    assert len(result.stderr) < 500
