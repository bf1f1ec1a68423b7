"""The annotation `k8s.v1.cni.cncf.io/networks`: the networks that Multus attaches a Pod to, Istio's among them.

Source: https://github.com/k8snetworkplumbingwg/multi-net-spec (Network Attachment Selection Annotation): a list of
names separated by commas, or a JSON list of objects.
"""

import json

from sidecar_injector.injection.json_text import json_of


def with_network(existing: str, name: str) -> str:
    """Return a list of networks with one more at its end, in the form that the list has; all else is kept as written.

    A list that has the network already, and one that is malformed, come back as they are.
    """
    if not existing.strip():
        return name
    if any(sign in existing for sign in '[{"'):
        return _with_json_network(existing, name)
    names = [item.strip().partition("@")[0] for item in existing.split(",")]
    return existing if name in names else f"{existing}, {name}"


def _with_json_network(existing: str, name: str) -> str:
    networks = json_of(existing)
    if not isinstance(networks, list) or not all(isinstance(item, dict) for item in networks):
        return existing
    if any(name in (item.get("name"), f"{item.get('namespace')}/{item.get('name')}") for item in networks):
        return existing
    end = existing.rindex("]")
    separator = ", " if networks else ""
    return f'{existing[:end]}{separator}{{"name": {json.dumps(name)}}}{existing[end:]}'
