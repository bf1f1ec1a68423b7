"""From a parsed config to one that can serve: templates compiled, names resolved, digest taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from types import MappingProxyType

from sidecar_injector.config.digest import digest
from sidecar_injector.config.model import SidecarInjectorConfig, Spec, TemplateSpec
from sidecar_injector.config.overrides import Override, compile_overrides
from sidecar_injector.errors import ConfigError, Problem, TemplateError, UnknownTemplateError
from sidecar_injector.templating import Steady, Template, compile_template

_TEMPLATES = 32
"""How many compiled templates are kept for the next version of their config."""


@dataclass(frozen=True)
class CompiledTemplate:
    """A template and what the config says about it."""

    spec: TemplateSpec
    template: Template


@dataclass(frozen=True)
class CompiledConfig:
    """Everything that is needed to inject by a config. Immutable, so it can be shared by requests in flight.

    templates     -- by name, in the order of `spec.templates`
    default_names -- templates for a Pod that names none: `spec.defaultTemplates` without aliases, or all of them
    digest        -- ten hexadecimal digits; equal ones inject the same
    overrides     -- what annotations may turn, by name
    derived       -- what a profile works out from the config alone, kept so that it is done once
    serial        -- tells it from all others that this process has compiled
    """

    config: SidecarInjectorConfig
    templates: Mapping[str, CompiledTemplate]
    default_names: tuple[str, ...]
    digest: str
    overrides: Mapping[str, Override]
    derived: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    serial: int = field(default_factory=count().__next__, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The config's metadata.name."""
        return self.config.name

    @property
    def spec(self) -> Spec:
        """The config's spec."""
        return self.config.spec

    def expand(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the templates that these names of templates and aliases stand for, each once, in order.

        Raises UnknownTemplateError for names that are neither.
        """
        return _expand(names, self.templates, self.spec.aliases)


def compile_config(config: SidecarInjectorConfig) -> CompiledConfig:
    """Compile templates and overrides. Raises ConfigError with a problem for each one that does not compile."""
    templates: dict[str, CompiledTemplate] = {}
    problems: list[Problem] = []
    for i, spec in enumerate(config.spec.templates):
        try:
            template = _compile(f"{config.name}/{spec.name}", spec.template, delimiters=spec.delimiters)
            templates[spec.name] = CompiledTemplate(spec, template)
        except TemplateError as error:
            problems.append(Problem(f"spec.templates[{i}].template", str(error)))
    overrides = MappingProxyType(compile_overrides(config.spec.overrides, problems))
    if problems:
        raise ConfigError(config.name, problems)
    defaults = _expand(config.spec.default_templates or tuple(templates), templates, config.spec.aliases)
    return CompiledConfig(config, MappingProxyType(templates), defaults, digest(config, defaults), overrides)


def specialised(config: CompiledConfig, steadies: Sequence[Steady]) -> CompiledConfig:
    """Return the same config, whose default templates have done already what is so for all Pods with these variables.

    Most Pods name no templates; the others are rendered as they are.
    """
    templates = {
        name: replace(compiled, template=compiled.template.specialised(steadies))
        if name in config.default_names
        else compiled
        for name, compiled in config.templates.items()
    }
    return replace(config, templates=MappingProxyType(templates))


_compile = lru_cache(_TEMPLATES)(compile_template)
"""Most edits are about something else than most of the templates."""


def _expand(
    names: Sequence[str], templates: Mapping[str, object], aliases: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    unknown = [name for name in names if name not in templates and name not in aliases]
    if unknown:
        raise UnknownTemplateError(unknown, [*templates, *aliases])
    expanded = [template for name in names for template in aliases.get(name, (name,))]
    return tuple(dict.fromkeys(expanded))
