"""From the YAML of a shape to a plan, and from a plan and the printed values to data.

A *shape* is rendered text with markers in place of values: it depends on the template's control flow only. Its plan is
a tree of small objects that build the data; subtrees without markers are constants, shared by all renderings.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from sidecar_injector.templating.failures import Failure
from sidecar_injector.templating.language.values import OMIT, describe, text_of
from sidecar_injector.templating.limits import Limits
from sidecar_injector.templating.markers import MARKER, readable
from sidecar_injector.templating.shapes.plain import has_plain_keys
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap
from sidecar_injector.templating.yaml12.compose import (
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlLimits,
    YamlProblem,
    compose,
)
from sidecar_injector.templating.yaml12.construct import duplicate_key, key_text, scalar_value

MAP_REMEDY = "a template is a map with `metadata` and `spec`, as in a Pod"


Fill = Callable[[Sequence[object]], object]
"""Builds data of the printed values; gives OMIT for what is left out."""


class Step(Protocol):
    """A node of a plan."""

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data of this node, or OMIT; raises Failure with the line of the rendered text."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Data without printed values."""

    value: object

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        return self.value


@dataclass(frozen=True, slots=True)
class Value:
    """A plain scalar that is one printed value: it keeps its type."""

    slot: int

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        return slots[self.slot]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quoted scalar that is one printed value: text, or nothing if the value is `omit`."""

    slot: int

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        value = slots[self.slot]
        return value if type(value) is str or value is OMIT else text_of(value)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar of text and printed values; a string is literal, a number is a slot."""

    parts: tuple[str | int, ...]
    line: int

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        try:
            return "".join([part if type(part) is str else text_of(slots[part]) for part in self.parts])  # type: ignore[index]
        except Failure as failure:
            raise Failure(failure.problem, failure.remedy, self.line) from failure


@dataclass(frozen=True, slots=True)
class List:
    """A list with printed values in it."""

    items: tuple[Step, ...]

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        return [value for item in self.items if (value := item.fill(slots)) is not OMIT]


@dataclass(frozen=True, slots=True)
class Map:
    """A map whose keys hold no printed values: all entries in order, and those that have to be filled."""

    base: dict[str, object]
    entries: tuple[tuple[str, Step], ...]

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        filled = self.base.copy()
        for key, step in self.entries:
            value = step.fill(slots)
            if value is OMIT:
                del filled[key]
            else:
                filled[key] = value
        return filled


@dataclass(frozen=True, slots=True)
class KeyedMap:
    """A map with printed values in its keys: key, entry and the key's line."""

    entries: tuple[tuple[Step, Step, int], ...]

    def fill(self, slots: Sequence[object]) -> object:
        """Return the data."""
        filled: dict[str, object] = {}
        for key_step, step, line in self.entries:
            key = _key(key_step.fill(slots), line)
            if key in filled:
                raise Failure(f"the key {json.dumps(key)} is there twice", "print every key once", line)
            filled[key] = step.fill(slots)
        return {key: value for key, value in filled.items() if value is not OMIT}


