"""What comes of the sample Pods when the templates of a config are merged into them, and whom to blame for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import Source
from sidecar_injector.config.overrides import Override
from sidecar_injector.errors import MergeError, Problem, TemplateRefusal, TemplateRenderError
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.overrides import annotation_of
from sidecar_injector.injection.pipeline import merge
from sidecar_injector.injection.profile import Plan
from sidecar_injector.injection.render import Overlay, render
from sidecar_injector.injection.trace import Keys, dotted, keys_of, parse, trace
from sidecar_injector.injection.validity import faults
from sidecar_injector.injection.view import Pod, with_annotations
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.samples import NAMESPACE, SAMPLES, Sample

KUBERNETES = "v1.36.0"
"""The version that templates are told while they are tried."""
NEW_KUBELET, OLD_KUBELET = (1, 36), (1, 28)
"""Versions that run native sidecars, and do not, for every profile."""
_SHOWN = 40
"""Characters of an override's value."""


@dataclass(frozen=True)
class Trial:
    """One sample with some templates to be merged into it: their overlays, and what is said of it to people."""

    config: CompiledConfig
    pod: Pod
    plan: Plan
    overlays: Sequence[Overlay]
    title: str

    def merged(self) -> Pod:
        """Return the merged Pod. Raises MergeError."""
        return merge(self.pod, self.plan, self.overlays)

    def blame(self, field: str, keys: Keys, message: str) -> Problem:
        """Return the problem of a field of the merged Pod, at the line of the template that put it there."""
        traced = trace(keys, self.overlays)
        if traced is None and len(self.overlays) == 1:
            traced = self.overlays[0], keys
        if traced is None:
            names = " and ".join(overlay.template for overlay in self.overlays)
            return Problem("spec.templates", f"{names}: {field} {message}\n(tried on {self.title})")
        overlay, path = traced
        error = TemplateRenderError(overlay.place(path), f"{field} {message}")
        return Problem(template_path(self.config, overlay.template), f"{error}\n(tried on {self.title})")


def merge_problems(config: CompiledConfig) -> Iterator[Problem]:
    """Yield the problems of the first trial that has some: a failed merge, or a Pod that Kubernetes would refuse."""
    for trial in _trials(config):
        problems = list(_problems(trial))
        if problems:
            yield from problems
            return


def _trials(config: CompiledConfig) -> Iterator[Trial]:
    """Yield every sample with every set of templates that are used together, for native and for classic sidecars."""
    return (trial for names in combinations(config) for trial in trials_of(config, names))


def trials_of(config: CompiledConfig, names: Sequence[str]) -> Iterator[Trial]:
    """Yield the trials of some templates: on every sample, natively and classically, and with every override turned."""
    for sample, native in variants(config):
        if trial := try_on(config, names, sample, native=native):
            yield trial


def variants(config: CompiledConfig) -> Iterator[tuple[Sample, bool]]:
    """Yield the samples on which a config is tried, and whether sidecars are native there."""
    for native in (True, False):
        yield from ((sample, native) for sample in SAMPLES)
    for override in config.overrides.values():
        yield from ((_turned(override, text), True) for text in override.extremes())


def _turned(override: Override, text: str) -> Sample:
    """Return an ordinary sample in which an override is turned, by the Namespace if a Pod may not."""
    title, pod, _ = SAMPLES[1]
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
    turning = {annotation_of(override): text}
    if Source.POD not in override.spec.sources:
        return Sample(f"{title} whose Namespace says {annotation_of(override)}: {shown!r}", pod, turning)
    return Sample(f"{title} that says {annotation_of(override)}: {shown!r}", with_annotations(pod, turning))


def try_on(config: CompiledConfig, names: Sequence[str], sample: Sample, *, native: bool) -> Trial | None:
    """Return the trial of these templates on a sample; None if one of them refuses it."""
    subject = trial_subject(config, sample, native=native)
    try:
        overlays = [conform(overlay) for overlay in rendered(subject, names)]
    except TemplateRefusal:
        return None
    return Trial(config, subject.pod, profile_for(config).plan(subject), overlays, sample.title)


def trial_subject(config: CompiledConfig, sample: Sample, *, native: bool) -> Subject:
    """Return a sample as what is to be injected, in a cluster whose nodes run native sidecars or do not."""
    namespace = NamespaceFacts(NAMESPACE, {}, sample.namespace)
    kubelet = NEW_KUBELET if native else OLD_KUBELET
    facts = ClusterFacts(version=KUBERNETES, oldest_kubelet=kubelet, namespaces={NAMESPACE: namespace})
    return Subject(sample.pod, NAMESPACE, config, facts)


def rendered(subject: Subject, names: Sequence[str]) -> list[Overlay]:
    """Return what these templates yield for a sample. Raises TemplateError."""
    return render(subject, profile_for(subject.config).plan(subject), names)


def _problems(trial: Trial) -> Iterator[Problem]:
    try:
        pod = trial.merged()
    except MergeError as error:
        yield trial.blame(error.path, parse(error.path), error.problem)
        return
    for path, message in faults(pod):
        yield trial.blame(dotted(path, pod), keys_of(path, pod), message)


def combinations(config: CompiledConfig) -> Iterator[Sequence[str]]:
    """Yield the sets of templates that are used together as they stand: the default ones, and each alias."""
    yield config.default_names
    for alias in config.spec.aliases:
        yield config.expand([alias])


def template_path(config: CompiledConfig, template: str) -> str:
    """Return the path of a template's text in its config."""
    return f"spec.templates[{list(config.templates).index(template)}].template"
