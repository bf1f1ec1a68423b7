"""Durations mean what they mean to Go, and come out as protobuf writes them."""

import pytest

from sidecar_injector.config.durations import in_seconds, nanoseconds

CASES = {
    "0": "0s",
    "0s": "0s",
    "23s": "23s",
    "+1m": "60s",
    "1m30s": "90s",
    "1.5h": "5400s",
    "500ms": "0.500s",
    ".25s": "0.250s",
    "2.s": "2s",
    "1us": "0.000001s",
    "1µs": "0.000001s",
    "3ns": "0.000000003s",
    "-1500ms": "-1.500s",
    "2562047h": "9223369200s",
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=CASES)
def test_a_duration_comes_out_in_seconds(text, expected):
    length = nanoseconds(text)
    assert length is not None
    assert in_seconds(length) == expected


@pytest.mark.parametrize(
    "text", ["", "-", "23", "s", ".s", "1 s", "1x", "1s ", "1d", "1e3s", "2562048h", f"{10**40}s", "٣s", "1s\n"]
)
def test_what_go_would_not_read_is_no_duration(text):
    assert nanoseconds(text) is None
