"""An AdmissionReview as it arrives, checked and cut down to what the injector looks at.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import methodcaller

from sidecar_injector.errors import ReviewError
from sidecar_injector.injection.schema import MAP

REVIEW_API_VERSION = "admission.k8s.io/v1"
OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT")


@dataclass(frozen=True)
class Request:
    """What the API server asks about one object.

    pod -- the object as it was sent, or empty if there is none; but without `metadata.managedFields`: this bookkeeping
           of server-side apply has times in it, and nothing is decided by them
    old -- what is there so far
    """

    uid: str
    operation: str
    namespace: str
    name: str
    dry_run: bool
    group: str
    resource: str
    subresource: str
    user: str
    pod: Mapping[str, object]
    old: Mapping[str, object] = field(default_factory=dict)

    @property
    def creates_pod(self) -> bool:
        """Tell whether this is the creation of a Pod itself, and not of one of its subresources."""
        return self.operation == "CREATE" and (self.group, self.resource, self.subresource) == ("", "pods", "")


def parse_review(body: object) -> Request:
    """Return the request in a decoded AdmissionReview.

    Raises ReviewError, which names the field, for what is not an AdmissionReview of version v1 with a request that
    has a uid, and for the creation of a Pod that is not one.
    """
    review = _mapping(body, "the body")
    kind, version = review.get("kind"), review.get("apiVersion")
    if kind != "AdmissionReview" or version != REVIEW_API_VERSION:
        raise ReviewError(f"expected kind AdmissionReview of {REVIEW_API_VERSION}, found {kind!r} of {version!r}")
    if "request" not in review:
        raise ReviewError("request: missing; an AdmissionReview for a webhook carries one")
    request = _parse_request(_mapping(review["request"], "request"))
    if request.creates_pod:
        version = _mapping(review["request"], "request")["resource"]["version"]  # type: ignore[index]
        if version != "v1":
            raise ReviewError(f"request.resource.version: found {version!r}, Pods are of v1")
        check_pod(request.pod)
    return request


def _parse_request(request: Mapping[str, object]) -> Request:
    uid = _text(request, "uid")
    if not uid:
        raise ReviewError("request.uid: missing; the answer has to repeat it")
    operation = _text(request, "operation")
    if operation not in OPERATIONS:
        raise ReviewError(f"request.operation: found {operation!r}, allowed are {', '.join(OPERATIONS)}")
    resource = _mapping(request.get("resource") or {}, "request.resource")
    if resource and not _text(resource, "version", "request.resource"):
        raise ReviewError("request.resource.version: missing; a resource has a group, a version and a name")
    user = _mapping(request.get("userInfo") or {}, "request.userInfo")
    return Request(
        uid=uid,
        operation=operation,
        namespace=_text(request, "namespace"),
        name=_text(request, "name"),
        dry_run=request.get("dryRun") is True,
        group=_text(resource, "group", "request.resource"),
        resource=_text(resource, "resource", "request.resource"),
        subresource=_text(request, "subResource"),
        user=_text(user, "username", "request.userInfo"),
        pod=_without_bookkeeping(_mapping(request.get("object") or {}, "request.object")),
        old=_mapping(request.get("oldObject") or {}, "request.oldObject"),
    )


def _without_bookkeeping(found: Mapping[str, object]) -> Mapping[str, object]:
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return found
    bare = dict(metadata)
    del bare["managedFields"]
    return {**found, "metadata": bare}


def check_pod(pod: Mapping[str, object]) -> None:
    """See that the parts that the injector reads have their types; the API server sends nothing else.

    Raises ReviewError, which names the field.
    """
    at = "request.object"
    if not pod:
        raise ReviewError(f"{at}: missing; the creation of a Pod carries the Pod")
    if pod.get("kind", "Pod") != "Pod":
        raise ReviewError(f"{at}.kind: found {pod['kind']!r}, expected Pod")
    metadata = _mapping(pod.get("metadata") or {}, f"{at}.metadata")
    for name in ("labels", "annotations"):
        _check_strings(metadata.get(name), f"{at}.metadata.{name}")
    spec = _mapping(pod.get("spec"), f"{at}.spec")
    for name in ("containers", "initContainers", "volumes", "imagePullSecrets"):
        _check_named(spec.get(name), f"{at}.spec.{name}")


_STRINGS, _OBJECTS = frozenset((str,)), frozenset((dict,))
_name = methodcaller("get", "name", "")


def _check_strings(value: object, path: str) -> None:
    if type(value) is dict and _STRINGS.issuperset(map(type, value.values())):
        return
    for key, item in _mapping(value or {}, path).items():
        if not isinstance(item, str):
            raise ReviewError(f"{path}[{key!r}]: found {_kind(item)}, expected a string")


def _check_named(value: object, path: str) -> None:
    if value is None:
        return
    if not isinstance(value, list):
        raise ReviewError(f"{path}: found {_kind(value)}, expected a list")
    if _OBJECTS.issuperset(map(type, value)) and _STRINGS.issuperset(map(type, map(_name, value))):
        return
    for index, item in enumerate(value):
        if not isinstance(_mapping(item, f"{path}[{index}]").get("name", ""), str):
            raise ReviewError(f"{path}[{index}].name: found {_kind(item['name'])}, expected a string")


def _text(parent: Mapping[str, object], key: str, path: str = "request") -> str:
    value = parent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ReviewError(f"{path}.{key}: found {_kind(value)}, expected a string")
    return value


def _mapping(value: object, path: str) -> Mapping[str, object]:
    if not isinstance(value, MAP):
        raise ReviewError(f"{path}: found {_kind(value)}, expected an object")
    return value


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "nothing" if value is None else "an object")
