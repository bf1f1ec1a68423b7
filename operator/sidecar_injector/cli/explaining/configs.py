"""SidecarInjectorConfigs as they are found in files or in the cluster: which version of each serves, if one does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sidecar_injector.cli.files import Object, flatten, is_config, read_objects
from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import ConfigError, InputFileError
from sidecar_injector.injection.view import part
from sidecar_injector.names import KIND, Condition
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.explaining.model import Known
from sidecar_injector.profiles.explaining.running import edited_at

_EMPTY_TEMPLATE = "{}"
_ORDER = 100


def from_files(names: Sequence[str]) -> tuple[Known, ...]:
    """Return the configs in these files, in calling order; one that is refused, with its problems."""
    found: dict[str, Known] = {}
    for document in read_objects(names):
        for _, value in flatten(document):
            if is_config(value):
                known = replace(_known(value), file=document.file)
                if known.name in found:
                    message = f"{KIND}/{known.name} is in {found[known.name].file} already"
                    raise InputFileError(document.file, message, document.number)
                found[known.name] = known
    if not found:
        raise InputFileError(", ".join(names), f"holds no {KIND}")
    return in_calling_order(found.values())


def from_cluster(resource: Object, kept: Mapping[str, Object]) -> Known:
    """Return a config as the operator serves it, as far as its status and what is kept of it tell.

    kept -- the last accepted version of each config, by its uid; where they cannot be read, none
    """
    known, status, metadata = _known(resource), part(resource, "status"), part(resource, "metadata")
    conditions = _conditions(status)
    unseen = _generation(status.get("observedGeneration")) < _generation(metadata.get("generation"))
    known = replace(
        known,
        revision=str(status.get("currentRevision") or ""),
        status=_unseen(known.name, metadata.get("generation")) if unseen else _not_programmed(conditions),
        created=str(metadata.get("creationTimestamp") or ""),
        edited=edited_at(resource),
    )
    accepted, earlier = conditions.get(Condition.ACCEPTED, {}), _compiled(kept.get(str(metadata.get("uid"))))
    if unseen and not known.problems:
        return replace(known, serving=earlier or known.serving)
    if known.problems or accepted.get("status") == "False":
        problems = known.problems or tuple(str(accepted.get("message")).splitlines())
        return replace(known, serving=earlier, problems=problems)
    return known


def in_calling_order(configs: Iterable[Known]) -> tuple[Known, ...]:
    """Return the configs in the order in which the API server calls for them."""
    return tuple(sorted(configs, key=lambda known: (_order(known), known.name)))


def _known(resource: Object) -> Known:
    name = str(part(resource, "metadata").get("name") or "?")
    try:
        compiled = accept(resource)
    except ConfigError as error:
        problems = tuple(str(problem) for problem in error.problems)
        return Known(name, None, problems=problems, selection=_selection(resource))
    return Known(name, compiled, compiled.digest)


def _selection(resource: Object) -> CompiledConfig | None:
    """Return the config with its templates emptied, if that leaves nothing to refuse: it selects the same Pods."""
    spec = part(resource, "spec")
    given = spec.get("templates")
    templates = [
        {**template, "template": _EMPTY_TEMPLATE}
        for template in (given if isinstance(given, list) else [])
        if isinstance(template, Mapping)
    ]
    return _compiled({**resource, "spec": {**spec, "templates": templates}})


def _compiled(resource: Object | None) -> CompiledConfig | None:
    try:
        return None if resource is None else accept(resource)
    except ConfigError:
        return None


def _conditions(status: Object) -> dict[str, Object]:
    found = status.get("conditions")
    conditions = found if isinstance(found, list) else []
    return {str(condition.get("type")): condition for condition in conditions if isinstance(condition, Mapping)}


def _unseen(name: str, generation: object) -> str:
    return f"the operator has not looked at generation {generation} of config {name} yet; does it run?"


def _not_programmed(conditions: Mapping[str, Object]) -> str:
    programmed = conditions.get(Condition.PROGRAMMED, {})
    return "" if programmed.get("status") != "False" else str(programmed.get("message"))


def _generation(value: object) -> int:
    return value if isinstance(value, int) else 0


def _order(known: Known) -> int:
    config = known.serving or known.selection
    return config.spec.order if config else _ORDER
