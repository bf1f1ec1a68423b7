"""From a resource, as the API server or a file has it, to a SidecarInjectorConfig with every field filled.

What the schema in crds/ accepts is accepted here, and nothing else; a test asks a real API server about both. The
schema is not enough, because files are read without one, and because an older CRD may be installed.
"""

from collections.abc import Mapping, Sequence

from sidecar_injector.config.fields import Field, Members, describe, refuse_repeated, suggest
from sidecar_injector.config.model import (
    At,
    ConflictPolicy,
    FailurePolicy,
    Match,
    Mode,
    Position,
    ProfileName,
    ReinvocationPolicy,
    SidecarInjectorConfig,
    SidecarMode,
    Spec,
    TemplateSpec,
)
from sidecar_injector.config.parse_match import MATCH_FIELDS, parse_match
from sidecar_injector.config.parse_overrides import parse_guardrails, parse_overrides
from sidecar_injector.config.syntax import DNS_LABEL, Syntax
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.names import API_VERSION, KIND
from sidecar_injector.templating import Delimiters

MAX_TEMPLATES = 32
MAX_NAMES = 32
TEMPLATE_TEXT = Syntax("a template", longest=128 * 1024, shortest=1)

RESOURCE_FIELDS = ("apiVersion", "kind", "metadata", "spec", "status")
SPEC_FIELDS = (
    "profile",
    "revision",
    "mode",
    "match",
    "templates",
    "defaultTemplates",
    "aliases",
    "values",
    "meshConfig",
    "sidecarMode",
    "conflictPolicy",
    "failurePolicy",
    "timeoutSeconds",
    "reinvocationPolicy",
    "order",
    "revisionHistoryLimit",
    "guardrails",
    "overrides",
)
TEMPLATE_FIELDS = ("name", "template", "delimiters", "position")
POSITION_FIELDS = ("at", "before", "after")
ALIAS_FIELDS = ("name", "templates")

_BELONGS_IN_SPEC = {name: f"spec.{name}" for name in SPEC_FIELDS}
_BELONGS_ELSEWHERE = {
    **{name: f"spec.match.{name}" for name in MATCH_FIELDS},
    **dict.fromkeys(("sidecars", "containers", "initContainers", "volumes"), "the text of a template, under spec"),
}
_ANY_TEXT = Syntax("text")


def parse_config(resource: Mapping[str, object]) -> SidecarInjectorConfig:
    """Read a SidecarInjectorConfig in the form of the API (a JSON object); absent fields get the schema's defaults.

    Raises ConfigError with every problem found, each with the path of its field.
    """
    problems: list[Problem] = []
    root = Field("", resource, problems).members(RESOURCE_FIELDS, _BELONGS_IN_SPEC)
    _check_type(root)
    name, generation, uid = _metadata(root.nested("metadata"))
    spec = _spec(root.need("spec") or Field("spec", {}, []), name)
    if problems:
        raise ConfigError(name, problems)
    return SidecarInjectorConfig(name=name, generation=generation, uid=uid, spec=spec)


def _check_type(root: Members) -> None:
    for field, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        found = root.need(field)
        if found and found.value != expected:
            shown = repr(found.value) if isinstance(found.value, str) else describe(found.value)
            found.refuse(f"is {shown}; {expected} is expected")


def _metadata(field: Field) -> tuple[str, int, str]:
    """Return name, generation (0 outside a cluster) and uid ("" outside a cluster)."""
    if not isinstance(field.value, Mapping):
        field.refuse(f"is {describe(field.value)}; an object is expected")
        return "", 0, ""
    metadata = Members(field)
    name = metadata.text("name", DNS_LABEL)
    uid = metadata.get("uid")
    return name, metadata.integer("generation", 0, 0, 2**63 - 1), uid.text(_ANY_TEXT) if uid else ""


