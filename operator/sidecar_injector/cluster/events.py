"""Events: what `kubectl describe` and `kubectl events` show about an object."""

import datetime
import logging
import secrets
import socket
from typing import Any

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.errors import ClusterError

NOTE_BYTES = 1024
"""The API server takes no longer note."""
CLUSTER_NAMESPACE = "default"
"""Events about objects without a Namespace live here; the API server accepts no other place."""

logger = logging.getLogger(__name__)


async def post(api: Api, about: Object, reason: str, note: str, *, warning: bool = False) -> None:
    """Post an Event about an object; a failure is logged, for nothing depends on an Event."""
    body = event(about, reason, note, datetime.datetime.now(datetime.UTC), warning=warning)
    try:
        await api.create(paths.events(body["metadata"]["namespace"]), body)
    except ClusterError as error:
        logger.warning("Event %s could not be posted: %s", reason, error)


def event(about: Object, reason: str, note: str, now: datetime.datetime, *, warning: bool) -> Object:
    """Return the Event; `about` is the object itself, of which only kind and identity are used."""
    metadata: dict[str, Any] = about["metadata"]
    identity = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name'][:200]}.{secrets.token_hex(8)}",
            "namespace": metadata.get("namespace", CLUSTER_NAMESPACE),
        },
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "action": "Reconcile",
        "note": shortened(note),
        "regarding": {"apiVersion": about["apiVersion"], "kind": about["kind"], **identity},
        "reportingController": f"{names.GROUP}/{names.APP}",
        "reportingInstance": socket.gethostname()[:128],
    }


def shortened(note: str) -> str:
    """Return a note that the API server takes."""
    encoded = note.encode()
    if len(encoded) <= NOTE_BYTES:
        return note
    return encoded[: NOTE_BYTES - 3].decode("utf-8", "ignore") + "…"
