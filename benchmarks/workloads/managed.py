"""managedFields: which fields somebody has written, in the form of server-side apply (FieldsV1).

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/; keys of lists: the Pod's merge keys.
"""

import json
from collections.abc import Mapping
from typing import Any

_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
    "ownerReferences": ("uid",),
    "imagePullSecrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
}
"""Lists whose items are told apart by these fields; all others are written as a whole."""
_WHOLE = ("matchLabels", "nodeSelector", "fieldRef", "secretKeyRef", "resourceFieldRef")
_UNTOLD = ("namespace", "name", "serviceAccount", "priority", "tolerations", "preemptionPolicy")
"""Fields that are no words of the writer: of the request, or set by the API server's plugins."""


def managed_fields(
    metadata: Mapping[str, Any], spec: Mapping[str, Any], time: str, manager: str
) -> list[dict[str, Any]]:
    """Return the one entry that a Pod has when it is created."""
    told = {
        "f:metadata": _fields({key: value for key, value in metadata.items() if key not in _UNTOLD}),
        "f:spec": _fields({key: value for key, value in spec.items() if key not in _UNTOLD}),
    }
    head = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": time}
    return [{**head, "fieldsType": "FieldsV1", "fieldsV1": told}]


def _fields(value: Mapping[str, Any]) -> dict[str, Any]:
    return {f"f:{key}": _told(key, item) for key, item in value.items()}


def _told(key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and key not in _WHOLE:
        return {".": {}, **_fields(value)} if value else {}
    if isinstance(value, list) and key in _KEYS:
        return {".": {}, **{_item(_KEYS[key], item): {".": {}, **_fields(item)} for item in value}}
    return {}


def _item(keys: tuple[str, ...], item: Mapping[str, Any]) -> str:
    return "k:" + json.dumps({key: item[key] for key in keys}, separators=(",", ":"))
