"""What Python and Jinja say about values while a template runs, in the words of somebody who writes templates."""

import re

from sidecar_injector.templating.failures import Failure

_TYPES = {
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "NoneType": "null",
    "dict": "a map",
    "list": "a list",
    "tuple": "a list",
    "Fragment": "text",
    "Omit": "`omit`",
    "Namespace": "a namespace",
}

_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), problem, remedy)
    for pattern, problem, remedy in (
        (
            r"'(.+)' not supported between instances of '(\w+)' and '(\w+)'",
            "{1} and {2} are compared with `{0}`",
            "compare texts or numbers; turn text into a number with `int`",
        ),
        (
            r"'in <string>' requires string as left operand, not (\w+)",
            "`in` looks for {0} in text",
            "only text can be part of text: write `x | string`",
        ),
        (
            r"(?:not enough|too many) values to unpack \(expected (\d+).*",
            "an item cannot be taken apart into {0} values",
            "name as many variables as the items have values; for a map, loop over `.items()`",
        ),
        (
            r"cannot unpack non-iterable (\w+) object",
            "{0} cannot be taken apart into several values",
            "name one variable; for a map, loop over `.items()`",
        ),
        (
            r"cannot assign attribute on non-namespace object",
            "a field is set on something that is no namespace",
            "make it with `{{% set ns = namespace() %}}` first",
        ),
        (
            r".*got multiple values for (?:keyword )?argument '(\w+)'",
            "the argument `{0}` is given twice",
            "give it once",
        ),
        (
            r"parameter '(\w+)' was not provided",
            "the macro's parameter `{0}` is not given",
            "give it where the macro is called, or give it a default: `{0}=''`",
        ),
        (
            r"No caller defined",
            "`caller` is undefined: the macro is not used in a call block",
            "write `{{% call … %}}`, or test `caller is defined`",
        ),
        (r"there is no (previous|next) item", "there is no {0} item", "test `loop.first` or `loop.last` first"),
        (r"the list is empty", "the list is empty", "use `default`, or test its length first"),
        (
            r"the condition is false",
            "the condition is false and there is no `else`",
            "write `… else omit`, or another value",
        ),
        (r".*argument after \*\* must be a mapping", "something that is no map is spread with `**`", "spread a map"),
        (r"keywords must be strings", "the keys behind `**` are not text", "use a map with text as keys"),
        (r"unhashable type: '(\w+)'", "{0} is used where text or a number is needed", "use text or a number"),
        (r"argument of type '(\w+)' is not iterable", "`in` looks inside {0}", "look inside a list, a map or text"),
        (r"'(\w+)' object is not iterable", "{0} is used as a list", "use a list"),
    )
)


def explain_python(said: str) -> Failure:
    """Turn the message of an exception that came up while a template ran into a Failure."""
    for pattern, problem, remedy in _WORDS:
        found = pattern.match(said)
        if found:
            return Failure(
                problem.format(*(_TYPES.get(word, word) for word in found.groups())), remedy.format(*found.groups())
            )
    return Failure("an expression cannot be evaluated with these values", "compute it in smaller parts with `set`")
