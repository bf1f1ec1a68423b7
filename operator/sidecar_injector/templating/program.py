"""A compiled template: source to code, context to rendered text and values, failures to TemplateErrors."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from types import TracebackType

from jinja2 import Template as JinjaTemplate
from jinja2 import nodes
from jinja2.exceptions import TemplateRuntimeError as JinjaRuntimeError
from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError

from sidecar_injector.errors import (
    Place,
    TemplateError,
    TemplateLimitError,
    TemplateRefusal,
    TemplateRenderError,
    TemplateSyntaxError,
)
from sidecar_injector.templating.failures import Failure, LimitReached, Refused
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.expressions import path_in
from sidecar_injector.templating.language.parsing import explain_syntax
from sidecar_injector.templating.language.sandbox import GLOBALS, TemplateEnvironment
from sidecar_injector.templating.language.undefined import NOTHING, MissingValue, explain_missing
from sidecar_injector.templating.language.words import explain_python
from sidecar_injector.templating.limits import Delimiters, Limits

_FILENAME = "<template>"
_LONG_NUMBER = re.compile("[0-9_]{1000}")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_ROOM_FOR_TRACING = 64
"""How many times longer a traced rendering may be than an ordinary one."""


@lru_cache(maxsize=32)
def _environment(delimiters: Delimiters, limits: Limits, traced: bool) -> TemplateEnvironment:
    return TemplateEnvironment(delimiters, limits, traced=traced)


class Program:
    """The code of one template.

    Raises:
        TemplateSyntaxError: the source does not compile.
        TemplateLimitError: it is too long or nested too deeply.
    """

    def __init__(self, name: str, source: str, delimiters: Delimiters, limits: Limits) -> None:
        self.name = name
        self.source = source
        self.limits = limits
        self._delimiters = delimiters
        if len(source) > limits.source:
            problem = f"the template has {len(source)} characters; {limits.source} are allowed"
            raise TemplateLimitError(Place(name, 1), problem, "split it into several templates")
        self._code = self._compile(self.environment)

    def run(self, context: Mapping[str, object]) -> tuple[tuple[str, ...], RenderContext]:
        """Run the template: the shape in pieces, and the state with the printed values.

        Raises:
            TemplateRenderError: it fails on these values.
            TemplateLimitError: it takes too many steps or too much memory.
        """
        return self._run(self._code, {**GLOBALS, **context}, self.limits)

    def run_traced(self, context: Mapping[str, object]) -> str:
        """Run the template once more and give the shape with the marks of template lines in it."""
        return "".join(self._run(self._traced, {**GLOBALS, **context}, self._limits_when_traced)[0])

    @property
    def environment(self) -> TemplateEnvironment:
        """What the template runs in."""
        return _environment(self._delimiters, self.limits, False)

    def load(self, tree: nodes.Template) -> JinjaTemplate:
        """Return the code of a tree that was made of this template's; what goes wrong here is not the template's."""
        environment = self.environment
        code = environment.compile(tree, filename=_FILENAME)
        return _untied(JinjaTemplate.from_code(environment, code, environment.globals))

    @cached_property
    def _traced(self) -> JinjaTemplate:
        """The code that prints marks: made once, for Pods may cause the same error again and again."""
        return self._compile(_environment(self._delimiters, self._limits_when_traced, True))

    @property
    def _limits_when_traced(self) -> Limits:
        return replace(self.limits, output=self.limits.output * _ROOM_FOR_TRACING)

    def place(self, line: int, column: int = 0, mention: str = "") -> Place:
        """Return a place in this template; the column is that of `mention`, if the line has it exactly once."""
        lines = self.lines
        text = lines[line - 1] if 0 < line <= len(lines) else ""
        if not column and mention and text.count(mention) == 1:
            column = text.index(mention) + 1
        return Place(self.name, line, column, text)

    @cached_property
    def lines(self) -> list[str]:
        """Return the lines of the source."""
        return _NEWLINE.split(self.source)

    def error(self, failure: Failure, line: int, *, syntax: bool = False) -> TemplateError:
        """Make the TemplateError of a failure; the line is used unless the failure has its own."""
        kind: type[TemplateError] = TemplateSyntaxError if syntax else TemplateRenderError
        if isinstance(failure, LimitReached):
            kind = TemplateLimitError
        elif isinstance(failure, Refused):
            kind = TemplateRefusal
        quoted = re.findall(r"`([^`…]+)`", failure.problem)
        return kind(
            self.place(failure.line or line, mention=quoted[0] if quoted else ""), failure.problem, failure.remedy
        )

    def _compile(self, environment: TemplateEnvironment) -> JinjaTemplate:
        try:
            code = environment.compile(self.source, filename=_FILENAME)
        except Failure as failure:
            raise self.error(failure, 1, syntax=True) from failure
        except JinjaSyntaxError as error:
            raise self.error(explain_syntax(error, environment), 1, syntax=True) from error
        except (RecursionError, MemoryError, SyntaxError) as error:
            deep = LimitReached("the template is nested too deeply", "nest expressions and statements less deeply")
            raise self.error(deep, 1) from error
        except ValueError as error:
            raise self.error(self._long_number(), 1) from error
        return _untied(JinjaTemplate.from_code(environment, code, environment.globals))

    def _long_number(self) -> LimitReached:
        """Find the number that Python refuses to read, which says nothing of its place."""
        found = _LONG_NUMBER.search(self.source)
        line = self.source.count("\n", 0, found.start()) + 1 if found else 1
        return LimitReached("a number has too many digits", "write it as text, in quotes", line)

    def _run(
        self, code: JinjaTemplate, variables: dict[str, object], limits: Limits
    ) -> tuple[tuple[str, ...], RenderContext]:
        environment = code.environment
        assert isinstance(environment, TemplateEnvironment)
        context = RenderContext(environment, variables, limits)
        try:
            return environment.pieces(code.root_render_func(context)), context
        except Exception as error:
            raise self._translated(error, code, variables) from error

    def _translated(self, error: Exception, code: JinjaTemplate, variables: dict[str, object]) -> TemplateError:
        line = _line_of(error.__traceback__, code)
        if isinstance(error, MissingValue):
            return self._missing(error, line, variables)
        if isinstance(error, Failure):
            return self.error(error, line)
        if isinstance(error, RecursionError | MemoryError):
            return self.error(LimitReached("the values are nested too deeply", "nest them less deeply"), line)
        said = error.message or "" if isinstance(error, JinjaRuntimeError) else str(error)
        return self.error(explain_python(said), line)

    def _missing(self, error: MissingValue, line: int, variables: dict[str, object]) -> TemplateError:
        if error.explained:
            return self.error(explain_python(error.problem), line)
        path = str(error.name) if error.owner is NOTHING else path_in(self._tree, line, error.name)
        problem, remedy = explain_missing(error, path, [name for name in variables if name not in GLOBALS])
        return TemplateRenderError(self.place(line, mention=path), problem, remedy)

    @cached_property
    def _tree(self) -> nodes.Template:
        return self.environment.parse_again(self.source)


def _untied(code: JinjaTemplate) -> JinjaTemplate:
    """Take a template's function, and the template, out of the module that the function was defined in.

    Each would hold the other for ever where the garbage collector does not look, such as in what was frozen. Only
    Jinja's own tracebacks look there for a template, and we make our own.
    """
    module = code.root_render_func.__globals__
    for name in ("root", "blocks", "__jinja_template__"):
        module.pop(name, None)
    return code


def _line_of(traceback: TracebackType | None, code: JinjaTemplate) -> int:
    line = 1
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILENAME:
            line = code.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line
