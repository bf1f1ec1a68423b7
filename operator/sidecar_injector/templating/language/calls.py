"""Calls: of functions, methods, macros, `caller` and recursive loops."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.utils import Namespace

from sidecar_injector.templating.failures import Failure, LimitReached, did_you_mean
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.methods import METHODS
from sidecar_injector.templating.language.operations import fragment, loop_over, settle
from sidecar_injector.templating.language.values import Fragment, describe
from sidecar_injector.templating.language.vocabulary import FUNCTIONS

METHOD, FUNCTION = " method", " function"


@pass_context
def call_function(context: RenderContext, name: str, /, *args: object, **keywords: object) -> object:
    """Call a function of ours by its name, whatever variable of that name there is."""
    return FUNCTIONS[name].invoke(context, args, keywords)


@pass_context
def call_method(context: RenderContext, target: object, name: str, /, *args: object, **keywords: object) -> object:
    """Call a method of a value; this is what `value.name(…)` becomes."""
    target = settle(target)
    register = METHODS.get(describe(target))
    entry = register.get(name) if register else None
    if entry is not None:
        return entry.invoke(context, [target, *args], keywords)
    field = context.environment.getattr(target, name)
    if isinstance(target, Namespace) and not isinstance(field, Undefined):
        return call(context, field, args, keywords)
    if isinstance(target, Mapping) and not isinstance(field, Undefined):
        raise Failure(f"`{name}` is {describe(field)} and cannot be called", f"write `.{name}` without `( )`")
    raise _no_method(target, name)


CALLS: Mapping[str, Callable[..., object]] = {METHOD: call_method, FUNCTION: call_function}


def call(context: RenderContext, target: object, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Fragment:
    """Call a macro, `caller` or a recursive loop.

    Raises:
        Failure: the target is something else, or takes other arguments.
        LimitReached: too many calls inside each other.
    """
    if isinstance(target, Macro):
        return _run(context, target, args, keywords)
    if isinstance(target, LoopContext) and len(args) == 1 and not keywords:
        return _run(context, target, (loop_over(context, args[0]),), {})
    settle(target)
    raise Failure(f"{describe(target)} is called like a function", "only macros, functions and methods can be called")


def _run(context: RenderContext, target: Any, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Fragment:
    limit = context.limits.calls
    if context.calls >= limit:
        raise LimitReached(f"macros or recursive loops call each other more than {limit} levels deep", "use a loop")
    context.calls += 1
    try:
        return fragment(context, target(*args, **keywords))
    except TypeError as error:
        failure = _misfit(str(error).replace("'", "`"))
        if failure is None:
            raise
        raise failure from error
    finally:
        context.calls -= 1


def _misfit(said: str) -> Failure | None:
    """Explain Jinja's message about arguments that do not fit; None for any other message."""
    if "special caller argument" in said:
        name = said.split("`")[1]
        return Failure(
            f"macro `{name}` has no place for the text of a call block", f"print `caller()` in macro `{name}`"
        )
    if said.startswith("macro "):
        return Failure(said, "check the macro's parameters")
    if said.startswith("The loop must"):
        return Failure("`loop(…)` is called in a loop that is not recursive", "write `{% for … in … recursive %}`")
    return None


def _no_method(target: object, name: str) -> Failure:
    register = METHODS.get(describe(target))
    if register is None:
        return Failure(f"{describe(target)} has no method `{name}`", "use a filter")
    known = ", ".join(f"`{method}`" for method in register.names)
    guess = did_you_mean(name, register.names)
    return Failure(f"{describe(target)} has no method `{name}`{guess}", f"it has {known}")
