"""Overlays onto a Pod: sidecars lowered, lists merged, the user's own containers on top, new ones in their place.

What a user wrote wins: a container that the Pod declares keeps all that it says (with `image: auto`, all but the
image), and a volume of the Pod is never replaced by a template's of the same name.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import cast

from sidecar_injector.config.model import At, Position
from sidecar_injector.errors import MergeError
from sidecar_injector.injection.fitting import fitted
from sidecar_injector.injection.merge import DIRECTIVE, RETAIN_KEYS, strategic_merge, without_directives
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS, SIDECARS, TYPES_BY_NAME
from sidecar_injector.injection.view import (
    Container,
    Pod,
    containers,
    has_placeholders,
    is_placeholder,
    items,
    names,
    names_of,
    part,
    with_spec,
)

_CONTAINER = TYPES_BY_NAME["Container"]
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "sleep", "tcpSocket")
_DEFAULT_END = {"initContainers": At.FIRST, "containers": At.LAST}


def conflicts(pod: Pod, overlays: Sequence[Overlay]) -> list[str]:
    """Return the names of containers that both the Pod and a template define; `image: auto` is no definition."""
    defined, present = defined_names(overlays), containers(pod)
    if defined.isdisjoint(names_of(present)):
        return []
    return sorted({name for item in present if (name := str(item.get("name"))) in defined and not is_placeholder(item)})


def unused_placeholders(pod: Pod, overlays: Sequence[Overlay]) -> list[str]:
    """Return the names of the Pod's containers with `image: auto` that no template provides."""
    if not has_placeholders(pod):
        return []
    return sorted(set(names_of([item for item in containers(pod) if is_placeholder(item)])) - defined_names(overlays))


def apply_overlays(pod: Pod, overlays: Sequence[Overlay], *, native: bool, replaceable: Collection[str] = ()) -> Pod:
    """Return the Pod with all overlays merged in. Raises MergeError if one does not fit.

    replaceable -- names of volumes of the Pod that are not its user's: an earlier injection has left them
    """
    mine = names(pod, "volumes")
    if replaceable:
        mine = [name for name in mine if name not in replaceable]
    base = _without_placeholders(pod, overlays)
    if base is not pod:
        native = native and (bool(items(base, "containers")) or not items(pod, "containers"))
    home = "initContainers" if native else "containers"
    homes = dict.fromkeys(chain.from_iterable([names(overlay.tree, SIDECARS) for overlay in overlays]), home)
    result, heads = base, dict.fromkeys(CONTAINER_LISTS, 0)
    for overlay in overlays:
        lowered = _lower(result, overlay, homes, mine)
        # Of directives, `_without_users` alone adds some.
        plain = overlay.plain and part(lowered, "spec").get("volumes") is part(overlay.tree, "spec").get("volumes")
        merged = strategic_merge(result, lowered, plain=plain)
        result = _place(result, merged, overlay.position, heads)
    return result


def contributions(overlays: Sequence[Overlay], result: Pod) -> dict[str, list[str]]:
    """Return the names of what templates gave or changed, by the list of the resulting Pod in which they are."""
    mine = _given(overlays)
    found: dict[str, list[str]] = {}
    for field in CONTAINER_LISTS:
        standing = names(result, field)
        found[field] = list(filter(frozenset(standing).__contains__, mine)) if standing else []
    for field in ("volumes", "imagePullSecrets"):
        given: dict[str, None] = {}
        for overlay in overlays:
            if contributed := items(overlay.tree, field):
                given |= dict.fromkeys(names_of(contributed))
        found[field] = list(given)
    return found


def defined_names(overlays: Sequence[Overlay]) -> frozenset[str]:
    """Return the names of the containers that overlays define, rather than change: those with an image."""
    return frozenset().union(*[overlay.defined for overlay in overlays])


def template_containers(overlays: Sequence[Overlay]) -> list[Container]:
    """Return all containers that overlays define or change."""
    return list(chain.from_iterable([overlay.containers for overlay in overlays]))


def _given(overlays: Sequence[Overlay]) -> dict[str, Container]:
    """Return all containers that overlays define or change by name; of two of one name, the last."""
    found: dict[str, Container] = {}
    for overlay in overlays:
        found |= overlay.given
    return found


def _without_placeholders(pod: Pod, overlays: Sequence[Overlay]) -> Pod:
    if not has_placeholders(pod):
        return pod
    defined = defined_names(overlays)
    for field in CONTAINER_LISTS:
        present = items(pod, field)
        kept = [item for item in present if not (is_placeholder(item) and item.get("name") in defined)]
        if len(kept) != len(present):
            pod = with_spec(pod, **{field: kept or None})
    return pod


# --- lowering: which list a template's containers belong in


def _lower(pod: Pod, overlay: Overlay, homes: Mapping[str, str], mine: Collection[str]) -> Pod:
    """Return what the overlay says of metadata and spec, with no `sidecars` left, as it is to be merged into the Pod.

    Every container is in the list where it lives, or will live, and no volume of the user's is touched.

    homes -- lists of containers that are in the `sidecars` of some template, for those that are not in the Pod yet
    mine  -- names of the volumes that are the user's
    """
    homes = dict(homes)
    for field in CONTAINER_LISTS:
        homes |= dict.fromkeys(names(pod, field), field)
    spec = dict(part(overlay.tree, "spec"))
    lowered: dict[str, list[Container]] = {field: [] for field in CONTAINER_LISTS}
    for field in (SIDECARS, *CONTAINER_LISTS):
        present: list[Container] = spec.pop(field, None) or []  # type: ignore[assignment]
        for item in present:
            home = homes.get(str(item.get("name")), field)
            lowered[home].append(_each_variable_once(item if home == field else _moved(item, field, home)))
    spec |= {field: found for field, found in lowered.items() if found}
    if volumes := items(overlay.tree, "volumes"):
        del spec["volumes"]
        if kept := _without_users(volumes, mine, names(pod, "volumes")):
            spec["volumes"] = kept
    tree = overlay.tree
    if not _MERGED.issuperset(tree):
        tree = {key: value for key, value in tree.items() if key in _MERGED}
    return {**tree, "spec": spec}


