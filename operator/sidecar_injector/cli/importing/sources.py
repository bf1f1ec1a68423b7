"""The documents that configure Istio's injection, from files.

They are `config` and `values` of ConfigMap istio-sidecar-injector[-<revision>], and `mesh` of ConfigMap
istio[-<revision>].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.cli.files import Object, flatten, read_documents, read_objects
from sidecar_injector.config.fields import describe
from sidecar_injector.errors import InputFileError
from sidecar_injector.templating import Document, load_all_yaml

INJECTOR = "istio-sidecar-injector"
MESH = "istio"
DEFAULT = "default"


@dataclass(frozen=True)
class Installation:
    """One revision of Istio's injection.

    revision -- what stands behind the names of its ConfigMaps; empty for the one without
    config, values, mesh -- its documents; mesh is empty where there is none
    origins -- where they come from, for people
    """

    revision: str
    config: Mapping[str, object]
    values: Mapping[str, object]
    mesh: Mapping[str, object]
    origins: tuple[str, ...]


@dataclass(frozen=True)
class ConfigMap:
    """A ConfigMap: where it was found, for people, its namespace and name, and its data."""

    where: str
    namespace: str
    name: str
    data: Mapping[str, object]

    @property
    def title(self) -> str:
        """Return what the report calls it."""
        return f"ConfigMap {self.namespace or '?'}/{self.name}"

    def document(self, key: str) -> Mapping[str, object]:
        """Return the document under a key. Raises InputFileError."""
        text = self.data.get(key)
        place = f"{self.where}: {self.title}: data.{key}"
        if not isinstance(text, str):
            raise InputFileError(place, f"is {'missing' if text is None else describe(text)}; text is expected")
        return _the_object(load_all_yaml(text, place), place)


def _the_object(found: Sequence[Document], place: str) -> Mapping[str, object]:
    """Return the only document, which is an object. Raises InputFileError."""
    if len(found) != 1 or not isinstance(found[0].value, Mapping):
        what = describe(found[0].value) if len(found) == 1 else f"{len(found)} documents"
        raise InputFileError(place, f"is {what}; one object is expected")
    return found[0].value


# --- files


def from_files(names: Sequence[str], namespace: str | None, revision: str | None) -> Installation:
    """Return the installation whose ConfigMaps are in these files; other objects are passed over.

    Raises InputFileError where there is none, or more than one and no revision is named.
    """
    maps = [found for found in _config_maps(names) if namespace in (None, "", found.namespace or namespace)]
    return _chosen(maps, revision, ", ".join(names))


def _config_maps(names: Sequence[str]) -> Iterator[ConfigMap]:
    for document in read_objects(names):
        for path, value in flatten(document):
            if value["apiVersion"] == "v1" and value["kind"] == "ConfigMap":
                at = f"{document.file}: document {document.number}"
                yield config_map(value, f"{at}: {path}" if path else at)


def config_map(value: Object, where: str) -> ConfigMap:
    """Return a ConfigMap that was found there."""
    metadata, data = value.get("metadata"), value.get("data")
    known = metadata if isinstance(metadata, Mapping) else {}
    return ConfigMap(
        where,
        str(known.get("namespace") or ""),
        str(known.get("name") or ""),
        data if isinstance(data, Mapping) else {},
    )


def _chosen(maps: Sequence[ConfigMap], revision: str | None, where: str) -> Installation:
    injectors = [found for found in maps if suffix(found.name, INJECTOR) is not None and "config" in found.data]
    if not injectors:
        raise InputFileError(where, f"holds no ConfigMap {INJECTOR} (or {INJECTOR}-<revision>) with the key config")
    names = sorted({found.name for found in injectors})
    wanted = names if revision is None else [name for name in named(INJECTOR, revision) if name in names][:1]
    if len(wanted) != 1:
        asked = "is in it more than once" if revision is None else f"of revision {revision} is not in it"
        raise InputFileError(where, f"Istio's injection {asked}: there are {', '.join(names)}; name one by --revision")
    found = suffix(wanted[0], INJECTOR) or ""
    injector = _only([found for found in injectors if found.name == wanted[0]], where)
    meshes = [each for each in maps if each.name == joined(MESH, found) and "mesh" in each.data]
    return installation(found, injector, _only(meshes, where) if meshes else None)


def _only(maps: Sequence[ConfigMap], where: str) -> ConfigMap:
    if len(maps) > 1:
        places = ", ".join(f"{found.where} (namespace {found.namespace or '?'})" for found in maps)
        raise InputFileError(where, f"ConfigMap {maps[0].name} is given more than once: {places}; see --namespace")
    return maps[0]


def suffix(name: str, base: str) -> str | None:
    """Return the revision behind a ConfigMap's name; None if it is another ConfigMap's."""
    if name == base:
        return ""
    return name.removeprefix(f"{base}-") if name.startswith(f"{base}-") else None


def named(base: str, revision: str) -> tuple[str, ...]:
    """Return the names that the ConfigMap of a revision may have; `default` is Istio's word for the one without."""
    return (base, f"{base}-{DEFAULT}") if revision in ("", DEFAULT) else (f"{base}-{revision}",)


def joined(base: str, suffix: str) -> str:
    """Return the name of the ConfigMap of a revision."""
    return f"{base}-{suffix}" if suffix else base


def installation(revision: str, injector: ConfigMap, mesh: ConfigMap | None) -> Installation:
    """Return what these ConfigMaps hold. Raises InputFileError."""
    return Installation(
        revision,
        injector.document("config"),
        injector.document("values"),
        mesh.document("mesh") if mesh else {},
        (injector.title, mesh.title) if mesh else (injector.title,),
    )


def from_documents(config: str, values: str, mesh: str | None, revision: str | None) -> Installation:
    """Return the installation whose documents are in these files. Raises InputFileError."""
    found = [_document_of(name) for name in (config, values)]
    stated = found[1].get("revision")
    asked = revision if revision is not None else stated if isinstance(stated, str) else ""
    return Installation(
        "" if asked == DEFAULT else asked,
        found[0],
        found[1],
        _document_of(mesh) if mesh else {},
        tuple(name for name in (config, values, mesh) if name),
    )


def _document_of(name: str) -> Mapping[str, object]:
    return _the_object(read_documents(name), name)
