"""What Kubernetes would refuse in a Pod, as far as it can be told without an API server.

A config is tried on sample Pods with this before it is accepted, also on the command line; in a cluster the API server
judges the samples itself. The rules are those of its Pod validation (the API reference of Pod v1), one table a kind.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from sidecar_injector.config.quantities import QUANTITY, amount
from sidecar_injector.config.syntax import DNS_LABEL, LABEL_VALUE, QUALIFIED_NAME
from sidecar_injector.injection.schema import CONTAINER_LISTS, POD, Field, Shape, Type
from sidecar_injector.injection.view import Container, Pod, items

Path = tuple[str | int, ...]
Fault = tuple[Path, str]
"""Where in the Pod, and what is wrong, as the end of a sentence that begins with the field."""

Object = Mapping[str, object]

_RESTART = ("Always", "OnFailure", "Never")
ENUMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Container", "imagePullPolicy"): ("Always", "IfNotPresent", "Never"),
    ("Container", "restartPolicy"): _RESTART,
    ("Container", "terminationMessagePolicy"): ("File", "FallbackToLogsOnError"),
    ("ContainerPort", "protocol"): ("TCP", "UDP", "SCTP"),
    ("HTTPGetAction", "scheme"): ("HTTP", "HTTPS"),
    ("PodSpec", "dnsPolicy"): ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ("PodSpec", "restartPolicy"): _RESTART,
    ("SeccompProfile", "type"): ("RuntimeDefault", "Unconfined", "Localhost"),
    ("Toleration", "effect"): ("NoSchedule", "PreferNoSchedule", "NoExecute"),
    ("Toleration", "operator"): ("Exists", "Equal", "Lt", "Gt"),
    ("VolumeMount", "mountPropagation"): ("None", "HostToContainer", "Bidirectional"),
}
_PORT = (1, 65535)
RANGES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("ContainerPort", "containerPort"): _PORT,
    ("ContainerPort", "hostPort"): (0, 65535),
    ("GRPCAction", "port"): _PORT,
    ("HTTPGetAction", "port"): _PORT,
    ("TCPSocketAction", "port"): _PORT,
    ("PodSpec", "activeDeadlineSeconds"): (1, 2**31 - 1),
    ("Probe", "failureThreshold"): (0, 2**31 - 1),
    ("Probe", "initialDelaySeconds"): (0, 2**31 - 1),
    ("Probe", "periodSeconds"): (0, 2**31 - 1),
    ("Probe", "successThreshold"): (0, 2**31 - 1),
    ("Probe", "timeoutSeconds"): (0, 2**31 - 1),
    ("PodSecurityContext", "fsGroup"): (0, 2**31 - 1),
    ("PodSecurityContext", "runAsGroup"): (0, 2**31 - 1),
    ("PodSecurityContext", "runAsUser"): (0, 2**31 - 1),
    ("SecurityContext", "runAsGroup"): (0, 2**31 - 1),
    ("SecurityContext", "runAsUser"): (0, 2**31 - 1),
}
_HANDLERS = ("exec", "grpc", "httpGet", "sleep", "tcpSocket")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PORT_NAME = re.compile(r"(?=[a-z0-9-]{1,15}$)(?!.*--)[a-z0-9-]*[a-z][a-z0-9-]*")


def faults(pod: Pod) -> Iterator[Fault]:
    """Yield everything wrong with a Pod that this module knows of."""
    yield from _object((), pod, POD)
    yield from _names_of_volumes(pod)
    for field in CONTAINER_LISTS:
        for index, container in enumerate(items(pod, field)):
            yield from _container(("spec", field, index), container, init=field == "initContainers")
    if not items(pod, "containers"):
        yield ("spec", "containers"), "is empty; a Pod needs a container"


def _object(path: Path, value: Object, schema: Type) -> Iterator[Fault]:
    """Walk the types of the schema; what belongs to no type is not judged."""
    for name in schema.required:
        if value.get(name) in (None, "") and not (schema.name == "PodSpec" and name == "containers"):
            yield (*path, name), "is missing; it is required"
    for key, item in value.items():
        field = schema.fields.get(key)
        if field is not None and item is not None:
            yield from _field((*path, key), item, field, schema.name)
    for rule in RULES.get(schema.name, ()):
        for inner, message in rule(value):
            yield (*path, *inner), message


def _field(path: Path, value: object, field: Field, owner: str) -> Iterator[Fault]:
    if field.type is None:
        yield from _scalar(path, value, field, owner)
    elif field.shape is Shape.LIST and isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                yield from _object((*path, index), item, field.type)
    elif field.shape is Shape.ONE and isinstance(value, Mapping):
        yield from _object(path, value, field.type)


def _scalar(path: Path, value: object, field: Field, owner: str) -> Iterator[Fault]:
    name = str(path[-1])
    allowed, bounds = ENUMS.get((owner, name)), RANGES.get((owner, name))
    if allowed is not None and value not in allowed:
        yield path, f"is {value!r}; allowed are {', '.join(allowed)}"
    if bounds is not None and isinstance(value, int) and not bounds[0] <= value <= bounds[1]:
        yield path, f"is {value}; allowed are {bounds[0]} to {bounds[1]}"
    if field.scalar == "quantity":
        entries = value.items() if isinstance(value, Mapping) else [(None, value)]
        for key, quantity in entries:
            if not QUANTITY.fullmatch(str(quantity)):
                where = path if key is None else (*path, key)
                yield where, f"is {quantity!r}, which is no quantity such as 100m, 0.5, 64Mi or 1G"


# --- rules of single types


def _labels(metadata: Object) -> Iterator[Fault]:
    for key, value in _map(metadata.get("labels")).items():
        if fault := QUALIFIED_NAME.fault(key) or LABEL_VALUE.fault(str(value)):
            yield ("labels", key), fault
    for key in _map(metadata.get("annotations")):
        if QUALIFIED_NAME.fault(key.lower()):
            yield (
                ("annotations", key),
                f"has the key {key!r}; a key is {QUALIFIED_NAME.what.removeprefix('a label key ')}",
            )


def _one_source(volume: Object) -> Iterator[Fault]:
    sources = [key for key, value in volume.items() if key != "name" and value is not None]
    if len(sources) > 1:
        yield (sources[1],), f"is a second source beside {sources[0]}; a volume has one"


def _named(value: Object) -> Iterator[Fault]:
    if isinstance(value.get("name"), str) and (fault := DNS_LABEL.fault(str(value["name"]))):
        yield ("name",), fault


def _port_name(port: Object) -> Iterator[Fault]:
    name = port.get("name")
    if isinstance(name, str) and name and not _PORT_NAME.fullmatch(name):
        yield ("name",), f"is {name!r}; a port's name has at most 15 lower-case letters, digits and '-', and a letter"


def _image(container: Object) -> Iterator[Fault]:
    image = str(container.get("image") or "")
    if image != image.strip():
        yield ("image",), f"is {image!r}; blanks around it are not allowed"


def _one_member(value: Object) -> Iterator[Fault]:
    given = [name for name, item in value.items() if item is not None and name != "prefix"]
    if len(given) != 1:
        yield (given[-1],) if given else (), f"has {' and '.join(given) or 'nothing'}; one is needed"


def _variable(variable: Object) -> Iterator[Fault]:
    if variable.get("value") and variable.get("valueFrom") is not None:
        yield ("valueFrom",), "stands beside value; a variable has one of them"
    if "=" in str(variable.get("name")):
        yield ("name",), f"is {variable['name']!r}; the name of a variable has no '='"


def _one_handler(value: Object) -> Iterator[Fault]:
    handlers = [name for name in _HANDLERS if value.get(name) is not None]
    if len(handlers) != 1:
        found = " and ".join(handlers) or "none"
        yield (handlers[-1],) if handlers else (), f"has handlers: {found}; one of {', '.join(_HANDLERS)} is needed"


def _resources(resources: Object) -> Iterator[Fault]:
    limits, requests = _map(resources.get("limits")), _map(resources.get("requests"))
    for kind, table in (("limits", limits), ("requests", requests)):
        for name, quantity in table.items():
            number = amount(quantity)
            if number is not None and number < 0:
                yield (kind, name), f"is {quantity!r}; it must not be negative"
    for name in requests.keys() & limits.keys():
        asked, most = amount(requests[name]), amount(limits[name])
        if asked is not None and most is not None and asked > most:
            yield ("requests", name), f"is {requests[name]}, more than the limit of {limits[name]}"


RULES: Mapping[str, tuple[Callable[[Object], Iterator[Fault]], ...]] = {
    "Container": (_named, _image),
    "ContainerPort": (_port_name,),
    "EnvFromSource": (_one_member,),
    "EnvVar": (_variable,),
    "EnvVarSource": (_one_member,),
    "LifecycleHandler": (_one_handler,),
    "ObjectMeta": (_labels,),
    "Probe": (_one_handler,),
    "ResourceRequirements": (_resources,),
    "Volume": (_named, _one_source),
}


# --- rules that need more than one object


def _names_of_volumes(pod: Pod) -> Iterator[Fault]:
    counted = Counter(str(volume.get("name")) for volume in items(pod, "volumes"))
    for index, volume in enumerate(items(pod, "volumes")):
        if counted[str(volume.get("name"))] > 1:
            yield ("spec", "volumes", index, "name"), f"is {volume.get('name')!r}, as is that of another volume"


def _container(path: Path, container: Container, *, init: bool) -> Iterator[Fault]:
    if init and container.get("restartPolicy") != "Always":
        for name in (*_PROBES, "lifecycle"):
            if container.get(name) is not None:
                yield (*path, name), "stands in an init container that ends; only one that stays can have it"
    mounts = container.get("volumeMounts")
    counted = Counter(str(_map(mount).get("mountPath")) for mount in mounts) if isinstance(mounts, list) else Counter()
    for index, mount in enumerate(mounts if isinstance(mounts, list) else []):
        if counted[str(_map(mount).get("mountPath"))] > 1:
            yield (*path, "volumeMounts", index, "mountPath"), f"is {mount.get('mountPath')!r}, as is another mount's"


def _map(value: object) -> Object:
    return value if isinstance(value, Mapping) else {}
