"""Plans whose data fits what it is for, worked out once a shape: what is printed needs one look, the rest needs none.

Whoever knows what the data is for describes it by a tree of *spots*. Constants of the plan are converted once, when the
plan is fitted to the spots. Of the printed values, those of the type that is common at their spot fit as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import is_, itemgetter
from typing import Any

from sidecar_injector.templating.language.values import OMIT
from sidecar_injector.templating.shapes.plan import (
    Constant,
    Fill,
    List,
    Map,
    Quoted,
    Step,
    Text,
    Value,
    slots_of,
)
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap

Convert = Callable[[object], object]
"""Returns a value as it fits, or OMIT for one that is left out; raises Unfit. It is never given OMIT."""


class Unfit(Exception):  # noqa: N818 - the data is made as it was printed instead, for its user to be told
    """The data does not fit."""


@dataclass(frozen=True, eq=False)
class Spot:
    """What may stand at a place in the data.

    convert -- makes any value fit
    common  -- the type whose values fit as they are, None if there is no such
    member  -- gives the spot of a key, if a map may stand here
    item    -- gives the spot of an item, if a list may stand here
    """

    convert: Convert
    common: type | None = None
    member: Callable[[str], "Spot"] | None = None
    item: Callable[[], "Spot"] | None = None


ANYTHING = Spot(convert=lambda value: value)
"""The spot of data that nothing is known about."""


def fitted(step: Step, spot: Spot) -> Fill:
    """Return what builds the data of a plan as it fits; it raises Unfit, and Failure where the plan does.

    Raises Unfit if the constants do not fit.
    """
    if spot is ANYTHING:
        return step.fill
    if isinstance(step, Constant):
        constant = _shared(spot.convert(step.value))
        return lambda _slots: constant
    if isinstance(step, Map) and spot.member is not None:
        dynamic = dict(step.entries)
        steps = {key: dynamic.get(key) or Constant(value) for key, value in step.base.items()}
        return _latest(step, _container({}, [(key, each, spot.member(key)) for key, each in steps.items()]))
    if isinstance(step, List) and spot.item is not None:
        item, base = spot.item(), [None] * len(step.items)
        return _latest(step, _container(base, [(index, each, item) for index, each in enumerate(step.items)]))
    if isinstance(step, Quoted | Text) and spot.common is str:
        return step.fill

    def converted(slots: Sequence[object]) -> object:
        value = step.fill(slots)
        return value if value is OMIT else spot.convert(value)

    return converted


def _latest(step: Step, fill: Fill) -> Fill:
    """Return the same fill, which knows what it built latest, and of which values.

    Most of what is printed is the config's, and then the very same for all Pods: the data is, too. Values are told
    apart by what they are, not by what they are equal to, for 1 is equal to true.
    """
    slots_in = [*slots_of(step)]
    if not slots_in:
        return fill
    pick = itemgetter(*slots_in, slots_in[0])  # of one slot it would give the value, of two it gives a tuple
    latest: tuple[Sequence[object], object] = (object(),), None

    def known_or_filled(slots: Sequence[object]) -> object:
        nonlocal latest
        printed = pick(slots)
        known, made = latest
        if not all(map(is_, printed, known)):
            made = fill(slots)
            latest = printed, made
        return made

    return known_or_filled


def never(_slots: Sequence[object]) -> object:
    """Stand for the fill of a plan whose constants do not fit."""
    raise Unfit


def _container(base: Any, members: Iterable[tuple[Any, Step, Spot]]) -> Fill:
    """Return what builds a map or a list: constants are in place, values and what has values in it are put there."""
    values: list[tuple[Any, int, type | None, Convert]] = []
    parts: list[tuple[Any, Fill]] = []
    for key, step, spot in members:
        base[key] = None
        if isinstance(step, Value):
            values.append((key, step.slot, spot.common, spot.convert))
        elif isinstance(step, Constant):
            base[key] = _shared(spot.convert(step.value))
        else:
            parts.append((key, fitted(step, spot)))
        if base[key] is OMIT:
            del base[key]

    def fill(slots: Sequence[object]) -> object:
        filled = base.copy()
        omitted: list[Any] = []
        for key, slot, common, convert in values:
            value = slots[slot]
            if type(value) is not common and (value is OMIT or (value := convert(value)) is OMIT):
                omitted.append(key)
            else:
                filled[key] = value
        for key, part in parts:
            value = part(slots)
            if value is OMIT:
                omitted.append(key)
            else:
                filled[key] = value
        if omitted:
            for key in sorted(omitted, reverse=True):
                del filled[key]
        return filled

    return fill


def _shared(value: object) -> object:
    """Return what is the same in all renderings as such, if it was made anew."""
    if type(value) is dict:
        return SharedMap(value)
    return SharedList(value) if type(value) is list else value
