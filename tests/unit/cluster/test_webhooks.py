"""Our webhook configurations as functions of what is being served."""

import base64
from typing import Any

import pytest

from sidecar_injector import names
from sidecar_injector.cluster import webhooks
from sidecar_injector.cluster.webhooks import Endpoint, as_wanted, mutating_configuration, validating_configuration
from sidecar_injector.config import CompiledConfig, Snapshot, compile_config, parse_config
from sidecar_injector.errors import ClusterError, Problem

SERVICE = Endpoint("mesh-system", "injector", 443, "", b"PEM")
URL = Endpoint("mesh-system", "injector", 443, "https://192.0.2.7:9443/", b"PEM")


def compiled(name: str = "mesh", **spec: Any) -> CompiledConfig:
    template = {"name": "t", "template": "spec: {}"}
    resource = {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, "uid": name, "generation": 1},
        "spec": {"profile": "Generic", "templates": [template], **spec},
    }
    return compile_config(parse_config(resource))


def snapshot(*configs: CompiledConfig) -> Snapshot:
    current = Snapshot()
    for config in configs:
        current = current.with_accepted(config)
    return current


def entries(current: Snapshot, endpoint: Endpoint = SERVICE) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = mutating_configuration(current, endpoint)["webhooks"]
    return found


def test_an_entry_says_everything_that_the_api_server_would_fill_in() -> None:
    assert entries(snapshot(compiled())) == [
        {
            "name": "mesh.inject.sidecarinjector.dev",
            "clientConfig": {
                "service": {"namespace": "mesh-system", "name": "injector", "path": "/inject/mesh", "port": 443},
                "caBundle": base64.b64encode(b"PEM").decode(),
            },
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "resources": ["pods"],
                    "scope": "Namespaced",
                    "operations": ["CREATE"],
                }
            ],
            "failurePolicy": "Fail",
            "matchPolicy": "Equivalent",
            "namespaceSelector": {
                "matchLabels": {"istio-injection": "enabled"},
                "matchExpressions": [
                    {
                        "key": "kubernetes.io/metadata.name",
                        "operator": "NotIn",
                        "values": [
                            "mesh-system",
                            "kube-system",
                            "kube-public",
                            "kube-node-lease",
                            "local-path-storage",
                        ],
                    }
                ],
            },
            "objectSelector": {
                "matchExpressions": [{"key": "sidecarinjector.dev/inject", "operator": "NotIn", "values": ["false"]}]
            },
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "admissionReviewVersions": ["v1"],
            "reinvocationPolicy": "IfNeeded",
        }
    ]


def test_what_a_config_says_about_its_entry_is_in_it() -> None:
    (entry,) = entries(
        snapshot(
            compiled(
                match={
                    "namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
                    "podSelector": {"matchLabels": {"app": "web"}},
                    "conditions": [{"name": "not-root", "expression": "object.metadata.name != 'root'"}],
                },
                failurePolicy="Ignore",
                timeoutSeconds=7,
                reinvocationPolicy="Never",
            )
        )
    )
    assert entry["namespaceSelector"]["matchExpressions"][0] == {"key": "team", "operator": "Exists"}
    assert entry["namespaceSelector"]["matchExpressions"][1]["key"] == "kubernetes.io/metadata.name"
    assert entry["objectSelector"]["matchLabels"] == {"app": "web"}
    assert entry["objectSelector"]["matchExpressions"][0]["key"] == "sidecarinjector.dev/inject"
    assert entry["matchConditions"] == [{"name": "not-root", "expression": "object.metadata.name != 'root'"}]
    assert (entry["failurePolicy"], entry["timeoutSeconds"], entry["reinvocationPolicy"]) == ("Ignore", 7, "Never")


def test_a_config_of_profile_istio_has_an_entry_for_each_way_to_ask_for_its_revision() -> None:
    found = entries(snapshot(compiled("mesh", profile="Istio", revision="default")))
    assert [entry["name"] for entry in found] == [
        "rev.namespace.mesh.inject.sidecarinjector.dev",
        "rev.object.mesh.inject.sidecarinjector.dev",
        "namespace.mesh.inject.sidecarinjector.dev",
        "object.mesh.inject.sidecarinjector.dev",
    ]
    assert {webhooks.config_of(entry) for entry in found} == {"mesh"}
    assert {entry["clientConfig"]["service"]["path"] for entry in found} == {"/inject/mesh"}


