"""What the templates of a config give to the sample Pods beyond what the config may give."""

from collections.abc import Iterator, Sequence

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import Guardrail
from sidecar_injector.errors import InjectionError, Problem
from sidecar_injector.injection.guardrails import Breach, breaches, dotted, remedy
from sidecar_injector.injection.schema import CONTAINER_LISTS
from sidecar_injector.injection.view import Pod
from sidecar_injector.profiles.merging import Trial, combinations, trials_of


def guardrail_problems(config: CompiledConfig) -> Iterator[Problem]:
    """Yield every breach of the guardrails once, at the line of the template that commits it."""
    found = list(_found(config, config.spec.allowed))
    allow = ", ".join(remedy(config.spec.allowed, [str(breach.guardrail) for _, breach in found]))
    for trial, breach in found:
        message = (
            f"{breach.found}, which a config may not give to Pods unless it is allowed to: take it out, or set "
            f"spec.guardrails.allow: [{allow}]"
        )
        yield trial.blame(dotted(breach.keys), breach.keys, message)


def needed(config: CompiledConfig) -> list[tuple[str, Breach]]:
    """Return what a config has to be allowed, whatever it is allowed: each breach with the templates that commit it."""
    found = _found(config, frozenset())
    return [(" and ".join(overlay.template for overlay in trial.overlays), breach) for trial, breach in found]


def _found(config: CompiledConfig, allowed: frozenset[Guardrail]) -> Iterator[tuple[Trial, Breach]]:
    """Yield breaches with the first trial that each was found in."""
    seen: set[tuple[Guardrail, tuple[str, ...], tuple[str, ...]]] = set()
    if len(allowed) == len(Guardrail):
        return
    for names in _chosen(config):
        for trial in trials_of(config, names):
            for breach in breaches(trial.pod, _merged(trial), allowed):
                where = tuple(key for key in breach.keys if key not in CONTAINER_LISTS)
                mark = breach.guardrail, tuple(names), where
                if mark not in seen:
                    seen.add(mark)
                    yield trial, breach


def _merged(trial: Trial) -> Pod:
    """Return the merged Pod; the sample itself, where templates do not merge: they are there to go with others."""
    try:
        return trial.merged()
    except InjectionError:
        return trial.pod


def _chosen(config: CompiledConfig) -> Iterator[Sequence[str]]:
    """Yield the sets of templates that are used together, and those that a Pod may name by themselves."""
    together = list(combinations(config))
    yield from together
    used = {name for names in together for name in names}
    yield from ([name] for name in config.templates if name not in used)
