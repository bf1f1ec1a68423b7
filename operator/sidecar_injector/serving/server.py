"""The webhook server: Kopf's official extension point `settings.admission.server`.

A request goes: HTTP (here) → `requests` (path, content type, JSON) → `parse_review` → what needs no handler is answered
by `admission.without_kopf` → Kopf chooses and calls the handler → `admission.inject` leaves the answer in the exchange.
"""

import asyncio
import contextlib
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

from sidecar_injector.errors import ReviewError
from sidecar_injector.injection.review import Request, parse_review
from sidecar_injector.names import Reason
from sidecar_injector.serving import admission, requests
from sidecar_injector.serving.exchange import Answer, Exchange, current, for_kopf
from sidecar_injector.serving.listening import listening
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.settings import Settings

WebhookFunction = Callable[..., Awaitable[Any]]
"""Kopf's function: takes a review, the handler's id, headers and the TLS peer; returns a review with an answer."""

READ_SECONDS = 10.0
"""How long a body may take to arrive."""
PROBLEM_LENGTH = 1000
"""Characters of what is wrong with a request that go into the answer and the log: it may quote the request."""
CLOSE_SECONDS = 10.0
"""How long requests in flight may take after the listener is closed."""

logger = logging.getLogger(__name__)
access = logging.getLogger("sidecar_injector.admissions")


class AdmissionServer:
    """Listens for API servers, and drains when it is cancelled."""

    def __init__(self, settings: Settings, tls: ssl.SSLContext, live: Live, metrics: Metrics) -> None:
        self._settings = settings
        self._tls = tls
        self._live = live
        self._metrics = metrics
        self._kopf: WebhookFunction | None = None
        self._in_flight = 0
        self.port: int | None = None
        """The port listened on; None while there is no listener."""
        self.listening = asyncio.Event()
        """Set when the listener opens; never cleared."""
        self.draining = False

    async def __call__(self, function: WebhookFunction) -> AsyncIterator[dict[str, Any]]:
        """Serve until cancelled: Kopf's protocol. What is yielded is unused, for Kopf manages no configuration here."""
        self._kopf = function
        server = web.Server(self._handle, access_log=None, request_factory=self._request)
        settings = self._settings
        opened = listening(settings.listen_address, settings.listen_port)
        listener = await asyncio.get_running_loop().create_server(server, sock=opened, ssl=self._tls)
        self.port = opened.getsockname()[1]
        self.listening.set()
        logger.info("Webhook server listens on port %s", self.port)
        try:
            yield {}
            await asyncio.Event().wait()
        finally:
            await self._drain(listener, server)

    async def _drain(self, listener: asyncio.Server, server: web.Server) -> None:
        """Go on serving while the news that we are going spreads, then finish what is in flight."""
        self.draining = True
        logger.info("Draining for %g s: still serving, readiness is off", self._settings.drain_seconds)
        await asyncio.sleep(self._settings.drain_seconds)
        listener.close()
        self.port = None
        server.pre_shutdown()
        await server.shutdown(CLOSE_SECONDS)
        logger.info("Webhook server has stopped")

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        try:
            response = await self._respond(request)
        except ReviewError as error:
            self._metrics.rejected.labels(requests.REJECTIONS.get(error.status, "Malformed")).inc()
            problem = str(error)[:PROBLEM_LENGTH]
            logger.info("Request refused with %s: %s", error.status, problem)
            response = web.Response(status=error.status, text=f"{problem}\n")
        if self.draining:
            response.force_close()
        return response

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        route = requests.route(request.path)
        if route.config and not self._live.snapshot.knows(route.config):
            known = ", ".join(sorted(self._live.snapshot.entries)) or "none"
            raise ReviewError(f"unknown SidecarInjectorConfig {route.config[:200]!r}: there are {known}", 404)
        requests.check_method(request.method)
        requests.check_content_type(request.headers.get("Content-Type", ""))
        body = await self._body(request)
        with self._in_flight_place():
            return await self._review(route, body, dict(request.headers))

    async def _body(self, request: web.BaseRequest) -> bytes:
        limit = self._settings.max_body_bytes
        requests.check_length(request.content_length, limit)
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise ReviewError(f"body of more than {limit} bytes (--max-body-bytes)", 413) from None
        except TimeoutError:
            raise ReviewError(f"body did not arrive within {READ_SECONDS:g} s", 408) from None
        except web.RequestPayloadError:
            raise ReviewError("body cannot be read: it is not in the Content-Encoding that it names") from None

    @contextlib.contextmanager
    def _in_flight_place(self) -> Iterator[None]:
        if self._in_flight >= self._settings.max_in_flight:
            raise ReviewError(f"{self._in_flight} requests are in flight (--max-in-flight)", 503)
        self._in_flight += 1
        self._metrics.in_flight.set(self._in_flight)
        try:
            yield
        finally:
            self._in_flight -= 1
            self._metrics.in_flight.set(self._in_flight)

    async def _review(self, route: requests.Route, body: bytes, headers: dict[str, str]) -> web.Response:
        started = time.perf_counter()
        review = requests.decode(body)
        request = parse_review(review)
        exchange = Exchange(request, self._live.snapshot, route.config, dict(route.parameters))
        answer = admission.without_kopf(request, exchange.snapshot, route.config)
        if answer is None:
            answer = await self._ask_kopf(exchange, review, route.handler, headers)
        self._account(route, request, answer, time.perf_counter() - started)
        if isinstance(answer.body, str):
            return web.Response(status=500, text=answer.body)
        return web.Response(body=json.dumps(answer.body).encode(), content_type="application/json")

    async def _ask_kopf(
        self, exchange: Exchange, review: dict[str, Any], handler: str, headers: dict[str, str]
    ) -> Answer:
        assert self._kopf is not None
        current.set(exchange)
        try:
            verdict = await self._kopf(for_kopf(review), webhook=handler, headers=headers, sslpeer={})
        except Exception as error:
            logger.exception("Defect outside the handler, uid of the review %s", exchange.request.uid)
            verdict = f"{type(error).__name__}: {error}"
        if exchange.answer is not None:
            return exchange.answer
        problem = f"internal error: the handler left no answer: {verdict}"
        compiled = exchange.snapshot.compiled(exchange.config)
        if compiled is None:
            return Answer(problem, Reason.INTERNAL_ERROR, problem, failed=True)
        return admission.failed(exchange.request, compiled, Reason.INTERNAL_ERROR, problem)

    def _account(self, route: requests.Route, request: Request, answer: Answer, seconds: float) -> None:
        config = route.config
        self._metrics.admissions.labels(config, answer.result, answer.reason).inc()
        self._metrics.admission_seconds.labels(config).observe(seconds)
        level = logging.WARNING if answer.failed else logging.INFO if answer.result == "Denied" else logging.DEBUG
        if access.isEnabledFor(level):
            fields = _fields(config, request, answer, seconds)
            who = f"{config} in {request.namespace}" if config else request.name
            access.log(level, "%s: %s (%s): %s", who, answer.result, answer.reason, answer.message, extra=fields)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        limit = self._settings.max_body_bytes
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=limit)


def _fields(config: str, request: Request, answer: Answer, seconds: float) -> dict[str, Any]:
    return {
        "uid": request.uid,
        "namespace": request.namespace,
        "config": config,
        "result": answer.result,
        "reason": answer.reason,
        "milliseconds": round(seconds * 1000, 3),
        "dry_run": request.dry_run,
    }
