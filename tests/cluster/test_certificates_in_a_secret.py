"""Two replicas whose CA is in the Secret, under load, while certificates and CAs are replaced."""

import base64
import datetime
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from sidecar_injector import names
from sidecar_injector.certificates import Authority, new_authority, renewal_time
from tests.cluster.admissions import admitting, shaking_hands
from tests.cluster.conftest import installed, two_behind_the_service
from tests.cluster.interruptible import Interruptible
from tests.cluster.operator_process import Operator
from tests.cluster.test_operator_repairs import ACCIDENTS, NOW, bundle, put, registered, remove_secret, secret
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

ENABLED = {"istio-injection": "enabled"}
INJECTED = {("example.org/app:1", "example.org/proxy:1")}
REPLICAS = ("one", "two")
MINUTE = {"certificate_lifetime_hours": 0.01}
"""The shortest lifetime: a little more than half a minute."""
ROTATION_SECONDS = 40
LEAST_ADMISSIONS = 2000


@pytest.fixture(scope="module")
def pair(control_plane: Cluster) -> Iterator[tuple[Operator, Operator]]:
    """Two replicas, not started, behind the Service; with a config."""
    with installed(control_plane), two_behind_the_service(control_plane, REPLICAS) as both:
        yield both


def start(replicas: tuple[Operator, ...], **settings: object) -> None:
    """Start all at a time."""
    for replica in replicas:
        replica.stop()
    for replica in replicas:
        replica.start(wait=False, **settings)
    for replica in replicas:
        replica.wait()


def signing(cluster: Cluster) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(secret(cluster)["data"]["tls.crt"]))


def annotate(cluster: Cluster, annotation: str) -> None:
    value = f"{annotation}={time.time_ns()}"
    cluster.kubectl("annotate", "secret", names.CA_SECRET, "-n", names.APP, value, "--overwrite")


def wait_for_issuer(replicas: tuple[Operator, ...], authority: x509.Certificate) -> None:
    """Wait until each replica presents a certificate of this CA."""

    def done() -> bool:
        return all(replica.certificate().issuer == authority.subject for replica in replicas)

    wait_until(done, seconds=ROTATION_SECONDS, what="all replicas use the new CA")


def events(cluster: Cluster, reason: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        cluster.kubectl("get", "events", "-n", names.APP, f"--field-selector=reason={reason}", "-o", "json").stdout
    )["items"]
    return found


def test_certificates_and_cas_are_replaced_under_load_and_no_admission_is_lost(
    control_plane: Cluster, pair: tuple[Operator, Operator], namespace: MakeNamespace
) -> None:
    shop = namespace("shop", ENABLED)
    start(pair, log_level="debug", **MINUTE)
    keys = [secret(control_plane)["data"]["tls.key"]]
    announced = len(events(control_plane, "CARotated"))
    with (
        admitting(control_plane, shop) as made,
        shaking_hands(control_plane, *(each.webhook_port for each in pair)) as hands,
    ):
        before = signing(control_plane)
        annotate(control_plane, names.CA_ROTATE)
        wait_until(lambda: signing(control_plane) != before, seconds=10, what="there is a new CA")
        asked, answered = (
            secret(control_plane)["metadata"]["annotations"][each] for each in (names.CA_ROTATE, names.CA_ROTATED)
        )
        assert asked == answered
        new = signing(control_plane)
        assert bundle(control_plane)[:2] == [new, before]
        wait_for_issuer(pair, new)
        rotated = [replica.certificate() for replica in pair]
        wait_until(
            lambda: all(replica.certificate() not in rotated for replica in pair),
            seconds=ROTATION_SECONDS,
            what="two thirds of the certificates' lives are over",
        )
        keys.append(secret(control_plane)["data"]["tls.key"])
        connections = connections_to(control_plane, pair)
        wait_until(
            lambda: all(new > old for new, old in zip(connections_to(control_plane, pair), connections, strict=True)),
            seconds=20,
            what="the API server has connected to each replica again",
        )
        wait_until(lambda: made.count >= LEAST_ADMISSIONS, seconds=60, what="there were enough admissions")
    assert made.verdict() == (INJECTED, [])
    assert hands.failures == []
    assert [len(presented) for presented in hands.presented.values()] == [3, 3]
    assert len(events(control_plane, "CARotated")) == announced + 1
    assert_nothing_secret(pair, keys)


