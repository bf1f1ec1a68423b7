"""The schema of an overlay as templates are fitted to it: most of what is printed conforms as it is.

What each value has to be is told by `conforming`, for data of any origin; here is only which of it needs no look.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sidecar_injector.errors import Place
from sidecar_injector.injection.conforming import COMMON, Conforming, is_structured
from sidecar_injector.injection.schema import OVERLAY, Field, Shape, Type
from sidecar_injector.templating import ANYTHING, OMIT, Convert, Spot, Unfit


def _nowhere(path: Sequence[str | int]) -> Place:
    raise Unfit(path)


_WALK = Conforming(_nowhere)


@cache
def _of_field(field: Field | None) -> Spot:
    """Return the spot of what stands under a key: one for each kind of field in the schema."""
    if field is None:
        return ANYTHING
    of_null = OMIT if is_structured(field) else None

    def convert(value: object) -> object:
        return of_null if value is None else _WALK.field((), value, field)

    if field.shape is Shape.ONE:
        one = _of_one(field)
        return Spot(convert if one.member is None else _remembering(convert), one.common, one.member)
    if field.shape is Shape.LIST:
        return Spot(_remembering(convert), item=lambda: _of_one(field))
    return Spot(_remembering(convert), member=lambda key: ANYTHING if key.startswith("$") else _of_entry(field))


def _remembering(convert: Convert) -> Convert:
    """Return the same conversion, which knows what it made of the latest value.

    A list or a map that is printed whole is mostly the config's, and then the same for all Pods. No more than one is
    kept for each kind of field.
    """
    latest: tuple[object, object] = _nowhere, None

    def remembered(value: object) -> object:
        nonlocal latest
        known, made = latest
        if value is not known:
            made = convert(value)
            latest = value, made
        return made

    return remembered


def _of_one(field: Field) -> Spot:
    """Return the spot of one value of a field: itself, or an item of its list."""
    kind = field.type
    return Spot(
        convert=lambda value: _WALK.one((), value, field),
        common=COMMON.get(field.scalar),
        member=None if kind is None else lambda key: _member(kind, key),
    )


def _of_entry(field: Field) -> Spot:
    """Return the spot of an entry of a field's map: null may stand there."""
    one = _of_one(field)
    return Spot(lambda value: None if value is None else one.convert(value), one.common, one.member)


def _member(schema: Type, key: str) -> Spot:
    return ANYTHING if key.startswith("$") else _of_field(schema.fields.get(key))


def _is_pod(value: object) -> str:
    """Convert nothing: of what says that an overlay is a Pod, `conform` wants to see what was printed."""
    if type(value) is not str:
        raise Unfit(value)
    return value


_KIND = Spot(_is_pod, common=str)
_OF_KIND = frozenset(key for key, field in OVERLAY.fields.items() if not is_structured(field))


def _overlay(value: object) -> object:
    if not isinstance(value, Mapping):
        raise Unfit(value)
    for key in _OF_KIND.intersection(value):
        _is_pod(value[key])
    return _WALK.map((), value, OVERLAY)


OVERLAY_SPOT = Spot(_overlay, member=lambda key: _KIND if key in _OF_KIND else _member(OVERLAY, key))
"""The spot of a whole overlay."""
