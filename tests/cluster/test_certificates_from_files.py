"""Certificates of another issuer, in files: two replicas under load, without any right on Secrets."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from sidecar_injector.certificates import Authority, bundle, issue, new_authority, service_hosts
from tests.cluster.admissions import admitting, shaking_hands
from tests.cluster.conftest import installed, two_behind_the_service
from tests.cluster.operator_process import ROOT, Operator
from tests.cluster.test_certificates_in_a_secret import ENABLED, INJECTED, REPLICAS, ROTATION_SECONDS, start
from tests.cluster.test_operator_repairs import NOW, SECRET, registered
from tests.kubernetes.cluster import Cluster, wait_until
from tests.kubernetes.fixture import MakeNamespace

pytestmark = pytest.mark.cluster

INSTALL = str(ROOT / "manifests" / "install.yaml")
OVERLAY = ROOT / "manifests" / "overlays" / "cert-manager"
HOSTS = service_hosts(names.APP, names.APP)
DRAIN_SECONDS = 5.0
FILES = ("tls.crt", "tls.key", "ca.crt")
Content = tuple[bytes, bytes, bytes]


@pytest.fixture(scope="module")
def rendered(control_plane: Cluster) -> dict[tuple[str, str], dict[str, Any]]:
    documents = yaml.safe_load_all(control_plane.kubectl("kustomize", str(OVERLAY)).stdout)
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


class Volume:
    """A folder into which content is put as the kubelet puts a Secret into a Pod: all at once, by one rename."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        for name in FILES:
            (folder / name).symlink_to(Path("..data") / name)

    def put(self, content: Content) -> None:
        self._count += 1
        version = self.folder / f"..version-{self._count}"
        version.mkdir()
        for name, text in zip(FILES, content, strict=True):
            (version / name).write_bytes(text)
        unfinished = self.folder / "..data_tmp"
        unfinished.symlink_to(version.name)
        unfinished.replace(self.folder / "..data")

    @property
    def settings(self) -> dict[str, object]:
        """The settings that the overlay makes, with this folder."""
        paths = [str(self.folder / name) for name in FILES]
        return dict(zip(("certificate_file", "private_key_file", "ca_file"), paths, strict=True))


def files(authority: Authority, *trusted: Authority) -> Content:
    """Return a new certificate of a CA, its key, and the CAs to be trusted, as cert-manager names them."""
    leaf = issue(authority, HOSTS, NOW, timedelta(hours=1))
    match = re.fullmatch(rb"(-----BEGIN PRIVATE KEY.*-----END PRIVATE KEY-----\n)(.*)", leaf.pem, re.DOTALL)
    assert match
    return match[2], match[1], bundle(each.certificate for each in trusted or (authority,))


