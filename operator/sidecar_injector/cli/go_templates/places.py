"""Where in the YAML a template's values are printed.

A value's way of printing depends on the YAML around it, which depends on the ways that conditions and loops take. So
the text is put together for each of these ways, with a marker for each value, and parsed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.pieces import Draft, Flow, Printed, Said, Turn, Words
from sidecar_injector.injection.schema import OVERLAY, Field, Shape, Type
from sidecar_injector.templating.limits import DEFAULT_LIMITS
from sidecar_injector.templating.yaml12.compose import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlLimits,
    YamlProblem,
    compose,
)
from sidecar_injector.templating.yaml12.scalars import ScalarProblem, resolve_core, resolve_manifest

_LIMITS = YamlLimits(DEFAULT_LIMITS.nodes, DEFAULT_LIMITS.depth)
_WAYS = 2000
Choice = Mapping[str, int]
Way = tuple[Choice, int]
"""For each subject the arm that is taken, and the arm of all others (the last one, if a block has fewer)."""


class Style(Enum):
    """How a scalar is written."""

    PLAIN = auto()
    DOUBLE = auto()
    SINGLE = auto()
    BLOCK = auto()


_STYLES = {'"': Style.DOUBLE, "'": Style.SINGLE, "|": Style.BLOCK, ">": Style.BLOCK}


@dataclass(frozen=True)
class Place:
    """Where a value stands in one way through the template.

    Attributes:
        style: how its scalar is written.
        whole: whether it is the whole scalar.
        alone: whether its scalar holds nothing but printed values.
        key: whether its scalar is a key.
        flow: whether it stands in `[ ]` or `{ }`.
        expected: what a Pod has there: a scalar type, `map` or `list`; empty if it is not known.
        column: of its marker, from 0, if only white space stands before it in its line; else None.
        key_column: of the key that it is the value of, from 0.
        item: whether it is the item of a list, where Go takes nothing for an empty text.
        last: whether nothing but line ends follow it in its scalar, and those do not count.
    """

    style: Style
    whole: bool
    alone: bool
    key: bool
    flow: bool
    expected: str
    column: int | None
    key_column: int | None = None
    item: bool = False
    last: bool = False


@dataclass(frozen=True)
class Edit:
    """A plain scalar of the source that YAML 1.2 reads otherwise than Go: where it is, and what to write."""

    piece: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Stretch:
    """Text of the template as it counts: where it comes from (`piece`, and the offset in it), or a printed value."""

    text: str
    piece: int = -1
    start: int = 0
    line: int = 0
    printed: int | None = None
    turn: Said | None = None


@dataclass(frozen=True)
class Assembled:
    """The text of one way through a template, and which stretch each part of it is."""

    text: str
    starts: Sequence[tuple[int, Stretch]]

    def at(self, offset: int) -> tuple[Stretch, int]:
        """Return the stretch that an offset is in, and the offset in it."""
        start, stretch = next((start, stretch) for start, stretch in reversed(self.starts) if start <= offset)
        return stretch, offset - start

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a 1-based line and column."""
        position = 0
        for _ in range(line - 1):
            position = self.text.index("\n", position) + 1
        return position + column - 1

    def source_line(self, line: int) -> int:
        """Return the line of the source where this line of the text begins, or its first text comes from."""
        start = self.offset(min(line, self.text.count("\n") + 1), 1)
        found = 1
        for begun, stretch in self.starts:
            if begun > start:
                break
            found = stretch.line + stretch.text.count("\n", 0, start - begun) if stretch.line else found
        return found


def marker(number: int) -> str:
    """Return the word that stands for a printed value: plain text in YAML, whatever stands beside it."""
    return f"{_BEGIN}{number}{_END}"


_SIGN = "\u2063"
_BEGIN, _END = f"Zg{_SIGN}", f"{_SIGN}Z"


def refuse_marker_sign(source: str) -> None:
    """Refuse a template that has the sign which markers are told by."""
    at = source.find(_SIGN)
    if at >= 0:
        raise Refused("the invisible character U+2063", "delete it", source.count("\n", 0, at) + 1)


