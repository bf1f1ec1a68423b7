"""The last accepted version of each config, kept in the cluster: a restart over a broken edit goes on with it.

Each is a ControllerRevision in the operator's namespace, owned by the config, so that the garbage collector removes it
with its config. A ControllerRevision cannot be changed; a new version gets a new one, and the older ones are deleted.
"""

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.errors import ClusterError


def revision(namespace: str, config: Object) -> Object:
    """Return the ControllerRevision that holds this version of a config."""
    metadata = config["metadata"]
    name, uid, generation = metadata["name"], metadata["uid"], metadata["generation"]
    identity = {"apiVersion": names.API_VERSION, "kind": names.KIND}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{name}-{uid[:8]}-{generation}",
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": names.APP, names.CONFIG_LABEL: name},
            "ownerReferences": [{**identity, "name": name, "uid": uid}],
        },
        "revision": generation,
        "data": {
            **identity,
            "metadata": {"name": name, "uid": uid, "generation": generation},
            "spec": config["spec"],
        },
    }


async def keep(api: Api, namespace: str, config: Object) -> None:
    """Keep this version of a config, and no other one of it. Raises ClusterError."""
    wanted = revision(namespace, config)
    try:
        await api.create(paths.revisions(namespace), wanted)
    except ClusterError as error:
        if error.status != 409:  # it is there already
            raise
    for other in (await api.list(paths.revisions(namespace), {"labelSelector": _label(config)})).items:
        if other["metadata"]["name"] != wanted["metadata"]["name"] and other["revision"] <= wanted["revision"]:
            await _delete(api, namespace, other)


async def kept(api: Api, namespace: str) -> dict[str, Object]:
    """Return the configs that are kept, by uid, in their newest version. Raises ClusterError."""
    listing = await api.list(paths.revisions(namespace), {"labelSelector": names.CONFIG_LABEL})
    return {found["data"]["metadata"]["uid"]: found["data"] for found in sorted(listing.items, key=_revision)}


def _revision(found: Object) -> int:
    number: int = found["revision"]
    return number


def _label(config: Object) -> str:
    return f"{names.CONFIG_LABEL}={config['metadata']['name']}"


async def _delete(api: Api, namespace: str, found: Object) -> None:
    try:
        await api.delete(f"{paths.revisions(namespace)}/{found['metadata']['name']}", found["metadata"]["uid"])
    except ClusterError as error:
        if error.status != 404:
            raise
