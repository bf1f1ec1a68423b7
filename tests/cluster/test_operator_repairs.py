"""What others do to the operator's objects, on a real API server: edited, deleted, garbled, and repaired."""

import base64
import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sidecar_injector import names
from sidecar_injector.certificates import Authority, new_authority
from sidecar_injector.cluster.secrets import secret_data
from tests.cluster.conftest import Configs, config
from tests.cluster.operator_process import Operator, measured
from tests.cluster.pods import images, make, making, pod
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

REPAIR_SECONDS = 2.0
ENABLED = {"istio-injection": "enabled"}
MUTATING, VALIDATING = "mutatingwebhookconfiguration", "validatingwebhookconfiguration"
SECRET = ("secret", names.CA_SECRET, "-n", names.APP)
FOREIGN = {
    "name": "foreign.example.org",
    "clientConfig": {"url": "https://127.0.0.1:1/"},
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}

Edit = Callable[[Cluster, str], object]


def change(operation: str, path: str, value: object = None) -> Edit:
    step = {"op": operation, "path": path, **({} if value is None else {"value": value})}
    return lambda cluster, kind: cluster.kubectl("patch", kind, names.APP, "--type=json", "-p", json.dumps([step]))


def delete(cluster: Cluster, kind: str) -> None:
    cluster.kubectl("delete", kind, names.APP)