def ways(draft: Draft) -> Iterator[Way]:
    """Yield ways through a template that together pass through every arm of every block."""
    yield {}, 0
    yield {}, _WAYS
    for number, flow in draft.flows.items():
        for arm in range(flow.arms):
            yield _way_to(draft.flows, (*flow.within, (number, arm))), 0


def _way_to(flows: Mapping[int, Flow], path: Sequence[tuple[int, int]]) -> Choice:
    return {flows[block].subject: arm for block, arm in path}


def assemble(draft: Draft, stretches: Sequence[Stretch], way: Way, shown: Callable[[int], str] = marker) -> Assembled:
    """Put the text of one way together; `shown` says what a printed value is in it."""
    choice, others = way
    parts: list[str] = []
    starts: list[tuple[int, Stretch]] = []
    length, taken = 0, [True]
    for stretch in stretches:
        if stretch.turn is not None:
            _turn(draft, stretch.turn, choice, others, taken)
            continue
        text = shown(stretch.printed) if stretch.printed is not None else stretch.text
        if all(taken) and text:
            starts.append((length, stretch))
            parts.append(text)
            length += len(text)
    return Assembled("".join(parts), starts)


def _turn(draft: Draft, said: Said, choice: Choice, others: int, taken: list[bool]) -> None:
    if said.turn is Turn.CLOSE:
        taken.pop()
        return
    flow = draft.flows[said.block]
    arm = min(choice.get(flow.subject, others), flow.arms - 1)
    if said.turn is Turn.OPEN:
        taken.append(arm == said.arm)
    else:
        taken[-1] = arm == said.arm


def parse(assembled: Assembled) -> Node | None:
    """Return the YAML of a text. Raises Refused, with the line of the source."""
    try:
        documents = list(compose(assembled.text, _LIMITS))
    except YamlProblem as problem:
        raise Refused(
            f"around the printed values this is no YAML: {problem.problem}",
            "write values as values of a key (`key: {{ x }}`), and several lines as a loop",
            assembled.source_line(problem.line),
        ) from None
    if len(documents) > 1:
        line = assembled.source_line(documents[1].line)
        raise Refused("the template prints a second YAML document", "a template is one partial Pod", line)
    return documents[0].root if documents else None


def signature(node: Node | None) -> object:
    """Return what a YAML tree says, without where it says it."""
    if isinstance(node, ScalarNode):
        return (node.text, node.plain, node.tag)
    if isinstance(node, SequenceNode):
        return [signature(item) for item in node.items]
    if isinstance(node, MappingNode):
        return {"": [(signature(key), signature(value)) for key, value in node.entries]}
    return None


# --- looking for values and literals in a tree


@dataclass(frozen=True)
class _At:
    """What a scalar is for.

    field -- its type in a Pod; None if it is not known. The others are those of Place.
    """

    field: Field | None
    flow: bool = False
    key: bool = False
    key_column: int | None = None
    item: bool = False