def test_every_entry_leaves_out_the_namespaces_of_the_system_and_our_own() -> None:
    by_default = {"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}
    found = entries(
        snapshot(
            compiled("generic"),
            compiled("mesh", profile="Istio", revision="default", values=by_default),
            compiled("chosen", profile="Istio", match={"namespaceSelector": {"matchLabels": {"team": "a"}}}),
        )
    )
    excluded = {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": ["mesh-system", "kube-system", "kube-public", "kube-node-lease", "local-path-storage"],
    }
    assert len(found) == 7
    for entry in found:
        assert excluded in entry["namespaceSelector"]["matchExpressions"], entry["name"]


def test_outside_a_cluster_the_url_is_called() -> None:
    (entry,) = entries(snapshot(compiled()), URL)
    assert entry["clientConfig"]["url"] == "https://192.0.2.7:9443/inject/mesh"
    assert "service" not in entry["clientConfig"]


def test_entries_are_ordered_by_order_and_then_by_name() -> None:
    current = snapshot(compiled("c", order=1), compiled("b"), compiled("a"), compiled("d", order=0))
    assert [entry["clientConfig"]["service"]["path"] for entry in entries(current)] == [
        "/inject/d",
        "/inject/c",
        "/inject/a",
        "/inject/b",
    ]


def test_entries_of_one_config_stand_together() -> None:
    current = snapshot(compiled("b", profile="Istio"), compiled("a", profile="Istio"), compiled("c", order=0))
    assert [entry["name"].removesuffix(".inject.sidecarinjector.dev") for entry in entries(current)] == [
        "c",
        "rev.namespace.a",
        "rev.object.a",
        "rev.namespace.b",
        "rev.object.b",
    ]


def test_a_disabled_config_has_no_entry() -> None:
    assert entries(snapshot(compiled("off", mode="Disabled"), compiled("on", mode="Audit"))) != []
    assert [webhooks.config_of(e) for e in entries(snapshot(compiled("off", mode="Disabled"), compiled("on")))] == [
        "on"
    ]


def test_a_config_that_was_never_accepted_has_no_entry() -> None:
    assert entries(Snapshot().with_rejected("bad", 1, [Problem("spec", "wrong")])) == []


def test_a_broken_edit_keeps_the_entry_of_the_last_good_version() -> None:
    before = snapshot(compiled(timeoutSeconds=9))
    after = before.with_rejected("mesh", 2, [Problem("spec", "wrong")], "mesh")
    assert entries(after) == entries(before)


def test_a_deleted_config_has_no_entry() -> None:
    assert entries(snapshot(compiled()).without("mesh")) == []


def test_the_webhook_for_configs_never_blocks() -> None:
    (entry,) = validating_configuration(SERVICE)["webhooks"]
    assert entry["failurePolicy"] == "Ignore"
    assert entry["rules"][0]["operations"] == ["CREATE", "UPDATE"]
    assert entry["clientConfig"]["service"]["path"] == "/validate"


def live(**changes: Any) -> dict[str, Any]:
    wanted = mutating_configuration(snapshot(compiled("a"), compiled("b")), SERVICE)
    metadata = {**wanted["metadata"], "resourceVersion": "7", "annotations": {"somebody": "else"}}
    metadata["labels"] = {**metadata["labels"], "somebody": "else"}
    return {**wanted, "metadata": metadata, **changes}


def test_foreign_labels_and_annotations_do_not_matter() -> None:
    assert as_wanted(live(), mutating_configuration(snapshot(compiled("a"), compiled("b")), SERVICE))


@pytest.mark.parametrize(
    "found",
    [
        None,
        live(webhooks=[]),
        live(webhooks=live()["webhooks"][::-1]),
        live(webhooks=[*live()["webhooks"], {"name": "foreign"}]),
        live(webhooks=[{**live()["webhooks"][0], "failurePolicy": "Ignore"}, live()["webhooks"][1]]),
        live(metadata={"name": "sidecar-injector", "labels": {"app.kubernetes.io/name": "other"}}),
        live(metadata={"name": "sidecar-injector"}),
    ],
    ids=["missing", "emptied", "reordered", "a foreign entry", "a changed field", "a changed label", "no labels"],
)
def test_other_differences_do(found: dict[str, Any] | None) -> None:
    assert not as_wanted(found, mutating_configuration(snapshot(compiled("a"), compiled("b")), SERVICE))


@pytest.mark.parametrize(
    ("entry", "config"),
    [
        ("mesh.inject.sidecarinjector.dev", "mesh"),
        ("namespace.mesh.inject.sidecarinjector.dev", "mesh"),
        ("rev.namespace.mesh.inject.sidecarinjector.dev", "mesh"),
        ("object.inject.sidecarinjector.dev", "object"),
        ("rev.object.inject.inject.sidecarinjector.dev", "inject"),
        ("validate.sidecarinjector.dev", ""),
        ("foreign.example", ""),
    ],
)
def test_an_entrys_name_tells_its_config(entry: str, config: str) -> None:
    assert webhooks.config_of({"name": entry}) == config


def test_the_entries_that_the_api_server_refuses_are_found_by_its_answer() -> None:
    wanted = mutating_configuration(snapshot(compiled("a"), compiled("b")), SERVICE)
    refusal = ClusterError("no", 422, [("webhooks[1].matchConditions[0].expression", "bad CEL"), ("metadata", "?")])
    assert webhooks.refused_entries(refusal, wanted) == {"b": "bad CEL"}


def test_several_refused_entries_of_one_config_are_told_once() -> None:
    wanted = mutating_configuration(snapshot(compiled("a"), compiled("mesh", profile="Istio")), SERVICE)
    fields = [(f"webhooks[{index}].matchConditions[0].expression", f"bad CEL {index}") for index in (1, 2)]
    assert webhooks.refused_entries(ClusterError("no", 422, fields), wanted) == {"mesh": "bad CEL 1"}


def test_a_refusal_of_somebody_elses_entry_is_not_laid_to_a_config() -> None:
    wanted = mutating_configuration(snapshot(compiled("a")), SERVICE)
    assert webhooks.refused_entries(ClusterError("no", 422, [("webhooks[1].name", "foreign")]), wanted) == {}
