"""`sidecar-injector explain` without a cluster: the first line in each situation, whole outputs, exit codes."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from tests.unit.cli.program import call, write
from tests.unit.cli.situations import (
    ENABLED,
    HOST_NETWORK,
    INJECT,
    OPT_IN,
    OWN_PROXY,
    SITUATIONS,
    TWO,
    WEB,
    Situation,
    config,
    deployment,
    generic,
    pod,
)

HERE = Path(__file__).parent / "explained"
REVISION = re.compile(r"\brevision [0-9a-f]{10}\b")


def namespace(labels: Any, annotations: Any = None, name: str = "shop") -> dict[str, Any]:
    metadata = {"name": name, "labels": dict(labels), "annotations": dict(annotations or {})}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def explain(tmp_path: Path, situation: Situation, *options: str) -> Result:
    told = [] if situation.namespace is None else [namespace(situation.namespace, situation.namespace_annotations)]
    file = write(tmp_path / "web.yaml", situation.object, *told)
    return call("explain", "-f", file, "--config", write(tmp_path / "configs.yaml", *situation.configs), *options)


def first_line(result: Result, tmp_path: Path) -> str:
    text: str = result.stdout.partition("\n")[0]
    named = text.replace(str(tmp_path / "web.yaml"), "FILE").replace(str(tmp_path / "configs.yaml"), "CONFIG")
    return REVISION.sub("revision …", named)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.title)
def test_the_first_line_names_the_cause_and_the_remedy(situation: Situation, tmp_path: Path) -> None:
    result = explain(tmp_path, situation)
    assert first_line(result, tmp_path) == situation.first_line
    assert result.exit_code == (0 if situation.injected else 1)
    assert result.stderr == ""


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.title)
def test_what_is_said_is_what_inject_does(situation: Situation, tmp_path: Path) -> None:
    explained = json.loads(explain(tmp_path, situation, "-o", "json").stdout)
    arguments = ("-f", tmp_path / "web.yaml", "--config", tmp_path / "configs.yaml", "-o", "json")
    done = call("inject", *arguments)
    if explained["verdict"] in ("Refused", "Failed") or explained["reason"] in ("ConfigNotAccepted", "RenderError"):
        assert done.exit_code
        return
    found = json.loads(done.stdout)
    items = found["items"] if found["kind"] == "List" else [found]
    spec = items[0]["spec"].get("template", items[0])["spec"] if items[0]["kind"] != "Pod" else items[0]["spec"]
    names = [each["name"] for each in (*spec.get("initContainers", []), *spec["containers"])]
    after = [each["name"] for each in explained["configs"][-1]["containers"]["after"]]
    assert sorted(names) == sorted(after) or explained["reason"] == "Audited"
    assert bool(re.search(r": injected by", done.stderr)) is (explained["verdict"] == "Injected")


def test_the_remedies_are_tried_before_they_are_given(tmp_path: Path) -> None:
    """Nothing helps here but both, so that both are said."""
    out = Situation("", "", deployment({INJECT: "false"}, hostNetwork=True))
    line = first_line(explain(tmp_path, out), tmp_path)
    assert line == (
        f'{WEB} are not injected: the Pod opts out: it has the label {INJECT}: "false"; besides, {HOST_NETWORK}. '
        f"{OPT_IN}; then: take hostNetwork: true out of spec.template.spec of Deployment web in FILE"
    )


def test_what_has_been_injected_is_said_to_be(tmp_path: Path) -> None:
    given = Situation("", "")
    explain(tmp_path, given)
    arguments = ("-q", "-o", "json", "-f", tmp_path / "web.yaml", "--config", tmp_path / "configs.yaml")
    injected = json.loads(call("inject", *arguments).stdout)["items"][0]
    result = explain(tmp_path, Situation("", "", injected))
    assert first_line(result, tmp_path) == (
        "Pods of Deployment shop/web are injected by istio (revision …): container istio-proxy, already in it"
    )
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("name", "situation"),
    [
        ("injected", Situation("", "", deployment(containers=[*OWN_PROXY[:1]]), configs=[generic(), config()])),
        (
            "not_injected",
            Situation(
                "", "", deployment(own={"labels": {"sidecar.istio.io/proxyCPU": "1"}}), {"team": "a"}, configs=TWO
            ),
        ),
    ],
)
def test_whole_outputs(name: str, situation: Situation, tmp_path: Path) -> None:
    """UPDATE_GOLDEN=1 writes what comes out; read the difference before you keep it."""
    output = explain(tmp_path, situation).stdout.replace(str(tmp_path / "web.yaml"), "web.yaml")
    file = HERE / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(output)
    assert output == file.read_text()


def test_json_has_everything_that_led_to_the_answer(tmp_path: Path) -> None:
    result = explain(tmp_path, Situation("", "", deployment({INJECT: "true"})), "-o", "json")
    data = json.loads(result.stdout)
    assert list(data) == [
        "object", "verdict", "reason", "headline", "cause", "remedies", "namespaceLabels", "configs",
    ]  # fmt: skip
    assert data["object"] == {
        "kind": "Deployment", "namespace": "shop", "name": "web", "file": str(tmp_path / "web.yaml"),
    }  # fmt: skip
    assert (data["verdict"], data["reason"], data["remedies"]) == ("Injected", "Injected", [])
    assert data["namespaceLabels"] == ENABLED
    (found,) = data["configs"]
    assert list(found) == [
        "name", "profile", "revision", "answersTo", "verdict", "reason", "message", "steps", "entries", "templates",
        "rules", "containers",
    ]  # fmt: skip
    assert (found["name"], found["profile"], found["answersTo"]) == ("istio", "Istio", "default")
    assert found["steps"][0] == {"rule": "mode", "value": "spec.mode is Enforce", "decision": ""}
    assert found["steps"][-1] == {
        "rule": "inject label or annotation",
        "value": f"label {INJECT}: 'true'",
        "decision": f"inject: the Pod has the label {INJECT}: true",
    }
    assert [(entry["name"].partition(".istio.")[0], entry["selects"]) for entry in found["entries"]] == [
        ("rev.namespace", False),
        ("rev.object", False),
        ("namespace", True),
        ("object", False),
    ]
    assert found["templates"] == ["sidecar"]
    assert found["containers"] == {
        "before": [{"name": "app", "role": "container", "image": "example.org/app:1"}],
        "after": [
            {"name": "istio-proxy", "role": "native sidecar", "image": "example.org/proxy:1"},
            {"name": "app", "role": "container", "image": "example.org/app:1"},
        ],
    }


def test_rules_of_the_profile_are_named_where_they_change_something(tmp_path: Path) -> None:
    probe = {"httpGet": {"path": "/", "port": 80}}
    app = {"name": "app", "image": "a", "livenessProbe": probe}
    data = json.loads(explain(tmp_path, Situation("", "", deployment(containers=[app])), "-o", "json").stdout)
    assert "probes" in data["configs"][0]["rules"]
    data = json.loads(explain(tmp_path, Situation("", ""), "-o", "json").stdout)
    assert "probes" not in data["configs"][0]["rules"]


def test_yaml_says_the_same_as_json(tmp_path: Path) -> None:
    given = Situation("", "", deployment(hostNetwork=True))
    assert yaml.safe_load(explain(tmp_path, given, "-o", "yaml").stdout) == json.loads(
        explain(tmp_path, given, "-o", "json").stdout
    )


def test_several_objects_are_explained_one_after_the_other(tmp_path: Path) -> None:
    file = write(tmp_path / "all.yaml", deployment(), pod(labels={INJECT: "false"}), namespace(ENABLED))
    configs = write(tmp_path / "configs.yaml", config())
    text = call("explain", "-f", file, "--config", configs)
    assert [block.partition("\n")[0].partition(" (")[0] for block in re.split(r"\n\n(?=Pods? )", text.stdout)] == [
        "Pods of Deployment shop/web are injected by istio",
        f'Pod shop/web is not injected: the Pod opts out: it has the label {INJECT}: "false". To inject it: set the '
        f'label {INJECT}: "true" in metadata.labels of Pod web in {file}',
    ]
    assert text.exit_code == 1
    data = json.loads(call("explain", "-f", file, "--config", configs, "-o", "json").stdout)
    assert [each["verdict"] for each in data["items"]] == ["Injected", "NotInjected"]


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ("istio-injection=enabled", "Pods in namespace shop that say nothing themselves are injected by istio ("),
        (
            "",
            "Pods in namespace shop that say nothing themselves are not injected: namespace shop has no label "
            "istio-injection=enabled, nor istio.io/rev, and the Pod does not ask for injection by a label of its own. "
            "To inject them: kubectl label namespace shop istio-injection=enabled\n",
        ),
    ],
)
def test_a_namespace_can_be_asked_about_by_its_labels_alone(tmp_path: Path, labels: str, line: str) -> None:
    configs = write(tmp_path / "configs.yaml", config())
    result = call("explain", "-n", "shop", "--config", configs, "--namespace-labels", labels)
    assert result.stdout.startswith(line)
    assert result.exit_code == 0


def test_a_file_with_namespaces_only_is_about_pods_that_say_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "all.yaml", namespace({}, name="a"), namespace(ENABLED, name="b"))
    data = json.loads(call("explain", "-f", file, "--config", write(tmp_path / "c.yaml", config()), "-ojson").stdout)
    assert [(each["object"]["name"], each["verdict"]) for each in data["items"]] == [
        ("a", "NotInjected"),
        ("b", "Injected"),
    ]


def test_the_version_of_the_nodes_decides_about_native_sidecars(tmp_path: Path) -> None:
    def roles(*options: str) -> list[str]:
        data = json.loads(explain(tmp_path, Situation("", ""), "-o", "json", *options).stdout)
        return [each["role"] for each in data["configs"][0]["containers"]["after"]]

    assert roles() == ["native sidecar", "container"]
    assert roles("--kubernetes-version", "1.28") == ["container", "container"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "What is to be explained? Name an object (deployment/web), a file (-f), or a namespace (-n)."),
        (["deployment"], "Which Deployment? Write deployment/NAME."),
        (["rollout/web"], "'rollout' is no type that makes Pods; known are pod, namespace, deployment, statefulset,"),
        (["pod/a", "pod/b"], "'pod/a pod/b' is not one object; write TYPE/NAME, such as deployment/web."),
        (["deploy/web", "-f", "x.yaml"], "Name an object of the cluster, or files with -f; not both."),
        (["-n", "Shop"], "'Shop' is not a DNS label"),
    ],
)
def test_wrong_usage_is_refused(arguments: list[str], message: str) -> None:
    result = call("explain", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr.replace("\n       ", " ")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, "holds nothing that makes Pods"),
        (deployment(containers="x"), "spec.template.spec.containers: found a string, expected a list"),
        (pod(labels={INJECT: True}), f"metadata.labels['{INJECT}']: found a boolean, expected a string"),
    ],
)
def test_a_file_that_cannot_be_explained_is_named(tmp_path: Path, value: Any, message: str) -> None:
    result = explain(tmp_path, Situation("", "", value, None))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_without_a_cluster_configs_have_to_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    result = call("explain", "-f", write(tmp_path / "web.yaml", deployment()))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"Error: no usable credentials for the API server: {tmp_path / 'none'} does not exist",
        "Without a cluster, give the configs, too: --config FILE",
    ]
