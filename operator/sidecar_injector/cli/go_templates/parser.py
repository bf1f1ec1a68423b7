"""From the source of a Go template to its tree.

Source of the grammar: https://pkg.go.dev/text/template#hdr-Actions and #hdr-Pipelines.
"""

from collections.abc import Iterator
from typing import Any

from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.lexer import Kind, Token, tokens
from sidecar_injector.cli.go_templates.tree import (
    Action,
    Apply,
    Arm,
    Block,
    Call,
    Comment,
    Dot,
    Expression,
    Field,
    Literal,
    Other,
    Pipeline,
    Statement,
    Tag,
    Text,
    Variable,
)

_BLOCKS = ("if", "with", "range")
_WITH_BODY = ("define", "block")
_OTHERS = ("template", "break", "continue", *_WITH_BODY)
_CONSTANTS: dict[object, bool | None] = {"true": True, "false": False, "nil": None}
_DEEPEST = 50


def parse(source: str) -> tuple[Statement, ...]:
    """Parse a Go template. Raises Refused, with its line, where the source is none."""
    return _Parser(source.replace("\r\n", "\n")).template()


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens: Iterator[Token] = tokens(source)
        self._next: Token | None = next(self._tokens, None)
        self._depth = 0

    def template(self) -> tuple[Statement, ...]:
        body, closing = self._body()
        if closing is not None:
            keyword, line = closing.keyword, closing.line
            raise Refused(f"`{keyword}` closes nothing", "delete it, or open a statement for it", line)
        return body

    # --- tokens

    def _take(self) -> Token:
        token = self._next
        if token is None:
            raise Refused("the template ends in the middle of a statement", "close it with `{{ end }}`")
        self._next = next(self._tokens, None)
        return token

    def _at(self, kind: Kind) -> bool:
        return self._next is not None and self._next.kind is kind

    def _at_word(self, *words: str) -> bool:
        return self._at(Kind.WORD) and self._next is not None and self._next.value in words

    def _expect(self, kind: Kind, what: str) -> Token:
        token = self._take()
        if token.kind is not kind:
            raise Refused(f"`{token.value}` stands where {what} is expected", "correct the action", token.line)
        return token

    # --- statements

    def _body(self) -> "tuple[tuple[Statement, ...], _Closing | None]":
        """Parse up to an `else` or `end` (whose action is left open), or the end of the template."""
        statements: list[Statement] = []
        while self._next is not None:
            token = self._take()
            if token.kind is Kind.TEXT:
                statements.append(Text(str(token.value), token.line))
            elif token.kind is Kind.COMMENT:
                statements.append(Comment(Tag(token.line, *token.trims), str(token.value)))
            elif self._at_word("else", "end"):
                return tuple(statements), _Closing(str(self._take().value), token.line, token.trims[0])
            else:
                statements.append(self._statement(token))
        return tuple(statements), None

    def _statement(self, left: Token) -> Statement:
        if self._at_word(*_BLOCKS):
            return self._nested(str(self._take().value), left)
        if self._at_word(*_OTHERS):
            return self._other(str(self._take().value), left)
        pipeline = self._pipeline(Kind.RIGHT)
        return Action(self._tag(left.line, left.trims[0]), pipeline)

    def _nested(self, keyword: str, left: Token) -> Block:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Refused(f"statements are nested more than {_DEEPEST} levels deep", "nest them less deeply", left.line)
        block = self._block(keyword, left)
        self._depth -= 1
        return block

    def _block(self, keyword: str, left: Token) -> Block:
        arms: list[Arm] = []
        pipeline: Pipeline | None = self._pipeline(Kind.RIGHT)
        tag = self._tag(left.line, left.trims[0])
        while True:
            body, closing = self._body()
            arms.append(Arm(tag, pipeline, body))
            if closing is None:
                raise Refused(f"`{keyword}` is not closed", "close it with `{{ end }}`", left.line)
            if closing.keyword == "end":
                return Block(keyword, tuple(arms), self._tag(closing.line, closing.before))
            if pipeline is None:
                raise Refused("`else` stands behind another `else`", "delete one of them", closing.line)
            pipeline = self._after_else(keyword, closing.line)
            tag = self._tag(closing.line, closing.before)

    def _after_else(self, keyword: str, line: int) -> Pipeline | None:
        if not self._at(Kind.WORD):
            return None
        word = self._take().value
        if word != "if" or keyword != "if":
            raise Refused(
                f"`else {word}` of `{keyword}`", f"nest: {{{{ else }}}}{{{{ {word} … }}}} … {{{{ end }}}}", line
            )
        return self._pipeline(Kind.RIGHT)

    def _other(self, keyword: str, left: Token) -> Other:
        while not self._at(Kind.RIGHT):
            self._take()
        tag = self._tag(left.line, left.trims[0])
        if keyword not in _WITH_BODY:
            return Other(tag, keyword)
        body, closing = self._body()
        if closing is None or closing.keyword != "end":
            raise Refused(f"`{keyword}` is not closed", "close it with `{{ end }}`", left.line)
        self._tag(closing.line, closing.before)
        return Other(tag, keyword, body)

    def _tag(self, line: int, before: bool) -> Tag:
        right = self._expect(Kind.RIGHT, "`}}`")
        return Tag(line, before, right.trims[1])

    # --- expressions

    def _pipeline(self, end: Kind) -> Pipeline:
        variables, assigns, head = self._declaration()
        value = self._command(None, head)
        for _ in self._repeated(Kind.PIPE):
            self._take()
            value = self._command(value, None)
        if not self._at(end):
            token = self._take()
            raise Refused(f"`{token.value}` cannot stand here", "correct the action", token.line)
        return Pipeline(value, variables, assigns)

    def _declaration(self) -> tuple[tuple[str, ...], bool, Expression | None]:
        """Parse `$x :=`; what only looks like the beginning of one is returned as an expression."""
        if not self._at(Kind.VARIABLE):
            return (), False, None
        first = self._take()
        names = [str(first.value)]
        if self._at(Kind.COMMA):
            self._take()
            names.append(str(self._expect(Kind.VARIABLE, "a variable").value))
        if self._at(Kind.DECLARE) or self._at(Kind.ASSIGN):
            return tuple(names), self._take().kind is Kind.ASSIGN, None
        if len(names) > 1:
            raise Refused("two variables are declared without `:=`", "correct the action", first.line)
        return (), False, self._fields(Variable(names[0]))

    def _command(self, piped: Expression | None, head: Expression | None) -> Expression:
        """Parse a function with its arguments, or a value; `piped` is what the pipe before it gives."""
        function = None
        if head is None and self._at(Kind.WORD) and not self._at_word("true", "false", "nil"):
            function = str(self._take().value)
        operands: list[Expression] = [] if head is None else [head]
        while not (self._at(Kind.PIPE) or self._at(Kind.RIGHT) or self._at(Kind.CLOSE)):
            operands.append(self._operand())
        if function is None and not operands:
            raise Refused("a value is missing", "correct the action", self._next.line if self._next else 0)
        operands += [] if piped is None else [piped]
        if function is not None:
            call: Expression = Call(function, tuple(operands))
            return call
        return operands[0] if len(operands) == 1 else Apply(operands[0], tuple(operands[1:]))

    def _operand(self) -> Expression:
        token = self._take()
        value: Any = token.value
        if token.kind in (Kind.STRING, Kind.NUMBER):
            return Literal(value)
        if token.kind is Kind.WORD:
            if value in _CONSTANTS:
                return Literal(_CONSTANTS[value])
            return self._fields(Call(str(value), ()))
        if token.kind is Kind.DOT:
            return Dot()
        if token.kind is Kind.FIELD:
            return self._fields(Field(Dot(), str(value)))
        if token.kind is Kind.VARIABLE:
            return self._fields(Variable(str(value)))
        if token.kind is Kind.OPEN:
            return self._parenthesised(token)
        raise Refused(f"`{value}` cannot stand here", "correct the action", token.line)

    def _parenthesised(self, opening: Token) -> Expression:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Refused(f"brackets are nested more than {_DEEPEST} levels deep", "nest less deeply", opening.line)
        inner = self._pipeline(Kind.CLOSE)
        self._take()
        self._depth -= 1
        if inner.variables:
            raise Refused("a variable is declared inside brackets", "declare it in an action of its own", opening.line)
        return self._fields(inner.value)

    def _fields(self, owner: Expression) -> Expression:
        for _ in self._repeated(Kind.FIELD):
            if self._next is None or self._next.spaced:
                break
            owner = Field(owner, str(self._take().value))
        return owner

    def _repeated(self, kind: Kind) -> Iterator[None]:
        """Go on as long as tokens of this kind come next, but not without end."""
        count = 0
        while self._at(kind):
            count += 1
            if count > _DEEPEST and self._next is not None:
                raise Refused(f"more than {_DEEPEST} pipes or fields in a row", "use a variable", self._next.line)
            yield


class _Closing:
    """An `else` or `end` whose action is still open."""

    def __init__(self, keyword: str, line: int, before: bool) -> None:
        self.keyword = keyword
        self.line = line
        self.before = before
