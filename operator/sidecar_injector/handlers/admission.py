"""Reviews of configs, as Kopf hands them over; the answer is left in the exchange, from where the server takes it.

Those of Pods do not come here: see `serving.server`.
"""

from typing import Any

import kopf

from sidecar_injector import names
from sidecar_injector.serving import admission
from sidecar_injector.serving.exchange import current


@kopf.on.validate(names.GROUP, names.VERSION, names.PLURAL, id=names.VALIDATE_HANDLER, operations=["CREATE", "UPDATE"])
async def validate(memo: Any, **_: Any) -> None:
    """Refuse a SidecarInjectorConfig that could not be put into force."""
    exchange = current.get()
    request = exchange.request
    exchange.answer = await admission.validate(request.pod, request.old or None, memo.application.live.judge)
