"""Reviews, as Kopf hands them over; the answer is left in the exchange, from where the server takes it."""

from typing import Any

import kopf

from sidecar_injector import names
from sidecar_injector.serving import admission
from sidecar_injector.serving.exchange import current


@kopf.on.mutate("v1", "pods", id=names.INJECT_HANDLER, operations=["CREATE"])
async def inject(**_: Any) -> None:
    """Inject into a Pod that is being created."""
    exchange = current.get()
    exchange.answer = admission.inject(
        exchange.request, exchange.snapshot, exchange.config, exchange.facts, exchange.parameters
    )


@kopf.on.validate(names.GROUP, names.VERSION, names.PLURAL, id=names.VALIDATE_HANDLER, operations=["CREATE", "UPDATE"])
async def validate(memo: Any, **_: Any) -> None:
    """Refuse a SidecarInjectorConfig that could not be put into force."""
    exchange = current.get()
    request = exchange.request
    exchange.answer = await admission.validate(request.pod, request.old or None, memo.application.live.judge)
