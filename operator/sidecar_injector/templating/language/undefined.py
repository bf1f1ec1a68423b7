"""Values that are not there: an error when they are used, with the name and what it may have been meant to be."""

from collections.abc import Collection, Mapping, Sized
from typing import NoReturn

from jinja2.runtime import StrictUndefined
from jinja2.utils import missing

from sidecar_injector.templating.failures import Failure, did_you_mean
from sidecar_injector.templating.language.values import describe

NOTHING: object = missing
"""Stands in place of an owner where a variable was looked up."""

_LONGEST_PATH = 80


class MissingValue(Failure):
    """Something undefined was used.

    Attributes:
        owner: what the name was looked up in; NOTHING for a variable.
        name: the variable, key or position.
        explained: whether the problem says already why it is undefined.
    """

    def __init__(self, owner: object, name: object, hint: str = "") -> None:
        self.owner = owner
        self.name = name
        self.explained = bool(hint)
        super().__init__(hint or f"`{name}` is undefined")


class Missing(StrictUndefined):
    """Jinja's strict undefined. A field of something undefined is undefined, too; only using it is an error.

    So `a.b.c | default(1)` works whether `c`, `b` or `a` is missing, and nothing that is missing is ever printed.
    """

    __slots__ = ()

    def __init__(self, hint: str | None = None, obj: object = missing, name: object = None) -> None:
        super().__init__(hint, obj, name)  # type: ignore[arg-type]

    def _fail(self, *_args: object, **_keywords: object) -> NoReturn:
        raise MissingValue(self._undefined_obj, self._undefined_name, self._undefined_hint or "")

    _fail_with_undefined_error = _fail
    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _fail
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pos__ = __neg__ = __pow__ = __rpow__ = _fail
    __call__ = __getitem__ = __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = _fail


def explain_missing(missing: MissingValue, path: str, variables: Collection[str]) -> tuple[str, str]:
    """Say what is undefined and what to do.

    Args:
        missing: what was raised.
        path: the whole expression, such as `pod.spec.hostNetwrok`, where it could be found; else the last name.
        variables: the names of the context's variables.
    """
    path = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
    owner, name = missing.owner, str(missing.name)
    if owner is NOTHING:
        known = ", ".join(f"`{variable}`" for variable in variables)
        return f"`{path}` is undefined{did_you_mean(name, variables)}", f"variables are {known}" if known else ""
    if isinstance(owner, Mapping):
        if name in ("get", "items", "keys", "values"):
            return f"`{path}` is undefined; `{name}` is a method", f"write `{path}()`"
        return (
            f"`{path}` is undefined{did_you_mean(name, owner, 2)}",
            f"if it may be missing, write `{path} | default(…)`",
        )
    if isinstance(missing.name, int) and isinstance(owner, Sized):
        return f"`{path}` is undefined: the length is {len(owner)}", "test the length first, or use `default`"
    in_list = "loop over the list, or take an item of it with `[0]`"
    remedy = in_list if isinstance(owner, list) else "look it up in a map"
    return f"`{path}` is undefined: {describe(owner)} has no fields", remedy
