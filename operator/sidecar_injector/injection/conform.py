"""Make an overlay conform to the schema of a Pod, where a template's data has another type than the field.

A number printed into a field of type string becomes its text, and the text of a number becomes a number where the
field is one: an annotation's "8080" is a port. What cannot be meant is an error at the template's line.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sidecar_injector.errors import TemplateRenderError
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import OVERLAY, Field, Shape, Type
from sidecar_injector.templating.shapes.shared import SharedList, SharedMap

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_BOOLEANS = {"true": True, "false": False}
_SURE_TO_BE_A_SLIP = 0.75
"""Similarity above which an unknown field is taken for a misspelt one, and not for a newer Kubernetes' field."""
_MOST_DOUBTS, _LONGEST_SLIP = 100, 60
"""How many unknown fields are held against the known ones, and how long each may be: a Pod may come with thousands."""


def conform(overlay: Overlay, *, strict: bool = False) -> Overlay:
    """Return the overlay with every scalar of its field's type, and without the lists and maps that are null.

    What stands under a key may all be left out, as by a loop over nothing. A null would then take away what the Pod
    says, and `volumes:` is not meant so; to take away, there are `$patch` directives.

    Raises TemplateRenderError, at the template's line, for a value that does not fit its field; if `strict`, also for
    a field that looks misspelt (a config is checked so when it is accepted; fields unknown to us are left alone).
    """
    if strict:
        _check_kind(overlay)
    return replace(overlay, tree=_Conforming(overlay, strict).map((), overlay.tree, OVERLAY))


def _check_kind(overlay: Overlay) -> None:
    for field, expected in (("apiVersion", "v1"), ("kind", "Pod")):
        found = overlay.tree.get(field, expected)
        if found != expected:
            raise TemplateRenderError(
                overlay.place((field,)),
                f"{field} is {found!r}, but what a template yields is a partial Pod",
                "Leave it out.",
            )


class _Conforming:
    """One walk over one overlay."""

    def __init__(self, overlay: Overlay, strict: bool) -> None:
        self._overlay = overlay
        self._strict = strict
        self._doubts = 0

    def map(self, path: Path, tree: Mapping[str, object], schema: Type) -> Mapping[str, object]:
        """Return a map of this type as it conforms: the same object if nothing had to change."""
        if type(tree) is not SharedMap or self._strict:
            return self._map(path, tree, schema)
        if tree.conforming is None or tree.conforming[0] is not schema:
            tree.conforming = schema, self._map(path, tree, schema)
        found: Mapping[str, object] = tree.conforming[1]
        return found

    def _map(self, path: Path, tree: Mapping[str, object], schema: Type) -> Mapping[str, object]:
        changed: dict[str, object] = {}
        empty: set[str] = set()
        for key, value in tree.items():
            if key.startswith("$"):
                continue
            field = schema.fields.get(key)
            if field is None:
                self._unknown(path, key, schema)
            elif type(value) is str and field.scalar == "string" and field.shape is Shape.ONE:
                continue
            elif value is None:
                if field.type is not None or field.shape is not Shape.ONE:
                    empty.add(key)
            else:
                conforming = self._field((*path, key), value, field)
                if conforming is not value:
                    changed[key] = conforming
        if not changed and not empty:
            return tree
        return {key: changed.get(key, value) for key, value in tree.items() if key not in empty}

    def _field(self, path: Path, value: object, field: Field) -> object:
        if field.shape is Shape.LIST:
            if not isinstance(value, list):
                raise self._misfit(path, value, "a list")
            return self._list(path, value, field)
        if field.shape is Shape.MAP:
            if not isinstance(value, Mapping):
                raise self._misfit(path, value, "a map")
            entries = {
                key: item if item is None or key.startswith("$") else self._one((*path, key), item, field)
                for key, item in value.items()
            }
            return value if all(entries[key] is item for key, item in value.items()) else entries
        return self._one(path, value, field)

    def _list(self, path: Path, value: list[object], field: Field) -> object:
        shared = value if type(value) is SharedList and not self._strict else None
        if shared is not None and shared.conforming is not None and shared.conforming[0] is field:
            return shared.conforming[1]
        items = [self._one((*path, index), item, field) for index, item in enumerate(value)]
        found = value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if shared is not None:
            shared.conforming = field, found
        return found

    def _one(self, path: Path, value: object, field: Field) -> object:
        if type(value) is str and field.scalar == "string":
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
            self._overlay.place(path),
            f"{_dotted(path)} is {_describe(value)}, but in a Pod it is {expected}",
            f"Make {path[-1] if isinstance(path[-1], str) else _dotted(path)!r} {expected}.",
        )

    def _unknown(self, path: Path, key: str, schema: Type) -> None:
        if not self._strict:
            return
        if not path or path == ("metadata",):
            raise TemplateRenderError(self._overlay.place((*path, key)), *_OUTSIDE[len(path)](key))
        if self._doubts == _MOST_DOUBTS or len(key) > _LONGEST_SLIP:
            return
        self._doubts += 1
        close = difflib.get_close_matches(key, schema.fields, n=1, cutoff=_SURE_TO_BE_A_SLIP)
        if close:
            raise TemplateRenderError(
                self._overlay.place((*path, key)),
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
