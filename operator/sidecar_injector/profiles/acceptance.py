"""May this config serve? Parsed, compiled, and tried on sample Pods, with native sidecars and with classic ones.

The live path, the validating webhook and the command line all ask here, so they give the same answer in the same words.
"""

import contextlib
from collections.abc import Iterator, Mapping

from sidecar_injector.config.compile import CompiledConfig, compile_config, specialised
from sidecar_injector.config.parse import parse_config
from sidecar_injector.errors import ConfigError, Problem, TemplateError, TemplateRefusal
from sidecar_injector.injection.conform import conform
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.alike import alike
from sidecar_injector.profiles.guarding import guardrail_problems
from sidecar_injector.profiles.merging import merge_problems, rendered, template_path, trial_subject, variants
from sidecar_injector.profiles.samples import Sample


def accept(resource: Mapping[str, object]) -> CompiledConfig:
    """Return the config of a SidecarInjectorConfig, ready to serve.

    Raises ConfigError with every problem found: of its fields if it has any, else of what they mean to its profile,
    else of its templates.
    """
    compiled = compile_config(parse_config(resource))
    problems = list(profile_for(compiled).problems(compiled)) or list(dict.fromkeys(_trial_problems(compiled)))
    if problems:
        raise ConfigError(compiled.name, problems)
    return _warm(specialised(compiled, alike(compiled)))


def _warm(config: CompiledConfig) -> CompiledConfig:
    """Render the samples once more as Pods will be rendered, so that these need not wait for their shape's plan."""
    for sample, native in variants(config):
        with contextlib.suppress(TemplateError):
            rendered(trial_subject(config, sample, native=native), config.default_names)
    return config


def _trial_problems(config: CompiledConfig) -> Iterator[Problem]:
    """Yield a problem for each template that fails, on the first sample that it fails on."""
    failed: set[str] = set()
    for sample, native in variants(config):
        for name in config.templates:
            if name not in failed and (problem := _render_problem(config, sample, name, native=native)):
                failed.add(name)
                yield problem
    if not failed:
        yield from list(merge_problems(config)) or guardrail_problems(config)


def _render_problem(config: CompiledConfig, sample: Sample, name: str, *, native: bool) -> Problem | None:
    try:
        for overlay in rendered(trial_subject(config, sample, native=native), [name]):
            conform(overlay, strict=True)
    except TemplateRefusal:
        return None
    except TemplateError as error:
        return Problem(template_path(config, name), f"{error}\n(tried on {sample.title})")
    return None
