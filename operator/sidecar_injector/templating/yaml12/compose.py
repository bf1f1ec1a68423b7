"""From YAML text to nodes with positions, under limits: the only user of a YAML parser.

Events of libyaml, or of PyYAML's own parser where libyaml is missing, become a tree without recursion, so that a
hostile document ends in a message and never in a crash. Anchors are resolved here; an alias is the same node again.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from sidecar_injector.templating.yaml12.scalars import NULL
from sidecar_injector.templating.yaml12.words import explain

PARSER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in use. Where both accept a text, they give the same; PyYAML's own refuses tabs between tokens."""
_REFUSED = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]",
)
_DIRECTIVE = re.compile(
    r"(?:\A|^\.\.\.[^\n]*\n)(?:[ \t]*(?:#[^\n]*)?\n)*(?P<directive>%(?!YAML[ \t]+1\.[12]\b)[^\n]*)", re.M
)
_CORE_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = {f"{_CORE_TAG}{name}": name for name in ("str", "null", "bool", "int", "float")}
_MAPPING_TAG, _SEQUENCE_TAG = f"{_CORE_TAG}map", f"{_CORE_TAG}seq"


@dataclass(frozen=True)
class YamlLimits:
    """What a document may cost: nodes (aliases count as what they stand for) and nesting."""

    nodes: int = 10_000
    depth: int = 50


FILE_LIMITS = YamlLimits(nodes=2_000_000, depth=200)


