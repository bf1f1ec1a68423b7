"""The CA Secret: shared by all replicas, made by the first, repaired when broken, renewed with an overlap.

Its shape is cert-manager's: type kubernetes.io/tls, `tls.crt` and `tls.key` hold the CA that signs, `ca.crt` everything
that is to be trusted (the CA that signs, and its predecessors for as long as they have not expired).
"""

import base64
import datetime
import logging
from typing import Any

from sidecar_injector import names
from sidecar_injector.certificates import Authority, load_authority, needs_renewal, new_authority
from sidecar_injector.cluster import events, paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.errors import CertificateError, ClusterError

CERTIFICATE, KEY, TRUSTED = "tls.crt", "tls.key", "ca.crt"
ATTEMPTS = 5
"""How often a write that collides with another replica's is tried again at once."""

logger = logging.getLogger(__name__)


async def ensure_authority(
    api: Api, namespace: str, name: str, now: datetime.datetime, held: Authority | None = None
) -> Authority:
    """Return the CA of the Secret, after making, repairing or renewing the Secret where that is needed.

    `held` is the CA in memory: a Secret that was deleted or garbled is written anew from it, so that what it signed
    stays trusted. Raises ClusterError.
    """
    for attempt in range(1, ATTEMPTS + 1):
        secret = await api.find(f"{paths.secrets(namespace)}/{name}")
        stored, problem = _read(secret, now)
        if stored is not None and not needs_renewal(stored.certificate, now):
            return stored
        wanted = _wanted(stored, held, now)
        try:
            written = await _write(api, namespace, name, secret, wanted)
        except ClusterError as error:
            if error.status not in (404, 409) or attempt == ATTEMPTS:
                raise
            continue  # another replica was faster: see what it wrote
        await _report(api, written, problem if secret is not None else "", held)
        return wanted
    raise AssertionError("unreachable: the last attempt returns or raises")


def secret_data(authority: Authority) -> dict[str, str]:
    """Return `data` of the Secret."""
    content = {CERTIFICATE: authority.certificate_pem, KEY: authority.key_pem, TRUSTED: authority.bundle_pem}
    return {key: base64.b64encode(value).decode() for key, value in content.items()}


def read_authority(secret: Object, now: datetime.datetime) -> Authority:
    """Return the CA that a Secret holds; raises CertificateError that says what is wrong with it."""
    data = secret.get("data") or {}
    missing = [key for key in (CERTIFICATE, KEY) if not data.get(key)]
    if missing:
        raise CertificateError(f"{' and '.join(missing)} missing")
    try:
        decoded = {key: base64.b64decode(data.get(key) or "", validate=True) for key in (CERTIFICATE, KEY, TRUSTED)}
    except ValueError as error:
        raise CertificateError(f"data is not base64: {error}") from None
    return load_authority(decoded[CERTIFICATE], decoded[KEY], decoded[TRUSTED], now)


def _read(secret: Object | None, now: datetime.datetime) -> tuple[Authority | None, str]:
    if secret is None:
        return None, "it does not exist"
    try:
        return read_authority(secret, now), ""
    except CertificateError as error:
        return None, str(error)


def _wanted(stored: Authority | None, held: Authority | None, now: datetime.datetime) -> Authority:
    if stored is not None:
        return new_authority(now, stored.trusted)
    if held is not None and not needs_renewal(held.certificate, now):
        return held
    return new_authority(now, held.trusted if held is not None else ())


async def _write(api: Api, namespace: str, name: str, secret: Object | None, authority: Authority) -> Object:
    if secret is not None and secret.get("immutable"):
        await api.delete(f"{paths.secrets(namespace)}/{name}", secret["metadata"]["uid"])
        secret = None
    if secret is not None:
        return await api.replace(
            f"{paths.secrets(namespace)}/{name}", _typed({**secret, "data": secret_data(authority)})
        )
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": names.APP}}
    body = _typed({"metadata": metadata, "type": "kubernetes.io/tls", "data": secret_data(authority)})
    return await api.create(paths.secrets(namespace), body)


async def _report(api: Api, secret: Object, problem: str, held: Authority | None) -> None:
    name = secret["metadata"]["name"]
    if problem:
        note = f"The CA Secret {name} could not be used ({problem}) and was written anew"
        logger.warning("%s", note)
        await events.post(api, _typed(secret), "CASecretRepaired", note, warning=True)
    elif held is not None:
        logger.warning("The CA Secret %s was renewed, or deleted and made again", name)
    else:
        logger.info("The CA Secret %s was made or renewed", name)


def _typed(secret: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", **secret}