OTHER = files(new_authority(NOW))


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return Volume(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def replicas(
    control_plane: Cluster, rendered: dict[tuple[str, str], dict[str, Any]], volume: Volume
) -> Iterator[tuple[Operator, Operator]]:
    """Two replicas with the rights of the overlay, not started, behind the Service; with a config."""
    with installed(control_plane):
        control_plane.kubectl("apply", "-f-", input=rendered["Role", names.APP])
        control_plane.kubectl("delete", *SECRET, "--ignore-not-found")
        try:
            with two_behind_the_service(control_plane, REPLICAS) as both:
                yield both
        finally:
            control_plane.kubectl("apply", "-f", INSTALL)


def wait_for(replicas: tuple[Operator, ...], content: Content) -> None:
    """Wait until each replica presents the certificate that is in the files."""

    def done() -> bool:
        return all(replica.presented() == content[0].decode() for replica in replicas)

    wait_until(done, seconds=ROTATION_SECONDS, what="all replicas present the new certificate")


def test_certificates_and_cas_are_replaced_in_the_files_and_no_admission_is_lost(
    control_plane: Cluster, replicas: tuple[Operator, Operator], volume: Volume, namespace: MakeNamespace
) -> None:
    shop = namespace("shop", ENABLED)
    old, new = new_authority(NOW), new_authority(NOW)
    volume.put(files(old))
    start(replicas, log_level="debug", **volume.settings)
    assert registered(control_plane) == [old.certificate]
    with (
        admitting(control_plane, shop) as made,
        shaking_hands(control_plane, *(replica.webhook_port for replica in replicas)) as hands,
    ):
        renewed = files(old)
        volume.put(renewed)
        wait_for(replicas, renewed)
        of_new_ca = files(new)
        volume.put(of_new_ca)
        wait_until(
            lambda: {*registered(control_plane)} == {new.certificate, old.certificate},
            seconds=10,
            what="both are trusted",
        )
        assert [replica.presented() for replica in replicas] == [renewed[0].decode()] * 2, "it is too early"
        wait_for(replicas, of_new_ca)
        wait_until(lambda: registered(control_plane) == [new.certificate], seconds=10, what="the old CA is forgotten")
        count = made.count
        wait_until(lambda: made.count > count + 100, seconds=10, what="Pods are admitted with that")
    assert made.verdict() == (INJECTED, [])
    assert hands.failures == []
    assert [len(presented) for presented in hands.presented.values()] == [3, 3]
    assert "NotFound" in control_plane.kubectl("get", *SECRET, check=False).stderr
    for replica in replicas:
        assert "PRIVATE KEY" not in replica.whole_log()
        assert not [key for _, key, _ in (renewed, of_new_ca) if key.split(b"\n")[1].decode() in replica.whole_log()]


SPOILT: dict[str, Callable[[Content], Content]] = {
    "the private key is not PEM": lambda content: (content[0], b"", content[2]),
    "the certificate is not PEM": lambda content: (b"", *content[1:]),
    "the private key does not belong to the certificate": lambda content: (content[0], OTHER[1], content[2]),
    "with the CA bundle, it would not be trusted as": lambda content: (*content[:2], OTHER[2]),
}
"""What can be wrong with files, one of them half of another pair, by what the operator says about it."""


def test_what_cannot_be_used_is_passed_over_until_it_can(replicas: tuple[Operator, Operator], volume: Volume) -> None:
    volume.put(files(new_authority(NOW)))
    start(replicas, **volume.settings)
    before = [replica.presented() for replica in replicas]
    content = files(new_authority(NOW))
    for complaint, spoil in SPOILT.items():
        volume.put(spoil(content))
        wait_until(lambda: all(complaint in each.log() for each in replicas), seconds=15, what=complaint)  # noqa: B023
        assert [replica.presented() for replica in replicas] == before
        assert all(replica.readiness()["ready"] for replica in replicas)
    volume.put(content)
    wait_for(replicas, content)


def test_changing_over_from_a_ca_secret_loses_no_admission(
    control_plane: Cluster,
    rendered: dict[tuple[str, str], dict[str, Any]],
    replicas: tuple[Operator, Operator],
    volume: Volume,
    namespace: MakeNamespace,
) -> None:
    """As a rollout does it: the Role changes at once, then one Pod comes with the files and one without them goes."""
    shop = namespace("shop", ENABLED)
    before, after = replicas
    after.stop()
    before.stop()
    control_plane.route(names.APP, names.APP, 443, before.webhook_port)
    control_plane.kubectl("apply", "-f", INSTALL)
    before.start(drain_seconds=DRAIN_SECONDS)
    (made_here,) = registered(control_plane)
    given = new_authority(NOW)
    volume.put(files(given))
    with admitting(control_plane, shop) as made:
        control_plane.kubectl("apply", "-f-", input=rendered["Role", names.APP])
        after.start(**volume.settings)
        assert {*registered(control_plane)} == {made_here, given.certificate}
        control_plane.route(names.APP, names.APP, 443, before.webhook_port, after.webhook_port)
        count = made.count
        wait_until(lambda: made.count > count + 200, seconds=30, what="both serve")
        control_plane.route(names.APP, names.APP, 443, after.webhook_port)
        assert before.stop() == 0
        wait_until(lambda: registered(control_plane) == [given.certificate], seconds=30, what="one CA is left")
        count = made.count
        wait_until(lambda: made.count > count + 100, seconds=30, what="the other serves alone")
    assert made.verdict() == (INJECTED, [])


def test_without_a_certificate_it_waits_and_says_so(replicas: tuple[Operator, Operator], volume: Volume) -> None:
    for replica in replicas:
        replica.stop()
    one = replicas[0]
    volume.put((b"", b"", b""))
    one.start(wait=False, **volume.settings)
    wait_until(lambda: certificate_check(one) == "no certificate yet", seconds=15, what="it waits")
    content = files(new_authority(NOW))
    volume.put(content)
    one.wait()
    assert one.presented() == content[0].decode()
    assert "tls.crt cannot be used: the certificate is not PEM" in one.log()


def certificate_check(replica: Operator) -> str:
    """Return what readiness says about the certificate, once there is an answer."""
    try:
        return str(replica.readiness()["checks"]["certificate"])
    except OSError:
        return ""


def test_the_overlay_is_the_default_with_the_files_and_without_rights_on_secrets(
    control_plane: Cluster, rendered: dict[tuple[str, str], dict[str, Any]]
) -> None:
    text = control_plane.kubectl("kustomize", str(ROOT / "manifests" / "default")).stdout
    default = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}
    changed = {("Deployment", names.APP), ("Role", names.APP)}
    assert {key: rendered[key] for key in default.keys() - changed} == {
        key: default[key] for key in default.keys() - changed
    }
    rules = default["Role", names.APP]["rules"]
    assert rendered["Role", names.APP]["rules"] == [rule for rule in rules if rule["resources"] != ["secrets"]]
    granted = [rule for key, role in rendered.items() if key[0].endswith("Role") for rule in role["rules"]]
    assert not [rule for rule in granted if "secrets" in rule["resources"]]


