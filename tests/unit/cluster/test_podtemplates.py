"""What counts as an objection to a Pod, and what is no more than an API server that cannot be asked."""

import pytest

from sidecar_injector.cluster.podtemplates import objections
from sidecar_injector.errors import ClusterError

START = 'POST /path: 400: PodTemplate in version "v1" cannot be handled as a PodTemplate: '


def test_invalid_fields_are_objected_to_one_by_one() -> None:
    fields = [("template.spec.hostname", "Invalid value"), ("template.labels", "Invalid value")]
    assert objections(ClusterError("invalid", 422, fields)) == tuple(fields)


def test_a_body_that_cannot_be_read_is_objected_to_without_a_field() -> None:
    error = ClusterError(f"{START}quantities must match the regular expression", 400)
    assert objections(error) == (("", "quantities must match the regular expression"),)


def test_a_value_of_the_wrong_type_is_told_without_the_names_of_structs() -> None:
    text = (
        "json: cannot unmarshal string into Go struct field ContainerPort.template.spec.containers.ports.containerPort"
        " of type int32"
    )
    expected = "spec.containers.ports.containerPort: a string cannot be read as int32"
    assert objections(ClusterError(START + text, 400)) == (("", expected),)


def test_each_unknown_field_is_objected_to() -> None:
    text = 'strict decoding error: unknown field "template.spec.containers[0].a", unknown field "template.spec.b"'
    fields = [field for field, _ in objections(ClusterError(START + text, 400))]
    assert fields == ["template.spec.containers[0].a", "template.spec.b"]


@pytest.mark.parametrize(
    "error",
    [
        ClusterError("unreachable", 0),
        ClusterError('admission webhook "policy.example" denied the request: no', 400),
        ClusterError("podtemplates is forbidden: exceeded quota", 403),
        ClusterError("namespace not found", 404),
        ClusterError("denied by a ValidatingAdmissionPolicy", 422, [("", "no PodTemplates here")]),
        ClusterError("of the PodTemplate, not of its template", 422, [("metadata.generateName", "too long")]),
        ClusterError("too many requests", 429),
        ClusterError("down", 503),
    ],
    ids=str,
)
def test_whatever_else_goes_wrong_is_no_objection(error: ClusterError) -> None:
    assert objections(error) == ()
