"""Traffic of an injected Pod passes its sidecar: rules in the Pod's own network, a real Envoy, counted requests."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sidecar_injector import names
from sidecar_injector.profiles.istio.stock import stock_config
from tests.e2e.conftest import InstalledOperator
from tests.e2e.traffic import PORT, Application, deployment
from tests.kubernetes.images import ENVOY
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

REQUESTS = 20
IN_MESH = {"example.org/mesh": "enabled"}
RULES = {
    "-A PREROUTING -p tcp -j MESH_INBOUND",
    "-A OUTPUT -p tcp -j MESH_OUTBOUND",
    "-A MESH_OUTBOUND -m owner --uid-owner 1337 -j RETURN",
    "-A MESH_INBOUND -p tcp -j REDIRECT --to-ports 15006",
    "-A MESH_OUTBOUND -p tcp -j REDIRECT --to-ports 15001",
}


def generic_config() -> dict[str, Any]:
    """Return a config with a template of its own, which has Envoy's configuration among its values."""
    found: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "mesh" / "config.yaml").read_text())
    return found


def istio_config() -> dict[str, Any]:
    """Return the stock config with its stock templates, set to an image that is here."""
    config: dict[str, Any] = yaml.safe_load(stock_config())
    config["metadata"]["name"] = "mesh-istio"
    spec, values = config["spec"], config["spec"]["values"]
    spec["revision"] = "mesh"
    repository, _, tag = ENVOY.rpartition(":")
    hub, _, image = repository.rpartition("/")
    values["global"] |= {"hub": hub, "tag": tag}
    values["global"]["proxy"]["image"] = values["global"]["proxy_init"]["image"] = image
    # It takes Istio's agent to answer the probes on behalf of the application.
    values["sidecarInjectorWebhook"]["rewriteAppHTTPProbe"] = False
    bootstrap = yaml.safe_dump(generic_config()["spec"]["values"]["bootstrap"])
    spec["meshConfig"]["defaultConfig"]["proxyMetadata"] = {"BOOTSTRAP": bootstrap}
    return config


@dataclass(frozen=True)
class Mesh:
    """A config, and how one speaks to it.

    labels    -- of its namespaces
    opted_out -- labels of a Pod that wants none of it
    proxy     -- name of the sidecar
    objects   -- what its Pods take for granted in their namespace
    """

    config: Callable[[], dict[str, Any]]
    labels: Mapping[str, str]
    opted_out: Mapping[str, str]
    proxy: str
    objects: tuple[Mapping[str, Any], ...] = ()


GENERIC = Mesh(generic_config, IN_MESH, {names.INJECT: "false"}, "mesh-proxy")
ROOT_CERTIFICATES = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-ca-root-cert"}}
ISTIO = Mesh(
    istio_config, {"istio.io/rev": "mesh"}, {"sidecar.istio.io/inject": "false"}, "istio-proxy", (ROOT_CERTIFICATES,)
)


