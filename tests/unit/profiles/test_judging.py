"""Which Pods an API server is asked to judge, and to which line of which template an objection of its belongs."""

from typing import Any

import pytest

from sidecar_injector import names
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.judging import MergedSample, merged_samples, problems

FIRST = """\
metadata:
  labels:
    mesh: joined
  annotations: {example.com/a: "1"}
spec:
  sidecars:
    - name: proxy
      image: example.org/proxy:1
      ports:
        - {containerPort: 1}
        - containerPort: 2
  volumes:
    - name: files
      emptyDir: {}
"""
SECOND = """\
spec:
  initContainers:
    - name: setup
      image: example.org/setup:1
  containers:
    - name: proxy
      env: [{name: A, value: "1"}]
  hostname: host
"""


def samples(*templates: str, **spec: Any) -> tuple[MergedSample, ...]:
    numbered = [{"name": f"t{index}", "template": text} for index, text in enumerate(templates)]
    resource = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": "mesh"},
        "spec": {"profile": "Generic", "templates": numbered, **spec},
    }
    return merged_samples(accept(resource))


TRACED = {
    "template.spec.initContainers[0].ports[1].containerPort": (
        0, "t0:11:11: spec.initContainers[proxy].ports[2].containerPort: "
    ),
    "template.spec.initContainers[0].image": (0, "t0:8:7: spec.initContainers[proxy].image: "),
    "template.spec.initContainers[0].env[0].name": (1, "t1:7"),
    "template.spec.initContainers[1].image": (1, "t1:4:7: spec.initContainers[setup].image: "),
    "template.spec.volumes[0].emptyDir.medium": (0, "t0:14:7: spec.volumes[files].emptyDir.medium: "),
    "template.spec.hostname": (1, "t1:8:3: spec.hostname: "),
}  # fmt: skip


@pytest.mark.parametrize(("field", "expected"), TRACED.items(), ids=TRACED)
def test_an_objection_is_told_at_the_line_that_it_is_about(field: str, expected: tuple[int, str]) -> None:
    (problem,) = problems(samples(FIRST, SECOND)[0], [(field, "Invalid value")])
    index, start = expected
    assert problem.path == f"spec.templates[{index}].template"
    assert problem.message.startswith(f"mesh/{start}")
    assert "Invalid value" in problem.message
    assert "(tried on a bare Pod)" in problem.message


@pytest.mark.parametrize(
    ("field", "message", "line"),
    [
        ("template.labels", 'Invalid value: "joined": no', 3),
        ("template.labels", 'Invalid value: "mesh": no', 3),
        ("template.annotations", 'Invalid value: "example.com/a": no', 4),
        ("template.labels", 'Invalid value: "else\\x00": quoted as JSON never is', 2),
    ],
)
def test_a_label_or_annotation_is_found_by_the_key_or_value_that_is_quoted(field: str, message: str, line: int) -> None:
    (problem,) = problems(samples(FIRST)[0], [(field, message)])
    assert problem.message.startswith(f"mesh/t0:{line}")


@pytest.mark.parametrize("field", ["", "template.spec.containers[0].image", "template.spec.schedulerName", "odd..[x"])
def test_what_is_in_no_template_is_told_all_the_same(field: str) -> None:
    (problem,) = problems(samples(FIRST, SECOND)[0], [(field, "is wrong")])
    assert problem.path == "spec.templates"
    assert "is wrong" in problem.message


def test_native_and_classic_results_are_judged_only_where_they_differ() -> None:
    assert len(samples(FIRST)) == 4
    assert len(samples(FIRST, sidecarMode="Native")) == 2
    assert len(samples(SECOND.replace("    - name: proxy\n", "    - name: proxy\n      image: a\n"))) == 2


def test_an_alias_takes_one_more_call() -> None:
    aliases = [{"name": "second", "templates": ["t1"]}]
    standalone = "spec: {hostname: host}\n"
    assert len(samples(FIRST, standalone, defaultTemplates=["t0"], aliases=aliases)) == 5


def test_a_sample_that_the_template_refuses_is_left_out() -> None:
    choosy = FIRST + "{% if 'app' not in pod.metadata.labels %}{{ fail('no app') }}{% endif %}\n"
    assert {sample.trial.title for sample in samples(choosy)} == {"a Pod of a Deployment"}