EDITS: dict[str, Edit] = {
    "a field changed": change("replace", "/webhooks/0/timeoutSeconds", 29),
    "the CA taken away": change("remove", "/webhooks/0/clientConfig/caBundle"),
    "an entry added": change("add", "/webhooks/0", FOREIGN),
    "all entries removed": change("remove", "/webhooks"),
    "the labels removed": change("remove", "/metadata/labels"),
    "the whole object deleted": delete,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("kind", [MUTATING, VALIDATING])
def test_a_foreign_edit_of_a_webhook_configuration_is_repaired(
    control_plane: Cluster, configs: Configs, kind: str, edit: Edit
) -> None:
    configs(config("mesh"), config("other", order=7))
    before = entries(control_plane, kind)
    assert len(before) == (2 if kind == MUTATING else 1)
    with measured() as repair:
        edit(control_plane, kind)
        wait_until(lambda: entries(control_plane, kind) == before, seconds=30, what="it is repaired")
    assert repair.seconds < REPAIR_SECONDS


def entries(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    """Return the entries, or none where there is no such object or it lacks our labels."""
    found = cluster.kubectl("get", kind, names.APP, "-o", "json", "--ignore-not-found").stdout
    configuration = json.loads(found or "{}")
    labels = configuration.get("metadata", {}).get("labels", {})
    webhooks: list[dict[str, Any]] = configuration.get("webhooks", [])
    return webhooks if labels.get("app.kubernetes.io/name") == names.APP else []


def secret(cluster: Cluster) -> dict[str, Any]:
    return json.loads(cluster.kubectl("get", *SECRET, "-o", "json", "--ignore-not-found").stdout or "{}")  # type: ignore[no-any-return]


def remove_secret(cluster: Cluster) -> None:
    cluster.kubectl("delete", *SECRET)


def put(authority: Authority | None = None, **changes: object) -> Callable[[Cluster], None]:
    """Return what replaces members of the Secret, its data above all."""

    def replace(cluster: Cluster) -> None:
        data = {"data": secret_data(authority)} if authority else {}
        cluster.kubectl("patch", *SECRET, "--type=merge", "-p", json.dumps({**data, **changes}))

    return replace


def text(value: bytes) -> str:
    return base64.b64encode(value).decode()


NOW = datetime.datetime.now(datetime.UTC)
ACCIDENTS: dict[str, Callable[[Cluster], None]] = {
    "deleted": remove_secret,
    "garbled": put(data={"tls.crt": text(b"garbage")}),
    "emptied": put(data={"tls.crt": "", "tls.key": "", "ca.crt": None}),
    "given another key": put(data={"tls.key": text(new_authority(NOW).key_pem)}),
    "filled with an expired CA": put(new_authority(NOW - datetime.timedelta(days=5000))),
    "garbled and immutable": put(data={"tls.key": text(b"garbage")}, immutable=True),
}


@pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)
def test_a_ca_secret_that_is_broken_is_written_anew_from_memory(
    control_plane: Cluster, operator: Operator, accident: Callable[[Cluster], None]
) -> None:
    before = certificates(control_plane)
    accident(control_plane)
    wait_until(lambda: certificates(control_plane) == before, seconds=10, what="the Secret is repaired")


def certificates(cluster: Cluster) -> tuple[frozenset[x509.Certificate], ...]:
    """Return the CA of the Secret and what is trusted, whoever wrote it in whatever form; nothing if it is broken.

    Predecessors that have expired do not count: they stay in the Secret until it is written for another reason.
    """
    data = secret(cluster).get("data") or {}
    try:
        key = load_pem_private_key(base64.b64decode(data["tls.key"]), None)
        found = [x509.load_pem_x509_certificates(base64.b64decode(data[key])) for key in ("tls.crt", "ca.crt")]
    except (KeyError, TypeError, ValueError):
        return ()
    fits = key.public_key() == found[0][0].public_key()
    now = datetime.datetime.now(datetime.UTC)
    valid = (frozenset(one for one in each if one.not_valid_after_utc > now) for each in found)
    return tuple(valid) if fits else ()


def test_an_event_tells_about_a_repaired_secret(control_plane: Cluster, operator: Operator) -> None:
    put(data={"tls.crt": text(b"garbage")})(control_plane)
    selector = "--field-selector=reason=CASecretRepaired"
    wait_until(
        lambda: "is not PEM" in control_plane.kubectl("get", "events", "-n", names.APP, selector).stdout,
        seconds=10,
        what="there is an Event",
    )


def test_a_secret_that_broke_while_the_operator_was_away_costs_a_new_ca_and_nothing_else(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    before = secret(control_plane)["data"]["tls.crt"]
    with operator.stopped():
        put(data={"tls.key": text(b"garbage")})(control_plane)
    assert secret(control_plane)["data"]["tls.crt"] != before
    found = eventually_made(control_plane, namespace("shop", ENABLED))
    assert images(found) == ["example.org/app:1", "example.org/proxy:1"]


def eventually_made(cluster: Cluster, namespace: str) -> dict[str, Any]:
    """Create a Pod as a controller does: again if it is refused, because the API server has yet to hear of a new CA."""

    def attempt() -> dict[str, Any]:
        done = cluster.kubectl("create", "-n", namespace, "-o", "json", "-f-", input=pod("late"), check=False)
        return json.loads(done.stdout or "{}")  # type: ignore[no-any-return]

    return wait_until(attempt, seconds=10, what="a Pod is created")


def test_a_ca_past_two_thirds_of_its_life_is_renewed_and_no_request_is_lost(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    old = new_authority(NOW - datetime.timedelta(days=3000))
    shop = namespace("shop", ENABLED)
    with making(control_plane, shop, threads=2, pause=0.1) as made:
        put(old)(control_plane)
        wait_until(lambda: bundle(control_plane)[1:2] == [old.certificate], seconds=10, what="there is a new CA")
        new = bundle(control_plane)[0]
        wait_until(lambda: registered(control_plane)[:2] == [new, old.certificate], seconds=5, what="it is published")
        wait_until(lambda: operator.certificate().issuer == new.subject, seconds=30, what="its certificate is in use")
        count = len(made.pods)
        wait_until(lambda: len(made.pods) > count + 10, seconds=10, what="Pods are created with the new CA")
    assert made.refusals == []
    assert {tuple(images(found)) for _, found in made.pods} == {("example.org/app:1", "example.org/proxy:1")}


def bundle(cluster: Cluster) -> list[x509.Certificate]:
    """Return what the Secret says is to be trusted."""
    return x509.load_pem_x509_certificates(base64.b64decode(secret(cluster)["data"]["ca.crt"]))


def registered(cluster: Cluster) -> list[x509.Certificate]:
    """Return what API servers are told to trust."""
    (entry,) = entries(cluster, MUTATING)
    return x509.load_pem_x509_certificates(base64.b64decode(entry["clientConfig"]["caBundle"]))


def test_a_foreign_status_is_corrected(control_plane: Cluster, configs: Configs) -> None:
    configs(config())
    before = control_plane.get("sic", "mesh")["status"]
    stray = {"status": {"currentRevision": "0000000000", "conditions": []}}
    control_plane.kubectl("patch", "sic", "mesh", "--subresource=status", "--type=merge", "-p", json.dumps(stray))
    wait_until(
        lambda: control_plane.get("sic", "mesh")["status"]["currentRevision"] == before["currentRevision"],  # type: ignore[index]
        seconds=5,
        what="the status is corrected",
    )


def test_the_definition_can_be_deleted_and_installed_again(
    control_plane: Cluster, operator: Operator, configs: Configs, namespace: MakeNamespace
) -> None:
    configs(config())
    crd = f"{names.PLURAL}.{names.GROUP}"
    definition = control_plane.kubectl("get", "crd", crd, "-o", "json").stdout
    control_plane.kubectl("delete", "crd", crd)
    wait_until(lambda: entries(control_plane, MUTATING) == [], seconds=10, what="nothing is registered any more")
    wanted = {key: value for key, value in json.loads(definition).items() if key != "status"}
    wanted["metadata"] = {"name": crd}
    control_plane.kubectl("create", "-f-", input=wanted)
    control_plane.kubectl("wait", "--for=condition=Established", f"crd/{crd}", "--timeout=20s")
    configs(config(version="9"))
    assert images(make(control_plane, namespace("shop", ENABLED), pod("again")))[1:] == ["example.org/proxy:9"]
