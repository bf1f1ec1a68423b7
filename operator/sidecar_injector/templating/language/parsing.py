"""Jinja's parser under limits, with messages that name the place.

Source of the grammar: https://jinja.palletsprojects.com/en/stable/templates/
"""

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from jinja2 import nodes
from jinja2.environment import Environment
from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError
from jinja2.parser import Parser

from sidecar_injector.templating.failures import Failure, LimitReached, did_you_mean
from sidecar_injector.templating.language.lines import RawToken
from sidecar_injector.templating.limits import Limits

_LEVELS_PER_BRACKET = 3
"""How many of the counted grammar rules one pair of brackets passes through."""
_STATEMENTS = ("for", "if", "elif", "else", "macro", "call", "filter", "set", "with", "raw", "print")
_REFUSED = {
    "include": "`include` is not supported: a template is complete in itself",
    "import": "`import` is not supported: a template is complete in itself",
    "from": "`import` is not supported: a template is complete in itself",
    "extends": "`extends` is not supported: a template is complete in itself",
    "block": "`block` is not supported: there is no template inheritance",
    "autoescape": "`autoescape` is not supported: printed values need no escaping",
}
_REFUSED_REMEDY = "write a macro in this template, or another template in the config"


class BoundedParser(Parser):
    """Parses one template; raises Failure or LimitReached with the line set."""

    def __init__(self, environment: Environment, source: str, limits: Limits) -> None:
        self._limits = limits
        self._levels = 0
        self._opened: list[tuple[str, int]] = []
        super().__init__(environment, source)

    def parse(self) -> nodes.Template:
        """Parse the whole template; only the root knows its environment, and `rewrite` tells all other nodes."""
        return nodes.Template(self.subparse(), lineno=1, environment=self.environment)

    def parse_condexpr(self) -> nodes.Expr:
        """Parse what brackets, arguments and items hold."""
        self._enter()
        node = super().parse_condexpr()
        self._levels -= 1
        return node

    def parse_not(self) -> nodes.Expr:
        """Parse `not`, which can stand before itself."""
        self._enter()
        node = super().parse_not()
        self._levels -= 1
        return node

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        """Parse an operand with its sign, which can stand before another sign."""
        self._enter()
        node = super().parse_unary(with_filter)
        self._levels -= 1
        return node

    def _enter(self) -> None:
        """Count a level of the expression; a failure ends the parser, so it need not be counted back then."""
        self._levels += 1
        if self._levels > self._limits.nesting * _LEVELS_PER_BRACKET:
            raise LimitReached(
                f"the expression is nested more than {self._limits.nesting} levels deep",
                "compute parts of it with `set` first",
                self.stream.current.lineno,
            )

    def parse_statement(self) -> nodes.Node | list[nodes.Node]:
        """Parse a statement and remember where it starts, for the case that it is never closed."""
        token = self.stream.current
        if token.value in _REFUSED:
            raise Failure(_REFUSED[token.value], _REFUSED_REMEDY, token.lineno)
        if len(self._opened) >= self._limits.nesting:
            problem = f"statements are nested more than {self._limits.nesting} levels deep"
            raise LimitReached(problem, "nest them less deeply", token.lineno)
        self._opened.append((str(token.value), token.lineno))
        node = super().parse_statement()
        self._opened.pop()
        return node

    def fail_unknown_tag(self, name: str, lineno: int | None = None) -> NoReturn:
        """Report a statement that does not exist, or an end that fits nothing open."""
        line = lineno or self.stream.current.lineno
        if name.startswith("end") or name in ("else", "elif"):
            if len(self._opened) > 1:
                inner, opened = self._opened[-2]
                raise Failure(
                    f"`{name}` stands where `end{inner}` is expected", f"`{inner}` was opened in line {opened}", line
                )
            raise Failure(f"`{name}` closes nothing", "delete it, or open a statement for it", line)
        problem = f"there is no statement `{name}`{did_you_mean(name, _STATEMENTS)}"
        raise Failure(problem, f"statements are {', '.join(_STATEMENTS)}", line)

    def fail_eof(self, end_tokens: tuple[str, ...] | None = None, lineno: int | None = None) -> NoReturn:
        """Report the innermost statement that is not closed, where it starts."""
        if self._opened:
            name, line = self._opened[-1]
            remedy = f"close it with `end{name}`" + (", or write `set … = …`" if name == "set" else "")
            raise Failure(f"`{name}` is not closed", remedy, line)
        super().fail_eof(end_tokens, lineno)


