"""Filters on lists, maps and any value; JSON and YAML."""

import json
from collections.abc import Mapping
from typing import Any

from jinja2.runtime import Undefined

from sidecar_injector.templating.failures import Failure, LimitReached, Refused
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.operations import calculate
from sidecar_injector.templating.language.undefined import Missing
from sidecar_injector.templating.language.values import YamlText, compact_json, describe, length_in_steps, size_of
from sidecar_injector.templating.language.vocabulary import FILTERS, TESTS, Entry, is_empty, items, mapping, text
from sidecar_injector.templating.strict_json import read_json
from sidecar_injector.templating.yaml12.compose import YamlLimits, YamlProblem, compose
from sidecar_injector.templating.yaml12.construct import construct
from sidecar_injector.templating.yaml12.dump import dump_yaml

_STEPS_PER_YAML_NODE = 8


@FILTERS.add("default", "d", undefined=True, fragments=True)
def default(value: object, default_value: object = "", boolean: bool = False) -> object:
    """`default_value` if the value is undefined; with `boolean`, also if it is empty, 0, false or null."""
    return default_value if isinstance(value, Undefined) or (boolean and not value) else value


@FILTERS.add("required", undefined=True, fragments=True)
def required(value: object, message: str = "a required value is missing") -> object:
    """The value; if it is undefined, null or empty the Pod is refused, with this message."""
    if isinstance(value, Undefined) or is_empty(value):
        raise Refused(text(message))
    return value


@FILTERS.add("length", "count")
def length(context: RenderContext, value: object) -> int:
    """Number of characters of a text, items of a list or keys of a map."""
    return len(value if isinstance(value, str | list | Mapping) else items(context, value))


@FILTERS.add("list")
def list_(context: RenderContext, value: object) -> list[Any]:
    """List of a list's items, a map's keys or a text's characters."""
    if isinstance(value, str):
        context.charge(len(value))
        return list(value)
    return list(items(context, value))


@FILTERS.add("items")
def items_(context: RenderContext, value: object) -> list[list[Any]]:
    """List of the `[key, value]` pairs of a map."""
    entries = mapping(context, value)
    context.charge(2 * len(entries))
    return [[key, member] for key, member in entries.items()]


@FILTERS.add()
def dictsort(context: RenderContext, value: object, by: str = "key", reverse: bool = False) -> list[list[Any]]:
    """`[key, value]` pairs of a map, sorted by `key` or by `value`."""
    if by not in ("key", "value"):
        raise Failure(f"`by` is {json.dumps(text(by))}", 'use "key" or "value"')
    pairs = items_(context, value)
    return _sorted(context, pairs, [pair[by == "value"] for pair in pairs], reverse)


@FILTERS.add()
def first(context: RenderContext, value: object) -> object:
    """First item of a list, or character of a text; undefined if there is none."""
    return _end(context, value, 0)


@FILTERS.add()
def last(context: RenderContext, value: object) -> object:
    """Last item of a list, or character of a text; undefined if there is none."""
    return _end(context, value, -1)


def _end(context: RenderContext, value: object, index: int) -> object:
    members = value if isinstance(value, str | list) else items(context, value)
    return members[index] if members else Missing("the list is empty", obj=members, name=index)


@FILTERS.add("min")
def min_(context: RenderContext, value: object, attribute: str | None = None) -> object:
    """Smallest item of a list; with `attribute`, the item whose field is smallest."""
    return first(context, sort(context, value, attribute=attribute))


@FILTERS.add("max")
def max_(context: RenderContext, value: object, attribute: str | None = None) -> object:
    """Largest item of a list; with `attribute`, the item whose field is largest."""
    return last(context, sort(context, value, attribute=attribute))


@FILTERS.add()
def sort(context: RenderContext, value: object, reverse: bool = False, attribute: str | None = None) -> list[Any]:
    """Sorted list of texts or of numbers; with `attribute`, of anything, by that field. Upper case comes first."""
    members = items(context, value)
    keys = members if attribute is None else [context.field(item, attribute) for item in members]
    return _sorted(context, members, keys, reverse)


