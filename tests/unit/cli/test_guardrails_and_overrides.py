"""validate, inject and explain on guardrails and overrides: the words of the cluster, and what to do about it."""

import pytest
import yaml

from sidecar_injector.names import GROUP
from tests.unit.cli.program import call

ROOT = "privileged: {{ pod.metadata.annotations['root'] is defined }}"
LEVEL = {"name": "log-level", "type": "String", "enum": ["info", "debug"], "default": "info"}


def config(context=ROOT, **spec):
    template = (
        "spec:\n  sidecars:\n  - name: side\n    image: i\n    args: [\"{{ overrides['log-level'] }}\"]\n"
        f"    securityContext:\n      {context}\n"
    )
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "SidecarInjectorConfig",
        "metadata": {"name": "mesh"},
        "spec": {
            "profile": "Generic",
            "overrides": [LEVEL],
            "templates": [{"name": "main", "template": template}],
            **spec,
        },
    }


def namespace(**annotations):
    metadata = {"name": "shop", "labels": {"istio-injection": "enabled"}, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def pod(**annotations):
    metadata = {"name": "a", "namespace": "shop", "annotations": annotations}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "app", "image": "x"}]},
    }


def run(command, tmp_path, *objects, resource=None):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(resource or config()))
    (tmp_path / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    return call(command, "-f", str(tmp_path / "objects.yaml"), "--config", str(tmp_path / "config.yaml"))


def test_validate_says_what_to_allow(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config("privileged: true")))
    result = call("validate", "-f", str(path))
    assert result.exit_code == 1
    assert "mesh/main:7:7: spec.initContainers[side].securityContext.privileged is true" in result.stdout
    assert "set spec.guardrails.allow: [Privileged]" in result.stdout


def test_inject_turns_overrides_by_pod_and_namespace(tmp_path):
    key = f"{GROUP}/log-level"
    for notes, of_namespace, seen in (
        ({}, {}, "info"),
        ({}, {key: "debug"}, "debug"),
        ({key: "info"}, {key: "debug"}, "info"),
    ):
        result = run("inject", tmp_path, namespace(**of_namespace), pod(**notes))
        found = list(yaml.safe_load_all(result.stdout))[1]
        assert found["spec"]["initContainers"][0]["args"] == [seen]


@pytest.mark.parametrize(
    ("notes", "of_namespace", "said", "remedy"),
    [
        (
            {"root": "1"},
            {},
            "securityContext.privileged is true; config mesh may not give that to a Pod",
            "set spec.guardrails.allow: [Privileged] in config mesh in",
        ),
        (
            {f"{GROUP}/log-level": "loud"},
            {},
            "metadata.annotations[sidecarinjector.dev/log-level]: is 'loud'; allowed: info, debug",
            "correct it in metadata.annotations of Pod a",
        ),
        (
            {},
            {f"{GROUP}/log-level": "loud"},
            "namespace shop: metadata.annotations[sidecarinjector.dev/log-level]: is 'loud'; allowed: info, debug",
            "correct it in the Namespace: kubectl edit namespace shop",
        ),
    ],
)
def test_explain_and_inject_say_why_not_and_explain_what_to_do(tmp_path, notes, of_namespace, said, remedy):
    explained = run("explain", tmp_path, namespace(**of_namespace), pod(**notes)).stdout
    assert said in explained
    assert remedy in explained
    refused = run("inject", tmp_path, namespace(**of_namespace), pod(**notes))
    assert refused.exit_code == 1
    assert said in refused.stderr