_MERGED = frozenset(("metadata", "spec"))


def _moved(container: Container, field: str, home: str) -> Container:
    """Return a container of an overlay's list as it is in another one: only a native sidecar has a restartPolicy."""
    if field == SIDECARS and home == "initContainers":
        return {**container, "restartPolicy": "Always"}
    return {key: value for key, value in container.items() if key != "restartPolicy"}


def _each_variable_once(container: Container) -> Container:
    """Return the container with the last of variables of one name, which is the one in force.

    Merged into a container that has the variable, two would become one with a value and a source.
    """
    variables = container.get("env")
    if not isinstance(variables, list):
        return container
    if len(set(names_of(variables))) == len(variables):
        return container
    last = {item.get("name"): item for item in variables}
    return {**container, "env": [item for item in variables if last[item.get("name")] is item]}


def _without_users(volumes: list[Container], mine: Collection[str], present: Collection[str]) -> list[Container]:
    """Leave the user's volumes as they are, and let a later template replace an earlier one's source.

    A volume is a union: two sources in one volume make a Pod that the API server refuses.
    """
    known = frozenset(present)
    if known.isdisjoint(names_of(volumes)):
        return volumes
    kept: list[Container] = []
    for volume in volumes:
        if DIRECTIVE in volume or volume.get("name") not in known or len(volume) == 1:
            kept.append(volume)  # one that has a name only takes no source away
        elif volume.get("name") not in mine:
            kept.append({**volume, RETAIN_KEYS: list(volume)})
    return kept


# --- placing: where in its list a new container goes


def _place(before: Pod, after: Pod, position: Position, heads: dict[str, int]) -> Pod:
    was, now = part(before, "spec"), part(after, "spec")
    placed: dict[str, list[Container]] = {}
    for field in CONTAINER_LISTS:
        if now.get(field) is was.get(field):
            continue
        if field not in was and not (placed or heads[field]) and [*now][-1] == field:
            heads[field] = len(items(after, field))  # all of it is new, and last in the spec, as it would be here
            continue
        known = {name: index for index, name in enumerate(names(before, field))}
        merged = items(after, field)
        new = [item for item in merged if item.get("name") not in known]
        old = sorted((item for item in merged if item.get("name") in known), key=lambda item: known[str(item["name"])])
        at = _index(old, position, _DEFAULT_END[field], heads[field])
        if at == heads[field]:
            heads[field] += len(new)
        placed[field] = [*old[:at], *new, *old[at:]]
    return with_spec(after, **placed) if placed else after


def _index(old: Sequence[Container], position: Position, default: At, head: int) -> int:
    """Return where new containers go; First is behind those that earlier templates have put first."""
    for neighbours, offset in ((position.before, 0), (position.after, 1)):
        standing = names_of(old) if neighbours else []
        for name in neighbours:
            if name in standing:
                return standing.index(name) + offset
    return head if (position.at or default) is At.FIRST else len(old)


# --- what the user wrote


def with_users_on_top(result: Pod, users: Pod, overlays: Sequence[Overlay]) -> Pod:
    """Return the Pod with what the user wrote of a container on top of what templates say about it.

    users -- a Pod whose containers say that. Raises MergeError if it does not fit.
    """
    stated = containers(users)
    if not stated:
        return result
    touched = frozenset().union(*[overlay.names for overlay in overlays])
    mine = {str(item.get("name")): _stated(item) for item in stated if item.get("name") in touched}
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
    present = containers(pod)
    now = names_of(present)
    standing = frozenset(now)
    if not standing.issuperset(names_of(containers(before))):
        _check_losses(before, standing, overlays)
    if not items(pod, "containers") and not standing.issuperset(names(before, "containers")):
        raise MergeError("spec.containers", "nothing is left of it, and a Pod needs a container")
    given, volumes = _given(overlays), frozenset(names(pod, "volumes"))
    first = len(items(pod, "initContainers"))
    seen: set[str] = set()
    for index, (name, container) in enumerate(zip(now, present, strict=True)):
        if name in seen or name in given:
            path = f"spec.{'initContainers' if index < first else 'containers'}[{name}]"
            if name in seen:
                raise MergeError(path, _TAKEN)
            _check_container(container, given[name], path, volumes)
        seen.add(name)


def _check_losses(before: Pod, standing: Collection[str], overlays: Sequence[Overlay]) -> None:
    for field in CONTAINER_LISTS:
        for name in names(before, field):
            if name not in standing and not _taken_away(name, overlays):
                raise MergeError(f"spec.{field}[{name}]", _TAKEN_AWAY)


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


def _check_container(merged: Container, given: Container, path: str, volumes: frozenset[str]) -> None:
    if not merged.get("image"):
        raise MergeError(path, _NO_IMAGE)
    mounts = cast("list[Mapping[str, object]]", given.get("volumeMounts") or [])
    if volumes.issuperset(names_of(mounts)):
        return
    for mount in mounts:
        if DIRECTIVE not in mount and mount.get("name") not in volumes:
            raise MergeError(
                f"{path}.volumeMounts[{mount.get('mountPath')}]",
                f"volume {mount.get('name')!r} is neither in the template nor in the Pod; add it to spec.volumes",
            )
