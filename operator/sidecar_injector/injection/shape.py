"""Is this a Pod at all? Asked when something went wrong: API servers send no others, so it is not asked before."""

from collections.abc import Iterator, Mapping
from itertools import chain

from sidecar_injector.injection.schema import POD, Field, Shape, Type


def misfit(pod: Mapping[str, object]) -> str:
    """Return the first field whose value is of another shape than in a Pod, and what is expected; empty if none is."""
    return next(_object("", pod, POD), "")


def _object(path: str, value: Mapping[str, object], schema: Type) -> Iterator[str]:
    for key, member in value.items():
        field = schema.fields.get(key)
        if field is not None and member is not None:
            yield from _field(f"{path}.{key}" if path else key, member, field)


def _field(path: str, value: object, field: Field) -> Iterator[str]:
    if field.shape is Shape.LIST:
        if not isinstance(value, list):
            yield f"{path}: expected a list"
            return
        yield from chain.from_iterable(_one(f"{path}[{index}]", item, field) for index, item in enumerate(value))
    elif field.shape is Shape.MAP:
        if not isinstance(value, Mapping):
            yield f"{path}: expected an object"
            return
        yield from chain.from_iterable(_one(f"{path}[{key!r}]", item, field) for key, item in value.items())
    else:
        yield from _one(path, value, field)


def _one(path: str, value: object, field: Field) -> Iterator[str]:
    if field.type is not None:
        if isinstance(value, Mapping):
            yield from _object(path, value, field.type)
        else:
            yield f"{path}: expected an object"
    elif field.scalar == "string" and value is not None and not isinstance(value, str):
        yield f"{path}: expected a string"
    elif field.scalar != "any" and isinstance(value, Mapping | list):
        yield f"{path}: expected a {field.scalar}"