class World:
    """The applications of the tests, in a namespace of the mesh and in one that has nothing to do with it."""

    def __init__(self, node: Node, mesh: Mesh) -> None:
        self._node, self._mesh = node, mesh
        self.config = mesh.config()
        suffix = uuid.uuid4().hex[:8]
        self._inside, self._outside = f"mesh-{suffix}", f"outside-{suffix}"

    def build(self) -> None:
        name = self.config["metadata"]["name"]
        self._node.kubectl("apply", "-f-", input=self.config)
        self._node.kubectl("wait", "--for=condition=Programmed", f"sic/{name}", "--timeout=30s")
        for namespace, labels in ((self._inside, self._mesh.labels), (self._outside, {})):
            metadata = {"name": namespace, "labels": labels}
            self._node.kubectl("create", "-f-", input={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        for each in self._mesh.objects:
            self._node.kubectl("-n", self._inside, "create", "-f-", input=each)
        self._create(self._inside, "web")
        self._create(self._inside, "plain", labels=self._mesh.opted_out)
        self._create(self._outside, "client")
        self.injected, self.opted_out = self._ready(self._inside, "web"), self._ready(self._inside, "plain")
        self.outside = self._ready(self._outside, "client")
        for application in (self.injected, self.opted_out, self.outside):
            self.outside.reach(application)

    def deploy(self, wanted: Mapping[str, Mapping[str, str]]) -> dict[str, Application]:
        """Deploy the application in the mesh, once for each name and its annotations, and wait until all are ready."""
        for name, annotations in wanted.items():
            self._create(self._inside, name, annotations=annotations)
        deployed = {name: self._ready(self._inside, name) for name in wanted}
        for application in deployed.values():
            self.outside.reach(application)
        return deployed

    def counted(self, direction: str, kind: str = "requests") -> int:
        """Return how many requests the proxy of the injected application has counted."""
        return self.injected.counted(self._mesh.proxy, direction, kind)

    def _create(
        self, namespace: str, name: str, labels: Mapping[str, str] = {}, annotations: Mapping[str, str] = {}
    ) -> None:
        self._node.kubectl("-n", namespace, "create", "-f-", input=deployment(name, labels, annotations))

    def _ready(self, namespace: str, name: str) -> Application:
        self._node.kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=90s")
        return Application(self._node, namespace, name)

    def remove(self) -> None:
        self._node.kubectl("delete", "namespace", self._inside, self._outside, "--wait=false", "--ignore-not-found")
        self._node.kubectl("delete", "sic", self.config["metadata"]["name"], "--ignore-not-found")


@pytest.fixture(scope="module", params=[pytest.param(GENERIC, id="Generic"), pytest.param(ISTIO, id="Istio")])
def world(request: pytest.FixtureRequest, node: Node, operator: InstalledOperator) -> Iterator[World]:
    built = World(node, request.param)
    try:
        built.build()
        yield built
    finally:
        built.remove()


def test_every_request_through_the_service_passes_the_proxy(world: World) -> None:
    before = world.counted("inbound")
    answers = world.outside.request(world.injected.url, REQUESTS)
    assert {answer.answered_through for answer in answers} == {"inbound"}
    assert {answer.seen("x-passed-inbound") for answer in answers} == {world.outside.ip}, "Envoy sees the client"
    assert world.counted("inbound") - before == REQUESTS


def test_what_the_application_asks_for_passes_the_proxy(world: World) -> None:
    before = world.counted("outbound")
    answers = world.outside.let_request(world.injected, world.outside.url, REQUESTS)
    assert {answer.answered_through for answer in answers} == {"outbound"}
    assert {answer.seen("x-passed-outbound") for answer in answers} == {world.outside.service}, "Envoy knows where to"
    assert world.counted("outbound") - before == REQUESTS


def test_the_application_is_as_it_was(world: World) -> None:
    assert world.injected.container == world.opted_out.container
    [answer] = world.outside.request(world.injected.url)
    assert answer.body["arrived_at"] == f"{world.injected.ip}:{PORT}", "it listens where it did"


def test_the_kubelets_probes_reach_the_application_through_the_proxy(world: World) -> None:
    assert world.counted("inbound", "probes") > 0


def test_the_rules_are_in_the_network_of_the_pod(world: World) -> None:
    assert world.injected.rules() >= RULES


def test_a_pod_that_opts_out_is_left_alone(world: World) -> None:
    before = {direction: world.counted(direction) for direction in ("inbound", "outbound")}
    assert [each["name"] for each in world.opted_out.pod["spec"]["containers"]] == ["app"]
    assert not world.opted_out.pod["spec"].get("initContainers")
    assert world.opted_out.rules() == set()
    arriving = world.outside.request(world.opted_out.url)
    leaving = world.outside.let_request(world.opted_out, world.outside.url)
    for answer in (*arriving, *leaving):
        assert answer.answered_through is None
        assert answer.seen("x-passed-inbound") is None
        assert answer.seen("x-passed-outbound") is None
    assert {direction: world.counted(direction) for direction in before} == before


@pytest.mark.parametrize("world", [pytest.param(ISTIO, id="Istio")], indirect=True)
def test_annotations_say_what_is_captured(world: World) -> None:
    # name: annotation, its value, what answers come through if one asks the application, and if the application asks
    cases = {
        "not-inbound": ("excludeInboundPorts", str(PORT), None, "outbound"),
        "other-inbound": ("includeInboundPorts", "9999", None, "outbound"),
        "not-outbound": ("excludeOutboundPorts", "80", "inbound", None),
        "other-outbound": ("includeOutboundIPRanges", "192.0.2.0/24", "inbound", None),
    }
    annotations = {name: {f"traffic.sidecar.istio.io/{key}": value} for name, (key, value, _, _) in cases.items()}
    found = {}
    for name, application in world.deploy(annotations).items():
        [arriving] = world.outside.request(application.url)
        [leaving] = world.outside.let_request(application, world.outside.url)
        found[name] = (arriving.answered_through, leaving.answered_through)
    assert found == {name: (inbound, outbound) for name, (_, _, inbound, outbound) in cases.items()}
