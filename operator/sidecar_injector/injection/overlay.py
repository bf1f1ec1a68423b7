"""Overlays onto a Pod: sidecars lowered, lists merged, the user's own containers on top, new ones in their place.

What a user wrote wins: a container that the Pod declares keeps all that it says (with `image: auto`, all but the
image), and a volume of the Pod is never replaced by a template's of the same name.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from operator import methodcaller
from typing import cast

from sidecar_injector.config.model import At, Position
from sidecar_injector.errors import MergeError
from sidecar_injector.injection.fitting import fitted
from sidecar_injector.injection.merge import DIRECTIVE, RETAIN_KEYS, strategic_merge, without_directives
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS, SIDECARS, TYPES_BY_NAME
from sidecar_injector.injection.view import Container, Pod, is_placeholder, items, names, part, with_spec

_CONTAINER = TYPES_BY_NAME["Container"]
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "sleep", "tcpSocket")
_DEFAULT_END = {"initContainers": At.FIRST, "containers": At.LAST}


def conflicts(pod: Pod, overlays: Sequence[Overlay]) -> list[str]:
    """Return the names of containers that both the Pod and a template define; `image: auto` is no definition."""
    defined = defined_names(overlays)
    if all(defined.isdisjoint(names(pod, field)) for field in CONTAINER_LISTS):
        return []
    return sorted(
        {
            name
            for field in CONTAINER_LISTS
            for item in items(pod, field)
            if (name := str(item.get("name"))) in defined and not is_placeholder(item)
        }
    )


def unused_placeholders(pod: Pod, overlays: Sequence[Overlay]) -> list[str]:
    """Return the names of the Pod's containers with `image: auto` that no template provides."""
    wanted = {str(item.get("name")) for field in CONTAINER_LISTS for item in items(pod, field) if is_placeholder(item)}
    return sorted(wanted - defined_names(overlays)) if wanted else []


def apply_overlays(pod: Pod, overlays: Sequence[Overlay], *, native: bool, replaceable: Collection[str] = ()) -> Pod:
    """Return the Pod with all overlays merged in. Raises MergeError if one does not fit.

    replaceable -- names of volumes of the Pod that are not its user's: an earlier injection has left them
    """
    mine = set(names(pod, "volumes")).difference(replaceable)
    base = _without_placeholders(pod, defined_names(overlays))
    native = native and (bool(items(base, "containers")) or not items(pod, "containers"))
    sidecars = (name for overlay in overlays for name in names(overlay.tree, SIDECARS))
    homes = dict.fromkeys(sidecars, "initContainers" if native else "containers")
    result, heads = base, dict.fromkeys(CONTAINER_LISTS, 0)
    for overlay in overlays:
        lowered = _lower(result, overlay, homes, native=native)
        kept = _keep_volumes(lowered, mine, result)
        plain = overlay.plain and not any(map(_RETAINS_KEYS, items(kept, "volumes")))
        merged = strategic_merge(result, kept, plain=plain)
        result = _place(result, merged, overlay.position, heads)
    return result


_RETAINS_KEYS = methodcaller("__contains__", RETAIN_KEYS)


def contributions(overlays: Sequence[Overlay], result: Pod) -> dict[str, list[str]]:
    """Return the names of what templates gave or changed, by the list of the resulting Pod in which they are."""
    mine = dict.fromkeys([str(item.get("name")) for item in template_containers(overlays)])
    present = {field: frozenset(names(result, field)) for field in CONTAINER_LISTS}
    found = {field: [name for name in mine if name in present[field]] for field in CONTAINER_LISTS}
    for field in ("volumes", "imagePullSecrets"):
        found[field] = list(dict.fromkeys(chain.from_iterable([names(overlay.tree, field) for overlay in overlays])))
    return found


def defined_names(overlays: Sequence[Overlay]) -> frozenset[str]:
    """Return the names of the containers that overlays define, rather than change: those with an image."""
    return frozenset().union(*[overlay.defined for overlay in overlays])


def template_containers(overlays: Sequence[Overlay]) -> list[Container]:
    """Return all containers that overlays define or change."""
    return [item for overlay in overlays for item in overlay.containers]


def _without_placeholders(pod: Pod, defined: Collection[str]) -> Pod:
    for field in CONTAINER_LISTS:
        present = items(pod, field)
        kept = [item for item in present if not (is_placeholder(item) and item.get("name") in defined)]
        if len(kept) != len(present):
            pod = with_spec(pod, **{field: kept or None})
    return pod


# --- lowering: which list a template's containers belong in


