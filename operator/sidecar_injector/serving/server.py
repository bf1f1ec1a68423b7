"""The webhook server: Kopf's official extension point `settings.admission.server`.

A request goes: HTTP (here) → `requests` (path, content type, JSON) → `parse_review` → `admission.at_once` answers what
takes no work, `remembered` what was answered before, `admission.inject` the rest. Kopf, which starts and stops the
server, is asked about configs: it calls the handler that judges them. About Pods it is not, for then nobody would be
injected before Kopf has found out which resources there are, and because choosing among one handler takes it half as
long as an injection takes us.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import web

from sidecar_injector import names
from sidecar_injector.errors import ReviewError
from sidecar_injector.injection import respond
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.review import Request, parse_review
from sidecar_injector.injection.shape import misfit
from sidecar_injector.names import Reason
from sidecar_injector.serving import admission, requests
from sidecar_injector.serving.anonymous import anonymous, restored
from sidecar_injector.serving.bodies import Bodies
from sidecar_injector.serving.connections import CLOSE_SECONDS as SHUTDOWN_SECONDS
from sidecar_injector.serving.connections import HANDSHAKE_SECONDS, Connection, Connections, Gate
from sidecar_injector.serving.exchange import Answer, Exchange, current, exchange_about, for_kopf
from sidecar_injector.serving.listening import listening
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.remembered import Remembered
from sidecar_injector.settings import Settings

WebhookFunction = Callable[..., Awaitable[Any]]
"""Kopf's function: takes a review, the handler's id, headers and the TLS peer; returns a review with an answer."""

RETRY_AFTER_SECONDS = "1"
"""When who is turned away for want of room may come back. API servers do, within the call's time, up to ten times:
https://github.com/kubernetes/client-go/blob/master/rest/with_retry.go"""
PROBLEM_LENGTH = 1000
"""Characters of what is wrong with a request that go into the answer and the log: it may quote the request."""
LARGE_BODY = 128 << 10
"""Bytes: a body of more is decoded in a thread."""
CLOSE_SECONDS = 10.0
"""How long requests in flight may take after the listener is closed."""

logger = logging.getLogger(__name__)
access = logging.getLogger("sidecar_injector.admissions")


