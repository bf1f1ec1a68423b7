"""A config is accepted with what is the same for most Pods done: which Pods that serves, and that nobody can tell."""

import json

import pytest

from benchmarks import inputs
from benchmarks.workloads import WORKLOADS
from sidecar_injector.config import compile_config, parse_config
from sidecar_injector.config.compile import specialised
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.render import template_context
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.alike import alike
from sidecar_injector.templating.specialised import Specialised
from tests.unit.injection.support import config as generic
from tests.unit.injection.support import pod
from tests.unit.profiles.istio.support import stock, subject

CONFIG = stock()


def context(sample, **about):
    found = subject(json.loads(json.dumps(sample)), CONFIG, **about)
    return template_context(found, profile_for(CONFIG).plan(found))


def programs():
    """What the stock sidecar template is specialised to: for most Pods, and for those that have a say."""
    template = CONFIG.templates["sidecar"].template
    tree = template._program.environment.parse_to_run(template._program.source)
    return [Specialised(template._program, tree, steady) for steady in alike(CONFIG)]


MOST, WITH_A_SAY = programs()

# a Pod, where it is, and whether each of the programs serves it
PODS = {
    "an ordinary Pod": (pod(labels={"app": "shop"}), {}, (True, True)),
    "a bare Pod": (pod(), {}, (True, True)),
    "a Pod with other annotations": (pod(annotations={"prometheus.io/scrape": "true"}), {}, (True, True)),
    "another Namespace": (pod(), {"namespace": "other"}, (True, True)),
    "another cluster": (pod(), {"facts": ClusterFacts("v1.27.0", oldest_kubelet=(1, 27))}, (True, True)),
    "a Namespace of OpenShift": (
        pod(),
        {
            "facts": ClusterFacts(
                namespaces={"shop": NamespaceFacts("shop", {}, {"openshift.io/sa.scc.uid-range": "1000/50"})}
            )
        },
        (True, True),
    ),
    "a say in the ports": (
        pod(annotations={"traffic.sidecar.istio.io/excludeOutboundPorts": "25"}),
        {},
        (False, True),
    ),
    "a say in the resources": (pod(annotations={"sidecar.istio.io/proxyCPU": "1"}), {}, (False, True)),
    "a say in the image": (pod(annotations={"sidecar.istio.io/proxyImage": "registry.example/p:1"}), {}, (False, True)),
    "a say in the proxy's config": (pod(annotations={"proxy.istio.io/config": "concurrency: 2"}), {}, (False, True)),
    "resources of the Pod as a whole": (pod(resources={"limits": {"cpu": "1"}}), {}, (False, True)),
    "a say in the log": (pod(annotations={"sidecar.istio.io/logLevel": "debug"}), {}, (False, True)),
    "a say in what few have a say in": (
        pod(annotations={"sidecar.istio.io/interceptionMode": "TPROXY"}),
        {},
        (False, False),
    ),
}


@pytest.mark.parametrize(("sample", "about", "serves"), PODS.values(), ids=PODS)
def test_what_was_done_serves_most_pods(sample, about, serves):
    seen = context(sample, **about)
    assert (MOST.agrees(seen), WITH_A_SAY.agrees(seen)) == serves


def test_most_of_what_the_sidecar_prints_is_done() -> None:
    _, state = MOST.run(context(pod()))
    assert len(MOST.known) > 3 * (len(state.slots) - len(MOST.known))
    assert len(MOST.known) > len(WITH_A_SAY.known) > 0


def test_another_config_is_not_taken_for_this_one() -> None:
    other = stock()
    found = subject(pod(), other)
    assert not MOST.agrees(template_context(found, profile_for(other).plan(found)))


def test_only_templates_of_pods_that_name_none_are_specialised() -> None:
    compiled = compile_config(parse_config(inputs.stock_resource()))
    accepted = specialised(compiled, alike(compiled))
    changed = {
        name
        for name, template in accepted.templates.items()
        if template.template is not compiled.templates[name].template
    }
    assert changed == set(accepted.default_names)


@pytest.mark.parametrize("workload", WORKLOADS, ids=[workload.name for workload in WORKLOADS])
def test_a_pod_comes_out_as_it_would_if_nothing_were_done_beforehand(workload):
    request, facts = inputs.request(workload), inputs.facts()
    configs = compile_config(parse_config(inputs.stock_resource())), inputs.stock()
    general, specialised = [admit(request, config, profile_for(config), facts) for config in configs]
    assert specialised.decision == general.decision
    assert json.dumps(specialised.patch) == json.dumps(general.patch)


def test_a_generic_config_knows_its_values() -> None:
    found = alike(generic())
    assert [set(steady.whole) & {"values", "revision", "pod", "namespace", "cluster"} for steady in found] == [
        {"values", "revision"}
    ] * 2
    assert "pod" not in found[0].parts
    assert "workload" not in found[0].parts
    assert "namespace" not in found[0].parts
    assert "cluster" not in found[0].parts
