"""The ProxyConfig in force for a Pod, and the JSON that its proxy's agent reads.

Lowest to highest: `DEFAULTS`, the mesh's `defaultConfig`, the Pod's annotation `proxy.istio.io/config`. Each replaces
whole fields of the one before; only the metadata and the headers are merged key by key.

Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig.

The fields stand in `proxy_config_fields`, how they are read in `proxy_config_reading`, and what is refused although it
can be read in `proxy_config_checks`.
"""

import json
from collections.abc import Mapping
from typing import cast

from sidecar_injector.errors import PodRejected
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio.proxy_config_checks import config_problems
from sidecar_injector.profiles.istio.proxy_config_fields import FIELDS, Field, Kind, Message, Shape
from sidecar_injector.profiles.istio.proxy_config_reading import Reading, read_config, shown
from sidecar_injector.profiles.istio.texts import remembering
from sidecar_injector.profiles.istio.vocabulary import PROXY_CONFIG
from sidecar_injector.templating.yaml12.compose import YamlLimits, YamlProblem, compose
from sidecar_injector.templating.yaml12.construct import construct

DEFAULTS: Mapping[str, object] = {
    "configPath": "./etc/istio/proxy",
    "binaryPath": "/usr/local/bin/envoy",
    "serviceCluster": "istio-proxy",
    "drainDuration": "45s",
    "discoveryAddress": "istiod.istio-system.svc:15012",
    "proxyAdminPort": 15000,
    "controlPlaneAuthPolicy": "MUTUAL_TLS",
    "statNameLength": 189,
    "statusPort": 15020,
    "terminationDrainDuration": "5s",
}
"""What holds where nobody says otherwise."""
_MERGED_BY_KEY = ("proxyMetadata", "proxyHeaders")
_LIMITS = YamlLimits(nodes=10_000, depth=30)


def effective(mesh_defaults: Mapping[str, object], annotation: str | None) -> Mapping[str, object]:
    """Return the config in force for a Pod.

    Args:
        mesh_defaults: the mesh's `defaultConfig`, in which `DEFAULTS` are applied already.
        annotation: the text of the Pod's `proxy.istio.io/config`, None if it has none.

    Raises:
        PodRejected: the text is no ProxyConfig. A value that can be read but not used is for `problems` to find.
    """
    if annotation is None:
        return mesh_defaults
    reading = _read(annotation)
    if reading.problems:
        message = f"metadata.annotations[{PROXY_CONFIG}]: {'; '.join(reading.problems)}"
        raise PodRejected(Reason.INVALID_ANNOTATION, message)
    return merge(mesh_defaults, reading.config)


def problems(text: str) -> list[str]:
    """Return everything that is wrong with the text of an annotation; each line names a field by its path."""
    reading = _read(text)
    return reading.problems or config_problems(merge(DEFAULTS, reading.config))


def unknown_fields(text: str) -> list[str]:
    """Return the paths of the fields in an annotation that no proxy is known to have; none if it cannot be read."""
    return _read(text).unknown


def merge(below: Mapping[str, object], above: Mapping[str, object]) -> Mapping[str, object]:
    """Return one config over another; both are as `read_config` gives them."""
    if not above:
        return below
    groups = {FIELDS[name].oneof for name in above if name in FIELDS} - {""}
    kept = {name: value for name, value in below.items() if name not in FIELDS or FIELDS[name].oneof not in groups}
    by_key = {
        name: {**cast("Mapping[str, object]", below[name]), **cast("Mapping[str, object]", above[name])}
        for name in _MERGED_BY_KEY
        if name in below and name in above
    }
    return {**kept, **above, **by_key}


def to_json(config: Mapping[str, object]) -> str:
    """Return a config as the agent reads it: compact, fields in order of their declaration, without `DEFAULTS`.

    As in protobuf's JSON, a zero is left out where it is no more than the absence of a value, and a message stays even
    if it is empty.
    """
    changed = {name: value for name, value in config.items() if value != DEFAULTS.get(name)}
    return json.dumps(_written(FIELDS, changed), separators=(",", ":"), ensure_ascii=False)


@remembering
def _read(text: str) -> Reading:
    """Read an annotation: for its faults, for warnings and for what it says."""
    try:
        documents = [document.root for document in compose(text, _LIMITS)]
        roots = [construct(root) for root in documents if root is not None]
    except YamlProblem as problem:
        where = f"line {problem.line}" + (f", column {problem.column}" if problem.column else "")
        return Reading({}, [f"{where}: {problem.problem}; {problem.remedy}"])
    if len(documents) > 1:
        return Reading({}, [f"holds {len(documents)} documents; allowed: one map"])
    given = roots[0] if roots else {}
    if not isinstance(given, Mapping):
        return Reading({}, [f"is {shown(given)}; allowed: a map of fields such as concurrency: 2"])
    return read_config(given)


def _written(fields: Message, config: Mapping[str, object]) -> dict[str, object]:
    written = {
        name: _written_field(known, config[name])
        for name, known in fields.items()
        if name in config and (known.keeps_zero or not _is_zero(known, config[name]))
    }
    return {**written, **{name: value for name, value in config.items() if name not in fields}}


def _is_zero(known: Field, value: object) -> bool:
    if known.kind is Kind.ENUM and isinstance(value, str):
        return known.values.get(value) == 0
    return not value


def _written_field(known: Field, value: object) -> object:
    """Return a value with its messages in order, and maps sorted by key as protobuf writes them."""
    if known.shape is Shape.LIST and isinstance(value, list):
        return [_written_one(known, item) for item in value]
    if known.shape is Shape.MAP and isinstance(value, Mapping):
        return {key: _written_one(known, value[key]) for key in sorted(value)}
    return _written_one(known, value)


def _written_one(known: Field, value: object) -> object:
    if known.kind is Kind.MESSAGE and isinstance(value, Mapping):
        return _written(known.fields, value)
    return value
