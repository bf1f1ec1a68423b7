"""A server that does next to nothing, as a process: `python -m benchmarks.servers.floor KIND DIRECTORY`.

- `kopf`: Kopf's stock server with an empty handler, its loggers at WARNING, on the event loop that `kopf run` takes
- `own`: our server, set up as the operator sets it up, which asks Kopf about Pods, for whom there is an empty handler
- `bare`: the same, without Kopf: it allows every Pod
- `aiohttp`: aiohttp's low-level server; the review is decoded, for its uid

No cluster is needed: Kopf's own function for admissions gets the registry, resources and memories that `kopf run` gives
to it, so a request takes the very same path; there are only no watches beside it. The first line of the output says, as
JSON, where it listens and whom to trust.
"""

import asyncio
import contextlib
import datetime
import functools
import importlib.util
import json
import logging
import ssl
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kopf
from aiohttp import web
from kopf._cogs.structs.references import Insights, Resource
from kopf._core.engines.admission import serve_admission_request
from kopf._core.reactor.inventory import ResourceMemories

from benchmarks import inputs
from sidecar_injector import names
from sidecar_injector.certificates import issue, new_authority
from sidecar_injector.injection.respond import allow, encode
from sidecar_injector.serving.exchange import Answer, Exchange, current, for_kopf
from sidecar_injector.serving.interpreter import settle, take_short_turns
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.logs import hush
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.server import AdmissionServer
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings
from tests.cluster.operator_process import free_ports

HOST = "127.0.0.1"
HANDLER = "inject"
"""The id of Kopf's handler, and the path at which its stock server calls it."""
PODS = Resource(group="", version="v1", plural="pods", kind="Pod", singular="pod", namespaced=True, preferred=True)

registry = kopf.OperatorRegistry()


async def kopf_stock(directory: Path) -> None:
    """Serve with kopf.WebhookServer."""
    for logger in ("kopf.objects", "aiohttp.access"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    kopf.on.mutate("v1", "pods", id=HANDLER, operations=["CREATE"], registry=registry)(_nothing)
    file, ca = _certificate(directory)
    (port,) = free_ports(1)
    server = kopf.WebhookServer(addr=HOST, port=port, certfile=str(file), pkeyfile=str(file))
    async for _ in server(_webhook_function(kopf.Memo())):
        _announce(port, ca)


async def own(directory: Path) -> None:  # noqa: ARG001  (all kinds are called alike)
    """Serve with the operator's server, which leaves Pods to a handler of Kopf's that does nothing."""
    kopf.on.mutate("v1", "pods", id=HANDLER, operations=["CREATE"], registry=registry)(_allow)
    await _ours(_Asking)


async def bare(directory: Path) -> None:  # noqa: ARG001
    """Serve with the operator's server, which does nothing with Pods."""
    await _ours(_Allowing)


class _Asking(AdmissionServer):
    async def _answer(self, exchange: Exchange, review: dict[str, Any]) -> Answer:
        assert self._kopf is not None
        current.set(exchange)
        await self._kopf(for_kopf(review), webhook=HANDLER)
        assert exchange.answer
        return exchange.answer


class _Allowing(AdmissionServer):
    def _inject(self, exchange: Exchange) -> Answer:
        return _allowed()


async def _ours(kind: type[AdmissionServer]) -> None:
    hush()
    settings, metrics = Settings(listen_address=HOST, listen_port=0, drain_seconds=0, remembered_mib=0), Metrics()
    tls = Tls(settings, metrics)
    tls.adopt(new_authority(datetime.datetime.now(datetime.UTC)))
    live = Live(metrics, _check)
    await live.offer(inputs.stock_resource())
    server = kind(settings, tls.context, live, inputs.facts, metrics)
    settle()
    take_short_turns()
    application = SimpleNamespace(live=live)
    async for _ in server(_webhook_function(kopf.Memo(application=application))):
        assert server.port
        _announce(server.port, tls.ca_bundle.decode())


async def aiohttp_empty(directory: Path) -> None:
    """Serve with nothing but aiohttp."""
    file, ca = _certificate(directory)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)

    async def answer(request: web.BaseRequest) -> web.Response:
        review = json.loads(await request.read())
        response = {"uid": review["request"]["uid"], "allowed": True}
        body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        return web.Response(body=json.dumps(body).encode(), content_type="application/json")

    server = web.Server(answer, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, HOST, 0, ssl=context)
    _announce(listener.sockets[0].getsockname()[1], ca)
    await asyncio.Event().wait()


KINDS: dict[str, Callable[[Path], Coroutine[Any, Any, None]]] = {
    "kopf": kopf_stock,
    "own": own,
    "bare": bare,
    "aiohttp": aiohttp_empty,
}


async def _check(_: object) -> tuple[()]:
    """Find nothing wrong with a config."""
    return ()


async def _nothing(**_: Any) -> None:
    """Do nothing: Kopf admits."""


async def _allow(**_: Any) -> None:
    current.get().answer = _allowed()


def _allowed() -> Answer:
    reason = names.Reason.NOTHING_TO_INJECT
    return Answer(encode(allow(reason)), reason)


def _webhook_function(memo: Any) -> Any:
    insights = Insights()
    insights.webhook_resources.add(PODS)
    return functools.partial(
        serve_admission_request,
        settings=kopf.OperatorSettings(),
        registry=registry,
        insights=insights,
        memories=ResourceMemories(),
        memobase=memo,
        indices={},
    )


def _certificate(directory: Path) -> tuple[Path, str]:
    """Write a certificate and its key to a file; return that, and whom to trust for it."""
    now = datetime.datetime.now(datetime.UTC)
    authority = new_authority(now)
    file = directory / "serving.pem"
    file.touch(mode=0o600)
    file.write_bytes(issue(authority, (HOST,), now).pem)
    return file, authority.bundle_pem.decode()


def _announce(port: int, ca: str) -> None:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    print(json.dumps({"port": port, "ca": ca, "loop": loop}), flush=True)


def main(kind: str, directory: str) -> None:
    """Serve until SIGTERM."""
    uvloop = importlib.util.find_spec("uvloop") if kind == "kopf" else None
    factory = importlib.import_module("uvloop").new_event_loop if uvloop else None
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(KINDS[kind](Path(directory)))


if __name__ == "__main__":
    main(*sys.argv[1:])
