"""From an HTTP request to a review: the path names the config, the body is an AdmissionReview. Whatever is wrong is the
caller's fault and becomes a ReviewError with a status of its own; nothing malformed reaches Kopf."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sidecar_injector import names
from sidecar_injector.errors import ReviewError
from sidecar_injector.templating.strict_json import RepeatedKey, read_document

REJECTIONS: Mapping[int, str] = MappingProxyType(
    {
        400: "Malformed",
        404: "UnknownPath",
        405: "MethodNotAllowed",
        408: "BodyTooSlow",
        413: "BodyTooLarge",
        415: "UnsupportedContentType",
        417: "UnknownExpectation",
        503: "TooManyRequests",
    }
)
"""HTTP status of a refused request → the code under which it is counted."""

_PAIR = ":ENV:"
"""Starts each pair of the older form of parameters."""
_JSON = "application/json"
_SLASH = "--slash--"
"""Stands for a slash in the value of a parameter."""


@dataclass(frozen=True)
class Route:
    """Where a path leads.

    config     -- to the injection by this config; empty: to the judgement of configs
    parameters -- pairs of a key and a value that follow the config in the path
    """

    config: str = ""
    parameters: tuple[tuple[str, str], ...] = ()


@lru_cache(256)
def route(path: str) -> Route:
    """Return where a path, percent-decoded, leads; `/inject/<config>` may be followed by pairs of a key and a value.

    Raises ReviewError with status 404 that says which paths there are.
    """
    if path == names.VALIDATE_PATH:
        return Route()
    config, _, rest = path.removeprefix(f"{names.INJECT_PATH}/").partition("/")
    parameters = _parameters(rest)
    if path.startswith(f"{names.INJECT_PATH}/") and config and all(key for key, _ in parameters):
        return Route(config, parameters)
    raise ReviewError(
        f"unknown path {path[:200]!r}: known are {names.VALIDATE_PATH} and {names.INJECT_PATH}/<config>, "
        "which pairs of <key>/<value> may follow",
        404,
    )


def _parameters(text: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs in the rest of a path, in either of Istio's forms: `key/value/…` and `:ENV:key=value:ENV:…`.

    A key without a value at the end is left out, as there. Source: the chart's `istiodRemote.injectionPath`.
    """
    text = text.removesuffix("/")
    if text.startswith(_PAIR):
        pairs = [
            (key, value) for pair in text.split(_PAIR)[1:] for key, equals, value in [pair.partition("=")] if equals
        ]
    else:
        words = text.split("/")
        pairs = list(zip(words[::2], words[1::2], strict=False))
    return tuple((key, value.replace(_SLASH, "/")) for key, value in pairs)


def check_method(method: str) -> None:
    """Raise ReviewError with status 405 for anything but POST."""
    if method != "POST":
        raise ReviewError(f"method {method}: API servers send reviews by POST", 405)


def check_content_type(content_type: str) -> None:
    """Raise ReviewError with status 415 for anything but JSON; parameters, such as a charset, may follow."""
    if content_type == _JSON:
        return
    kind, _, parameters = content_type.partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if kind.strip().lower() != _JSON or ("charset=" in charset and "charset=utf-8" not in charset):
        raise ReviewError(f"content type {content_type[:200]!r}: must be application/json, in UTF-8", 415)


def check_encoding(encoding: str) -> None:
    """Raise ReviewError with status 415 for a compressed body: a small one could become a huge one."""
    if encoding.strip().lower() not in ("", "identity"):
        raise ReviewError(f"Content-Encoding {encoding[:200]!r}: API servers send reviews as they are", 415)


def check_length(length: int | None, limit: int) -> None:
    """Raise ReviewError with status 413 if the announced length of a body is beyond the limit."""
    if length is not None and length > limit:
        raise ReviewError(f"body of {length} bytes: at most {limit} are taken (--max-body-bytes)", 413)


def decode(body: bytes) -> Any:
    """Read a body as strict JSON: UTF-8, no duplicate keys, no NaN or Infinity, no nesting deeper than Python's stack.

    Raises ReviewError with status 400.
    """
    try:
        return read_document(body)
    except UnicodeDecodeError as error:
        raise ReviewError(f"body is not UTF-8: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise ReviewError("body is not JSON that can be read: it is nested too deeply") from None
    except RepeatedKey as repeated:
        raise ReviewError(
            f"body is not JSON that can be read: key {repeated.key[:200]!r} occurs twice in one object"
        ) from None
    except ValueError as error:
        raise ReviewError(f"body is not JSON: {error}") from None