_CHECK = "check brackets, commas and quotes"
_SYNTAX_WORDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), problem, remedy)
    for pattern, problem, remedy in (
        (r"expected token '.+', got 'end of template'", "the expression ends too early", "complete and close it"),
        (
            r"expected token '(end of .+)', got '(.+)'",
            "`{1}` cannot follow here",
            "close the expression with `{0}` before it, or join text with `~`",
        ),
        (r"expected token '(.+)', got '(.+)'", "`{1}` stands where `{0}` is expected", _CHECK),
        (r"unexpected '(.+)', expected '(.+)'", "`{0}` stands where `{1}` is expected", "close brackets and quotes"),
        (r"unexpected '(.+)'", "`{0}` cannot stand here", _CHECK),
        (r"unexpected char '\"' at|unexpected char \"'\" at", "quotes are not closed", "close them"),
        (r"unexpected char '(.+)' at \d+", "the character `{0}` cannot stand here", "put text in quotes"),
        (r".*escape", "a `\\` in quotes that starts no escape sequence", "write `\\\\`"),
        (r"unexpected end of template", "the expression ends too early", "complete and close it"),
        (r"expected name or number", "a name is missing after `.`", "write the name of a field"),
        (r"Expected an expression, got '(.+)'", "an expression is missing before `{0}`", "write a value or a name"),
        (r"tag name expected", "a statement is missing", "write `if`, `for`, `set` …"),
        (r"Missing end of comment tag", "a comment is not closed", "close it"),
        (r"Missing end of raw directive", "`raw` is not closed", "close it with `endraw`"),
        (r"can't assign to '(.+)'", "a value is assigned to something that is no name", "assign to a name"),
        (r"Can't assign to special loop variable", "`loop` is the loop's own variable", "use another name"),
    )
)
_HABITS = {
    "&": "write `and`",
    "?": "write `x if condition else y`",
    "!": "write `not`",
    "$": "names have no `$`: write `values.x`",
    "=": "compare with `==`",
    ".": "names do not start with a dot: write `values.x`",
    "|": "write `or`; a filter has a name: `x | upper`",
}
"""Remedies for signs that other languages have, by sign."""


_UNCOUNTED = frozenset(("whitespace", "comment", "comment_end", "raw_end"))


def bounded(tokens: Iterable[RawToken], limits: Limits) -> Iterator[RawToken]:
    """Give the lexer's tokens, after all of them are counted: what is too long is not even parsed.

    Raises LimitReached with the line set at once; an error of the lexer where it is come upon.
    """
    found: list[RawToken] = []
    error: JinjaSyntaxError | None = None
    count = 0
    try:
        for token in tokens:
            found.append(token)
            line, kind, text = token
            if kind in _UNCOUNTED or (kind == "data" and text.isspace()):
                continue
            count += 1
            if count > limits.tokens:
                problem = (
                    f"the template has more than {limits.tokens} words and signs in its expressions and statements"
                )
                raise LimitReached(problem, "split it into several templates", line)
    except JinjaSyntaxError as syntax:
        error = syntax
    return _then(found, error)


def _then(tokens: list[RawToken], error: JinjaSyntaxError | None) -> Iterator[RawToken]:
    yield from tokens
    if error is not None:
        raise error


def explain_syntax(error: JinjaSyntaxError, environment: Environment) -> Failure:
    """Turn an error of Jinja's lexer or parser into a Failure with its line."""
    said = error.message or ""
    words = {
        "end of print statement": environment.variable_end_string,
        "end of statement block": environment.block_end_string,
        "integer": "number",
        "float": "number",
        "string": "text",
    }
    for pattern, problem, remedy in _SYNTAX_WORDS:
        found = pattern.match(said)
        if found:
            names = [words.get(name, name) for name in found.groups()]
            habit = _HABITS.get(names[0] if len(names) == 1 else names[-1]) if names else None
            return Failure(problem.format(*names), habit or remedy.format(*names), error.lineno)
    return Failure(said[:1].lower() + said[1:].rstrip("."), "see docs/reference/templates.md", error.lineno)
