"""Functions: what can be called by its name alone."""

from typing import Any, NoReturn

from jinja2.utils import Namespace

from sidecar_injector.templating.failures import Failure, LimitReached, Refused
from sidecar_injector.templating.language import filters_data
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.vocabulary import FUNCTIONS, mapping, text, whole

_LONGEST_RANGE = 10_000

FUNCTIONS.add("required", undefined=True, fragments=True)(filters_data.required)


@FUNCTIONS.add("range")
def range_(*bounds: int) -> range:
    """Whole numbers: `range(3)` is 0, 1, 2; `range(1, 7, 2)` is 1, 3, 5."""
    if not 1 <= len(bounds) <= 3 or (len(bounds) == 3 and bounds[2] == 0):
        raise Failure(
            "it takes one to three numbers, and no step of 0", "write range(stop) or range(start, stop, step)"
        )
    numbers = [whole(bound) for bound in bounds]
    if any(abs(bound) > 2**62 for bound in numbers) or len(result := range(*numbers)) > _LONGEST_RANGE:
        raise LimitReached(f"function `range`: it gives more than {_LONGEST_RANGE} numbers", "loop over less")
    return result


@FUNCTIONS.add("dict")
def dict_(context: RenderContext, /, *maps: object, **entries: object) -> dict[str, Any]:
    """Map with these entries: `dict(name='a', port=80)`; maps that are given first are merged in."""
    merged: dict[str, Any] = {}
    for given in maps:
        merged.update(mapping(context, given))
    return {**merged, **entries}


@FUNCTIONS.add("namespace", fragments=True)
def namespace(**fields: object) -> Namespace:
    """Container that a loop can write to: `{% set ns = namespace(found=false) %}`, `{% set ns.found = true %}`."""
    return Namespace(**fields)


@FUNCTIONS.add("fail")
def fail(message: str) -> NoReturn:
    """Refuse the Pod, with this message."""
    raise Refused(text(message))
