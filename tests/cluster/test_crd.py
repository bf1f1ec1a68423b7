"""The CRD on a real API server: its schema, its rules, and that the parser judges as they do."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes.client import ApiClient
from kubernetes.config import new_client_from_config

from sidecar_injector.config import Entry, Registration, compile_config, parse_config, status_of
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.names import GROUP, PLURAL, VERSION
from tests.kubernetes.cluster import Cluster, wait_until
from tests.unit.config.accepted import ACCEPTED
from tests.unit.config.refused import REFUSED
from tests.unit.config.resources import (
    MINIMAL,
    Refused,
    edited,
    templates,
    with_match,
    with_overrides,
    with_spec,
    with_template,
)

pytestmark = pytest.mark.cluster

CRD = Path(__file__).parents[2] / "crds" / "sidecarinjectorconfigs.yaml"
PATH = f"/apis/{GROUP}/{VERSION}/{PLURAL}"


@pytest.fixture(scope="module")
def applied(control_plane: Cluster) -> Cluster:
    """The cluster with the CRD, which it must take without a warning."""
    control_plane.kubectl("apply", "--server-side", "--force-conflicts", "--warnings-as-errors", "-f", str(CRD))
    control_plane.kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}", "--timeout=20s")
    return control_plane


@pytest.fixture(scope="module")
def client(applied: Cluster) -> Iterator[ApiClient]:
    """A client of the API server that is not bothered with kubectl's own checks."""
    with new_client_from_config(str(applied.kubeconfig)) as api:
        yield api


def send(client: ApiClient, resource: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Ask the API server to create the resource without storing it; return its answer."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    client.update_params_for_auth(headers, [], ["BearerToken"], None, None, None)
    url = f"{client.configuration.host}{PATH}?dryRun=All&fieldValidation=Strict"
    response = client.call_api("POST", url, header_params=headers, body=resource)
    return response.status, json.loads(response.read())


def created(client: ApiClient, resource: dict[str, Any]) -> dict[str, Any]:
    """Return the resource as the API server would store it."""
    status, answer = send(client, resource)
    assert status == 201, answer["message"]
    return answer


def refusal(client: ApiClient, resource: dict[str, Any]) -> str:
    """Return why the API server refuses the resource."""
    status, answer = send(client, resource)
    assert status in (400, 422), answer
    message: str = answer["message"]
    return message


@pytest.mark.parametrize("resource", [resource for _, resource in ACCEPTED], ids=[title for title, _ in ACCEPTED])
def test_the_api_server_accepts_what_the_parser_accepts(client: ApiClient, resource: dict[str, Any]) -> None:
    assert parse_config(created(client, resource)).spec == parse_config(resource).spec


@pytest.mark.parametrize("case", REFUSED, ids=[case.title for case in REFUSED])
def test_the_api_server_refuses_what_the_parser_refuses(client: ApiClient, case: Refused) -> None:
    assert refusal(client, case.resource)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, member in inside for found in [(*path, key), *places(member, (*path, key))]]


WORDS = ["", "a", "b", "main", "Enforce", "First", "In", "NotIn", "Exists", "a/b", "A", "-", "x" * 64, "spec: {}", "5"]
NAMES = ["name", "matchLabels", "matchExpressions", "key", "operator", "values", "templates", "at", "before", "other"]
NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.sampled_from([5.0, 2.5]) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=4,
)
FULL = [resource for _, resource in ACCEPTED if len(json.dumps(resource)) < 5000]


@st.composite
def edits(draw: st.DrawFn) -> dict[str, Any]:
    """Accepted resources in which one or two things inside spec are replaced or taken away."""
    resource: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(FULL)))
    for _ in range(draw(st.integers(1, 2))):
        paths = [path for path in places(resource) if path[0] == "spec"]
        if not paths:
            break
        *parents, last = draw(st.sampled_from(paths))
        target: Any = resource
        for key in parents:
            target = target[key]
        if draw(st.integers(0, 4)) == 0:
            del target[last]
        else:
            target[last] = draw(NONSENSE)
    return resource


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(resource=edits())
def test_the_parser_and_the_api_server_agree_about_edits_at_random(client: ApiClient, resource: dict[str, Any]) -> None:
    try:
        parsed = parse_config(resource)
    except ConfigError:
        refusal(client, resource)
    else:
        assert parse_config(created(client, resource)).spec == parsed.spec