def _key(value: object, line: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return text_of(value)
    raise Failure(f"{describe(value)} is printed as the key of a map", "keys are text", line)


@dataclass(frozen=True)
class Plan:
    """How to build the data of one shape.

    Attributes:
        root: gives the data.
        repeated: slots that are used more than once, and how often.
        plain_lines: for each slot that is a plain scalar of its own, its line in the shape.
        plain_keys: whether no key begins with `$`, or is printed and could.
        whole: the slots that are plain scalars of their own and are not known beforehand.
        fills: what builds the data as it fits, by what it is for (`fitted`).
        plain: whether that data is plain but for what is printed into it, by what it is for.
    """

    root: Step
    repeated: tuple[tuple[int, int], ...]
    plain_lines: Mapping[int, int]
    plain_keys: bool
    whole: tuple[int, ...] = ()
    fills: dict[object, Fill] = field(default_factory=dict, compare=False, repr=False)
    plain: dict[object, bool] = field(default_factory=dict, compare=False, repr=False)


def make_plan(shape: str, limits: Limits) -> Plan:
    """Parse a shape and plan how to fill it; an empty shape gives an empty map.

    Raises:
        YamlProblem: the shape is no acceptable YAML, or larger than the limits allow; lines are those of the shape.
    """
    root = compose_shape(shape, limits)
    uses = Counter(int(index) for index in MARKER.findall(shape))
    repeated = tuple((slot, count) for slot, count in uses.items() if count > 1)
    if root is None:
        return Plan(Constant({}), repeated, {}, plain_keys=True)
    lines = dict(_plain_slots(root))
    return Plan(plan_node(root), repeated, lines, has_plain_keys(root), tuple(lines))


def _plain_slots(node: Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, ScalarNode):
        found = MARKER.fullmatch(node.text)
        if found and node.plain:
            yield int(found[1]), node.line
    elif isinstance(node, SequenceNode):
        for item in node.items:
            yield from _plain_slots(item)
    elif isinstance(node, MappingNode):
        for _, value in node.entries:
            yield from _plain_slots(value)


def compose_shape(shape: str, limits: Limits) -> Node | None:
    """Parse a shape, which is at most one document; None if it is empty."""
    documents = list(islice(compose(shape, YamlLimits(limits.nodes, limits.depth), readable), 2))
    if len(documents) > 1:
        line = documents[1].line
        raise YamlProblem("the template prints a second YAML document", "print one document, without `---` lines", line)
    root = documents[0].root if documents else None
    if (
        root is not None
        and not isinstance(root, MappingNode)
        and not (isinstance(root, ScalarNode) and MARKER.fullmatch(root.text))
    ):
        kind = "a list" if isinstance(root, SequenceNode) else "text"
        raise YamlProblem(f"the template prints {kind} where a map is expected", MAP_REMEDY, root.line, root.column)
    return root


def plan_node(node: Node) -> Step:
    """Plan one node and what is in it."""
    if isinstance(node, ScalarNode):
        return plan_scalar(node)
    if isinstance(node, SequenceNode):
        items = [plan_node(item) for item in node.items]
        constants = [item.value for item in items if isinstance(item, Constant)]
        return Constant(SharedList(constants)) if len(constants) == len(items) else List(tuple(items))
    assert isinstance(node, MappingNode)
    entries = [(plan_key(key), plan_node(value), key) for key, value in node.entries]
    if any(not isinstance(key, Constant) for key, _, _ in entries):
        return KeyedMap(tuple((key, value, node.line) for key, value, node in entries))
    return _plan_map(entries)


def _plan_map(entries: list[tuple[Step, Step, ScalarNode]]) -> Step:
    base: dict[str, object] = {}
    dynamic: list[tuple[str, Step]] = []
    for key_step, step, node in entries:
        assert isinstance(key_step, Constant)
        key = key_step.value
        assert isinstance(key, str)
        if key in base:
            raise duplicate_key(key, node)
        base[key] = step.value if isinstance(step, Constant) else None
        if not isinstance(step, Constant):
            dynamic.append((key, step))
    return Map(base, tuple(dynamic)) if dynamic else Constant(SharedMap(base))


def slots_of(step: Step) -> Iterator[int]:
    """Give the slots that a step builds its data of."""
    if isinstance(step, Value | Quoted):
        yield step.slot
    elif isinstance(step, Text):
        yield from (part for part in step.parts if isinstance(part, int))
    elif isinstance(step, List):
        for item in step.items:
            yield from slots_of(item)
    elif isinstance(step, Map):
        for _, entry in step.entries:
            yield from slots_of(entry)
    elif isinstance(step, KeyedMap):
        for key, entry, _ in step.entries:
            yield from slots_of(key)
            yield from slots_of(entry)


def plan_key(node: ScalarNode) -> Step:
    """Plan a key; without printed values it has to be text."""
    return plan_scalar(node) if MARKER.search(node.text) else Constant(key_text(node))


def plan_scalar(node: ScalarNode) -> Step:
    """Plan a scalar."""
    found = MARKER.search(node.text)
    if found is None:
        return Constant(scalar_value(node))
    if node.tag not in ("", "str"):
        raise YamlProblem(
            f"the tag !!{node.tag} stands before a printed value", "delete the tag", node.line, node.column
        )
    if found[0] == node.text:
        slot = int(found[1])
        return Value(slot) if node.plain and not node.tag else Quoted(slot)
    pieces = MARKER.split(node.text)
    parts = [int(piece) if number % 2 else piece for number, piece in enumerate(pieces)]
    return Text(tuple(part for part in parts if part != ""), node.line)