def connections_to(cluster: Cluster, replicas: tuple[Operator, ...]) -> list[int]:
    """Return how often the API server has connected to each replica."""
    log = (cluster.directory / "egress.log").read_text()
    return [log.count(f"-> {replica.webhook_port}\n") for replica in replicas]


def assert_nothing_secret(replicas: tuple[Operator, ...], keys: list[str]) -> None:
    """Check the logs: no key, neither as it is nor encoded in any way it is known by."""
    for replica in replicas:
        log = replica.whole_log()
        assert "DEBUG" in log
        assert "The serving certificate was replaced" in log
        assert "PRIVATE KEY" not in log
        for key in keys:
            assert key[:60] not in log
            body = re.sub(r"-----.*?-----|\s", "", base64.b64decode(key).decode())
            assert body[40:90] not in log


def test_a_ca_that_somebody_else_puts_there_is_adopted_and_no_admission_is_lost(
    control_plane: Cluster, pair: tuple[Operator, Operator], namespace: MakeNamespace
) -> None:
    shop = namespace("shop", ENABLED)
    start(pair)
    before, foreign, announced = signing(control_plane), new_authority(NOW), len(events(control_plane, "CAAdopted"))
    with (
        admitting(control_plane, shop) as made,
        shaking_hands(control_plane, *(each.webhook_port for each in pair)) as hands,
    ):
        put(foreign)(control_plane)
        wait_until(
            lambda: bundle(control_plane)[:2] == [foreign.certificate, before],
            seconds=10,
            what="its predecessor stays trusted",
        )
        assert signing(control_plane) == foreign.certificate
        wait_for_issuer(pair, foreign.certificate)
    assert made.verdict() == (INJECTED, [])
    assert hands.failures == []
    assert len(events(control_plane, "CAAdopted")) == announced + 1


def test_after_a_revocation_no_earlier_ca_is_trusted_and_no_admission_is_lost(
    control_plane: Cluster, pair: tuple[Operator, Operator], namespace: MakeNamespace
) -> None:
    shop = namespace("shop", ENABLED)
    start(pair)
    before = signing(control_plane)
    with (
        admitting(control_plane, shop) as made,
        shaking_hands(control_plane, *(each.webhook_port for each in pair)) as hands,
    ):
        annotate(control_plane, names.CA_REVOKE)
        wait_until(lambda: signing(control_plane) != before, seconds=10, what="there is a new CA")
        assert bundle(control_plane) == [signing(control_plane)]
        wait_for_issuer(pair, signing(control_plane))
        wait_until(
            lambda: registered(control_plane) == [signing(control_plane)], seconds=10, what="only the new CA is trusted"
        )
        count = made.count
        wait_until(lambda: made.count > count + 100, seconds=10, what="Pods are admitted with that")
    assert made.verdict() == (INJECTED, [])
    assert hands.failures == []


def test_replicas_that_start_at_a_time_agree_on_one_ca(control_plane: Cluster, pair: tuple[Operator, Operator]) -> None:
    for replica in pair:
        replica.stop()
    remove_secret(control_plane)
    start(pair)
    (only,) = bundle(control_plane)
    assert [replica.certificate().issuer for replica in pair] == [only.subject] * 2
    assert registered(control_plane) == [only]


def of_another_purpose() -> Authority:
    """Return a CA whose certificates nobody would take for a server's."""
    made = new_authority(NOW)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = x509.CertificateBuilder(
        made.certificate.issuer,
        made.certificate.subject,
        made.certificate.public_key(),
        made.certificate.serial_number,
        made.certificate.not_valid_before_utc,
        made.certificate.not_valid_after_utc,
        [*made.certificate.extensions, x509.Extension(purpose.oid, False, purpose)],
    )
    certificate = builder.sign(made.key, hashes.SHA256())
    return Authority(certificate, made.key, (certificate,))