def _lower(pod: Pod, overlay: Overlay, homes: Mapping[str, str], *, native: bool) -> Pod:
    """Return the overlay with every container in the list where it lives, or will live, and no `sidecars` left.

    homes -- lists of containers that are not in the Pod yet, but that some template has among its `sidecars`
    """
    standing = {str(item.get("name")): field for field in CONTAINER_LISTS for item in items(pod, field)}
    homes = {**homes, **standing}
    lowered: dict[str, list[Container]] = {field: [] for field in CONTAINER_LISTS}
    for item in items(overlay.tree, SIDECARS):
        home = homes.get(str(item.get("name"))) or ("initContainers" if native else "containers")
        lowered[home].append(_as_sidecar(item, native=home == "initContainers"))
    for field in CONTAINER_LISTS:
        for item in items(overlay.tree, field):
            home = homes.get(str(item.get("name")), field)
            lowered[home].append(item if home == field else _without_restart_policy(item))
    lowered = {field: [_each_variable_once(item) for item in found] for field, found in lowered.items()}
    tree = {key: value for key, value in overlay.tree.items() if key in ("metadata", "spec")}
    spec = {key: value for key, value in part(tree, "spec").items() if key not in (*CONTAINER_LISTS, SIDECARS)}
    return {**tree, "spec": {**spec, **{field: found for field, found in lowered.items() if found}}}


def _each_variable_once(container: Container) -> Container:
    """Return the container with the last of variables of one name, which is the one in force.

    Merged into a container that has the variable, two would become one with a value and a source.
    """
    variables = container.get("env")
    if not isinstance(variables, list):
        return container
    last = dict(zip(map(_name, variables), variables, strict=True))
    if len(last) == len(variables):
        return container
    return {**container, "env": [item for item in variables if last[item.get("name")] is item]}


_name = methodcaller("get", "name")


def _as_sidecar(container: Container, *, native: bool) -> Container:
    if native:
        return {**container, "restartPolicy": "Always"}
    return _without_restart_policy(container)


def _without_restart_policy(container: Container) -> Container:
    return {key: value for key, value in container.items() if key != "restartPolicy"}


def _keep_volumes(lowered: Pod, mine: Collection[str], result: Pod) -> Pod:
    """Leave the user's volumes as they are, and let a later template replace an earlier one's source.

    A volume is a union: two sources in one volume make a Pod that the API server refuses.
    """
    volumes = items(lowered, "volumes")
    if not volumes:
        return lowered
    present = set(names(result, "volumes"))
    if present.isdisjoint(names(lowered, "volumes")):
        return with_spec(lowered, volumes=volumes)
    kept: list[Container] = []
    for volume in volumes:
        if DIRECTIVE in volume or volume.get("name") not in present or len(volume) == 1:
            kept.append(volume)  # one that has a name only takes no source away
        elif volume.get("name") not in mine:
            kept.append({**volume, RETAIN_KEYS: list(volume)})
    return with_spec(lowered, volumes=kept or None)


# --- placing: where in its list a new container goes


def _place(before: Pod, after: Pod, position: Position, heads: dict[str, int]) -> Pod:
    for field in CONTAINER_LISTS:
        if part(after, "spec").get(field) is part(before, "spec").get(field):
            continue
        known = {name: index for index, name in enumerate(names(before, field))}
        merged = items(after, field)
        new = [item for item in merged if item.get("name") not in known]
        old = sorted((item for item in merged if item.get("name") in known), key=lambda item: known[str(item["name"])])
        at = _index(old, position, _DEFAULT_END[field], heads[field])
        if at == heads[field]:
            heads[field] += len(new)
        after = with_spec(after, **{field: [*old[:at], *new, *old[at:]]})
    return after


def _index(containers: Sequence[Container], position: Position, default: At, head: int) -> int:
    """Return where new containers go; First is behind those that earlier templates have put first."""
    standing = [container.get("name") for container in containers]
    for neighbours, offset in ((position.before, 0), (position.after, 1)):
        found = next((standing.index(name) for name in neighbours if name in standing), None)
        if found is not None:
            return found + offset
    return head if (position.at or default) is At.FIRST else len(containers)


# --- what the user wrote


def with_users_on_top(result: Pod, users: Pod, overlays: Sequence[Overlay]) -> Pod:
    """Return the Pod with what the user wrote of a container on top of what templates say about it.

    users -- a Pod whose containers say that. Raises MergeError if it does not fit.
    """
    touched = frozenset().union(*[overlay.names for overlay in overlays])
    mine = {
        str(item.get("name")): _stated(item)
        for field in CONTAINER_LISTS
        for item in items(users, field)
        if item.get("name") in touched
    }
    if not mine:
        return result
    for field in CONTAINER_LISTS:
        merged = [
            _with_fields(item, mine[name], f"spec.{field}[{name}]") if (name := str(item.get("name"))) in mine else item
            for item in items(result, field)
        ]
        if merged:
            result = with_spec(result, **{field: merged})
    return result


