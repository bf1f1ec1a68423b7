"""The certificates of a throw-away control plane: one CA, certificates it signed, and kubeconfigs that carry them."""

import base64
import datetime
import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=7)
CLOCK_SKEW = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class KeyPair:
    """Files with a certificate and its private key, PEM."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority whose files, and those of everything it issues, are in one directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("kubernetes-test-ca")
        certificate = _builder(self._name, self._name, self._key).add_extension(x509.BasicConstraints(True, None), True)
        self.files = self._write("ca", certificate.add_extension(_usage(signs_certificates=True), True), self._key)

    def issue(self, name: str, user: str, group: str | None = None, hosts: Iterable[str] = ()) -> KeyPair:
        """Sign a certificate for a server at `hosts` and a client `user` in `group`; its files are called `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = _builder(_name(user, group), self._name, key).add_extension(both, False)
        certificate = certificate.add_extension(_usage(signs_certificates=False), True)
        if alternatives := [_host(host) for host in hosts]:
            certificate = certificate.add_extension(x509.SubjectAlternativeName(alternatives), False)
        return self._write(name, certificate, key)

    def _write(self, name: str, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> KeyPair:
        files = KeyPair(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        signed = builder.sign(self._key, hashes.SHA256())
        files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        _write_key(files.key, key)
        return files


def write_rsa_key(path: Path) -> Path:
    """Write a new RSA key, with which service account tokens are signed, to `path`."""
    _write_key(path, rsa.generate_private_key(public_exponent=65537, key_size=2048))
    return path


def client_certificate(files: KeyPair) -> dict[str, str]:
    """Return the `user` of a kubeconfig that presents this certificate."""
    return {
        "client-certificate-data": _base64(files.certificate),
        "client-key-data": _base64(files.key),
    }


def server_entry(server: str, ca: Path) -> dict[str, str]:
    """Return the `cluster` of a kubeconfig for the API server at this URL."""
    return {"server": server, "certificate-authority-data": _base64(ca)}


def write_kubeconfig(
    path: Path, cluster: Mapping[str, object], user: Mapping[str, object], namespace: str = "default"
) -> Path:
    """Write a kubeconfig with one context made of `cluster` and `user` (both as a kubeconfig spells them)."""
    name = "test"
    context = {"cluster": name, "user": name, "namespace": namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": context}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1))
    return path


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str, organization: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(*pem))


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
