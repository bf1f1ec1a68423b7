"""Files mean to the command line what they mean to kubectl, and what it prints means to kubectl what was meant."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar_injector.templating import dump_yaml, load_all_yaml
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.cluster

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: default}\n"
HEAD_OBJECT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}}
_SCALARS = """
y Y yes Yes YES yEs n N no on On ON off true True TRUE tRUE false ~ null Null NULL nULL 0644 0o644 0O17 08 09.5 00 0x1F
0X1f -0x1 0b101 -0b11 0B1 1_000 1_0.5 _1 1__ +5 -5 -0 1e3 1E+3 1.e3 .5 -.5 +.5 5. 1e 0e0 22:22 1:30:00 2001-01-01
2001-01-01T00:00:00Z 0x 0b 0o 0b2 0x1_F 0_1 1,000 123abc 1.2.3 . .. 0.1e-2 Infinity NaN inf 0o8 -0644 +0644 -0o17
0755e1 1e-7 1e21 123456789.0 1.0 'x' "y" 1.5Gi 100m 10% <none> a#b a:b
"""
SCALARS = _SCALARS.split()


def as_kubectl_reads(cluster: Cluster, text: str) -> list[Any]:
    """Return the objects of a text, as kubectl would send them; it is not asked whether they are valid."""
    done = cluster.kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", "-f-", input=text)
    found: list[Any] = []
    rest = done.stdout.lstrip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def test_plain_scalars_are_read_as_kubectl_reads_them(control_plane: Cluster) -> None:
    text = f"{HEAD}list:\n" + "".join(f"  - {scalar}\n" for scalar in SCALARS)
    [document] = load_all_yaml(text, "scalars")
    [expected] = as_kubectl_reads(control_plane, text)
    assert isinstance(document.value, dict)
    ours = dict(zip(SCALARS, document.value["list"], strict=True))
    theirs = dict(zip(SCALARS, expected["list"], strict=True))
    assert ours == theirs
    assert {scalar for scalar, value in ours.items() if isinstance(value, bool)} == {
        scalar for scalar, value in theirs.items() if isinstance(value, bool)
    }


def test_structures_are_read_as_kubectl_reads_them(control_plane: Cluster) -> None:
    text = f"""{HEAD}
anchored: &a {{x: 1, y: 2}}
merged: {{<<: *a, y: 3}}
alias: *a
1: number
true: boolean
block: |
  one

    two
folded: >-
  one
  two
keep: |+
  text

quoted: "a\\tb\\u00fc"
single: 'it''s'
binary: !!str 5
---
{json.dumps({**HEAD_OBJECT, "data": {"a": "b"}}, indent=2)}
"""
    expected = as_kubectl_reads(control_plane, text)
    assert [document.value for document in load_all_yaml(text, "structures")] == expected


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(SCALARS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, min_size=3, max_size=10))
def test_what_is_printed_is_read_by_kubectl_as_it_was_meant(control_plane: Cluster, values: list[Any]) -> None:
    items = [{**HEAD_OBJECT, "value": value} for value in values]
    text = "---\n".join(dump_yaml(item) for item in items)
    assert as_kubectl_reads(control_plane, text) == items