def _stated(container: Container) -> Container:
    hidden = ("image", "restartPolicy") if is_placeholder(container) else ()
    return {key: value for key, value in container.items() if key not in hidden}


def _with_fields(container: Container, mine: Container, path: str) -> Container:
    """Return a container with the fields of the user's: merged, but an item of a list is the user's or the template's.

    An item made of both can be one that the API server refuses: a variable with a value and a source, say.
    """
    lists = {
        name: _with_items(container.get(name), items, field.merge_key)
        for name, field in _CONTAINER.fields.items()
        if field.merge_key and isinstance(items := mine.get(name), list)
    }
    patch = without_directives({name: value for name, value in mine.items() if name not in lists}, drop_directed=False)
    base = _without_other_handlers(container, mine)
    return fitted({**strategic_merge(base, cast("Container", patch), _CONTAINER, path), **lists}, mine)


def _with_items(live: object, mine: list[object], key: str) -> list[object]:
    """Return the user's items as they are, even two of one key, and the items of other keys where they stood."""
    taken = {_key(item, key) for item in mine}
    places: dict[str, int] = {}
    others: deque[tuple[int, object]] = deque()
    for index, item in enumerate(live if isinstance(live, list) else []):
        places.setdefault(_key(item, key), index)
        if _key(item, key) not in taken:
            others.append((index, item))
    if not others:
        return mine
    result: list[object] = []
    for item in mine:
        while others and others[0][0] < places.get(_key(item, key), 0):
            result.append(others.popleft()[1])
        result.append(item)
    return result + [item for _, item in others]


def _key(item: object, key: str) -> str:
    return repr(item.get(key) if isinstance(item, Mapping) else item)


def _without_other_handlers(container: Container, mine: Container) -> Container:
    """Leave out probes and hooks for which the user has a handler: there can be one only."""
    kept = {name: value for name, value in container.items() if not (name in _PROBES and _has_handler(mine.get(name)))}
    hooks, users = kept.get("lifecycle"), mine.get("lifecycle")
    if isinstance(hooks, Mapping) and isinstance(users, Mapping):
        kept["lifecycle"] = {name: hook for name, hook in hooks.items() if not _has_handler(users.get(name))}
    return kept


def _has_handler(value: object) -> bool:
    return isinstance(value, Mapping) and any(value.get(name) is not None for name in _HANDLERS)


# --- the last checks


def check_result(before: Pod, pod: Pod, overlays: Sequence[Overlay]) -> None:
    """Raise MergeError for a Pod that has lost a container of its own, or that the API server would refuse.

    Only what the overlays can be blamed for is looked at; placeholders may have become the template's containers.
    """
    mine = {str(item.get("name")): item for item in template_containers(overlays)}
    was = {field: names(before, field) for field in CONTAINER_LISTS}
    now = {field: names(pod, field) for field in CONTAINER_LISTS}
    standing = set().union(*now.values())
    for field, found in was.items():
        for name in found:
            if name not in standing and not _taken_away(name, overlays):
                raise MergeError(f"spec.{field}[{name}]", _TAKEN_AWAY)
    if not now["containers"] and not set(was["containers"]) <= set(now["initContainers"]):
        raise MergeError("spec.containers", "nothing is left of it, and a Pod needs a container")
    volumes = set(names(pod, "volumes"))
    seen: set[str] = set()
    for field, found in now.items():
        for name, container in zip(found, items(pod, field), strict=True):
            if name in seen:
                raise MergeError(f"spec.{field}[{name}]", _TAKEN)
            seen.add(name)
            if name in mine:
                _check_container(container, mine[name], f"spec.{field}[{name}]", volumes)


def _taken_away(name: str, overlays: Sequence[Overlay]) -> bool:
    """Tell whether a template says by name that it takes a container away."""
    return any(
        item.get(DIRECTIVE) == "delete" and str(item.get("name")) == name for item in template_containers(overlays)
    )


_TAKEN = "the name is taken by another container of the Pod; rename one of them"
_TAKEN_AWAY = "is the Pod's own container; a template takes it away only by `$patch: delete` and its name"
_NO_IMAGE = (
    "the template gives no image, and the Pod has no container of that name; "
    "to change the containers that are there, loop over pod.spec.containers"
)


def _check_container(merged: Container, given: Container, path: str, volumes: Collection[str]) -> None:
    if not merged.get("image"):
        raise MergeError(path, _NO_IMAGE)
    for mount in cast("list[Mapping[str, object]]", given.get("volumeMounts") or []):
        if DIRECTIVE not in mount and mount.get("name") not in volumes:
            raise MergeError(
                f"{path}.volumeMounts[{mount.get('mountPath')}]",
                f"volume {mount.get('name')!r} is neither in the template nor in the Pod; add it to spec.volumes",
            )