class YamlProblem(Exception):  # noqa: N818 - a problem, not yet an error of ours
    """Text that is no acceptable YAML.

    Attributes:
        problem: what is wrong.
        remedy: what to do.
        line: where, from 1.
        column: where, from 1; 0 if it is not known.
        limit: whether a limit was reached.
    """

    def __init__(self, problem: str, remedy: str, line: int, column: int = 0, *, limit: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.line = line
        self.column = column
        self.limit = limit


@dataclass(slots=True)
class Node:
    """What all nodes have: 1-based line and column of the first character, and how many nodes the node stands for."""

    line: int
    column: int
    size: int = field(default=1, init=False)


@dataclass(slots=True)
class ScalarNode(Node):
    """A scalar: its text, whether it is plain (not quoted, not a block), and the core type its tag demands, if any."""

    text: str
    plain: bool
    tag: str = ""


@dataclass(slots=True)
class SequenceNode(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class MappingNode(Node):
    """A map, with its entries in the order of the text."""

    entries: list[tuple[ScalarNode, Node]] = field(default_factory=list)


@dataclass(frozen=True)
class Composed:
    """A document of a stream: its root (None if it is empty or null) and the 1-based line where its content starts."""

    root: Node | None
    line: int


def compose(text: str, limits: YamlLimits, shown: Callable[[str], str] = str) -> Iterator[Composed]:
    """Parse a stream of YAML documents.

    Args:
        text: the stream.
        limits: what one document may cost.
        shown: how text from the stream is shown in messages.

    Raises:
        YamlProblem: the text is not YAML, or holds what we refuse (unknown tags, keys that are maps or lists,
            unprintable characters), or is larger than the limits allow.
    """
    text = text.removeprefix("\ufeff")
    _refuse_characters(text)
    reader: Any = PARSER(text)
    try:
        yield from _documents(reader, limits, shown)
    except yaml.MarkedYAMLError as error:
        raise _problem_of(error, text) from error
    finally:
        reader.dispose()


def _refuse_characters(text: str) -> None:
    found = _REFUSED.search(text)
    if found:
        code = f"U+{ord(found[0]):04X}"
        raise _at(
            text, found.start(), f"the text holds the character {code}", f'write it as "\\u{code[2:]}" in double quotes'
        )
    directive = _DIRECTIVE.search(text)
    if directive:
        raise _at(text, directive.start("directive"), "YAML directives are not supported", "delete this line")


def _at(text: str, offset: int, problem: str, remedy: str) -> YamlProblem:
    before = text[:offset]
    return YamlProblem(problem, remedy, before.count("\n") + 1, offset - before.rfind("\n"))


def _problem_of(error: yaml.MarkedYAMLError, text: str) -> YamlProblem:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return YamlProblem(*explain(error.context or "", error.problem or ""), 1)
    rest = text.split("\n", mark.line)[-1][mark.column :]
    said = error.problem or ""
    if rest.startswith("\t"):
        said = "tab character"
    elif not rest.strip() and "node content" in said:
        said = "end of stream"
    problem, remedy = explain(error.context or "", said)
    if "not closed" in problem and error.context_mark is not None:
        mark = error.context_mark
    return YamlProblem(problem, remedy, mark.line + 1, mark.column + 1)


def _documents(reader: Any, limits: YamlLimits, shown: Callable[[str], str]) -> Iterator[Composed]:
    while not reader.check_event(yaml.StreamEndEvent):
        event = reader.get_event()
        if isinstance(event, yaml.DocumentStartEvent):
            first = reader.peek_event()
            root = _Builder(limits, shown).build(reader)
            reader.get_event()
            reader.peek_event()  # What follows the document may show that it is malformed.
            empty = isinstance(root, ScalarNode) and root.plain and not root.tag and root.text in NULL
            yield Composed(None if empty else root, first.start_mark.line + 1)


class _Builder:
    """Builds the tree of one document with an explicit stack."""

    def __init__(self, limits: YamlLimits, shown: Callable[[str], str]) -> None:
        self._limits = limits
        self._shown = shown
        self._anchors: dict[str, Node | None] = {}
        self._open: list[_Open] = []
        self._count = 0

    def build(self, reader: Any) -> Node:
        while True:
            event = reader.get_event()
            if isinstance(event, yaml.ScalarEvent):
                node: Node = self._scalar(event)
                self._anchor(event, node)
            elif isinstance(event, yaml.AliasEvent):
                node = self._alias(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._enter(event)
                continue
            else:
                node = self._leave()
            self._count_up(node, event)
            if not self._open:
                return node
            self._open[-1].add(node)

    def _enter(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= self._limits.depth:
            raise _limit(
                event, f"maps and lists are nested more than {self._limits.depth} levels deep", "nest less deeply"
            )
        self._open.append(_Open(self._collection(event), event.anchor))
        if event.anchor is not None:
            self._anchors[event.anchor] = None

    def _leave(self) -> Node:
        done = self._open.pop()
        if done.anchor is not None:
            self._anchors[done.anchor] = done.node
        return done.node

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        tag = ""
        if event.tag is not None:
            tag = _SCALAR_TAGS.get(event.tag, "")
            if not tag:
                raise self._unknown_tag(event)
        return ScalarNode(*_position(event), event.value, not event.style, tag)

    def _collection(self, event: yaml.CollectionStartEvent) -> MappingNode | SequenceNode:
        kind, tag = (
            (MappingNode, _MAPPING_TAG) if isinstance(event, yaml.MappingStartEvent) else (SequenceNode, _SEQUENCE_TAG)
        )
        if event.tag not in (None, tag):
            raise self._unknown_tag(event)
        return kind(*_position(event))

    def _unknown_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> YamlProblem:
        tag = self._shown(str(event.tag).replace(_CORE_TAG, "!!"))
        return _refuse(event, f"the tag {tag} cannot be used here", "delete it, or put the text in quotes")

    def _anchor(self, event: yaml.ScalarEvent, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            problem = "stands inside what it names" if event.anchor in self._anchors else "names no anchor above it"
            raise _refuse(
                event,
                f"the alias *{self._shown(event.anchor or '')} {problem}",
                "put the text in quotes if no alias is meant",
            )
        return node

    def _count_up(self, node: Node, event: yaml.Event) -> None:
        self._count += node.size if isinstance(event, yaml.AliasEvent) else 1
        if self._count > self._limits.nodes:
            raise _limit(event, f"the document has more than {self._limits.nodes} nodes", "print less")


@dataclass(slots=True)
class _Open:
    """A collection that is still being read, with the key that waits for its value."""

    node: MappingNode | SequenceNode
    anchor: str | None
    key: ScalarNode | None = None

    def add(self, node: Node) -> None:
        self.node.size += node.size
        if isinstance(self.node, SequenceNode):
            self.node.items.append(node)
        elif self.key is None:
            self.key = _key(node)
        else:
            self.node.entries.append((self.key, node))
            self.key = None


def _key(node: Node) -> ScalarNode:
    if isinstance(node, ScalarNode):
        return node
    kind = "a map" if isinstance(node, MappingNode) else "a list"
    raise YamlProblem(f"{kind} is used as a key", "keys are text", node.line, node.column)


def _refuse(event: yaml.Event, problem: str, remedy: str) -> YamlProblem:
    return YamlProblem(problem, remedy, *_position(event))


def _limit(event: yaml.Event, problem: str, remedy: str) -> YamlProblem:
    return YamlProblem(problem, remedy, *_position(event), limit=True)


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    assert mark is not None
    return mark.line + 1, mark.column + 1
