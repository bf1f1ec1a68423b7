"""What happens in the cluster, as told by watches. Plain events: Kopf writes nothing, and every replica hears them."""

from typing import Any

import kopf

from sidecar_injector import names
from sidecar_injector.cluster import paths

CONFIGS = (names.GROUP, names.VERSION, names.PLURAL)
DEFINITIONS = ("apiextensions.k8s.io", "v1", "customresourcedefinitions")
WEBHOOKS = ("admissionregistration.k8s.io", "v1")


@kopf.on.event(*CONFIGS)
async def config_event(event: Any, memo: Any, **_: Any) -> None:
    """Put an edit into force, or take a deleted config out of it."""
    if event["type"] == "DELETED":
        memo.application.live.remove(event["object"])
    else:
        await memo.application.live.offer(event["object"])


@kopf.on.event(*DEFINITIONS)
async def definition_event(event: Any, memo: Any, **_: Any) -> None:
    """Notice that the CustomResourceDefinition is deleted."""
    if event["type"] == "DELETED":
        memo.application.distrust_watch()


@kopf.on.event("v1", "namespaces")
async def namespace_event(event: Any, memo: Any, **_: Any) -> None:
    """Keep the labels and annotations that templates see current."""
    facts = memo.application.facts
    (facts.namespace_gone if event["type"] == "DELETED" else facts.namespace_seen)(event["object"])


@kopf.on.event("v1", "nodes")
async def node_event(event: Any, memo: Any, **_: Any) -> None:
    """Keep the versions of the kubelets current: they tell whether native sidecars run."""
    facts = memo.application.facts
    (facts.node_gone if event["type"] == "DELETED" else facts.node_seen)(event["object"])


@kopf.on.event(*WEBHOOKS, "mutatingwebhookconfigurations")
async def mutating_webhook_event(event: Any, memo: Any, **_: Any) -> None:
    """Notice edits of our MutatingWebhookConfiguration."""
    memo.application.webhook_seen(paths.MUTATING_WEBHOOK, event)


@kopf.on.event(*WEBHOOKS, "validatingwebhookconfigurations")
async def validating_webhook_event(event: Any, memo: Any, **_: Any) -> None:
    """Notice edits of our ValidatingWebhookConfiguration."""
    memo.application.webhook_seen(paths.VALIDATING_WEBHOOK, event)
