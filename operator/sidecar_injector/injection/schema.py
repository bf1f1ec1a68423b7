"""The types of a Pod, resolved from the generated table into objects that a walk can follow.

Source: the API server's own OpenAPI document (`pod_schema`), with one field added: `spec.sidecars`, the containers that
a template leaves to be lowered to native or classic sidecars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sidecar_injector.injection.once import once
from sidecar_injector.injection.pod_schema import MERGE_KEYS, REQUIRED, TYPES

SCALARS = frozenset((str, int, bool, float, type(None)))
"""The types of JSON's scalars. To look here first is cheap; to ask of a string whether it is a Mapping is not."""

MAP = (dict, Mapping)
"""What a JSON object may be. To ask whether a value is a dict is cheap; whether it is another Mapping is not."""

SIDECARS = "sidecars"
CONTAINER_LISTS = ("initContainers", "containers")


class Shape(Enum):
    """Whether a field holds one value, a list of them or a map from strings to them."""

    ONE = ""
    LIST = "[]"
    MAP = "{}"


@dataclass(frozen=True)
class Field:
    """One field of a type. `merge_key` is None for a list that is replaced, empty for a set of scalars."""

    shape: Shape
    scalar: str
    type_name: str
    merge_key: str | None = None

    @once
    def type(self) -> Type | None:
        """The type of the value, or of the values in the list or map; None for scalars."""
        return TYPES_BY_NAME.get(self.type_name)

    @once
    def item(self) -> Field:
        """One value of the list or map."""
        return Field(Shape.ONE, self.scalar, self.type_name)


@dataclass(frozen=True)
class Type:
    """One type: its fields by name, and those that the API server demands."""

    name: str
    fields: Mapping[str, Field]
    required: tuple[str, ...]

    def field(self, name: str) -> Field:
        """Return a field, or one that says nothing about itself if this type has none of that name."""
        return self.fields.get(name, UNKNOWN)


UNKNOWN = Field(Shape.ONE, "any", "")


def _field(owner: str, name: str, notation: str) -> Field:
    shape = next((shape for shape in (Shape.LIST, Shape.MAP) if notation.startswith(shape.value)), Shape.ONE)
    inner = notation.removeprefix(shape.value)
    return Field(
        shape=shape,
        scalar="" if inner in TYPES else inner,
        type_name=inner if inner in TYPES else "",
        merge_key=MERGE_KEYS.get(owner, {}).get(name),
    )


def _type(name: str, fields: Mapping[str, str]) -> Type:
    return Type(name, {field: _field(name, field, kind) for field, kind in fields.items()}, REQUIRED.get(name, ()))


TYPES_BY_NAME: dict[str, Type] = {name: _type(name, fields) for name, fields in TYPES.items()}

_POD_SPEC = TYPES_BY_NAME["PodSpec"]
OVERLAY_SPEC = Type("PodSpec", {**_POD_SPEC.fields, SIDECARS: _POD_SPEC.fields["containers"]}, ())
TYPES_BY_NAME["OverlaySpec"] = OVERLAY_SPEC
TYPES_BY_NAME["OverlayMetadata"] = Type(
    "OverlayMetadata",
    {name: TYPES_BY_NAME["ObjectMeta"].fields[name] for name in ("labels", "annotations")},
    (),
)

POD = Type(
    "Pod",
    {"metadata": Field(Shape.ONE, "", "ObjectMeta"), "spec": Field(Shape.ONE, "", "PodSpec")},
    (),
)
OVERLAY = Type(
    "Pod",
    {
        "metadata": Field(Shape.ONE, "", "OverlayMetadata"),
        "spec": Field(Shape.ONE, "", "OverlaySpec"),
        "apiVersion": Field(Shape.ONE, "string", ""),
        "kind": Field(Shape.ONE, "string", ""),
    },
    (),
)
NOTHING = Type("", {}, ())
