"""Plans whose data fits what it is for, worked out once a shape: what is printed needs one look, the rest needs none.

Whoever knows what the data is for describes it by a tree of *spots*. Constants of the plan are converted once, when the
plan is fitted to the spots. Of the printed values, those of the type that is common at their spot fit as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
    return _of_one(step, spot) if _inside(step, spot) is None else _Containers(step, spot).fill


def never(_slots: Sequence[object]) -> object:
    """Stand for the fill of a plan whose constants do not fit."""
    raise Unfit


def _of_one(step: Step, spot: Spot) -> Fill:
    """Return what builds the data of a step that is taken as a whole."""
    if spot is ANYTHING:
        return step.fill
    if isinstance(step, Constant):
        constant = _shared(spot.convert(step.value))
        return lambda _slots: constant
    if isinstance(step, Quoted | Text) and spot.common is str:
        return step.fill

    def converted(slots: Sequence[object]) -> object:
        value = step.fill(slots)
        return value if value is OMIT else spot.convert(value)

    return converted


def _inside(step: Step, spot: Spot) -> Iterable[tuple[Any, Step, Spot]] | None:
    """Give key, step and spot of all that is in a map or list; None for what is taken as a whole."""
    if isinstance(step, Map) and spot.member is not None:
        dynamic = dict(step.entries)
        return [(key, dynamic.get(key) or Constant(value), spot.member(key)) for key, value in step.base.items()]
    if isinstance(step, List) and spot.item is not None:
        return [(index, each, spot.item()) for index, each in enumerate(step.items)]
    return None


class _Containers:
    """The maps and lists on the way to what is printed, the outermost first: all are made at once, then filled.

    bases  -- one for each, constants in place
    nested -- those in others: where, under which key, and which
    values -- printed ones: where, under which key, the slot, and how they fit
    parts  -- what else is built of printed values: where, under which key, and by what
    """

    def __init__(self, step: Step, spot: Spot) -> None:
        self._bases: list[Any] = []
        self._nested: list[tuple[int, Any, int]] = []
        self._values: list[tuple[int, Any, int, type | None, Convert]] = []
        self._parts: list[tuple[int, Any, Fill]] = []
        self._add(step, spot)

    def _add(self, step: Step, spot: Spot) -> int:
        inside = [*(_inside(step, spot) or ())]
        base: Any = {} if isinstance(step, Map) else [None] * len(inside)
        at = len(self._bases)
        self._bases.append(base)
        for key, each, fits in inside:
            base[key] = None
            if isinstance(each, Value):
                self._values.append((at, key, each.slot, fits.common, fits.convert))
            elif isinstance(each, Constant):
                base[key] = _shared(fits.convert(each.value))
            elif _inside(each, fits) is not None:
                self._nested.append((at, key, self._add(each, fits)))
            else:
                self._parts.append((at, key, _of_one(each, fits)))
            if base[key] is OMIT:
                del base[key]
        return at

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data of the outermost; raises Unfit, and Failure where the plan does."""
        made = [base.copy() for base in self._bases]
        for at, key, inner in self._nested:
            made[at][key] = made[inner]
        omitted: list[tuple[int, Any]] = []
        for at, key, slot, common, convert in self._values:
            value = slots[slot]
            if type(value) is not common and (value is OMIT or (value := convert(value)) is OMIT):
                omitted.append((at, key))
            else:
                made[at][key] = value
        for at, key, part in self._parts:
            if (value := part(slots)) is OMIT:
                omitted.append((at, key))
            else:
                made[at][key] = value
        for at, key in sorted(omitted, reverse=True):
            del made[at][key]
        return made[0]


def _shared(value: object) -> object:
    """Return what is the same in all renderings as such, if it was made anew."""
    if type(value) is dict:
        return SharedMap(value)
    return SharedList(value) if type(value) is list else value