class AdmissionServer:
    """Listens for API servers, and drains when it is cancelled."""

    def __init__(
        self,
        settings: Settings,
        tls: ssl.SSLContext,
        live: Live,
        facts: Callable[[], ClusterFacts],
        metrics: Metrics,
        on_drain: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._live = live
        self._facts = facts
        self._metrics = metrics
        self._remembered = Remembered(int(settings.remembered_mib * (1 << 20)), metrics)
        self._kopf: WebhookFunction | None = None
        self._in_flight = 0
        metrics.measure_in_flight(lambda: self._in_flight)
        self._connections = Connections()
        self._bodies = Bodies(settings.max_body_bytes)
        self.port: int | None = None
        """The port listened on; None while there is no listener."""
        self.listening = asyncio.Event()
        """Set when the listener opens; never cleared."""
        self.draining = False
        self._on_drain = on_drain

    async def __call__(self, function: WebhookFunction) -> AsyncIterator[dict[str, Any]]:
        """Serve until cancelled: Kopf's protocol. What is yielded is unused, for Kopf manages no configuration here."""
        self._kopf = function
        server = web.Server(self._handle, request_factory=self._request)
        opened = Gate.of(listening(self._settings.listen_address, self._settings.listen_port), self._connections)
        listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(server, self._connections),
            sock=opened,
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )
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
        try:
            self._on_drain()
        except Exception:
            logger.exception("Defect while draining begins")
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
            if error.status == 503:
                response.headers["Retry-After"] = RETRY_AFTER_SECONDS
            if not request.content.is_eof():
                response.force_close()
        except Exception as error:
            logger.exception("Defect before a review was read")
            self._metrics.admissions.labels("", "Failed", Reason.INTERNAL_ERROR).inc()
            response = web.Response(status=500, text=_internal(error))
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
        body = await self._bodies.read(request)
        self._in_flight += 1
        try:
            if self._in_flight > self._settings.max_in_flight:
                raise ReviewError(f"{self._in_flight - 1} requests are in flight (--max-in-flight)", 503)
            return await self._review(route, body)
        finally:
            self._in_flight -= 1
            self._bodies.release(len(body))

    async def _review(self, route: requests.Route, body: bytes) -> web.Response:
        """Answer a review. No exception of its own leaves here: what fails is answered as failurePolicy says."""
        started = time.perf_counter()
        body, volume = anonymous(body) if route.config else (body, b"")
        review = requests.decode(body) if len(body) < LARGE_BODY else await asyncio.to_thread(requests.decode, body)
        request = parse_review(review)
        exchange = self._exchange(route, request)
        try:
            answer = await self._answer(exchange, review)
            response = _response(request, answer, volume)
        except Exception as error:
            logger.exception("Defect while answering, uid of the review %s", request.uid)
            answer = _failed(exchange, _internal(error))
            response = _response(request, answer, volume)
        if answer.reason == Reason.INTERNAL_ERROR and request.creates_pod and (fault := misfit(request.pod)):
            raise ReviewError(f"request.object.{fault[:PROBLEM_LENGTH]}")
        try:
            self._account(route, request, answer, time.perf_counter() - started, volume)
        except Exception:
            logger.exception("Defect while accounting, uid of the review %s", request.uid)
        return response

    def _exchange(self, route: requests.Route, request: Request) -> Exchange:
        snapshot = self._live.snapshot
        if not (route.config and request.creates_pod):
            return Exchange(request, snapshot, route.config)
        return exchange_about(request, snapshot, route.config, dict(route.parameters), self._facts())

    async def _answer(self, exchange: Exchange, review: dict[str, Any]) -> Answer:
        answer = admission.at_once(exchange.request, exchange.snapshot, exchange.config)
        if answer is not None:
            return answer
        return self._inject(exchange) if exchange.config else await self._ask_kopf(exchange, review)

    def _inject(self, exchange: Exchange) -> Answer:
        key = self._remembered.key(exchange)
        answer = self._remembered.recall(key, exchange) if key else None
        if answer is None:
            answer = admission.inject(
                exchange.request, exchange.snapshot, exchange.config, exchange.facts, exchange.parameters
            )
            if key:
                self._remembered.keep(key, exchange, answer)
        return answer

    async def _ask_kopf(self, exchange: Exchange, review: dict[str, Any]) -> Answer:
        assert self._kopf is not None
        current.set(exchange)
        verdict: object = None
        try:
            verdict = await self._kopf(for_kopf(review), webhook=names.VALIDATE_HANDLER)
        except Exception as error:
            if exchange.answer is None:  # Kopf may not know configs, when their definition was away for a while
                logger.info("Kopf cannot answer, so we do, uid of the review %s: %s", exchange.request.uid, error)
                request = exchange.request
                return await admission.validate(request.pod, request.old or None, self._live.judge)
            logger.exception("Defect outside the handler, uid of the review %s", exchange.request.uid)
        return exchange.answer or _failed(exchange, f"internal error: the handler left no answer: {verdict}")

    def _account(self, route: requests.Route, request: Request, answer: Answer, seconds: float, volume: bytes) -> None:
        config = route.config
        self._metrics.note_admission(config, answer.result, answer.reason, seconds)
        level = logging.WARNING if answer.failed else logging.INFO if answer.result == "Denied" else logging.DEBUG
        if access.isEnabledFor(level):
            fields = _fields(config, request, answer, seconds)
            who = f"{config} in {request.namespace}" if config else request.name
            message = restored(answer.message.encode("utf-8", "surrogatepass"), volume).decode("utf-8", "replace")
            access.log(level, "%s: %s (%s): %s", who, answer.result, answer.reason, message, extra=fields)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        protocol.request_begins()
        return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop())


def _response(request: Request, answer: Answer, volume: bytes) -> web.Response:
    text = response_text(request, answer, volume)
    if isinstance(answer.body, str):
        return web.Response(status=500, body=text, content_type="text/plain", charset="utf-8")
    return web.Response(body=text, content_type="application/json")


def response_text(request: Request, answer: Answer, volume: bytes) -> bytes:
    """Return what goes back, in which the volume with the token has its own name."""
    if isinstance(answer.body, str):
        return restored(answer.body.encode("utf-8", "replace"), volume)
    return respond.answer(request.uid, restored(answer.body, volume), restored(answer.patch, volume))


def _internal(error: Exception) -> str:
    return f"internal error: {type(error).__name__}: {str(error)[:PROBLEM_LENGTH]}"


def _failed(exchange: Exchange, problem: str) -> Answer:
    """Answer a review that met a defect of ours, by the failurePolicy of its config."""
    compiled = exchange.snapshot.compiled(exchange.config)
    if compiled is None:
        return Answer(problem, Reason.INTERNAL_ERROR, problem, failed=True)
    return admission.failed(compiled, Reason.INTERNAL_ERROR, problem)


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
