"""How log lines look."""

import json
import logging
import sys

from sidecar_injector.serving.logs import JsonFormatter


def line(record: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = json.loads(JsonFormatter().format(record))
    return found


def record(message: str, *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("sidecar_injector.x", logging.WARNING, "x.py", 1, message, args, None)
    made.created = 1_900_000_000.25
    made.__dict__.update(fields)
    return made


def test_a_line_is_one_json_object_with_the_fields_of_the_message() -> None:
    assert line(record("%s: %s", "Failed", "why\nindeed", uid="7", milliseconds=1.5)) == {
        "time": "2030-03-17T17:46:40.250Z",
        "level": "warning",
        "logger": "sidecar_injector.x",
        "message": "Failed: why\nindeed",
        "uid": "7",
        "milliseconds": 1.5,
    }


def test_a_line_has_no_line_break_whatever_is_logged() -> None:
    assert "\n" not in JsonFormatter().format(record("a\nb", path="c\nd"))


def test_what_kopf_adds_for_itself_is_left_out() -> None:
    assert "settings" not in line(record("x", settings=object(), k8s_skip=True, k8s_ref={}))


def test_a_traceback_is_a_field() -> None:
    try:
        raise ValueError("oops")
    except ValueError:
        made = record("x")
        made.exc_info = sys.exc_info()
    assert "ValueError: oops" in str(line(made)["traceback"])


def test_what_is_no_json_is_shown_as_text() -> None:
    assert line(record("x", path={1}))["path"] == "{1}"