def _spec(field: Field, name: str) -> Spec:
    spec = field.members(SPEC_FIELDS, _BELONGS_ELSEWHERE)
    profile = spec.choice("profile", ProfileName.ISTIO)
    failure_policy = spec.choice("failurePolicy", FailurePolicy.FAIL)
    match = parse_match(spec.nested("match"), profile)
    _refuse_cluster_wide(spec, match, failure_policy)
    templates = _templates(spec)
    aliases = _aliases(spec, [template.name for template in templates])
    revision = spec.get("revision")
    return Spec(
        profile=profile,
        revision=revision.text(DNS_LABEL) if revision else name,
        mode=spec.choice("mode", Mode.ENFORCE),
        match=match,
        templates=templates,
        default_templates=_names(spec, "defaultTemplates", [t.name for t in templates], [*aliases]),
        aliases=aliases,
        values=spec.free("values"),
        mesh_config=spec.free("meshConfig"),
        sidecar_mode=spec.choice("sidecarMode", SidecarMode.AUTO),
        conflict_policy=spec.choice("conflictPolicy", ConflictPolicy.MERGE),
        failure_policy=failure_policy,
        timeout_seconds=spec.integer("timeoutSeconds", 5, 1, 30),
        reinvocation_policy=spec.choice("reinvocationPolicy", ReinvocationPolicy.IF_NEEDED),
        order=spec.integer("order", 100, 0, 1000),
        revision_history_limit=spec.integer("revisionHistoryLimit", 10, 0, 100),
        allowed=parse_guardrails(spec.nested("guardrails")),
        overrides=parse_overrides(spec),
    )


def _refuse_cluster_wide(spec: Members, match: Match, failure_policy: FailurePolicy) -> None:
    selector = spec.nested("match")
    given = isinstance(selector.value, Mapping) and selector.value.get("namespaceSelector")
    empty = match.namespace_selector is not None and match.namespace_selector.empty
    if failure_policy is FailurePolicy.FAIL and empty and isinstance(given, Mapping):
        Field(f"{selector.path}.namespaceSelector", given, selector.problems).refuse(
            "is empty and so matches every namespace, which failurePolicy Fail does not allow: an outage would stop "
            "the whole cluster from creating Pods; select namespaces by label, or set failurePolicy: Ignore"
        )


def _templates(spec: Members) -> tuple[TemplateSpec, ...]:
    if spec.need("templates") is None:
        return ()
    fields = spec.items("templates", MAX_TEMPLATES, at_least=1)
    templates = tuple(_template(field) for field in fields)
    refuse_repeated(fields, [template.name for template in templates])
    return templates


def _template(field: Field) -> TemplateSpec:
    template = field.members(TEMPLATE_FIELDS)
    return TemplateSpec(
        name=template.text("name", DNS_LABEL),
        template=template.text("template", TEMPLATE_TEXT),
        delimiters=template.choice("delimiters", Delimiters.CURLY),
        position=_position(template.nested("position")),
    )


def _position(field: Field) -> Position:
    position = field.members(POSITION_FIELDS)
    given = [name for name in POSITION_FIELDS if position.get(name) is not None]
    if len(given) > 1:
        field.refuse(f"has {' and '.join(given)}; give only one of {', '.join(POSITION_FIELDS)}")
    at = position.get("at")
    return Position(
        at=at.choice(At.LAST) if at else None,
        before=_container_names(position, "before"),
        after=_container_names(position, "after"),
    )


def _container_names(position: Members, name: str) -> tuple[str, ...]:
    return tuple(field.text(DNS_LABEL) for field in position.items(name, MAX_NAMES, at_least=1))


def _aliases(spec: Members, templates: Sequence[str]) -> dict[str, tuple[str, ...]]:
    fields = spec.items("aliases", MAX_NAMES)
    aliases = [field.members(ALIAS_FIELDS) for field in fields]
    names = [alias.text("name", DNS_LABEL) for alias in aliases]
    refuse_repeated(fields, names)
    for alias, name in zip(aliases, names, strict=True):
        if name in templates:
            alias.nested("name").refuse(
                f"is {name!r}, which is the name of a template; an alias needs a name of its own"
            )
    members = [_names(alias, "templates", templates, required=True) for alias in aliases]
    return dict(zip(names, members, strict=True))


def _names(
    owner: Members, list_name: str, templates: Sequence[str], aliases: Sequence[str] = (), *, required: bool = False
) -> tuple[str, ...]:
    """Read a list of names that must all be known; `required` if it has to have one at least."""
    if required and owner.need(list_name) is None:
        return ()
    fields = owner.items(list_name, MAX_NAMES, at_least=int(required))
    names = [field.text(_ANY_TEXT) for field in fields]
    refuse_repeated(fields, names)
    known = [*templates, *aliases]
    for field, name in zip(fields, names, strict=True):
        if isinstance(field.value, str) and name not in known:
            _refuse_dangling(field, name, known, "template or alias" if list_name == "defaultTemplates" else "template")
    return tuple(names)


def _refuse_dangling(field: Field, name: str, known: Sequence[str], kind: str) -> None:
    meant = suggest(name, known)
    remedy = f"did you mean {meant}?" if meant else f"there are: {', '.join(known) or 'none'}"
    field.refuse(f"is {name!r}, and no {kind} has that name; {remedy}")
