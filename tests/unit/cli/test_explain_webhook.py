"""The live webhook configuration, compared with what the operator would have there."""

from typing import Any

import pytest

from sidecar_injector.cli.explaining.registered import operator_namespace, webhook_of
from sidecar_injector.cluster.webhooks import Endpoint, mutating_configuration
from sidecar_injector.config import Snapshot
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.explaining import Known
from tests.unit.cli.situations import config, generic

CONFIGS = [accept(config()), accept(generic())]


def live() -> dict[str, Any]:
    snapshot = Snapshot()
    for each in CONFIGS:
        snapshot = snapshot.with_accepted(each)
    found: dict[str, Any] = mutating_configuration(snapshot, Endpoint("injectors", "svc", 443, "", b"CA"))
    return found


def known() -> list[Known]:
    return [Known(each.name, each) for each in CONFIGS]


def test_what_the_operator_has_registered_is_as_it_wants_it() -> None:
    found = webhook_of(live(), known(), "injectors")
    assert found.exists
    assert {name: len(entries) for name, entries in found.entries.items()} == {"istio": 4, "mesh": 1}
    assert all(entry.differences == () for entries in found.entries.values() for entry in entries)
    (mesh,) = found.entries["mesh"]
    assert mesh.selects({"istio-injection": "enabled", "kubernetes.io/metadata.name": "shop"}, {})
    assert not mesh.selects({"istio-injection": "enabled", "kubernetes.io/metadata.name": "kube-system"}, {})


@pytest.mark.parametrize(
    ("edit", "differences"),
    [
        ({"failurePolicy": "Ignore"}, ("failurePolicy",)),
        ({"objectSelector": {"matchLabels": {"a": "b"}}, "timeoutSeconds": 1}, ("objectSelector", "timeoutSeconds")),
        ({"matchConditions": [{"name": "x", "expression": "false"}]}, ("matchConditions",)),
        ({"clientConfig": {"service": {}}}, ("clientConfig.caBundle",)),
    ],
)
def test_edits_of_others_are_named_by_their_fields(edit: dict[str, Any], differences: tuple[str, ...]) -> None:
    edited = live()
    edited["webhooks"][-1] |= edit
    assert webhook_of(edited, known(), "injectors").entries["mesh"][0].differences == differences


def test_entries_of_others_are_no_config_s() -> None:
    edited = live()
    edited["webhooks"].append({"name": "else.example.org"})
    assert set(webhook_of(edited, known(), "injectors").entries) == {"istio", "mesh", ""}


def test_a_configuration_that_is_not_there_has_no_entries() -> None:
    assert webhook_of({}, known(), "") == type(webhook_of({}, [], ""))(False, {})


def test_the_entries_tell_where_the_operator_runs() -> None:
    assert operator_namespace(live()) == "injectors"
    assert operator_namespace({}) == ""
