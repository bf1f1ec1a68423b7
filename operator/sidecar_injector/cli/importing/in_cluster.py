"""The documents that configure Istio's injection, from a cluster."""

from collections.abc import Iterable

from sidecar_injector.cli.importing.sources import (
    INJECTOR,
    MESH,
    ConfigMap,
    Installation,
    config_map,
    installation,
    joined,
    named,
    suffix,
)
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api
from sidecar_injector.errors import ClusterError, InputFileError


async def from_cluster(kubeconfig: str, context: str, namespace: str, revision: str | None) -> Installation:
    """Return the installation in a cluster. Raises ClusterError and InputFileError."""
    api = Api(kubeconfig, context)
    try:
        injector = await _first(api, namespace, named(INJECTOR, revision or ""))
        if injector is None:
            raise InputFileError(f"namespace {namespace}", await _absence(api, namespace, revision))
        found = suffix(injector.name, INJECTOR) or ""
        mesh = await _first(api, namespace, (joined(MESH, found),))
    finally:
        await api.close()
    return installation(found, injector, mesh if mesh and "mesh" in mesh.data else None)


async def _first(api: Api, namespace: str, names: Iterable[str]) -> ConfigMap | None:
    for name in names:
        found = await api.find(f"{paths.config_maps(namespace)}/{name}")
        if found is not None:
            return config_map(found, "the cluster")
    return None


async def _absence(api: Api, namespace: str, revision: str | None) -> str:
    """Say that there is no such injection, and which there are."""
    try:
        listing = await api.list(paths.config_maps(namespace))
        names = [str(item["metadata"]["name"]) for item in listing.items]
    except ClusterError:
        names = []
    others = [found for name in sorted(names) if (found := suffix(name, INJECTOR)) is not None]
    wanted = named(INJECTOR, revision or "")[0]
    if not others:
        return f"has no ConfigMap {wanted}; --namespace names the one in which istiod runs"
    return f"has no ConfigMap {wanted}, but that of revision {', '.join(others)}; name one by --revision"
