"""Durations as users write them, such as `1m30s`, and as the JSON of protobuf has them, `90s`.

Source: https://pkg.go.dev/time#ParseDuration and https://protobuf.dev/programming-guides/json/.
"""

import re
from types import MappingProxyType

_UNITS = MappingProxyType(
    {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
)
_PART = re.compile(r"(?P<whole>[0-9]{0,20})(?:\.(?P<fraction>[0-9]{0,20}))?(?P<unit>ns|us|µs|μs|ms|s|m|h)")
_LONGEST = 2**63 - 1
SECOND = _UNITS["s"]


def nanoseconds(text: str) -> int | None:
    """Return how long a text such as `-1.5h` or `1m30s` says, None if it is no duration or one beyond 292 years."""
    unsigned = text[1:] if text.startswith(("-", "+")) else text
    if unsigned == "0":
        return 0
    total, position = 0, 0
    while position < len(unsigned):
        part = _PART.match(unsigned, position)
        if part is None or not (part["whole"] or part["fraction"]):
            return None
        fraction = part["fraction"] or ""
        total += int(part["whole"] + fraction) * _UNITS[part["unit"]] // 10 ** len(fraction)
        position = part.end()
    if not unsigned or total > _LONGEST:
        return None
    return -total if text.startswith("-") else total


def in_seconds(duration: int) -> str:
    """Return a duration in nanoseconds as protobuf's JSON has it: `23s`, `0.500s`."""
    seconds, rest = divmod(abs(duration), SECOND)
    fraction = f".{rest:09}" if rest else ""
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{'-' if duration < 0 else ''}{seconds}{fraction}s"
