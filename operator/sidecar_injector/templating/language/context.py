"""The state of one rendering: the variables, the slots of printed values, and the budget."""

from collections.abc import Mapping

from jinja2 import pass_context
from jinja2.environment import Environment
from jinja2.runtime import Context, Undefined

from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.language.values import (
    HIGHEST,
    LOWEST,
    OMIT,
    Fragment,
    YamlText,
    plain,
    plain_and_size,
    text_of,
)
from sidecar_injector.templating.limits import Limits
from sidecar_injector.templating.markers import markers

_PRICE_OF_TEXT, _PRICE_OF_FIELD = 5, 4
_FREE = frozenset((bool, type(OMIT)))
"""Types of values that take no room worth counting."""


class RenderContext(Context):
    """Jinja's context, which generated code hands to every filter, with what one rendering needs.

    slots        -- the printed values
    scalars_only -- whether none of those that this state has seen printed is a list, a map or null
    """

    def __init__(self, environment: Environment, variables: Mapping[str, object], limits: Limits) -> None:
        super().__init__(environment, variables, None, {})  # type: ignore[arg-type]
        self.slots: list[object] = []
        self.markers = markers()
        self.limits = limits
        self.depth_limit = limits.depth
        self.steps = limits.steps
        self.room = limits.result
        self.calls = 0
        self.yaml_slots: list[int] = []
        self.scalars_only = True

    def resumed(self, variables: Mapping[str, object]) -> "RenderContext":
        """Return a state with other variables that goes on from here; this one stays as it is."""
        context = RenderContext.__new__(RenderContext)
        context.__dict__.update(self.__dict__)
        context.parent, context.vars, context.exported_vars = variables, {}, set()  # type: ignore[assignment]
        context.slots, context.yaml_slots = self.slots.copy(), self.yaml_slots.copy()
        context.markers = markers(len(self.slots))
        context.scalars_only = True
        return context

    def plain(self, value: object) -> object:
        """Return the value as plain JSON; raises Failure for what JSON cannot hold."""
        if value is OMIT:
            raise Failure("`omit` is used as a value", "print `omit` as the whole value of a key or a list item")
        return plain(value, self)

    def measured(self, value: object) -> tuple[object, int]:
        """Return the value as `plain` does, and about how many characters it takes as JSON."""
        return plain_and_size(self.plain(value) if value is OMIT else value, self)

    def text(self, value: object) -> str:
        """Return the value as text, as it would be printed inside a longer text."""
        if type(value) is str:
            return value
        self.charge(_PRICE_OF_TEXT)
        return text_of(plain(value, self))

    def field(self, item: object, path: object, *, strict: bool = True) -> object:
        """Look up a field, such as `name` or `resources.limits`; if it is missing, that is an error when `strict`."""
        found = item
        names = path.split(".") if isinstance(path, str) else [path]
        self.charge(_PRICE_OF_FIELD + 3 * len(names))
        for name in names:
            found = self.environment.getitem(found, int(name) if isinstance(name, str) and name.isdecimal() else name)
        if strict and isinstance(found, Undefined):
            str(found)
        return found

    def charge(self, steps: int) -> None:
        """Take this number of steps from the budget."""
        self.steps -= steps
        if self.steps < 0:
            raise LimitReached(
                f"the template takes more than {self.limits.steps} steps", "loop over less, or nest fewer loops"
            )

    def pay(self, characters: int) -> None:
        """Check and pay for a text of this length before it is made."""
        if characters > self.limits.text:
            raise LimitReached(f"a text grows to more than {self.limits.text} characters", "make a shorter text")
        self.charge(characters >> 6)

    def search(self, text: str, part: str) -> None:
        """Pay for looking for a part in a text.

        For short ones this takes as long as both lengths multiplied; source of the bounds: CPython, fastsearch.h.
        """
        reach = 100 if len(text) >= 2500 else 2500
        self.charge((len(text) >> 7) + (min(len(text), 30_000) * min(len(part), reach) >> 8))

    def take_room(self, characters: int) -> None:
        """Account for a printed value of this length."""
        self.room -= characters
        if self.room < 0:
            raise LimitReached(
                f"all printed values together have more than {self.limits.result} characters", "print less"
            )


@pass_context
def print_value(context: RenderContext, value: object) -> str:
    """Store a printed value in a slot and give its marker; this is Jinja's `finalize`.

    It takes the context, and is therefore never run at compile time for constant expressions.
    """
    kind = type(value)
    if kind is str:
        context.room -= len(value)  # type: ignore[arg-type]
    elif kind in _FREE or (kind is int and LOWEST <= value <= HIGHEST):  # type: ignore[operator]
        pass
    elif kind is Fragment:
        return value.text  # type: ignore[attr-defined, no-any-return]
    else:
        context.scalars_only = False
        if value is not None:
            value, size = plain_and_size(value, context)
            context.room -= size
        if kind is YamlText:
            context.yaml_slots.append(len(context.slots))
    if context.room < 0:
        context.take_room(0)
    context.slots.append(value)
    return next(context.markers)
