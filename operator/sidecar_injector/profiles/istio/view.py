"""An earlier injection by Istio itself: which containers it added, and the Pod without them, for templates to see.

What was injected by us is taken out beforehand, exactly; of what istiod injected, only the names are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.errors import PodRejected
from sidecar_injector.injection.json_text import json_of
from sidecar_injector.injection.overlay import template_containers
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import CONTAINER_LISTS, SIDECARS
from sidecar_injector.injection.view import Container, Pod, annotations, items, names, with_annotations, with_spec
from sidecar_injector.names import Reason
from sidecar_injector.profiles.istio.reading import maps_at
from sidecar_injector.profiles.istio.status import RECORD
from sidecar_injector.profiles.istio.vocabulary import OVERRIDES, SCRAPE, SCRAPE_PATH, SCRAPE_PORT, STATUS

_SCRAPED = (SCRAPE, SCRAPE_PORT, SCRAPE_PATH)


@dataclass(frozen=True)
class Earlier:
    """What a Pod's annotations tell of an earlier injection.

    injected  -- whether there was one
    foreign   -- whether it was Istio's own, and not that of another config
    names     -- names of the containers and volumes that templates gave or changed, by list
    overrides -- what the user had written for such containers, by list
    """

    injected: bool
    foreign: bool
    names: Mapping[str, frozenset[str]]
    overrides: Mapping[str, tuple[Container, ...]]


NOTHING = Earlier(False, False, {}, {})


def earlier_injection(pod: Pod) -> Earlier:
    """Return what is known of an earlier injection. Raises PodRejected if the overrides are no JSON."""
    notes = annotations(pod)
    if STATUS not in notes and OVERRIDES not in notes:
        return NOTHING
    status, overrides = _json(notes.get(STATUS, "{}")) or {}, _overrides(notes.get(OVERRIDES, "{}"))
    listed = {field: _listed(status.get(field)) for field in (*CONTAINER_LISTS, "volumes")}
    foreign = STATUS in notes and not RECORD.entries(notes[STATUS])
    return Earlier(
        STATUS in notes, foreign, listed, {field: tuple(maps_at(overrides, field)) for field in CONTAINER_LISTS}
    )


def _listed(names: object) -> frozenset[str]:
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def _overrides(text: str) -> Mapping[str, object]:
    overrides = _json(text)
    if overrides is None:
        raise PodRejected(
            Reason.INVALID_ANNOTATION,
            f"metadata.annotations[{OVERRIDES}]: is no JSON object; Istio and this injector write it, so take it off",
        )
    return overrides


def _json(text: str) -> Mapping[str, object] | None:
    document = json_of(text)
    return document if isinstance(document, dict) else None


def without_earlier(pod: Pod, earlier: Earlier, agent_port: int) -> Pod:
    """Return the Pod as templates see it: as its user wrote it, as far as that is known."""
    if not earlier.injected:
        return pod
    for field in CONTAINER_LISTS:
        kept = [item for item in items(pod, field) if item.get("name") not in earlier.names[field]]
        pod = with_spec(pod, **{field: kept}) if len(kept) != len(items(pod, field)) else pod
    notes = {key: value for key, value in annotations(pod).items() if key != STATUS}
    if notes.get(SCRAPE_PORT) == str(agent_port):
        notes = {key: value for key, value in notes.items() if key not in _SCRAPED}
    pod = with_annotations(pod, notes)
    for field in CONTAINER_LISTS:
        missing = [item for item in earlier.overrides.get(field, ()) if item.get("name") not in names(pod, field)]
        pod = with_spec(pod, **{field: [*items(pod, field), *missing]}) if missing else pod
    return pod


def without_leftovers(pod: Pod, earlier: Earlier, overlays: Sequence[Overlay], *, native: bool) -> Pod:
    """Return the Pod without the containers of Istio's own injection that this one does not have, or not there."""
    if not earlier.foreign:
        return pod
    present = {str(item.get("name")) for item in template_containers(overlays)}
    classic = {name for overlay in overlays for name in names(overlay.tree, SIDECARS)} if not native else set()
    gone = {
        "containers": earlier.names["containers"] - present,
        "initContainers": (earlier.names["initContainers"] - present) | (earlier.names["initContainers"] & classic),
    }
    for field, leftovers in gone.items():
        if leftovers.intersection(names(pod, field)):
            pod = with_spec(pod, **{field: [item for item in items(pod, field) if item.get("name") not in leftovers]})
    return pod
