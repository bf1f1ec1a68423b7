"""An installation of Istio's injector as a SidecarInjectorConfig, and what is to be said about it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sidecar_injector.cli.importing.sources import DEFAULT, Installation
from sidecar_injector.cli.importing.templates import Templates, convert_templates
from sidecar_injector.config.fields import Field, describe
from sidecar_injector.config.model import (
    FailurePolicy,
    Guardrail,
    Mode,
    Policy,
    ProfileName,
    ReinvocationPolicy,
    SidecarMode,
)
from sidecar_injector.config.parse_match import parse_selector
from sidecar_injector.config.syntax import DNS_LABEL
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.names import API_VERSION, KIND
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.guarding import needed
from sidecar_injector.profiles.istio.reading import at, map_at

STOCK_DEFAULT = ("sidecar",)
"""Templates of a Pod that names none, where Istio's `defaultTemplates` is empty."""
_BLOCK = "sidecarInjectorWebhook"
_POLICIES = {"enabled": Policy.ENABLED, "disabled": Policy.DISABLED}
_SIDECAR_MODES = {"true": SidecarMode.NATIVE, "false": SidecarMode.CLASSIC}
_TEMPLATE_PATH = re.compile(r"spec\.templates\[(\d+)\]")


@dataclass
class Conversion:
    """A config, and how it came about.

    resource -- the SidecarInjectorConfig
    templates -- what became of the templates
    incomplete -- what could not be carried over, a line each
    ignored -- what Istio ignores, too
    differs -- what is not as it is in Istio
    allowed -- what in the templates needs a guardrail to be opened, by the guardrail
    problems -- why the config would be refused; then there is no use in it
    """

    resource: dict[str, object]
    templates: Templates
    incomplete: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    allowed: dict[str, list[str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def complete(self) -> bool:
        """Tell whether everything was carried over."""
        return not self.incomplete and not self.templates.refused and not self.templates.changed


def convert(source: Installation) -> Conversion:
    """Return the config of an installation, as it would be accepted, without the templates that would not."""
    config = source.config
    values = _values(config, source.values)
    templates = convert_templates(_mapping(config, "templates"), values)
    while True:
        found = _assembled(source, values, templates)
        if found.problems or not _refused_templates(found):
            return _guarded(found)


def _mapping(owner: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = owner.get(key)
    return value if isinstance(value, Mapping) else {}


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _values(config: Mapping[str, object], values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the values, with the annotations for all Pods where our profile looks for them."""
    annotations = _mapping(config, "injectedAnnotations")
    if not annotations:
        return values
    block = _mapping(values, _BLOCK)
    return {**values, _BLOCK: {**block, "injectedAnnotations": dict(annotations)}}


def _assembled(source: Installation, values: Mapping[str, object], templates: Templates) -> Conversion:
    found = Conversion({}, templates)
    match = _match(source.config, found)
    defaults, aliases = _references(source.config, found)
    spec: dict[str, object] = {
        "profile": str(ProfileName.ISTIO),
        "revision": source.revision or DEFAULT,
        **_mode(source.config, found),
        "match": match,
        "values": values,
        "meshConfig": source.mesh,
        "templates": [{"name": name, "template": text} for name, text in templates.texts.items()],
        "defaultTemplates": defaults,
        **({"aliases": aliases} if aliases else {}),
        "sidecarMode": str(_sidecar_mode(values, found)),
        "reinvocationPolicy": str(_reinvocation(values, found)),
        "failurePolicy": str(_failure_policy(values, source.revision or DEFAULT, found)),
    }
    name = f"istio-{source.revision}" if source.revision else "istio"
    found.resource.update({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec})
    if not source.mesh:
        found.differs.append("there was no MeshConfig: the defaults of Istio are taken")
    if not defaults:
        message = "none of Istio's default templates could be carried over, so Pods that name none would get nothing"
        found.problems = (Problem("spec.defaultTemplates", message),)
    return found


def _guarded(found: Conversion) -> Conversion:
    """Allow the config what its templates give to sample Pods, and nothing else; Istio has no such guardrails."""
    if found.problems:
        return found
    for templates, breach in needed(accept(_unguarded(found.resource))):
        found.allowed.setdefault(str(breach.guardrail), []).append(f"{breach} (template {templates})")
    spec = found.resource["spec"]
    assert isinstance(spec, dict)
    spec["guardrails"] = {"allow": [str(guardrail) for guardrail in Guardrail if guardrail in found.allowed]}
    return found


def _unguarded(resource: Mapping[str, object]) -> Mapping[str, object]:
    spec = resource["spec"]
    assert isinstance(spec, dict)
    return {**resource, "spec": {**spec, "guardrails": {"allow": list(map(str, Guardrail))}}}


def _refused_templates(found: Conversion) -> bool:
    """Leave the translated templates out that would be refused; tell whether there were any."""
    try:
        accept(_unguarded(found.resource))
    except ConfigError as error:
        names = list(found.templates.texts)
        blamed: dict[str, list[str]] = {}
        for problem in error.problems:
            at = _TEMPLATE_PATH.match(problem.path)
            name = names[int(at[1])] if at else ""
            if name in found.templates.translated:
                blamed.setdefault(name, []).append(f"it is translated, but {problem.message}")
        if not blamed:
            found.problems = error.problems
        for name, reasons in blamed.items():
            found.templates.refuse(name, *reasons)
        return bool(blamed)
    return False


# --- fields


def _match(config: Mapping[str, object], found: Conversion) -> dict[str, object]:
    policy = _POLICIES.get(str(config.get("policy")), Policy.DISABLED)
    match: dict[str, object] = {"policy": str(policy)}
    for ours, theirs in (("neverInject", "neverInjectSelector"), ("alwaysInject", "alwaysInjectSelector")):
        selectors = list(_selectors(config.get(theirs), theirs, found))
        if selectors:
            match[ours] = selectors
    return match


def _mode(config: Mapping[str, object], found: Conversion) -> dict[str, object]:
    if str(config.get("policy")) in _POLICIES:
        return {}
    found.differs.append(
        f"policy is {config.get('policy')!r}, with which Istio injects nothing and says so in its log: mode is Disabled"
    )
    return {"mode": str(Mode.DISABLED)}


def _selectors(given: object, name: str, found: Conversion) -> Iterator[Mapping[str, object]]:
    if given is not None and not isinstance(given, list):
        found.ignored.append(f"{name}: is {describe(given)}; a list is expected")
    for i, item in enumerate(given if isinstance(given, list) else []):
        problems: list[Problem] = []
        selector = parse_selector(Field(f"{name}[{i}]", item, problems))
        if problems:
            found.ignored += [str(problem) for problem in problems]
        elif selector.empty:
            found.ignored.append(f"{name}[{i}]: is empty")
        else:
            yield selector.to_dict()


def _sidecar_mode(values: Mapping[str, object], found: Conversion) -> SidecarMode:
    given = at(values, "pilot", "env", "ENABLE_NATIVE_SIDECARS")
    text = str(given).lower()
    if given not in (None, "") and text not in (*_SIDECAR_MODES, "auto"):
        found.ignored.append(f"values.pilot.env.ENABLE_NATIVE_SIDECARS: is {given!r}; auto is taken")
    return _SIDECAR_MODES.get(text, SidecarMode.AUTO)


def _reinvocation(values: Mapping[str, object], found: Conversion) -> ReinvocationPolicy:
    given = at(values, _BLOCK, "reinvocationPolicy")
    if given == ReinvocationPolicy.IF_NEEDED:
        return ReinvocationPolicy.IF_NEEDED
    found.differs.append(
        "reinvocationPolicy is Never, as in Istio; IfNeeded is safe here, and covers containers of later webhooks"
    )
    return ReinvocationPolicy.NEVER


def _failure_policy(values: Mapping[str, object], revision: str, found: Conversion) -> FailurePolicy:
    if revision != DEFAULT or not map_at(values, _BLOCK).get("enableNamespacesByDefault"):
        return FailurePolicy.FAIL
    found.differs.append(
        "failurePolicy is Ignore, where Istio's is Fail: with enableNamespacesByDefault, an outage of the injector "
        "would else stop the whole cluster from creating Pods"
    )
    return FailurePolicy.IGNORE


# --- references


def _references(config: Mapping[str, object], found: Conversion) -> tuple[list[str], list[dict[str, object]]]:
    """Return the names of default templates and the aliases, as far as there are templates for them."""
    known = set(found.templates.texts)
    aliases: dict[str, list[str]] = {}
    shadowing: dict[str, list[str]] = {}
    for name, members in _mapping(config, "aliases").items():
        kept = _kept(f"alias {name}", _names(members), known, found)
        if name in known:
            shadowing[name] = kept
            found.incomplete.append(
                f"alias {name} has the name of a template, which is not possible here: Pods that name {name} get the "
                f"template alone; name {', '.join(kept) or 'the templates'} in an alias of another name"
            )
        elif fault := DNS_LABEL.fault(name):
            found.incomplete.append(f"alias {name}: its name {fault}")
        elif kept:
            aliases[name] = kept
    asked = _names(config.get("defaultTemplates")) or list(STOCK_DEFAULT)
    asked = [member for name in asked for member in shadowing.get(name, [name])]
    defaults = _kept("defaultTemplates", asked, known | set(aliases), found)
    return defaults, [{"name": name, "templates": members} for name, members in aliases.items()]


def _kept(owner: str, names: Sequence[str], known: set[str], found: Conversion) -> list[str]:
    for name in names:
        if name not in known:
            found.incomplete.append(f"{owner}: {name} is left out, because there is no such template here")
    return [name for name in dict.fromkeys(names) if name in known]
