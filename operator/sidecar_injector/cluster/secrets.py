"""The CA Secret: shared by all replicas, made by the first, repaired when broken, renewed with an overlap.

Its shape is cert-manager's: type kubernetes.io/tls, `tls.crt` and `tls.key` hold the CA that signs, `ca.crt` everything
that is to be trusted (the CA that signs, and for a while its predecessors). What is to become of it says
`certificates.next_step`; here it is read, and written unless another replica was faster.
"""

import base64
import datetime
import logging
from collections.abc import Callable
from typing import Any

from sidecar_injector import names
from sidecar_injector.certificates import Authority, Cause, Notes, Step, load_authority, next_step
from sidecar_injector.certificates.authority import CA_LIFETIME
from sidecar_injector.cluster import events, paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.errors import CertificateError, ClusterError

CERTIFICATE, KEY, TRUSTED = "tls.crt", "tls.key", "ca.crt"
ATTEMPTS = 5
"""How often a write that collides with another replica's is tried again at once."""
ANNOTATIONS = {
    "rotate": names.CA_ROTATE,
    "rotated": names.CA_ROTATED,
    "revoke": names.CA_REVOKE,
    "revoked": names.CA_REVOKED,
    "since": names.CA_SINCE,
}
"""Where each of the notes is kept."""
ANNOUNCED: dict[Cause, tuple[str, str]] = {
    Cause.REPAIRED: ("CASecretRepaired", "The CA Secret {name} could not be used ({problem}) and was written anew"),
    Cause.RENEWED: ("CARotated", "Two thirds of the CA's life were over: {name} holds a new one"),
    Cause.ROTATED: ("CARotated", "As asked for by the annotation {rotate}: {name} holds a new CA"),
    Cause.REVOKED: ("CARevoked", "As asked for by the annotation {revoke}: {name} holds a new CA, trusts no other"),
    Cause.ADOPTED: ("CAAdopted", "Somebody else has put a CA into {name}; the one before stays trusted for a while"),
    Cause.PRUNED: ("CAOverlapEnded", "{name} trusts the CA that signs only: its predecessors are needed no longer"),
}
"""Reason and text of the Event about a change."""

logger = logging.getLogger(__name__)


async def ensure_authority(
    api: Api,
    namespace: str,
    name: str,
    now: datetime.datetime,
    held: Authority | None = None,
    lifetime: datetime.timedelta = CA_LIFETIME,
    refusal: Callable[[Authority], str] = lambda _: "",
) -> Authority:
    """Return the CA of the Secret, after making, repairing, renewing or completing the Secret where that is needed.

    held    -- the CA in memory: a Secret that was deleted or garbled is written anew from it, so that what it signed
               stays trusted
    refusal -- says why certificates of a CA would not be trusted, if they would not: then it counts as garbled

    Raises ClusterError.
    """
    for attempt in range(1, ATTEMPTS + 1):
        secret = await api.find(f"{paths.secrets(namespace)}/{name}")
        stored, problem = _read(secret, now)
        if stored is not None and (problem := refusal(stored)):
            stored = None
        step = next_step(stored, _notes(secret), held, now, lifetime)
        if step is None:
            assert stored is not None
            return stored
        try:
            written = await _write(api, namespace, name, secret, step)
        except ClusterError as error:
            if error.status not in (404, 409) or attempt == ATTEMPTS:
                raise
            continue  # another replica was faster: see what it wrote
        await _report(api, written, step.cause, problem)
        return step.authority
    raise AssertionError("unreachable: the last attempt returns or raises")


def is_well(secret: Object, held: Authority | None, now: datetime.datetime) -> bool:
    """Tell whether a Secret holds the CA in memory and asks for nothing."""
    stored, _ = _read(secret, now)
    return stored is not None and stored == held and next_step(stored, _notes(secret), held, now) is None


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


def _notes(secret: Object | None) -> Notes:
    annotations = (secret or {}).get("metadata", {}).get("annotations") or {}
    return Notes(**{field: annotations.get(annotation, "") for field, annotation in ANNOTATIONS.items()})


async def _write(api: Api, namespace: str, name: str, secret: Object | None, step: Step) -> Object:
    """Replace the Secret if it is still the one that was read, or create it; raises ClusterError."""
    metadata: dict[str, Any] = dict((secret or {}).get("metadata") or {})
    metadata["annotations"] = {
        **(metadata.get("annotations") or {}),
        **{annotation: note for field, annotation in ANNOTATIONS.items() if (note := getattr(step.notes, field))},
    }
    data = secret_data(step.authority)
    if secret is not None and not secret.get("immutable"):
        return await api.replace(
            f"{paths.secrets(namespace)}/{name}", _typed({**secret, "metadata": metadata, "data": data})
        )
    if secret is not None:
        await api.delete(f"{paths.secrets(namespace)}/{name}", secret["metadata"]["uid"])
    labels = {**(metadata.get("labels") or {}), "app.kubernetes.io/name": names.APP}
    new = {"name": name, "namespace": namespace, "labels": labels, "annotations": metadata["annotations"]}
    return await api.create(
        paths.secrets(namespace), _typed({"metadata": new, "type": "kubernetes.io/tls", "data": data})
    )


async def _report(api: Api, secret: Object, cause: Cause, problem: str) -> None:
    name = secret["metadata"]["name"]
    if cause not in ANNOUNCED:
        logger.info("The CA Secret %s was made", name)
        return
    reason, text = ANNOUNCED[cause]
    note = text.format(name=name, problem=problem, rotate=names.CA_ROTATE, revoke=names.CA_REVOKE)
    warning = cause is Cause.REPAIRED
    logger.log(logging.WARNING if warning else logging.INFO, "%s", note)
    await events.post(api, _typed(secret), reason, note, warning=warning)


def _typed(secret: Object) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", **secret}
