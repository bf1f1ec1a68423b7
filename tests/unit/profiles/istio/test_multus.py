"""Istio's network joins those that Multus attaches a Pod to."""

import pytest

from sidecar_injector.profiles.istio.multus import with_network

NAME = "default/istio-cni"
OURS = '{"name": "default/istio-cni"}'

CASES = {
    "none": ("", NAME),
    "blank": ("  ", NAME),
    "one": ("macvlan", f"macvlan, {NAME}"),
    "several": ("macvlan, other/bridge@eth1", f"macvlan, other/bridge@eth1, {NAME}"),
    "a name that is much like ours": ("default/istio-cni-2", f"default/istio-cni-2, {NAME}"),
    "JSON of one": ('[{"name": "macvlan"}]', f'[{{"name": "macvlan"}}, {OURS}]'),
    "JSON of several": ('[{"name":"a"},{"name":"b"}]', f'[{{"name":"a"}},{{"name":"b"}}, {OURS}]'),
    "JSON on several lines": (
        '[\n  {"name": "a"},\n  {"name": "b"}\n]\n', f'[\n  {{"name": "a"}},\n  {{"name": "b"}}\n, {OURS}]\n'
    ),
    "JSON with lists in it": (
        '[{"name": "a", "ips": ["10.0.0.1"]}]', f'[{{"name": "a", "ips": ["10.0.0.1"]}}, {OURS}]'
    ),
    "JSON of none": ("[]", f"[{OURS}]"),
}  # fmt: skip


@pytest.mark.parametrize(("existing", "expected"), CASES.values(), ids=CASES)
def test_the_network_is_added_at_the_end_and_only_once(existing, expected):
    result = with_network(existing, NAME)
    assert result == expected
    assert with_network(result, NAME) == expected


UNTOUCHED = {
    "in a list": f"macvlan,{NAME}",
    "in a list, with an interface": f"{NAME}@net1, macvlan",
    "in JSON": f'[{OURS}, {{"name": "a"}}]',
    "in JSON, with its namespace apart": '[{"name": "istio-cni", "namespace": "default"}]',
    "JSON that is broken": '[{"name": "a"]',
    "JSON that is no list": '{"name": "a"}',
    "JSON of something else": '["a"]',
    "JSON nested without end": "[" * 100_000 + "]" * 100_000,
}


@pytest.mark.parametrize("existing", UNTOUCHED.values(), ids=UNTOUCHED)
def test_a_list_that_has_it_or_is_malformed_stays_as_it_is(existing):
    assert with_network(existing, NAME) == existing
