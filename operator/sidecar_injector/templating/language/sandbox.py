"""The environment that templates run in: Jinja's immutable sandbox, closed further.

What a template can reach is what is listed: fields of maps, items of lists, our filters, tests, functions and methods,
and macros. Nothing is looked up on Python objects, and nothing is computed while compiling.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.lexer import TokenStream
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from sidecar_injector.templating.failures import Failure, LimitReached

# The entries register themselves.
from sidecar_injector.templating.language import filters_data, filters_numbers, filters_text, functions, tests  # noqa: F401
from sidecar_injector.templating.language.calls import CALLS, call
from sidecar_injector.templating.language.checks import check
from sidecar_injector.templating.language.code import Code
from sidecar_injector.templating.language.context import RenderContext, print_value
from sidecar_injector.templating.language.lines import drop_statement_lines
from sidecar_injector.templating.language.operations import OPERATIONS, calculate, negate
from sidecar_injector.templating.language.parsing import BoundedParser, bounded
from sidecar_injector.templating.language.rewrite import rewrite
from sidecar_injector.templating.language.undefined import Missing
from sidecar_injector.templating.language.values import OMIT, Fragment, describe
from sidecar_injector.templating.language.vocabulary import FILTERS, TESTS, Entry
from sidecar_injector.templating.limits import Delimiters, Limits

GLOBALS: Mapping[str, object] = {"omit": OMIT}
"""What every template can name besides its context."""

_LONGEST_KEY = 10_000
_LOOP_FIELDS = frozenset(
    ("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem")
)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """One environment for one set of delimiters and limits; it keeps no state between templates."""

    context_class = RenderContext
    code_generator_class = Code
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    intercepted_unops = frozenset(("+", "-"))

    def __init__(self, delimiters: Delimiters, limits: Limits, *, traced: bool = False) -> None:
        super().__init__(
            **delimiters.marks,
            keep_trailing_newline=True,
            undefined=Missing,
            finalize=print_value,
            optimized=False,
            autoescape=False,
            cache_size=0,
        )
        self.limits = limits
        self.traced = traced
        self.globals = {}
        self.filters = {**{entry.name: _callable(entry) for entry in FILTERS}, **OPERATIONS, **CALLS}
        self.tests = {entry.name: _callable(entry) for entry in TESTS}
        self.concat = self._concat  # type: ignore[method-assign]

    def parse_bounded(self, source: str) -> nodes.Template:
        """Parse and check; raises Failure, LimitReached or Jinja's TemplateSyntaxError."""
        tree = self.parse_again(source)
        check(tree, self.limits)
        return tree

    def parse_again(self, source: str) -> nodes.Template:
        """Parse what was checked earlier."""
        return BoundedParser(self, source, self.limits).parse()

    def parse_to_run(self, source: str) -> nodes.Template:
        """Parse what was checked earlier, as it is run."""
        return rewrite(self.parse_again(source), traced=self.traced)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        raw = bounded(self.lexer.tokeniter(source, name, filename, state), self.limits)
        return TokenStream(self.lexer.wrap(drop_statement_lines(raw), name, filename), name, filename)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return self.parse_to_run(source) if self.traced else rewrite(self.parse_bounded(source))

    def _concat(self, parts: Iterable[Any]) -> str:
        return "".join(self.pieces(parts))

    def pieces(self, parts: Iterable[Any]) -> tuple[str, ...]:
        """Return what a template printed, piece by piece; raises LimitReached if it is too much."""
        texts = tuple(parts)
        try:
            length = sum(map(len, texts))
        except TypeError:  # a recursive loop gives fragments
            texts = tuple([part if type(part) is str else part.text for part in texts])
            length = sum(map(len, texts))
        if length > self.limits.output:
            raise LimitReached(f"the template prints more than {self.limits.output} characters of YAML", "print less")
        return texts

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up `obj.attribute`: a key of a map, or a field of `loop` or a namespace."""
        if type(obj) is dict:
            try:
                return obj[attribute]
            except KeyError:
                return Missing(obj=obj, name=attribute)
        return _field(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up `obj[argument]`: a key of a map, an item of a list, a character of a text."""
        if type(argument) is str:
            if len(argument) > _LONGEST_KEY:
                raise LimitReached(f"`[ ]` looks up a text of {len(argument)} characters", "look up a shorter key")
            return self.getattr(obj, argument)
        if isinstance(argument, Fragment):
            return self.getattr(obj, argument.as_text())
        if isinstance(argument, Undefined):
            str(argument)
        if isinstance(obj, Fragment):
            obj = obj.as_text()
        if isinstance(obj, Undefined):
            return obj
        if type(argument) is int and isinstance(obj, list | tuple | range | str):
            return obj[argument] if -len(obj) <= argument < len(obj) else Missing(obj=obj, name=argument)
        if type(argument) is int and (isinstance(obj, Mapping) or obj is None):
            return Missing(obj=obj, name=argument)
        raise Failure(
            f"`[ ]` looks up {describe(argument)} in {describe(obj)}", "look up a key in a map, or a number in a list"
        )

    def call(self, context: RenderContext, target: Any, /, *args: Any, **keywords: Any) -> Any:  # type: ignore[override]
        """Call `target(…)`: a macro, `caller` or a recursive loop."""
        keywords.pop("_loop_vars", None)
        keywords.pop("_block_vars", None)
        return call(context, target, args, keywords)

    def call_binop(self, context: RenderContext, operator: str, left: Any, right: Any) -> Any:  # type: ignore[override]
        """Do arithmetic."""
        return calculate(context, operator, left, right)

    def call_unop(self, context: RenderContext, operator: str, arg: Any) -> Any:  # type: ignore[override]
        """Apply a sign."""
        return negate(operator, arg)


def _callable(entry: Entry) -> Any:
    @pass_context
    def call(context: RenderContext, /, *args: object, **keywords: object) -> Any:
        return entry.invoke(context, args, keywords)

    return call


def _field(obj: Any, name: str) -> Any:
    if isinstance(obj, Mapping):
        return obj[name] if name in obj else Missing(obj=obj, name=name)
    if isinstance(obj, Undefined):
        return obj
    if isinstance(obj, LoopContext) and name in _LOOP_FIELDS:
        return getattr(obj, name)
    if isinstance(obj, Namespace) and not name.startswith("_"):
        found = getattr(obj, name, missing)
        return found if found is not missing else Missing(obj={}, name=name)
    return Missing(obj=obj, name=name)
