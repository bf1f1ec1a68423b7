"""What templates see alike of most Pods: found by a look at some that have nothing in common."""

import json
from collections.abc import Mapping

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.render import template_context
from sidecar_injector.injection.view import Pod
from sidecar_injector.profiles import profile_for
from sidecar_injector.templating import Steady, steady_between

_OPENSHIFT = {"openshift.io/sa.scc.uid-range": "1000620000/10000", "openshift.io/sa.scc.supplemental-groups": "1/2"}
"""Of a Namespace on OpenShift, where what follows from it is another in each."""
_SAY = {
    "proxy.istio.io/config": '{"holdApplicationUntilProxyStarts": true, "proxyMetadata": {"SAMPLE": "1"}}',
    "sidecar.istio.io/logLevel": "trace",
}
"""Of a Pod that has a say in what is injected: what profile Istio works out for it is its own.

The two settings here are otherwise the very same object for all Pods, and many Pods change them.
"""


def alike(config: CompiledConfig) -> list[Steady]:
    """Return the variables of a config's templates that do not depend on the Pod.

    First those of most Pods, then those that are the same also for one that has a say in what is injected.
    """
    one = _context(config, "one", "apps/v1 ReplicaSet", (1, 28), {}, {})
    two = _context(config, "two", "batch/v1 Job", (1, 36), _OPENSHIFT, {})
    three = _context(config, "three", "apps/v1 StatefulSet", (1, 36), {}, _SAY)
    return [steady_between(one, two), steady_between(one, two, three)]


def _context(
    config: CompiledConfig,
    name: str,
    owner: str,
    kubelet: tuple[int, int],
    notes: Mapping[str, str],
    say: Mapping[str, str],
) -> Mapping[str, object]:
    """Return what templates see of a Pod whose names all begin with this one.

    owner   -- API version and kind
    kubelet -- the cluster's oldest
    notes   -- annotations of the Namespace
    say     -- annotations of the Pod; with some, it has resources as a whole, too
    """
    namespace = f"{name}-namespace"
    found = {namespace: NamespaceFacts(namespace, {"name": name}, {"note": name, **notes})}
    facts = ClusterFacts(version=f"{name}-version", oldest_kubelet=kubelet, namespaces=found)
    subject = Subject(_pod(name, namespace, owner, say), namespace, config, facts)
    return template_context(subject, profile_for(config).plan(subject))


def _pod(name: str, namespace: str, owner: str, say: Mapping[str, str]) -> Pod:
    version, kind = owner.split()
    controller = {
        "apiVersion": version,
        "kind": kind,
        "name": f"{name}-owner",
        "uid": f"{name}-uid",
        "controller": True,
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{name}-",
            "namespace": namespace,
            "labels": {"app": f"{name}-app", "version": f"{name}-version"},
            "annotations": {"example.com/note": f"{name}-note", **say},
            "ownerReferences": [controller],
        },
        "spec": {
            "containers": [{"name": f"{name}-container", "image": f"registry.example/{name}"}],
            "serviceAccountName": f"{name}-account",
            **({"resources": {"limits": {"memory": "1Gi"}}} if say else {}),
        },
    }
    return json.loads(json.dumps(pod))  # type: ignore[no-any-return] # as of a request: every text is one of its own
