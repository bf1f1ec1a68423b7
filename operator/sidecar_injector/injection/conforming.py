"""One walk over data that has to conform to the schema of a Pod: what fits is kept, what spells the same is changed."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence

from sidecar_injector.errors import Place, TemplateRenderError
from sidecar_injector.injection.schema import Field, Shape, Type

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_BOOLEANS = {"true": True, "false": False}
_SURE_TO_BE_A_SLIP = 0.75
"""Similarity above which an unknown field is taken for a misspelt one, and not for a newer Kubernetes' field."""
_MOST_DOUBTS, _LONGEST_SLIP = 100, 60
"""How many unknown fields are held against the known ones, and how long each may be: a Pod may come with thousands."""

COMMON: Mapping[str, type] = {
    "string": str,
    "quantity": str,
    "int-or-string": str,
    "integer": int,
    "number": int,
    "boolean": bool,
}
"""The type that values mostly have in a field of each kind, of which all conform."""


class Conforming:
    """One walk.

    place  -- tells where in a template a part of the data comes from; asked for what does not fit
    strict -- whether a field that looks misspelt is an error, too

    Every method raises TemplateRenderError for what does not fit, and whatever `place` raises.
    """

    def __init__(self, place: Callable[[Sequence[str | int]], Place], *, strict: bool = False) -> None:
        self._place = place
        self._strict = strict
        self._doubts = 0

    def map(self, path: Path, tree: Mapping[str, object], schema: Type) -> Mapping[str, object]:
        """Return a map of this type as it conforms: the same object if nothing had to change."""
        changed: dict[str, object] = {}
        empty: set[str] = set()
        for key, value in tree.items():
            if key.startswith("$"):
                continue
            field = schema.fields.get(key)
            if field is None:
                self._unknown(path, key, schema)
            elif type(value) is COMMON.get(field.scalar) and field.shape is Shape.ONE:
                continue
            elif value is None:
                if is_structured(field):
                    empty.add(key)
            else:
                conforming = self.field((*path, key), value, field)
                if conforming is not value:
                    changed[key] = conforming
        if not changed and not empty:
            return tree
        return {key: changed.get(key, value) for key, value in tree.items() if key not in empty}

    def field(self, path: Path, value: object, field: Field) -> object:
        """Return what stands in a field, and is not null, as it conforms."""
        common = COMMON.get(field.scalar)
        if field.shape is Shape.LIST:
            if not isinstance(value, list):
                raise self._misfit(path, value, "a list")
            if common and {*map(type, value)} == {common}:
                return value
            items = [self.one((*path, index), item, field) for index, item in enumerate(value)]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if field.shape is Shape.MAP:
            if not isinstance(value, Mapping):
                raise self._misfit(path, value, "a map")
            if common and {*map(type, value.values())} == {common}:
                return value
            entries = {
                key: item if item is None or key.startswith("$") else self.one((*path, key), item, field)
                for key, item in value.items()
            }
            return value if all(entries[key] is item for key, item in value.items()) else entries
        return self.one(path, value, field)

    def one(self, path: Path, value: object, field: Field) -> object:
        """Return one value of a field, which may be an item of its list or an entry of its map, as it conforms."""
        if type(value) is COMMON.get(field.scalar):
            return value
        if field.type is None:
            return self._scalar(path, value, field.scalar)
        if not isinstance(value, Mapping):
            raise self._misfit(path, value, "a map")
        return self.map(path, value, field.type)

    def _scalar(self, path: Path, value: object, kind: str) -> object:
        if kind == "any":
            return value
        if isinstance(value, Mapping | list) or value is None:
            raise self._misfit(path, value, _EXPECTED[kind])
        if kind in ("string", "quantity"):
            return value if isinstance(value, str) else _text(value)
        found = _typed(value, kind)
        if found is None:
            raise self._misfit(path, value, _EXPECTED[kind])
        return found

    def _misfit(self, path: Path, value: object, expected: str) -> TemplateRenderError:
        return TemplateRenderError(
            self._place(path),
            f"{_dotted(path)} is {_describe(value)}, but in a Pod it is {expected}",
            f"Make {path[-1] if isinstance(path[-1], str) else _dotted(path)!r} {expected}.",
        )

    def _unknown(self, path: Path, key: str, schema: Type) -> None:
        if not self._strict:
            return
        if not path or path == ("metadata",):
            raise TemplateRenderError(self._place((*path, key)), *_OUTSIDE[len(path)](key))
        if self._doubts == _MOST_DOUBTS or len(key) > _LONGEST_SLIP:
            return
        self._doubts += 1
        close = difflib.get_close_matches(key, schema.fields, n=1, cutoff=_SURE_TO_BE_A_SLIP)
        if close:
            raise TemplateRenderError(
                self._place((*path, key)),
                f"{_dotted((*path, key))} is no field of a Pod",
                f"Did you mean {close[0]!r}?",
            )


_OUTSIDE: tuple[Callable[[str], tuple[str, str]], ...] = (
    lambda key: (
        f"{key} is no field of a Pod",
        "A template yields a partial Pod: its fields stand under metadata and spec.",
    ),
    lambda key: (
        f"metadata.{key} is not for a template to set",
        "Of a Pod's metadata a template gives labels and annotations.",
    ),
)
_EXPECTED = {
    "string": "a string",
    "quantity": "a quantity such as 100m or 1Gi",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "int-or-string": "a whole number or a name",
}


def is_structured(field: Field) -> bool:
    """Tell whether a list or a map stands in a field: there, null is left out."""
    return field.type is not None or field.shape is not Shape.ONE


def _typed(value: object, kind: str) -> object | None:
    """Return a scalar as the boolean, number or name that it is or spells; None if it is none."""
    if kind == "boolean":
        return value if isinstance(value, bool) else _BOOLEANS.get(str(value))
    if kind == "int-or-string" and isinstance(value, str):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float if kind == "number" else int):
        return None
    return value


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _describe(value: object) -> str:
    if isinstance(value, Mapping):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return "empty" if value is None else f"{value!r}"[:80]


def _dotted(path: Path) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")
