"""May this config serve? Parsed, compiled, and tried on sample Pods, with native sidecars and with classic ones.

The live path, the validating webhook and the command line all ask here, so they give the same answer in the same words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sidecar_injector.config.compile import CompiledConfig, compile_config
from sidecar_injector.config.model import ConflictPolicy, Mode
from sidecar_injector.config.parse import parse_config
from sidecar_injector.errors import ConfigError, Problem, TemplateError, TemplateRefusal
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.render import render
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.merging import merge_problems, template_path
from sidecar_injector.profiles.samples import NAMESPACE, SAMPLES, Sample


def accept(resource: Mapping[str, object]) -> CompiledConfig:
    """Return the config of a SidecarInjectorConfig, ready to serve.

    Raises ConfigError with every problem found: of its fields if it has any, else of its templates.
    """
    compiled = compile_config(parse_config(resource))
    problems = list(dict.fromkeys(_trial_problems(compiled)))
    if problems:
        raise ConfigError(compiled.name, problems)
    return compiled


def _trial_problems(config: CompiledConfig) -> Iterator[Problem]:
    """Yield a problem for each template that fails, on the first sample that it fails on."""
    trial = as_trial(config)
    failed: set[str] = set()
    for native in (True, False):
        facts = ClusterFacts(version="v1.36.0", native_sidecars=native)
        for sample in SAMPLES:
            for name in config.templates:
                if name not in failed and (problem := _render_problem(trial, facts, sample, name)):
                    failed.add(name)
                    yield problem
    if not failed:
        yield from merge_problems(trial)


def as_trial(config: CompiledConfig) -> CompiledConfig:
    """Return the config such that every sample is injected, so that nothing hides a template that fails."""
    spec = replace(config.spec, mode=Mode.ENFORCE, conflict_policy=ConflictPolicy.MERGE)
    return replace(config, config=replace(config.config, spec=spec))


def _render_problem(config: CompiledConfig, facts: ClusterFacts, sample: Sample, name: str) -> Problem | None:
    title, pod = sample
    subject = Subject(pod, NAMESPACE, config, facts)
    try:
        for overlay in render(subject, profile_for(config), [name], pod):
            conform(overlay, strict=True)
    except TemplateRefusal:
        return None
    except TemplateError as error:
        return Problem(template_path(config, name), f"{error}\n(tried on {title})")
    return None
