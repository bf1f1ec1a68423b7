"""Properties that are worked out when they are asked for first, and then are plain attributes."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

_Value = TypeVar("_Value")


class once(Generic[_Value]):  # noqa: N801 - it is used as a decorator
    """Work a property out once for each object.

    Unlike functools.cached_property, which takes a lock in Python 3.11, it costs no more than the work: what belongs to
    one Pod is in the hands of one admission, and what does not is the same whoever has worked it out last.
    """

    def __init__(self, work_out: Callable[[Any], _Value]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    def __get__(self, owner: Any, _: object = None) -> _Value:
        value = owner.__dict__[self._name] = self._work_out(owner)
        return value
