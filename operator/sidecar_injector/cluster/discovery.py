"""What the API server says that it serves."""

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api


async def serves_configs(api: Api) -> bool:
    """Tell whether the API server serves our resource, and says so to everybody who asks.

    After the CustomResourceDefinition is installed the one comes first and the other a second or so later; Kopf watches
    only what it was told of. Raises ClusterError.
    """
    groups = (await api.get(paths.GROUPS))["groups"]
    if not any(group["name"] == names.GROUP for group in groups):
        return False
    found = await api.find(paths.GROUP) or {"resources": []}
    return any(resource["name"] == names.PLURAL for resource in found["resources"])