def _sorted(context: RenderContext, members: list[Any], keys: list[Any], reverse: bool) -> list[Any]:
    context.charge(4 * length_in_steps(keys))
    if not members:
        return []
    for kinds in (str, (int, float)):
        if all(isinstance(key, kinds) for key in keys):
            order = sorted(range(len(keys)), key=keys.__getitem__, reverse=bool(reverse))
            return [members[index] for index in order]
    found = sorted({describe(key) for key in keys})
    raise Failure(f"it sorts texts or numbers, found {' and '.join(found)}", "name the field to sort by: `attribute=…`")


@FILTERS.add(price=8)
def unique(context: RenderContext, value: object, attribute: str | None = None) -> list[Any]:
    """List without repeated items; with `attribute`, without items whose field was there before."""
    members = items(context, value)
    keys = members if attribute is None else [context.field(item, attribute) for item in members]
    context.charge(4 * len(members))
    seen: dict[str, Any] = {}
    for key, member in zip(keys, members, strict=True):
        seen.setdefault(compact_json(context.plain(key)), member)
    return list(seen.values())


@FILTERS.add()
def reverse(context: RenderContext, value: object) -> object:
    """List, or text, backwards."""
    if isinstance(value, str):
        context.pay(len(value))
        return value[::-1]
    return items(context, value)[::-1]


@FILTERS.add("sum")
def sum_(context: RenderContext, value: object, attribute: str | None = None, start: int = 0) -> int | float:
    """Sum of the numbers of a list; with `attribute`, of that field of each item."""
    total: Any = start
    for member in items(context, value):
        total = calculate(context, "+", total, member if attribute is None else context.field(member, attribute))
    return total  # type: ignore[no-any-return]


@FILTERS.add("map")
def map_(context: RenderContext, value: object, *args: object, **keywords: object) -> list[Any]:
    """List of what a filter makes of each item: `map('upper')`; or of a field: `map(attribute='name', default='')`."""
    members = items(context, value)
    if not args:
        return _fields(context, members, **keywords)
    entry = _named(FILTERS.get(text(args[0])), "filter", args[0])
    context.charge(2 * len(members))
    return [entry.invoke(context, [member, *args[1:]], keywords) for member in members]


def _fields(context: RenderContext, members: list[Any], attribute: object = None, **rest: object) -> list[Any]:
    if attribute is None or rest.keys() - {"default"}:
        raise Failure("it needs the name of a filter or of a field", "write `map('upper')` or `map(attribute='name')`")
    found = [context.field(member, attribute, strict="default" not in rest) for member in members]
    return [rest["default"] if isinstance(field, Undefined) else field for field in found]


@FILTERS.add()
def select(context: RenderContext, value: object, *test: object) -> list[Any]:
    """Items for which a test holds: `select('startswith', 'a')`; without a test, those not empty, 0 or false."""
    return [item for item in items(context, value) if _holds(context, item, test)]


@FILTERS.add()
def reject(context: RenderContext, value: object, *test: object) -> list[Any]:
    """Items for which a test does not hold."""
    return [item for item in items(context, value) if not _holds(context, item, test)]


@FILTERS.add()
def selectattr(context: RenderContext, value: object, attribute: str, *test: object) -> list[Any]:
    """Items whose field passes a test: `selectattr('name', 'eq', 'app')`."""
    return [item for item in items(context, value) if _field_holds(context, item, attribute, test)]


@FILTERS.add()
def rejectattr(context: RenderContext, value: object, attribute: str, *test: object) -> list[Any]:
    """Items whose field does not pass a test."""
    return [item for item in items(context, value) if not _field_holds(context, item, attribute, test)]


def _field_holds(context: RenderContext, item: object, attribute: str, test: tuple[object, ...]) -> bool:
    field = context.field(item, attribute, strict=False)
    undefined = isinstance(field, Undefined)
    if undefined and (not test or not _named(TESTS.get(text(test[0])), "test", test[0]).takes_undefined):
        return False
    return _holds(context, field, test)


def _holds(context: RenderContext, value: object, test: tuple[object, ...]) -> bool:
    context.charge(1)
    if not test:
        return bool(value)
    return bool(_named(TESTS.get(text(test[0])), "test", test[0]).invoke(context, [value, *test[1:]], {}))


