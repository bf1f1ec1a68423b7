"""Values as JSON text."""

import json

import pytest

from sidecar_injector.templating.language.values import compact_json

AS_PYTHON_WRITES = {
    "a large number with a fraction": 1e16,
    "a small number with a fraction": [1e-7, -0.0, 2.5e300],
    "an integer at the end of 64 bits": {"a": 2**64 - 1, "b": -(2**63)},
    "an integer of more than 64 bits": 2**64,
    "text that looks like a number": "10.0.0.1, 3e5",
    "every character of one byte": "".join(map(chr, range(256))),
    "a lone surrogate": {"\ud800": "\udfff"},
    "text beyond the first plane": "\u2028\U0001f600",
    "keys in their own order": {"b": [True, False, None], "a": {}},
}
_deep: object = 1
for _ in range(300):
    _deep = [_deep]
AS_PYTHON_WRITES["lists in lists"] = _deep


@pytest.mark.parametrize("value", AS_PYTHON_WRITES.values(), ids=AS_PYTHON_WRITES)
def test_compact_json_is_written_as_python_writes_it(value):
    assert compact_json(value) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)
