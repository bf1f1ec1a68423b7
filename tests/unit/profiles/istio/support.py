"""The stock config with something changed, and Pods in few words, for tests of profile Istio."""

import copy

from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.istio.stock import stock_config
from sidecar_injector.templating import load_all_yaml

_STOCK = load_all_yaml(stock_config(), "stock config")[0].value


def stock(name="istio", *, glob=None, pilot=None, mesh=None, templates=(), **spec):
    """The stock config, with changes under values.global, values.pilot and meshConfig, and with fields of spec."""
    resource = copy.deepcopy(_STOCK)
    resource["metadata"]["name"] = name
    values = spec.pop("values", resource["spec"]["values"])
    resource["spec"]["values"] = values
    for section, changes in (("global", glob), ("pilot", pilot)):
        if changes:
            values[section] = over(values.get(section) or {}, changes)
    resource["spec"]["meshConfig"] = over(resource["spec"]["meshConfig"], mesh or {})
    resource["spec"]["templates"] += [{"name": key, "template": text} for key, text in templates]
    resource["spec"] |= spec
    return accept(resource)


def over(below, above):
    merged = {**below, **above}
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            merged[key] = over(below[key], value)
    return merged


def subject(pod, config=None, *, facts=None, namespace="shop", namespace_labels=None, parameters=None):
    return Subject(pod, namespace, config or stock(), facts or ClusterFacts(), namespace_labels, parameters or {})
