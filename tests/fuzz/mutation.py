"""Mutations of JSON documents, as values and as bytes."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

ODD_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["", "auto", "{{ 1 }}", "a: b", "\x00", "\ud800", "é" * 50, "x" * 5000, "$patch", "1Gi", "true"]),
)
ODD_VALUES = st.recursive(
    ODD_SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_ODD_BYTES = st.sampled_from(
    [b"", b"\x00", b"\xff", b"{", b"}", b"[", b'"', b"\\u0000", b"1e999", b"NaN", b",", b"\n", b"null"]
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container and key of a document."""
    found, stack = [], [value]
    while stack:
        container = stack.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list) and container[key]:
                stack.append(container[key])
    return found


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any], most: int = 4) -> Any:
    """Draw a document in which up to `most` places were replaced, deleted, repeated, moved or renamed."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(1, most))):
        places = _places(document)
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(["replace", "replace", "delete", "repeat", "move", "rename"]))
        if change == "delete":
            del container[key]
        elif change == "repeat" and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif change == "rename" and isinstance(container, dict):
            container[draw(st.text(max_size=5)) or key] = container.pop(key)
        elif change == "move":
            source, other = draw(st.sampled_from(places))
            container[key] = copy.deepcopy(source[other]) if _has(source, other) else None
        else:
            container[key] = draw(ODD_VALUES)
    return document


def _has(container: Any, key: Any) -> bool:
    return key in container if isinstance(container, dict) else key < len(container)


@st.composite
def mangled(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> bytes:
    """Draw the bytes of a document, some of which were cut out, replaced or repeated."""
    body = json.dumps(draw(documents)).encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 20)))
        body = body[:start] + draw(_ODD_BYTES | st.binary(max_size=8) | st.just(body[start:end] * 2)) + body[end:]
    return body
