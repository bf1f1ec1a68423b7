"""Reading the CA Secret."""

import base64
import datetime
from typing import Any

import pytest

from sidecar_injector.certificates import new_authority
from sidecar_injector.cluster.secrets import read_authority, secret_data
from sidecar_injector.errors import CertificateError

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
AUTHORITY = new_authority(NOW)
DATA = secret_data(AUTHORITY)


def test_what_is_written_can_be_read() -> None:
    assert read_authority({"data": DATA}, NOW) == AUTHORITY


def test_a_secret_without_a_bundle_trusts_the_ca_that_signs() -> None:
    assert read_authority({"data": {key: DATA[key] for key in ("tls.crt", "tls.key")}}, NOW) == AUTHORITY


def test_a_bundle_that_is_null_is_none() -> None:
    assert read_authority({"data": {**DATA, "ca.crt": None}}, NOW) == AUTHORITY


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ({}, "tls.crt and tls.key missing"),
        ({"data": None}, "tls.crt and tls.key missing"),
        ({"data": {**DATA, "tls.key": ""}}, "tls.key missing"),
        ({"data": {**DATA, "tls.crt": "%%%"}}, "data is not base64"),
        ({"data": {**DATA, "tls.crt": "é"}}, "data is not base64"),
        ({"data": {**DATA, "tls.crt": base64.b64encode(b"garbage").decode()}}, "the CA certificate is not PEM"),
        ({"data": {**DATA, "ca.crt": base64.b64encode(b"garbage").decode()}}, "the trusted bundle is not PEM"),
    ],
)
def test_what_is_broken_is_said(secret: dict[str, Any], problem: str) -> None:
    with pytest.raises(CertificateError, match=problem):
        read_authority(secret, NOW)
