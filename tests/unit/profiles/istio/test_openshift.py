"""Users and groups on OpenShift."""

import copy

import pytest

from sidecar_injector.profiles.istio.openshift import proxy_ids, without_scc_user

UIDS, GROUPS = "openshift.io/sa.scc.uid-range", "openshift.io/sa.scc.supplemental-groups"

IDS = {
    "no OpenShift": ({}, (1337, 1337)),
    "a first one and a length": ({UIDS: "1000620000/10000", GROUPS: "1000620000/10000"}, (1000629999, 1000629999)),
    "a first one and a last one": ({UIDS: "1000-1999", GROUPS: "3000-3009"}, (1999, 3009)),
    "the first of several ranges": ({UIDS: "1000/10,2000/10", GROUPS: "5/1, 7-9"}, (1009, 5)),
    "no groups": ({UIDS: "1000/10"}, (1009, 1009)),
    "empty groups": ({UIDS: "1000/10", GROUPS: ""}, (1009, 1009)),
    "no users": ({GROUPS: "1000/10"}, (1337, 1009)),
    "one number": ({UIDS: "1000", GROUPS: "1000"}, (1337, 1337)),
    "words": ({UIDS: "a/b", GROUPS: "all"}, (1337, 1337)),
    "an empty range": ({UIDS: "1000/0", GROUPS: "9-1"}, (1337, 1337)),
    "a range that is too high": ({UIDS: "2147483647/2", GROUPS: "2147483647/1"}, (1337, 2147483647)),
}


@pytest.mark.parametrize(("annotations", "expected"), IDS.values(), ids=IDS)
def test_the_proxy_has_the_highest_user_and_group_of_its_namespace(annotations, expected):
    assert proxy_ids(annotations) == expected


def container(name, **context):
    return {"name": name, "securityContext": context} if context else {"name": name}


def pod(*containers, **spec):
    return {"spec": {"containers": list(containers), **spec}}


APP = container("app", runAsUser=1000, runAsGroup=2000)
RESET = {
    "the app's user": (pod(container("istio-proxy", runAsUser=1000), APP), {}),
    "the app's user and group": (pod(APP, container("istio-proxy", runAsUser=1000, runAsGroup=2000)), {}),
    "what else is said stays": (
        pod(APP, container("istio-proxy", runAsUser=1000, privileged=False)), {"privileged": False}
    ),
    "another group stays": (pod(APP, container("istio-proxy", runAsUser=1000, runAsGroup=7)), {"runAsGroup": 7}),
    "of several apps any": (
        pod(container("a", runAsUser=5), APP, container("istio-proxy", runAsUser=1000, runAsGroup=5)),
        {"runAsGroup": 5},
    ),
    "a native sidecar": (pod(APP, initContainers=[container("istio-proxy", runAsUser=1000)]), {}),
}  # fmt: skip


def proxy(result):
    containers = [*result["spec"]["containers"], *result["spec"].get("initContainers", [])]
    return next(item for item in containers if item["name"] == "istio-proxy")


@pytest.mark.parametrize(("given", "expected"), RESET.values(), ids=RESET)
def test_the_app_s_user_is_not_the_proxy_s(given, expected):
    untouched = copy.deepcopy(given)
    result = without_scc_user(given, {UIDS: "1000/10"})
    assert proxy(result)["securityContext"] == expected
    assert given == untouched
    assert without_scc_user(result, {UIDS: "1000/10"}) is result


UNTOUCHED = {
    "another user": pod(APP, container("istio-proxy", runAsUser=1009)),
    "no user": pod(APP, container("istio-proxy", privileged=False)),
    "no security context": pod(container("app"), container("istio-proxy")),
    "no proxy": pod(APP, container("other", runAsUser=1000)),
    "no app": pod(container("istio-proxy", runAsUser=1000)),
    "the user of an init container": pod(
        container("app"),
        container("istio-proxy", runAsUser=1000),
        initContainers=[container("init", runAsUser=1000)],
    ),
}


@pytest.mark.parametrize("given", UNTOUCHED.values(), ids=UNTOUCHED)
def test_a_user_of_its_own_stays(given):
    assert without_scc_user(given, {UIDS: "1000/10"}) is given


def test_elsewhere_a_user_is_what_the_user_asked_for():
    given = pod(APP, container("istio-proxy", runAsUser=1000))
    assert without_scc_user(given, {"other": "annotation"}) is given