class Survey:
    """What is found in one way through a template: places of values, and literals to be rewritten."""

    def __init__(self, assembled: Assembled) -> None:
        self._assembled = assembled
        self.places: list[tuple[int, Place]] = []
        self.edits: set[Edit] = set()

    def walk(
        self,
        node: Node,
        field: Field | None = None,
        schema: Type | None = OVERLAY,
        *,
        flow: bool = False,
        key_column: int | None = None,
        item: bool = False,
    ) -> None:
        """Look through a node; `schema` is the type of its fields, if it is an object."""
        if isinstance(node, ScalarNode):
            self._scalar(node, _At(field, flow, key_column=key_column, item=item))
            return
        flow = flow or self._character(node) in "[{"
        if isinstance(node, SequenceNode):
            inner = None if field is None or field.shape is not Shape.LIST else _single(field)
            for member in node.items:
                self.walk(member, inner, inner.type if inner else None, flow=flow, item=True)
            return
        assert isinstance(node, MappingNode)
        for key, value in node.entries:
            self._scalar(key, _At(None, flow, key=True))
            found = _field_of(key.text, field, schema)
            self.walk(value, found, _schema_of(found), flow=flow, key_column=key.column - 1)

    def _character(self, node: Node) -> str:
        offset = self._assembled.offset(node.line, node.column)
        return self._assembled.text[offset : offset + 1]

    def _scalar(self, node: ScalarNode, at: _At) -> None:
        numbers = _numbers(node.text)
        if numbers:
            self._values(node, at, numbers)
        elif node.plain and not node.tag:
            self._literal(node, at)

    def _values(self, node: ScalarNode, at: _At, numbers: Sequence[int]) -> None:
        text, offset = self._assembled.text, self._assembled.offset(node.line, node.column)
        style = Style.PLAIN if node.plain else _STYLES.get(text[offset], Style.PLAIN)
        rest = node.text
        for number in numbers:
            rest = rest.replace(marker(number), "")
        if style is Style.PLAIN and not text.startswith(node.text, offset):
            line = self._assembled.source_line(node.line)
            raise Refused("a printed value stands in a line of its own, after other text", _OWN_LINE, line)
        for number in numbers:
            position = text.index(marker(number), offset)
            before = text[text.rfind("\n", 0, position) + 1 : position]
            place = Place(
                style=style,
                whole=node.text == marker(number),
                alone=not rest.strip(),
                key=at.key,
                flow=at.flow,
                expected=_expected(at.field),
                column=len(before) if not before.strip(" ") else None,
                key_column=at.key_column,
                item=at.item,
                last=node.text.rstrip("\n").endswith(marker(number)) and "+" not in text[offset : offset + 3],
            )
            self.places.append((number, place))

    def _literal(self, node: ScalarNode, at: _At) -> None:
        go, ours = _read(resolve_manifest, node.text), _read(resolve_core, node.text)
        if at.key:
            go = go if isinstance(go, str) or go is None else str(go).lower()
        if type(go) is type(ours) and go == ours:
            return
        if go is None and at.key:
            return
        assembled = self._assembled
        stretch, start = assembled.at(assembled.offset(node.line, node.column))
        if stretch.piece < 0 or not stretch.text.startswith(node.text, start) or isinstance(go, ScalarProblem):
            line = assembled.source_line(node.line)
            raise Refused(f"`{node.text}` is read otherwise by Go than by YAML 1.2", "put it in quotes", line)
        begin = stretch.start + start
        self.edits.add(Edit(stretch.piece, begin, begin + len(node.text), _written(go)))


_OWN_LINE = "print a value as the value of a key (`key: {{ x }}`) or an item (`- {{ x }}`), and several with a loop"


def _numbers(text: str) -> list[int]:
    return [int(part.partition(_END)[0]) for part in text.split(_BEGIN)[1:]]


def _single(field: Field) -> Field:
    return Field(Shape.ONE, field.scalar, field.type_name)


def _field_of(key: str, field: Field | None, schema: Type | None) -> Field | None:
    if schema is not None:
        return schema.fields.get(key)
    return _single(field) if field is not None and field.shape is Shape.MAP else None


def _schema_of(field: Field | None) -> Type | None:
    return field.type if field is not None and field.shape is Shape.ONE else None


def _expected(field: Field | None) -> str:
    if field is None:
        return ""
    if field.shape is not Shape.ONE:
        return "list" if field.shape is Shape.LIST else "map"
    return "map" if field.type is not None else field.scalar


def _read(resolve: Callable[[str], object], text: str) -> object:
    try:
        return resolve(text)
    except ScalarProblem as problem:
        return problem


def _written(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def stretches_of(
    draft: Draft, exact: Sequence[tuple[int, int]], outputs: Callable[[int], Sequence[Stretch]]
) -> list[Stretch]:
    """Return a draft as stretches; `exact` is what is left of each text, `outputs` what each printed value becomes."""
    found: list[Stretch] = []
    for index, piece in enumerate(draft.pieces):
        if isinstance(piece, Words):
            start, end = exact[index]
            line = piece.line + piece.text.count("\n", 0, start)
            found.append(Stretch(piece.text[start:end], index, start, line))
            continue
        for part in piece.parts:
            if isinstance(part, Printed):
                found += outputs(part.number)
            elif isinstance(part, Said) and part.turn is not None:
                found.append(Stretch("", turn=part))
    return found
