"""The proxy's variables that say where it is: the cluster, the network, and what a webhook's URL adds.

A webhook's URL may end in pairs such as `/cluster/east/net/network1`: one injector can then serve several clusters.
Source: https://istio.io/latest/docs/setup/install/external-controlplane/, where remote clusters call by such URLs.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar_injector.injection.view import Pod, labels
from sidecar_injector.profiles.istio.proxy_config_checks import VARIABLE
from sidecar_injector.profiles.istio.reading import at
from sidecar_injector.profiles.istio.sidecar import environment, sidecar_of, with_sidecar
from sidecar_injector.profiles.istio.vocabulary import (
    CLUSTER_VARIABLE,
    NETWORK,
    NETWORK_VARIABLE,
    PROBERS_VARIABLE,
    SCRAPE_VARIABLE,
)

_PARAMETERS = MappingProxyType({"cluster": CLUSTER_VARIABLE, "net": NETWORK_VARIABLE})
_APPENDED_LATER = (SCRAPE_VARIABLE, PROBERS_VARIABLE)
"""What the rules that follow put at the end, as an earlier injection has done already."""


def stated_environment(values: Mapping[str, object]) -> dict[str, str]:
    """Return the variables that the config's values say; what is empty counts for nothing."""
    said = {
        CLUSTER_VARIABLE: at(values, "global", "multiCluster", "clusterName"),
        NETWORK_VARIABLE: at(values, "global", "network"),
    }
    return {name: str(value) for name, value in said.items() if value not in (None, "")}


def cluster_environment(pod: Pod, stated: Mapping[str, str], parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that the URL's parameters and the Pod's label say, the label first, and those stated.

    Parameters other than those of cluster and network are variables themselves, in upper case. What is empty, or cannot
    be the name of a variable, counts for nothing.
    """
    network = labels(pod).get(NETWORK)
    if not parameters:
        return {**stated, NETWORK_VARIABLE: network} if network else stated
    said = {_PARAMETERS.get(key, key.upper()): value for key, value in parameters.items() if value}
    if network:
        said[NETWORK_VARIABLE] = network
    return {**stated, **{name: value for name, value in said.items() if VARIABLE.fullmatch(name)}}


def with_environment(pod: Pod, variables: Mapping[str, str]) -> Pod:
    """Return the Pod with these variables at the end of the proxy's, sorted by name, in place of any of these names.

    Only what the rules that follow append stays behind them, so that a second injection changes nothing.
    """
    if not variables:
        return pod
    sidecar = sidecar_of(pod)
    if sidecar is None:
        return pod
    present = environment(sidecar)
    kept = [entry for entry in present if entry.get("name") not in variables]
    end = len(kept)
    while end and kept[end - 1].get("name") in _APPENDED_LATER:
        end -= 1
    ours = [{"name": name, "value": value} for name, value in sorted(variables.items())]
    ordered = [*kept[:end], *ours, *kept[end:]]
    return pod if ordered == present else with_sidecar(pod, {**sidecar, "env": ordered})