RULES = [
    (edited(metadata__name="a.b"), "metadata.name must be a DNS label"),
    (with_match(namespaceSelector={}), "an empty namespaceSelector matches every namespace"),
    (with_match(namespaceSelector={}), "spec.match.namespaceSelector: Invalid value"),
    (
        with_spec(aliases=[{"name": "main", "templates": ["main"]}]),
        "an alias may not have the name of a template: main",
    ),
    (with_spec(aliases=[{"name": "a", "templates": ["main", "x"]}]), "no template has the name x"),
    (with_spec(defaultTemplates=["main", "y"]), "no template or alias has the name y"),
    (with_spec(defaultTemplates=["main", "main"]), "a name may be given only once, and this is repeated: main"),
    (with_match(podSelector={"matchLabels": {"a b": "c"}}), "a label key is letters"),
    (with_match(podSelector={"matchExpressions": [{"key": "a", "operator": "In"}]}), "operator In needs at least one"),
    (
        with_match(podSelector={"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
        "operator Exists takes no values",
    ),
    (with_match(neverInject=[{}]), "an empty selector would match every Pod"),
    (with_template(position={"at": "First", "after": ["app"]}), "give only one of at, before and after"),
    (with_spec(guardrails={"allow": ["Root"]}), 'supported values: "Privileged", "HostPath"'),
    (
        with_overrides({"name": "status", "type": "String"}),
        "the annotation sidecarinjector.dev/status is the injector's own",
    ),
    (
        with_overrides({"name": "a", "type": "Boolean", "pattern": "x"}),
        "enum, pattern and maxLength are for type String only; the type is Boolean",
    ),
    (
        with_overrides({"name": "a", "type": "String", "minimum": 1}),
        "minimum and maximum are for types Integer, Number, Quantity and Duration only; the type is String",
    ),
    (with_overrides({"name": "a", "type": "Boolean", "default": True}), "spec.overrides[0].default"),
    (with_spec(templates=templates("a", "a")), 'spec.templates[1]: Duplicate value: {"name":"a"}'),
]


@pytest.mark.parametrize(("resource", "message"), RULES)
def test_the_rules_say_what_is_wrong(client: ApiClient, resource: dict[str, Any], message: str) -> None:
    assert message in refusal(client, resource)


def test_the_api_server_fills_in_the_defaults(client: ApiClient) -> None:
    assert created(client, MINIMAL)["spec"] == {
        "profile": "Istio",
        "mode": "Enforce",
        "match": {"policy": "Enabled"},
        "templates": [{"name": "main", "template": "spec: {}", "delimiters": "Curly"}],
        "sidecarMode": "Auto",
        "conflictPolicy": "Merge",
        "failurePolicy": "Fail",
        "timeoutSeconds": 5,
        "reinvocationPolicy": "IfNeeded",
        "order": 100,
        "revisionHistoryLimit": 10,
    }


def described_fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    for name, member in schema.get("items", schema).get("properties", {}).items():
        yield f"{path}.{name}", member["description"]
        yield from described_fields(member, f"{path}.{name}")


def explained_at_last(cluster: Cluster) -> str:
    """Return what kubectl explains, or nothing while the API server has not published the schema yet."""
    cluster.kubectl("api-resources", "--api-group", GROUP)  # reads again what kubectl keeps for hours
    return cluster.kubectl("explain", "sic.spec", "--recursive", check=False).stdout


def test_kubectl_explains_every_field(applied: Cluster) -> None:
    schema = yaml.safe_load(CRD.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    shown = wait_until(lambda: explained_at_last(applied), seconds=30, what="kubectl knows the schema").split()
    for path, description in described_fields(schema["spec"], "sic.spec"):
        assert path.rsplit(".", 1)[1] in shown
        if path.count(".") <= 3:
            explained = " ".join(applied.kubectl("explain", path).stdout.split())
            assert " ".join(description.split()) in explained


def test_configs_are_listed_by_short_name_and_category_with_their_columns(applied: Cluster) -> None:
    name = "listed"
    condition = {"lastTransitionTime": "2030-01-01T00:00:00Z", "reason": "X", "message": ""}
    status = {
        "observedGeneration": 1,
        "currentRevision": "0123456789",
        "conditions": [
            {"type": "Accepted", "status": "False", **condition},
            {"type": "Ready", "status": "True", **condition},
        ],
    }
    applied.kubectl("create", "-f-", input=edited(metadata__name=name))
    try:
        patch = json.dumps({"status": status})
        applied.kubectl("patch", "sic", name, "--subresource=status", "--type=merge", "-p", patch)
        header, row = applied.kubectl(
            "get", "sidecars", "-o", "wide", "--field-selector", f"metadata.name={name}"
        ).stdout.splitlines()
        assert header.split() == ["NAME", "PROFILE", "MODE", "REVISION", "ACCEPTED", "READY", "AGE"]
        assert row.split()[:-1] == [
            name,
            "Istio",
            "Enforce",
            "0123456789",
            "False",
            "True",
        ]
        assert "ACCEPTED" not in applied.kubectl("get", "sic").stdout
    finally:
        applied.kubectl("delete", "sic", name)


def test_the_status_we_write_fits_the_schema(applied: Cluster) -> None:
    name = "status"
    applied.kubectl("create", "-f-", input=edited(metadata__name=name))
    try:
        entry = Entry(name, 2, "", compile_config(parse_config(MINIMAL)), (Problem("spec", "x" * 10000),))
        status = status_of(entry, Registration(True), None, "2030-01-01T00:00:00Z")
        patch = json.dumps({"status": status})
        applied.kubectl(
            "patch", "sic", name, "--subresource=status", "--type=merge", "-p", patch, "--warnings-as-errors"
        )
        assert applied.get("sic", name)["status"] == status
    finally:
        applied.kubectl("delete", "sic", name)
