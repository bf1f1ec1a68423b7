"""Plans of which some printed values are known beforehand: what is built of these alone becomes a constant."""

from collections.abc import Sequence
from dataclasses import replace

from sidecar_injector.templating.failures import Failure
from sidecar_injector.templating.language.values import OMIT
from sidecar_injector.templating.shapes.plan import Constant, List, Map, Plan, Step, slots_of
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap


def settled(plan: Plan, known: Sequence[object]) -> Plan:
    """Return a plan that builds the same data wherever the first slots hold these values."""
    root = _settled(plan.root, known)
    if _is_omitted(root):
        return plan
    return replace(plan, root=root, whole=tuple(slot for slot in plan.whole if slot >= len(known)), fills={}, plain={})


def _settled(step: Step, known: Sequence[object]) -> Step:
    if isinstance(step, List):
        items = [_settled(item, known) for item in step.items]
        left = tuple(item for item in items if not _is_omitted(item))
        constants = [item.value for item in left if isinstance(item, Constant)]
        return Constant(SharedList(constants)) if len(constants) == len(left) else List(left)
    if isinstance(step, Map):
        return _settled_map(step, known)
    if isinstance(step, Constant) or any(slot >= len(known) for slot in slots_of(step)):
        return step
    try:
        return Constant(step.fill(known))
    except Failure:  # it fails again when it is filled, which is when there is someone to tell
        return step


def _settled_map(step: Map, known: Sequence[object]) -> Step:
    entries = {key: _settled(entry, known) for key, entry in step.entries}
    base = {
        key: entry.value if isinstance(entry := entries.get(key), Constant) else value
        for key, value in step.base.items()
        if not _is_omitted(entries.get(key))
    }
    left = tuple((key, entry) for key, entry in entries.items() if not isinstance(entry, Constant))
    return Map(base, left) if left else Constant(SharedMap(base))


def _is_omitted(step: Step | None) -> bool:
    return isinstance(step, Constant) and step.value is OMIT
