"""The accepted versions of each config, kept in the cluster: a restart over a broken edit goes on with the last one,
and people can look at the earlier ones and go back.

Each is a ControllerRevision in the operator's namespace, owned by the config, so that the garbage collector removes it
with its config. A ControllerRevision cannot be changed; of the older ones as many stay as `revisionHistoryLimit` says.
"""

from collections.abc import Collection, Sequence

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api, Object
from sidecar_injector.errors import ClusterError

DEFAULT_LIMIT = 10
"""`revisionHistoryLimit` where a config says nothing, as in the CustomResourceDefinition."""


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


async def keep(api: Api, namespace: str, config: Object, in_use: Collection[int]) -> None:
    """Keep this version of a config, and as many earlier ones as it asks for.

    in_use -- generations that some replica serves, which stay in any case

    Raises ClusterError.
    """
    wanted = revision(namespace, config)
    try:
        await api.create(paths.revisions(namespace), wanted)
    except ClusterError as error:
        if error.status != 409:  # it is there already
            raise
    found = (await api.list(paths.revisions(namespace), {"labelSelector": _label(config)})).items
    for each in superfluous(found, config, in_use):
        await _delete(api, namespace, each)


def superfluous(found: Sequence[Object], config: Object, in_use: Collection[int]) -> list[Object]:
    """Return the revisions, of those found, that are beyond the history of this version of a config."""
    metadata = config["metadata"]
    uid, limit = metadata["uid"], config["spec"].get("revisionHistoryLimit")
    namesakes = [each for each in found if _uid(each) != uid]
    earlier = [each for each in found if _uid(each) == uid and each["revision"] < metadata["generation"]]
    beyond = sorted(earlier, key=_revision, reverse=True)[DEFAULT_LIMIT if limit is None else limit :]
    return [*namesakes, *(each for each in beyond if each["revision"] not in in_use)]


async def kept(api: Api, namespace: str) -> dict[str, list[Object]]:
    """Return the configs that are kept, by uid, in all versions, the newest first. Raises ClusterError."""
    listing = await api.list(paths.revisions(namespace), {"labelSelector": names.CONFIG_LABEL})
    found: dict[str, list[Object]] = {}
    for each in sorted(listing.items, key=_revision, reverse=True):
        found.setdefault(_uid(each), []).append(each["data"])
    return found


async def last_kept(api: Api, namespace: str) -> dict[str, Object]:
    """Return the configs that are kept, by uid, in their newest version. Raises ClusterError."""
    return {uid: versions[0] for uid, versions in (await kept(api, namespace)).items()}


def _uid(found: Object) -> str:
    uid: str = found["data"]["metadata"]["uid"]
    return uid


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
