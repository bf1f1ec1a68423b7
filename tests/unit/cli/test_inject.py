"""`sidecar-injector inject`: files in, objects out, a report, exit codes. Whole outputs are in tests/golden."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.cli.program import call, config, pod, write

BROKEN_ON_SOME = """
{% if pod.metadata.get("name") == "odd" %}spec: {sidecars: [{name: x, image: {{ pod.spec.nodeName }}}]}{% endif %}
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return write(tmp_path / "config.yaml", config())


@pytest.fixture
def pod_file(tmp_path: Path) -> Path:
    return write(tmp_path / "pod.yaml", pod())


def init_containers(value: dict[str, Any]) -> list[str]:
    return [container["name"] for container in value["spec"].get("initContainers", [])]


def test_the_report_goes_to_standard_error_and_only_data_to_standard_output(config_file: Path, pod_file: Path) -> None:
    result = call("inject", "-f", pod_file, "--config", config_file)
    assert result.exit_code == 0
    assert init_containers(yaml.safe_load(result.stdout)) == ["agent"]
    assert result.stderr.startswith("Pod default/web: injected by agent (revision ")
    assert result.stderr.rstrip().endswith("): container agent")


def test_quiet_says_nothing_but_errors(config_file: Path, pod_file: Path) -> None:
    result = call("inject", "-q", "-f", pod_file, "--config", config_file)
    assert (result.exit_code, result.stderr) == (0, "")


def test_standard_input_is_read_for_a_dash(config_file: Path) -> None:
    result = call("inject", "-f", "-", "--config", config_file, stdin=json.dumps(pod()))
    assert init_containers(yaml.safe_load(result.stdout)) == ["agent"]


def test_files_with_a_byte_order_mark_are_read(config_file: Path) -> None:
    stdin = b"\xef\xbb\xbf" + json.dumps(pod()).encode()
    assert call("inject", "-f", "-", "--config", config_file, stdin=stdin).exit_code == 0


def test_a_directory_stands_for_its_files_in_order(config_file: Path, tmp_path: Path) -> None:
    files = tmp_path / "objects"
    for name in ("b.yml", "a.yaml", "c.json"):
        write(files / name, pod(name[0]))
    (files / "notes.txt").write_text("not: [read")
    write(files / "inner" / "d.yaml", pod("d"))
    result = call("inject", "-f", files, "--config", config_file)
    assert [document["metadata"]["name"] for document in yaml.safe_load_all(result.stdout)] == ["a", "b", "c"]


def test_several_files_come_out_one_after_the_other(config_file: Path, tmp_path: Path) -> None:
    first, second = write(tmp_path / "1.yaml", pod("a"), pod("b")), write(tmp_path / "2.yaml", pod("c"))
    result = call("inject", "-f", second, "-f", first, "--config", config_file)
    assert [document["metadata"]["name"] for document in yaml.safe_load_all(result.stdout)] == ["c", "a", "b"]