ALL_ACCIDENTS = {**ACCIDENTS, "filled with a CA of another purpose": put(of_another_purpose())}


@pytest.mark.parametrize("accident", ALL_ACCIDENTS)
def test_replicas_that_repair_the_secret_at_a_time_do_it_once(
    control_plane: Cluster, pair: tuple[Operator, Operator], accident: str
) -> None:
    if not all(replica.running for replica in pair):
        start(pair)
    before, count = secret(control_plane)["data"], len(events(control_plane, "CASecretRepaired"))
    certificates = [replica.certificate() for replica in pair]
    ALL_ACCIDENTS[accident](control_plane)
    wait_until(lambda: secret(control_plane).get("data") == before, seconds=10, what="the Secret is repaired")
    wait_until(lambda: len(events(control_plane, "CASecretRepaired")) > count, seconds=10, what="there is an Event")
    assert len(events(control_plane, "CASecretRepaired")) == count + 1
    assert [replica.certificate() for replica in pair] == certificates


def test_the_overlap_ends_after_a_day(control_plane: Cluster, pair: tuple[Operator, Operator]) -> None:
    start(pair)
    annotate(control_plane, names.CA_ROTATE)
    wait_until(lambda: len(bundle(control_plane)) == 2, seconds=10, what="there is a new CA")
    wait_for_issuer(pair, signing(control_plane))
    since = secret(control_plane)["metadata"]["annotations"][names.CA_SINCE]
    yesterday = f"{since.split()[0]} {NOW.replace(year=NOW.year - 1):%Y-%m-%dT%H:%M:%SZ}"
    put(metadata={"annotations": {names.CA_SINCE: yesterday}})(control_plane)
    wait_until(lambda: bundle(control_plane) == [signing(control_plane)], seconds=10, what="the overlap is over")
    wait_until(lambda: registered(control_plane) == bundle(control_plane), seconds=10, what="API servers are told")


def test_while_the_api_server_cannot_be_reached_it_serves_and_renews_what_needs_nobody_else(
    control_plane: Cluster, pair: tuple[Operator, Operator], namespace: MakeNamespace
) -> None:
    shop = namespace("shop", ENABLED)
    one, two = pair
    two.stop()
    one.stop()
    control_plane.route(names.APP, names.APP, 443, one.webhook_port)
    try:
        with Interruptible(control_plane.kubeconfig_for_service_account(names.APP, names.APP)) as way:
            one.start(kubeconfig=way.kubeconfig, **MINUTE)
            put(soon_due())(control_plane)
            wait_for_issuer((one,), signing(control_plane))
            before = one.certificate()
            with admitting(control_plane, shop, clients=4) as made:
                way.cut()
                wait_until(lambda: COMPLAINT in one.log(), seconds=30, what="the CA is due and cannot be replaced")
                wait_until(
                    lambda: one.certificate() != before, seconds=30, what="the certificate is renewed all the same"
                )
                assert one.certificate().issuer == before.issuer
                way.mend()
                wait_until(
                    lambda: signing(control_plane).subject != before.issuer, seconds=30, what="there is a new CA"
                )
            assert made.verdict() == (INJECTED, [])
            one.stop()
    finally:
        control_plane.route(names.APP, names.APP, 443, one.webhook_port, two.webhook_port)


COMPLAINT = "The certificate in use stays for the time being: "


def soon_due() -> Authority:
    """Return a CA of ten minutes of which two thirds will be over in half a minute."""
    now = datetime.datetime.now(datetime.UTC)
    life = datetime.timedelta(minutes=10)
    made = new_authority(now - life / 2, (), life)
    left = renewal_time(made.certificate) - now
    return new_authority(now - life / 2 - left + datetime.timedelta(seconds=30), (), life)
