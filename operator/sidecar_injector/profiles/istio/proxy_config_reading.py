"""Reading a ProxyConfig: JSON's names and protobuf's come out as JSON's, values in the one form that JSON has for them.

Source: https://protobuf.dev/programming-guides/json/. `drain_duration: 1m` is `drainDuration: 60s`, whole numbers may
be given as text, values of enums as their numbers, and null is as good as nothing. What is not listed in `fields` is
kept as it is.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sidecar_injector.config.durations import in_seconds, nanoseconds
from sidecar_injector.profiles.istio.proxy_config_fields import FIELDS, Field, Kind, Message, Shape

_AFTER_UNDERSCORE = re.compile(r"_([a-z0-9])")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")
_RANGES = MappingProxyType(
    {Kind.INT32: range(-(2**31), 2**31), Kind.UINT32: range(2**32), Kind.INT64: range(-(2**63), 2**63)}
)
_LONGEST_SHOWN = 80
_MOST_PROBLEMS = 20


@dataclass
class Reading:
    """What was read: the config, what is wrong in it (and therefore left out), and the paths of unknown fields."""

    config: Mapping[str, object]
    problems: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def refuse(self, path: str, problem: str) -> None:
        """Note what is wrong with a field; who has many mistakes is told of the first ones."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(f"{cut(path)}: {problem}")


def read_config(given: Mapping[str, object]) -> Reading:
    """Read a ProxyConfig as a user gave it, in a Pod's annotation or in the mesh's `defaultConfig`."""
    reading = Reading({})
    reading.config = _read_message(FIELDS, given, "", reading)
    return reading


def json_name(name: str) -> str:
    """Return the JSON name of a field that may be given by its protobuf name: `drainDuration` for `drain_duration`."""
    return _AFTER_UNDERSCORE.sub(lambda found: found[1].upper(), name)


def shown(value: object) -> str:
    """Return a value as messages show it, on one line and cut short if it is long."""
    return cut(json.dumps(value, ensure_ascii=False))


def cut(text: str) -> str:
    """Return a text, or the beginning of a long one."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _read_message(fields: Message, given: Mapping[str, object], path: str, reading: Reading) -> dict[str, object]:
    read: dict[str, object] = {}
    for name, value in given.items():
        known = fields.get(name) or fields.get(json_name(name))
        here = f"{path}.{name}" if path else name
        if value is None:
            continue
        if known is None:
            reading.unknown.append(here)
            read[name] = value
        elif known.name in read:
            reading.refuse(here, f"is given twice, as {known.name} and by its other name; delete one")
        elif (usable := _read_field(known, value, here, reading)) is not None:
            read[known.name] = usable
    _refuse_rivals(fields, read, path, reading)
    return read


def _refuse_rivals(fields: Message, read: Mapping[str, object], path: str, reading: Reading) -> None:
    groups: dict[str, list[str]] = {}
    for name in read:
        if name in fields and fields[name].oneof:
            groups.setdefault(fields[name].oneof, []).append(name)
    for first, *others in groups.values():
        if others:
            reading.refuse(f"{path}.{others[0]}" if path else others[0], f"excludes {first}; delete one of the two")


def _read_field(known: Field, value: object, path: str, reading: Reading) -> object:
    """Return the value of a field, None if it is not allowed."""
    if known.shape is Shape.LIST and isinstance(value, list):
        items = [_read_one(known, item, f"{path}[{index}]", reading) for index, item in enumerate(value)]
        return [item for item in items if item is not None]
    if known.shape is Shape.MAP and isinstance(value, Mapping):
        members = {key: _read_one(known, item, f"{path}.{key}", reading) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None}
    if known.shape is Shape.ONE:
        return _read_one(known, value, path, reading)
    allowed = "a list" if known.shape is Shape.LIST else "a map"
    reading.refuse(path, f"is {shown(value)}; allowed: {allowed}")
    return None


def _read_one(known: Field, value: object, path: str, reading: Reading) -> object:
    if known.kind is Kind.MESSAGE and isinstance(value, Mapping):
        return _read_message(known.fields, value, path, reading)
    read = _scalar(known, value)
    if read is None:
        reading.refuse(path, f"is {shown(value)}; allowed: {_allowed(known)}")
    return read


def _allowed(known: Field) -> str:
    if known.kind in _RANGES:
        allowed = _RANGES[known.kind]
        return f"a whole number from {allowed.start} to {allowed.stop - 1}"
    return ", ".join(known.values) if known.kind is Kind.ENUM else _ALLOWED[known.kind]


def _scalar(known: Field, value: object) -> object:
    """Return a single value in the form that JSON has for it, None if it is not allowed."""
    if known.kind in _RANGES:
        return _whole_number(known.kind, value)
    if known.kind is Kind.ENUM:
        return _name_of(known.values, value)
    if known.kind is Kind.DURATION:
        length = nanoseconds(value) if isinstance(value, str) else None
        return None if length is None or length < 0 else in_seconds(length)
    if known.kind is Kind.NUMBER:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    wanted = {Kind.TEXT: str, Kind.FLAG: bool}.get(known.kind)
    return value if wanted is not None and isinstance(value, wanted) else None


def _whole_number(kind: Kind, value: object) -> int | str | None:
    number = int(value) if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value) else value
    if not isinstance(number, int) or isinstance(number, bool) or number not in _RANGES[kind]:
        return None
    return str(number) if kind is Kind.INT64 else number


def _name_of(values: Mapping[str, int], value: object) -> str | None:
    if isinstance(value, str):
        return value if value in values else None
    if isinstance(value, bool):
        return None
    return next((name for name, number in values.items() if number == value), None)


_ALLOWED = MappingProxyType(
    {
        Kind.TEXT: "text (put numbers, true and false in quotes)",
        Kind.FLAG: "true or false",
        Kind.NUMBER: "a number",
        Kind.DURATION: "a duration of 0s or more, such as 45s or 1m30s",
        Kind.MESSAGE: "a map",
    }
)