def test_json_is_one_object_or_a_list_of_them(config_file: Path, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.yaml", pod("a")), write(tmp_path / "2.yaml", pod("b"))
    single = json.loads(call("inject", "-o", "json", "-f", one, "--config", config_file).stdout)
    several = json.loads(call("inject", "-o", "json", "-f", one, "-f", two, "--config", config_file).stdout)
    assert single["kind"] == "Pod"
    assert (several["apiVersion"], several["kind"]) == ("v1", "List")
    assert [item["metadata"]["name"] for item in several["items"]] == ["a", "b"]
    assert several["items"][0] == single


def test_the_namespace_option_is_for_objects_that_name_none(config_file: Path, tmp_path: Path) -> None:
    objects = write(tmp_path / "pods.yaml", pod("a"), pod("b", namespace="own"))
    result = call("inject", "-n", "kube-system", "-f", objects, "--config", config_file)
    first, second = yaml.safe_load_all(result.stdout)
    assert (init_containers(first), init_containers(second)) == ([], ["agent"])
    assert "namespace" not in first["metadata"]
    assert "Pod kube-system/a: not injected by agent (SystemNamespace)" in result.stderr
    assert "Pod own/b: injected" in result.stderr


def test_several_configs_are_applied_by_order_and_name(tmp_path: Path, pod_file: Path) -> None:
    configs = [config("c", sidecarMode="Classic"), config("b", sidecarMode="Classic")]
    last_but_first = config("z", order=1, sidecarMode="Classic")
    files = [write(tmp_path / "1.yaml", *configs), write(tmp_path / "2.yaml", last_but_first)]
    result = call("inject", "-f", pod_file, "--config", files[0], "--config", files[1])
    containers = yaml.safe_load(result.stdout)["spec"]["containers"]
    assert [container["name"] for container in containers] == ["app", "z", "b", "c"]


@pytest.mark.parametrize(("policy", "expected"), [("IfNeeded", True), ("Never", False)])
def test_an_earlier_config_is_asked_again_if_it_wants_to(
    tmp_path: Path, pod_file: Path, policy: str, expected: bool
) -> None:
    watching = """
    {% for container in pod.spec.containers if container.name == "late" %}
    metadata: {labels: {saw: {{ container.name }}}}
    {% endfor %}
    """
    early = config(
        "early", order=1, reinvocationPolicy=policy, templates=[{"name": "main", "template": watching.strip()}]
    )
    configs = write(tmp_path / "c.yaml", early, config("late", sidecarMode="Classic"))
    result = call("inject", "-f", pod_file, "--config", configs)
    assert ("labels" in yaml.safe_load(result.stdout)["metadata"]) is expected
    assert ("not injected by early (NothingToInject)" in result.stderr) is not expected
    assert ("injected by early (revision" in result.stderr) is expected


def test_conditions_are_said_to_be_taken_as_true(tmp_path: Path, pod_file: Path) -> None:
    file = write(tmp_path / "c.yaml", config(match={"conditions": [{"name": "cond", "expression": "false"}]}))
    result = call("inject", "-f", pod_file, "--config", file)
    assert (
        "SidecarInjectorConfig/agent: taken as true, because only the API server evaluates CEL: cond" in result.stderr
    )
    assert init_containers(yaml.safe_load(result.stdout)) == ["agent"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], True),
        (["--namespace-labels", "istio-injection=enabled"], True),
        (["--namespace-labels", "team=shop"], False),
        (["--namespace-labels", ""], False),
    ],
)
def test_namespace_labels_decide_when_they_are_given(
    config_file: Path, pod_file: Path, options: list[str], expected: bool
) -> None:
    result = call("inject", "-f", pod_file, "--config", config_file, *options)
    assert bool(init_containers(yaml.safe_load(result.stdout))) is expected
    assert ("NamespaceNotSelected" in result.stderr) is not expected


def test_a_namespace_in_the_input_goes_before_the_option(config_file: Path, tmp_path: Path) -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "default", "labels": {"istio-injection": "enabled"}},
    }
    items = {"apiVersion": "v1", "kind": "List", "items": [namespace]}
    objects = write(tmp_path / "all.yaml", pod(), items)
    result = call("inject", "-f", objects, "--config", config_file, "--namespace-labels", "a=b")
    assert "Pod default/web: injected by agent" in result.stderr


@pytest.mark.parametrize(("version", "native"), [("1.36", True), ("v1.29.0", True), ("1.28.11", False), ("2.0", True)])
def test_the_version_decides_about_native_sidecars(
    config_file: Path, pod_file: Path, version: str, native: bool
) -> None:
    result = call("inject", "-f", pod_file, "--config", config_file, "--kubernetes-version", version)
    assert bool(init_containers(yaml.safe_load(result.stdout))) is native