def _named(entry: Entry | None, kind: str, name: object) -> Entry:
    if entry is None:
        raise Failure(f"there is no {kind} `{name}`", f"{kind}s are listed in docs/reference/templates.md")
    return entry


@FILTERS.add("merge", "combine")
def merge(context: RenderContext, value: object, *others: object) -> dict[str, Any]:
    """Map with the entries of all given maps; the last one wins."""
    merged = dict(mapping(context, value))
    for other in others:
        merged.update(mapping(context, other))
    return merged


@FILTERS.add()
def pick(context: RenderContext, value: object, *keys: str) -> dict[str, Any]:
    """Map with only these keys, as far as they are there."""
    wanted = {text(key) for key in keys}
    return {key: member for key, member in mapping(context, value).items() if key in wanted}


@FILTERS.add()
def without(context: RenderContext, value: object, *keys: str) -> dict[str, Any]:
    """Map without these keys."""
    unwanted = {text(key) for key in keys}
    return {key: member for key, member in mapping(context, value).items() if key not in unwanted}


@FILTERS.add()
def omit_null(context: RenderContext, value: object) -> object:
    """Value without nulls, and without the lists and maps that are empty or become so."""
    plain = context.plain(value)
    context.charge(size_of(plain) >> 3)
    return _without_nulls(plain)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        members = {key: _without_nulls(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not None and member not in ({}, [])}
    if isinstance(value, list):
        return [item for item in map(_without_nulls, value) if item is not None and item not in ({}, [])]
    return value


@FILTERS.add("to_json", "tojson", price=15)
def to_json(context: RenderContext, value: object, indent: int | None = None) -> str:
    """Value as JSON text, compact or indented; keys keep their order."""
    plain, size = context.measured(value)
    context.pay(size)
    if indent is None:
        return compact_json(plain)
    if not isinstance(indent, int) or not 0 <= indent <= 8:
        raise Failure("`indent` is a whole number from 0 to 8", "leave it out for compact JSON")
    context.charge(size >> 1)
    indented = json.dumps(plain, indent=indent, ensure_ascii=False)
    context.pay(len(indented))
    return indented


@FILTERS.add(price=8)
def from_json(context: RenderContext, value: object) -> object:
    """Value that a JSON text stands for."""
    source = text(value)
    context.pay(len(source))
    context.charge(len(source) >> 3)
    try:
        return read_json(source)
    except RecursionError:
        raise LimitReached("the JSON text is nested too deeply", "nest it less deeply") from None
    except ValueError as error:
        raise Failure("the text is not JSON", "check where the value comes from") from error


@FILTERS.add(price=15)
def to_yaml(context: RenderContext, value: object) -> str:
    """Value as YAML text, for a file or an annotation. Structure needs no filter: `labels: {{ namespace.labels }}`."""
    plain = context.plain(value)
    context.pay(size_of(plain))
    context.charge(size_of(plain) >> 1)
    return YamlText(dump_yaml(plain))


@FILTERS.add(price=60)
def from_yaml(context: RenderContext, value: object) -> object:
    """Value that a YAML text (one document) stands for."""
    source = text(value)
    context.pay(len(source))
    context.charge(len(source) >> 3)
    limits = YamlLimits(context.limits.nodes, context.limits.depth)
    try:
        documents = list(compose(source, limits))
        if len(documents) > 1:
            raise Failure("the text has more than one YAML document", "give it one document")
        root = documents[0].root if documents else None
        if root is None:
            return None
        context.charge(_STEPS_PER_YAML_NODE * root.size)
        return construct(root)
    except YamlProblem as problem:
        kind = LimitReached if problem.limit else Failure
        raise kind(f"line {problem.line} of the text: {problem.problem}", problem.remedy) from problem


@FILTERS.add()
def container_ports(context: RenderContext, value: object, protocol: str = "TCP") -> list[int]:
    """Port numbers of a list of containers, of one protocol: `pod.spec.containers | container_ports | join(',')`."""
    return [
        port["containerPort"]
        for container in items(context, value)
        for port in mapping(context, container).get("ports") or []
        if isinstance(port, Mapping) and port.get("protocol", "TCP") == protocol and "containerPort" in port
    ]
