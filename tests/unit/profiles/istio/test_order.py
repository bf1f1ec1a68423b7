"""Containers stand in the order in which they have to start."""

import copy

import pytest

from sidecar_injector.profiles.istio.order import order_containers


def pod(containers, init=None):
    spec = {"containers": [{"name": name} for name in containers.split()]}
    if init is not None:
        spec["initContainers"] = [{"name": name} for name in init.split()]
    return {"spec": spec}


def ordered(result):
    lists = [result["spec"].get(field) for field in ("containers", "initContainers")]
    return tuple(None if found is None else " ".join(item["name"] for item in found) for found in lists)


CASES = {
    "the proxy goes last": (("istio-proxy a b", None), False, ("a b istio-proxy", None)),
    "the proxy goes first to hold the app": (("a b istio-proxy", None), True, ("istio-proxy a b", None)),
    "no proxy": (("a b", "x y"), True, ("a b", "x y")),
    "nothing but the proxy": (("istio-proxy", None), True, ("istio-proxy", None)),
    "the rules come after the Pod's own init containers": (
        ("a istio-proxy", "istio-init x y"), False, ("a istio-proxy", "x y istio-init")
    ),
    "the check of the rules comes before": (
        ("a istio-proxy", "x istio-validation y"), False, ("a istio-proxy", "istio-validation x y")
    ),
    "all of them": (
        ("a istio-proxy", "enable-core-dump istio-init x istio-validation y"),
        False,
        ("a istio-proxy", "istio-validation x y istio-init enable-core-dump"),
    ),
    "a native sidecar comes before the Pod's own init containers": (
        ("a b", "x istio-proxy y istio-init"), False, ("a b", "istio-init istio-proxy x y")
    ),
    "a native sidecar and all the others": (
        ("a", "x enable-core-dump y istio-proxy istio-validation istio-init"),
        True,
        ("a", "istio-init istio-validation istio-proxy enable-core-dump x y"),
    ),
    "a native sidecar without rules": (("a", "x istio-proxy"), False, ("a", "istio-proxy x")),
}  # fmt: skip


@pytest.mark.parametrize(("given", "hold", "expected"), CASES.values(), ids=CASES)
def test_containers_stand_in_the_order_in_which_they_have_to_start(given, hold, expected):
    before = pod(*given)
    untouched = copy.deepcopy(before)
    result = order_containers(before, hold)
    assert ordered(result) == expected
    assert before == untouched
    assert order_containers(result, hold) is result
    assert (result is before) is (given == expected)


def test_only_a_list_that_changes_is_replaced():
    before = pod("a istio-proxy", "istio-init x")
    result = order_containers(before, hold=False)
    assert result["spec"]["containers"] is before["spec"]["containers"]
    assert result["spec"]["initContainers"][0] is before["spec"]["initContainers"][1]
