"""What is the same in most contexts: found by comparing two, and checked in every one by identity."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_, itemgetter


@dataclass(frozen=True)
class Steady:
    """Variables that most contexts have in common.

    whole -- those that are the very same object, by name
    parts -- of the others that are maps: the members that are the very same object, by the variable's name
    """

    whole: Mapping[str, object]
    parts: Mapping[str, Mapping[str, object]]

    def covers(self, other: "Steady") -> bool:
        """Tell whether it has everything that another one has."""
        return other.whole.keys() <= self.whole.keys() and all(
            members.keys() <= self.parts.get(name, {}).keys() for name, members in other.parts.items()
        )

    def agrees(self) -> Callable[[Mapping[str, object]], bool]:
        """Return a test whether a context has the very same objects."""
        whole = _holds(self.whole)
        parts = [(name, _holds(members)) for name, members in self.parts.items()]

        def agree(context: Mapping[str, object]) -> bool:
            try:
                if not whole(context):
                    return False
                for name, holds in parts:
                    if not holds(context[name]):
                        return False
            except (KeyError, TypeError):  # it is not there, or no map
                return False
            return True

        return agree


def steady_between(*contexts: Mapping[str, object]) -> Steady:
    """Return what some contexts have in common."""
    whole = _common(contexts)
    rest = {name: _common([context.get(name) for context in contexts]) for name in contexts[0] if name not in whole}
    return Steady(whole, {name: members for name, members in rest.items() if members})


def _common(found: Sequence[object]) -> dict[str, object]:
    maps = [each for each in found if isinstance(each, Mapping)]
    if len(maps) < len(found):
        return {}
    return {
        name: value for name, value in maps[0].items() if all(name in each and each[name] is value for each in maps[1:])
    }


def _holds(members: Mapping[str, object]) -> Callable[..., bool]:
    """Return a test whether a map has these very objects under these keys."""
    if not members:
        return lambda _found: True
    names = [*members, next(iter(members))]  # of one key itemgetter would give the value, of two it gives a tuple
    pick, expected = itemgetter(*names), [members[name] for name in names]
    return lambda found: all(map(is_, pick(found), expected))
