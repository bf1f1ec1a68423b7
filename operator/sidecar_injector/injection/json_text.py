"""JSON in annotations: anybody may have written it, and what Python reads beyond JSON must not get into a patch."""

from sidecar_injector.templating.strict_json import read_json


def json_of(text: str) -> object:
    """Return what a text says as JSON; None for what is none, and for what only Python takes for a number."""
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return None
