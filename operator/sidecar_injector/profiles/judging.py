"""Samples with a config's templates merged in, for an API server to judge, and where its objections belong.

The rules of Pod validation are many, and there are more with every version: only the API server knows all of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.errors import Problem
from sidecar_injector.injection.trace import Path, dotted, keys_of, parse
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.profiles.merging import Trial, try_on
from sidecar_injector.profiles.samples import SAMPLES, Sample

Objection = tuple[str, str]
"""A field as validation of a PodTemplate names it, such as `template.spec.volumes[0]` (empty: it named none), and what
is wrong with it."""

_ORDINARY = SAMPLES[:2]
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_MAPS = {"labels": ("metadata", "labels"), "annotations": ("metadata", "annotations")}
"""What validation calls `template.labels` is `template.metadata.labels`."""
_NOWHERE = ("",)
"""The keys of no field, which no template has."""


@dataclass(frozen=True)
class MergedSample:
    """A sample Pod with templates merged in, and how that came about."""

    pod: Pod
    trial: Trial

    @property
    def template(self) -> dict[str, object]:
        """The Pod as a PodTemplateSpec."""
        metadata = {"labels": dict(labels(self.pod)), "annotations": dict(annotations(self.pod))}
        return {"metadata": metadata, "spec": part(self.pod, "spec")}


def merged_samples(config: CompiledConfig) -> tuple[MergedSample, ...]:
    """Return what an accepted config makes of ordinary samples, each result once; what a template refuses is left out.

    The default templates are tried on each of these samples with native sidecars and with classic ones, an alias on
    one: every sample is a call of the API server.
    """
    found: list[MergedSample] = []
    for names, sample, native in _tries(config):
        merged = _merged(config, names, sample, native)
        if merged is not None and all(merged.pod != other.pod for other in found):
            found.append(merged)
    return tuple(found)


def problems(sample: MergedSample, objections: Sequence[Objection]) -> tuple[Problem, ...]:
    """Return the objections to a sample as problems of its config, at the lines of the templates that cause them."""
    return tuple(_problem(sample, field, message) for field, message in objections)


def _tries(config: CompiledConfig) -> Iterator[tuple[Sequence[str], Sample, bool]]:
    for sample in _ORDINARY:
        for native in (True, False):
            yield config.default_names, sample, native
    for alias in config.spec.aliases:
        yield config.expand([alias]), _ORDINARY[-1], True


def _merged(config: CompiledConfig, names: Sequence[str], sample: Sample, native: bool) -> MergedSample | None:
    trial = try_on(config, names, sample, native=native)
    return None if trial is None else MergedSample(trial.merged(), trial)


def _problem(sample: MergedSample, field: str, message: str) -> Problem:
    path = _path(field)
    entry = _quoted_entry(sample.pod, path, message)
    if entry is not None:
        path = (*path, entry)
    shown = f"{dotted(path, sample.pod)}:" if path else "the Pod that they make:"
    return sample.trial.blame(shown, keys_of(path, sample.pod) or _NOWHERE, message)


def _path(field: str) -> Path:
    path = tuple(int(key) if key.isdecimal() else key for key in parse(field))[1:]
    return _MAPS.get(str(path[0]), path) if len(path) == 1 else path


def _quoted_entry(pod: Pod, path: Path, message: str) -> str | None:
    """Return the key of the label or annotation that a message about all of them quotes, by its key or its value."""
    quoted = _QUOTED.search(message)
    if path not in _MAPS.values() or quoted is None:
        return None
    try:
        text = json.loads(quoted[0])
    except ValueError:  # quoted as Go does it, with escapes that JSON does not have
        return None
    entries: Mapping[str, object] = part(part(pod, "metadata"), str(path[1]))
    return next((key for key, value in entries.items() if text in (key, value)), None)
