"""The schema in crds/ and the parser say the same; tests/cluster asks a real API server, too."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from sidecar_injector.config import parse, parse_config, parse_match, parse_overrides
from sidecar_injector.config.model import Guardrail, OverrideType, ProfileName
from tests.unit.config.resources import MINIMAL, with_spec

CRD = yaml.safe_load((Path(__file__).parents[3] / "crds" / "sidecarinjectorconfigs.yaml").read_text())
VERSION = CRD["spec"]["versions"][0]
ROOT = VERSION["schema"]["openAPIV3Schema"]
SPEC = ROOT["properties"]["spec"]["properties"]


def fields_of(schema: dict[str, Any]) -> tuple[str, ...]:
    return tuple(schema["properties"])


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, member in schema.get("properties", {}).items():
        yield from walk(member, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")


def with_defaults(schema: dict[str, Any], value: Any) -> Any:
    """Return the value as the API server completes it."""
    if isinstance(value, list):
        return [with_defaults(schema["items"], item) for item in value]
    if not isinstance(value, dict):
        return value
    members = dict(value)
    for name, member in schema.get("properties", {}).items():
        if name not in members and "default" in member:
            members[name] = member["default"]
        if name in members:
            members[name] = with_defaults(member, members[name])
    return members


@pytest.mark.parametrize(
    ("schema", "known"),
    [
        (ROOT, parse.RESOURCE_FIELDS),
        (ROOT["properties"]["spec"], parse.SPEC_FIELDS),
        (SPEC["templates"]["items"], parse.TEMPLATE_FIELDS),
        (SPEC["templates"]["items"]["properties"]["position"], parse.POSITION_FIELDS),
        (SPEC["aliases"]["items"], parse.ALIAS_FIELDS),
        (SPEC["guardrails"], parse_overrides.GUARDRAIL_FIELDS),
        (SPEC["overrides"]["items"], parse_overrides.OVERRIDE_FIELDS),
        (SPEC["match"], parse_match.MATCH_FIELDS),
        (SPEC["match"]["properties"]["podSelector"], parse_match.SELECTOR_FIELDS),
        (SPEC["match"]["properties"]["conditions"]["items"], parse_match.CONDITION_FIELDS),
    ],
)
def test_the_parser_knows_exactly_the_fields_of_the_schema(schema: dict[str, Any], known: tuple[str, ...]) -> None:
    assert fields_of(schema) == known


def test_the_names_of_the_resource_are_the_ones_in_the_code() -> None:
    assert CRD["spec"]["group"] == names.GROUP
    assert CRD["spec"]["names"]["kind"] == names.KIND
    assert CRD["spec"]["names"]["plural"] == names.PLURAL
    assert VERSION["name"] == names.VERSION
    assert CRD["metadata"]["name"] == f"{names.PLURAL}.{names.GROUP}"


@pytest.mark.parametrize("profile", ProfileName)
def test_the_defaults_of_the_schema_are_the_ones_of_the_parser(profile: str) -> None:
    resource = with_spec(profile=profile)
    completed = with_defaults(ROOT, resource)
    assert completed["spec"]["timeoutSeconds"] == 5
    assert parse_config(completed).spec == parse_config(resource).spec


def test_the_profile_of_both_is_istio_by_default() -> None:
    assert with_defaults(ROOT, MINIMAL)["spec"]["profile"] == parse_config(MINIMAL).spec.profile == "Istio"


def test_every_field_has_a_description() -> None:
    structural = {".metadata", ".spec.templates[].position.before[]", ".spec.templates[].position.after[]"}
    without = {
        path
        for path, schema in walk(ROOT, "")
        if len(schema.get("description", "")) < 10 and not path.endswith("[]") and path not in structural
    }
    assert without == set()


def test_every_choice_and_default_is_named_in_the_description() -> None:
    for path, schema in walk(ROOT["properties"]["spec"], "spec"):
        for choice in schema.get("enum", ()):
            assert choice in schema["description"], path
        if "default" in schema:
            assert "efault" in schema["description"], path


def test_the_schema_knows_the_guardrails_the_types_and_the_reserved_names_of_the_code() -> None:
    override = SPEC["overrides"]["items"]["properties"]
    assert SPEC["guardrails"]["properties"]["allow"]["items"]["enum"] == list(Guardrail)
    assert SPEC["guardrails"]["properties"]["allow"]["maxItems"] == len(Guardrail)
    assert override["type"]["enum"] == list(OverrideType)
    rule = override["name"]["x-kubernetes-validations"][0]["rule"]
    assert tuple(re.findall(r"'(\w+)'", rule)) == names.RESERVED_OVERRIDES
    assert all(name in override["name"]["description"] for name in names.RESERVED_OVERRIDES)


def test_only_values_and_mesh_config_take_unknown_fields() -> None:
    free = {path for path, schema in walk(ROOT, "") if "x-kubernetes-preserve-unknown-fields" in schema}
    assert free == {".spec.values", ".spec.meshConfig"}
