"""The webhook server with Kopf behind it, exactly as in the operator, but without a cluster."""

import asyncio
import base64
import contextlib
import datetime
import functools
import http.client
import json
import ssl
import threading
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import kopf
from kopf._cogs.structs.references import Insights, Resource
from kopf._core.engines.admission import serve_admission_request
from kopf._core.intents.registries import get_default_registry
from kopf._core.reactor.inventory import ResourceMemories

import sidecar_injector.handlers  # noqa: F401
from sidecar_injector import names
from sidecar_injector.certificates import new_authority
from sidecar_injector.cluster.facts import FactsCache
from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import Problem
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.logs import hush
from sidecar_injector.serving.metrics import Metrics
from sidecar_injector.serving.server import AdmissionServer
from sidecar_injector.serving.tls import Tls
from sidecar_injector.settings import Settings

TEMPLATE = """\
spec:
  containers:
    - name: proxy
      image: example.org/proxy:1
      env: [{name: TEAM, value: "{{ namespace.labels.get('team', 'nobody') }}"}]
{%- if pod.metadata.annotations.get('boom') %}
      args: [{{ 1 // 0 }}]
{%- endif %}
"""
SECONDS = 10
CONFIGS = Resource(
    group=names.GROUP,
    version=names.VERSION,
    plural=names.PLURAL,
    kind=names.KIND,
    singular=names.KIND.lower(),
    preferred=True,
)


def config(name: str = "mesh", generation: int = 1, template: str = TEMPLATE, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": name, "uid": name, "generation": generation, "resourceVersion": str(generation)},
        "spec": {"profile": "Generic", "templates": [{"name": "sidecar", "template": template}], **spec},
    }


def pod(**metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "web-", "namespace": "shop", **metadata},
        "spec": {"containers": [{"name": "web", "image": "example.org/web:1"}]},
    }


def review(found: Any = None, **request: Any) -> dict[str, Any]:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE",
            "namespace": "shop",
            "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller"},
            "object": pod() if found is None else found,
            "oldObject": None,
            "dryRun": False,
            **request,
        },
    }


def review_of_config(found: dict[str, Any], **request: Any) -> dict[str, Any]:
    resource = {"group": names.GROUP, "version": names.VERSION, "resource": names.PLURAL}
    return review(found, resource=resource, namespace="", **request)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def response(self) -> dict[str, Any]:
        review = json.loads(self.text)
        assert (review["apiVersion"], review["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        response: dict[str, Any] = review["response"]
        return response

    @property
    def patch(self) -> list[dict[str, Any]]:
        operations: list[dict[str, Any]] = json.loads(base64.b64decode(self.response["patch"]))
        return operations

    @property
    def reason(self) -> str:
        reason: str = self.response["auditAnnotations"]["reason"]
        return reason


class Service:
    """A running server; everything is called from the test's thread."""

    def __init__(self, **settings: Any) -> None:
        self.settings = Settings(listen_address="127.0.0.1", listen_port=0, **{"drain_seconds": 0.0, **settings})
        self.metrics = Metrics()
        self.memories = ResourceMemories()
        self.problems: tuple[Problem, ...] = ()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._start())

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(SECONDS)

    async def _start(self) -> None:
        hush()
        self.tls = Tls(self.settings, self.metrics)
        self.tls.adopt(new_authority(datetime.datetime.now(datetime.UTC)))
        self.live = Live(self.metrics, self._check)
        facts = self.facts = FactsCache(self.settings.namespace)
        self.server = AdmissionServer(self.settings, self.tls.context, self.live, lambda: facts.facts, self.metrics)
        application = SimpleNamespace(live=self.live, facts=self.facts, registrar=SimpleNamespace(check=self._check))
        self._insights = insights = Insights()
        self.know_resources()
        function = functools.partial(
            serve_admission_request,
            settings=kopf.OperatorSettings(),
            registry=get_default_registry(),
            insights=insights,
            memories=self.memories,
            memobase=kopf.Memo(application=application),
            indices={},
        )
        self._serving = asyncio.create_task(self._serve(function))
        await self.server.listening.wait()

    def know_resources(self) -> None:
        """Let Kopf know what it discovers in a cluster."""
        self._insights.webhook_resources.add(CONFIGS)

    def forget_resources(self) -> None:
        """Take the CustomResourceDefinition from Kopf, as if it had been deleted."""
        self._insights.webhook_resources.discard(CONFIGS)

    async def _serve(self, function: Any) -> None:
        async for _ in self.server(function):
            pass

    async def _check(self, _: CompiledConfig) -> Sequence[Problem]:
        return self.problems

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    async def _stop(self) -> None:
        self._serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving

    def begin_to_stop(self) -> None:
        self._loop.call_soon_threadsafe(self._serving.cancel)

    def offer(self, *resources: dict[str, Any]) -> None:
        for resource in resources:
            self.run(self.live.offer(resource))

    def connect(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context(cadata=self.tls.ca_bundle.decode())
        context.check_hostname = False  # the certificate is the Service's; unit/serving/test_tls.py looks at its names
        assert self.server.port
        return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=SECONDS, context=context)

    def post(self, path: str, body: Any, content_type: str | None = "application/json", method: str = "POST") -> Reply:
        with contextlib.closing(self.connect()) as connection:
            return exchange(connection, path, body, content_type, method)

    def admit(self, found: Any = None, config: str = "mesh", **request: Any) -> Reply:
        return self.post(f"/inject/{config}", review(found, **request))

    def validate(self, found: dict[str, Any], **request: Any) -> Reply:
        return self.post("/validate", review_of_config(found, **request))

    def count(self, metric: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(metric, labels) or 0.0

    def rejections(self, reason: str) -> float:
        return self.count(names.Metric.REJECTED_REQUESTS, reason=reason)

    def admissions(self, result: str, reason: str, config: str = "mesh") -> float:
        return self.count(names.Metric.ADMISSIONS, config=config, result=result, reason=reason)


def exchange(
    connection: http.client.HTTPConnection,
    path: str,
    body: Any,
    content_type: str | None = "application/json",
    method: str = "POST",
) -> Reply:
    """Send one request over a connection; what is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if content_type is None else {"Content-Type": content_type}
    connection.request(method, path, content, headers)
    answer = connection.getresponse()
    return Reply(answer.status, dict(answer.headers), answer.read().decode())


@contextlib.contextmanager
def service(**settings: Any) -> Iterator[Service]:
    """Run a server with one config, `mesh`."""
    running = Service(**settings)
    try:
        running.offer(config())
        yield running
    finally:
        running.stop()
