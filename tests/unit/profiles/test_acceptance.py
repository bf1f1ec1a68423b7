"""A config that would make Pods that Kubernetes refuses is not accepted, and the template's line is named."""

import pytest

from sidecar_injector.errors import ConfigError
from sidecar_injector.injection.validity import faults
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.samples import SAMPLES
from tests.unit.injection.support import config
from tests.unit.profiles.bad_templates import INVALID, MISTAKEN, container, sidecar


def refusal(template):
    with pytest.raises(ConfigError) as caught:
        config(template, name="mesh")
    return str(caught.value)


@pytest.mark.parametrize(("template", "line", "fragment"), [case for case in INVALID + MISTAKEN if case[2]])
def test_what_is_no_pod_is_refused_at_its_line(template, line, fragment):
    message = refusal(template)
    assert f"mesh/main:{line}" in message, message
    assert fragment in message, message


@pytest.mark.parametrize(
    "template",
    [
        "{# nothing #}",
        "spec:",
        "metadata:\nspec:\n  volumes:\n",
        container("ports: [{containerPort: '8080', name: a-1}, {containerPort: 53, protocol: UDP}]"),
        container(
            "env: [{name: A}, {name: B, value: ''}, {name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"
        ),
        container("resources: {requests: {cpu: 0.5, memory: 1e3}, limits: {cpu: 1, memory: 1Ki, example.org/x: 1}}"),
        container("livenessProbe: {httpGet: {port: web}, periodSeconds: 1}"),
        sidecar("startupProbe: {grpc: {port: 9}}"),
        sidecar("lifecycle: {preStop: {sleep: {seconds: 1}}}"),
        "spec: {volumes: [{name: v}]}",
        "spec: {terminationGracePeriodSeconds: 0, tolerations: [{operator: Exists}]}",
        "metadata: {annotations: {Example.ORG/Key: 'any text: at all'}, labels: {a: '', example.org/b: c_d.e}}",
        "apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}",
        "spec: {fieldOfTheFuture: {x: 1}}",
    ],
)
def test_what_is_a_pod_is_accepted(template):
    assert config(template).digest


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title)
def test_the_samples_themselves_are_valid(sample):
    assert list(faults(sample.pod)) == []


def test_an_alias_is_tried_together():
    templates = [
        {"name": "base", "template": "spec: {sidecars: [{name: p, image: i}]}"},
        {"name": "more", "template": "spec:\n  containers:\n  - name: p\n    tty: true"},
        {"name": "lost", "template": "spec:\n  containers:\n  - name: q\n    tty: true"},
    ]
    aliases = [{"name": "both", "templates": ["base", "more"]}]
    assert config(templates=templates, defaultTemplates=["base"], aliases=aliases)
    aliases.append({"name": "bad", "templates": ["base", "lost"]})
    with pytest.raises(ConfigError, match=r"spec.templates\[2\].template: logging/lost:\d+.*gives no image"):
        config(templates=templates, defaultTemplates=["base"], aliases=aliases)


def test_every_problem_of_a_template_is_told_at_once():
    message = refusal(container("ports: [{containerPort: 0}]\n    imagePullPolicy: x"))
    assert "mesh/main:5" in message
    assert "mesh/main:6" in message


def test_accepting_is_a_matter_of_the_resource_alone():
    resource = {
        "apiVersion": "sidecarinjector.dev/v1alpha1",
        "kind": "SidecarInjectorConfig",
        "metadata": {"name": "mesh"},
        "spec": {"profile": "Generic", "mode": "Disabled", "templates": [{"name": "t", "template": "spec: {a"}]},
    }
    with pytest.raises(ConfigError, match="mesh/t:1"):
        accept(resource)
