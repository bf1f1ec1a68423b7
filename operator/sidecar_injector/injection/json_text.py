"""JSON in annotations and variables: anybody may have written it, and what Python reads beyond JSON is none."""

from sidecar_injector.templating.strict_json import read_json, write_document


def json_of(text: str) -> object:
    """Return what a text says as JSON; None for what is none, and for what only Python takes for a number."""
    try:
        return read_json(text)
    except (ValueError, RecursionError):
        return None


def json_text(value: object) -> str:
    """Return a value as JSON without blanks."""
    return write_document(value).decode()
