"""What an API server says to the Pods that a config makes: asked by creating PodTemplates, by dry run.

A PodTemplate is validated as a Pod is, but runs nowhere; of a dry run, nothing is stored.
"""

import asyncio
import logging
import re

from sidecar_injector import names
from sidecar_injector.cluster import paths
from sidecar_injector.cluster.api import Api
from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import ClusterError, Problem
from sidecar_injector.profiles.judging import MergedSample, Objection, merged_samples, problems

PATIENCE_SECONDS = 4.0
"""An edit must not wait longer for this: the API server itself waits for the answer of the validating webhook."""

_UNREADABLE = "cannot be handled as a PodTemplate: "
_UNKNOWN_FIELD = re.compile(r'unknown field "([^"]+)"')
_MISFIT = re.compile(r"json: cannot unmarshal (\S+) .*?template\.(\S+) of type (\S+)")

logger = logging.getLogger(__name__)


async def check(api: Api, config: CompiledConfig, namespace: str) -> tuple[Problem, ...]:
    """Return what the API server finds wrong with what an accepted config makes of sample Pods.

    `namespace` is one where the operator may create PodTemplates. An API server that cannot be asked does not object.
    """
    samples = await asyncio.to_thread(merged_samples, config)
    judgements = await asyncio.gather(*(judge(api, namespace, sample) for sample in samples))
    for sample, found in zip(samples, judgements, strict=True):
        if found:  # the other samples have much the same to say
            return await asyncio.to_thread(problems, sample, found)
    return ()


async def judge(api: Api, namespace: str, sample: MergedSample) -> tuple[Objection, ...]:
    """Return the API server's objections to a Pod: none if it is valid, or if it cannot be asked."""
    body = {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"generateName": f"{names.APP}-trial-"},
        "template": sample.template,
    }
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await api.create(paths.pod_templates(namespace), body, dry_run=True)
    except ClusterError as error:
        found = objections(error)
        if not found:
            logger.info("The API server could not judge what a template makes of %s: %s", sample.trial.title, error)
        return found
    except TimeoutError:
        logger.info("The API server took too long to judge what a template makes of %s", sample.trial.title)
    return ()


def objections(error: ClusterError) -> tuple[Objection, ...]:
    """Return what an answer has against the Pod itself; a refusal on any other grounds (rights, policies) has nothing.

    Invalid values come with their fields; a body that does not fit the types at all, only with a text.
    """
    if error.status == 422:
        return tuple((field, message) for field, message in error.fields if field.startswith("template."))
    _, unreadable, text = str(error).partition(_UNREADABLE)
    if error.status != 400 or not unreadable:
        return ()
    unknown = _UNKNOWN_FIELD.findall(text)
    if unknown:
        return tuple((field, "the API server knows no such field") for field in unknown)
    return (("", _MISFIT.sub(r"\2: a \1 cannot be read as \3", text)),)