def test_the_overlays_pods_read_what_cert_manager_writes(rendered: dict[tuple[str, str], dict[str, Any]]) -> None:
    pod = rendered["Deployment", names.APP]["spec"]["template"]["spec"]
    certificate = rendered["Certificate", names.APP]["spec"]
    (container,) = pod["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = pod["volumes"]
    assert volume == {"name": mount["name"], "secret": {"secretName": certificate["secretName"], "defaultMode": 0o440}}
    assert mount["readOnly"] is True
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert variables == {
        f"SIDECAR_INJECTOR_{setting.upper()}": f"{mount['mountPath']}/{file}"
        for setting, file in zip(("certificate_file", "private_key_file", "ca_file"), FILES, strict=True)
    }
    assert set(certificate["dnsNames"]) <= set(HOSTS)
    assert HOSTS[0] in certificate["dnsNames"]


def test_the_overlays_issuers_build_on_each_other(rendered: dict[tuple[str, str], dict[str, Any]]) -> None:
    certificate, authority = (rendered["Certificate", name]["spec"] for name in (names.APP, names.CA_SECRET))
    issuer = rendered["Issuer", certificate["issuerRef"]["name"]]["spec"]
    assert issuer == {"ca": {"secretName": authority["secretName"]}}
    assert authority["isCA"] is True
    assert rendered["Issuer", authority["issuerRef"]["name"]]["spec"] == {"selfSigned": {}}
    assert [each["privateKey"] for each in (certificate, authority)] == [
        {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
    ] * 2


def test_the_api_server_takes_the_overlays_deployment_into_its_restricted_namespace(
    control_plane: Cluster, rendered: dict[tuple[str, str], dict[str, Any]]
) -> None:
    control_plane.kubectl("apply", "-f", INSTALL)
    deployment = json.dumps(rendered["Deployment", names.APP])
    control_plane.kubectl("apply", "--dry-run=server", "--warnings-as-errors", "-f-", input=deployment)