def test_nothing_is_printed_when_one_object_cannot_be_injected(tmp_path: Path) -> None:
    broken = config(templates=[{"name": "main", "template": BROKEN_ON_SOME}])
    file, objects = write(tmp_path / "c.yaml", broken), write(tmp_path / "o.yaml", pod("good"), pod("odd"))
    result = call("inject", "-q", "-f", objects, "--config", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Pod default/odd: not injected, agent failed: agent/main:2")
    assert "nodeName" in result.stderr
    assert "good" not in result.stderr


def test_an_object_that_is_refused_is_a_failure(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", config(conflictPolicy="Reject"))
    taken = pod()
    taken["spec"]["containers"].append({"name": "agent", "image": "own"})
    result = call("inject", "-f", write(tmp_path / "o.yaml", taken), "--config", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the Pod already has container agent" in result.stderr


def test_an_unknown_template_is_a_failure(config_file: Path, tmp_path: Path) -> None:
    objects = write(tmp_path / "o.yaml", pod(annotations={"sidecarinjector.dev/templates": "mian"}))
    result = call("inject", "-f", objects, "--config", config_file)
    assert result.exit_code == 1
    assert "mian" in result.stderr


def deployment(template: object) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": template}}


def job_list(spec: object) -> dict[str, Any]:
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}, "spec": spec}
    return {"apiVersion": "v1", "kind": "List", "items": [pod(), {"apiVersion": "v1", "kind": "List", "items": [cron]}]}


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (["a: b", "kind: [unclosed"], "document 2"),
        (["apiVersion: v1\nkind: Pod", "- a list"], "document 2: is a list; a Kubernetes object is expected"),
        (["just text"], "document 1: is text; a Kubernetes object is expected"),
        (["kind: Pod"], "document 1: apiVersion: is missing"),
        (["apiVersion: v1"], "document 1: kind: is missing"),
        (["apiVersion: v1\nkind: 5"], "document 1: kind: is the number 5; text is expected"),
        (["apiVersion: v1\nkind: Pod\nmetadata: x"], "document 1: metadata: is text; an object is expected"),
        ([deployment(None)], "document 1: spec.template: is missing"),
        ([deployment("x")], "document 1: spec.template: is text; an object is expected"),
        ([deployment({"metadata": []})], "document 1: spec.template.metadata: is a list; an object is expected"),
        ([deployment({"metadata": {}})], "document 1: spec.template.spec: found nothing, expected an object"),
        (
            [pod(), deployment({"spec": {"containers": "x"}})],
            "document 2: spec.template.spec.containers: found a string, expected a list",
        ),
        ([pod(labels={"a": 1})], "document 1: metadata.labels['a']: found a number, expected a string"),
        ([job_list({})], "document 1: items[1].items[0].spec.jobTemplate: is missing"),
        ([job_list({"jobTemplate": {"spec": 1}})], "items[1].items[0].spec.jobTemplate.spec: is the number 1"),
        ([{"apiVersion": "v1", "kind": "List", "items": {}}], "document 1: items: is an object; a list is expected"),
        ([{"apiVersion": "v1", "kind": "List", "items": [pod(), 5]}], "document 1: items[1]: is the number 5"),
        ([{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod"}]}], "items[0].apiVersion: is missing"),
    ],
)
def test_a_bad_file_is_named_with_document_and_field(
    config_file: Path, tmp_path: Path, objects: list[Any], message: str
) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text("\n---\n".join(value if isinstance(value, str) else json.dumps(value) for value in objects))
    result = call("inject", "-f", file, "--config", config_file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {file}: ")
    assert message in result.stderr


def test_files_that_cannot_be_read_are_named(config_file: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff")
    (tmp_path / "comments.yaml").write_text("# nothing\n---\n")
    for name, message in [
        ("absent.yaml", "cannot be read: No such file or directory"),
        ("empty", "is a directory without any *.yaml, *.yml, *.json"),
        ("binary.yaml", "cannot be read: byte 4 is not UTF-8"),
        ("comments.yaml", "holds no object"),
    ]:
        result = call("inject", "-f", tmp_path / name, "--config", config_file)
        assert result.exit_code == 2
        assert f"Error: {tmp_path / name}: {message}" in result.stderr


def test_a_refused_config_is_reported_with_every_problem(tmp_path: Path, pod_file: Path) -> None:
    file = write(tmp_path / "c.yaml", pod(), config(mode="Off", order=-1))
    result = call("inject", "-f", pod_file, "--config", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"Error: {file}: document 2: SidecarInjectorConfig/agent is refused",
        "spec.mode: is 'Off'; allowed: Enforce, Audit, Disabled",
        "spec.order: is -1; allowed: 0 to 1000",
    ]


def test_a_file_without_a_config_is_an_error(pod_file: Path) -> None:
    result = call("inject", "-f", pod_file, "--config", pod_file)
    assert (result.exit_code, result.stderr) == (2, f"Error: {pod_file}: holds no SidecarInjectorConfig\n")


def test_the_same_config_twice_is_an_error(config_file: Path, tmp_path: Path, pod_file: Path) -> None:
    again = write(tmp_path / "again.yaml", pod(), config())
    result = call("inject", "-f", pod_file, "--config", config_file, "--config", again)
    assert result.exit_code == 2
    assert f"{again}: document 2: SidecarInjectorConfig/agent is in {config_file} already" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--kubernetes-version", "new"],
        ["--namespace-labels", "team"],
        ["--namespace-labels", "=x"],
        ["-n", "Not A Name"],
        ["-n", ""],
        ["-o", "toml"],
        ["-f", "-"],
        ["--unknown"],
        ["extra"],
    ],
)
def test_wrong_usage_is_refused(config_file: Path, pod_file: Path, options: list[str]) -> None:
    result = call("inject", "-f", "-", "-f", pod_file, "--config", config_file, *options, stdin="")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_octal_numbers_and_words_mean_what_they_mean_to_kubectl(config_file: Path) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmode: 0644\nswitch: on\ntext: '0644'\n"
    result = call("inject", "-f", "-", "-o", "json", "--config", config_file, stdin=text)
    found = json.loads(result.stdout)
    assert (found["mode"], found["switch"], found["text"]) == (420, True, "0644")
