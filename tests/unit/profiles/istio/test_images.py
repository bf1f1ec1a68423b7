"""Images of the proxy and of the init container."""

import pytest

from sidecar_injector.profiles.istio.images import init_image, proxy_image

HUB = "example.org/istio"


def values(*, image="proxyv2", init="proxyv2", **fields):
    return {"global": {"hub": HUB, "tag": "1.24.0", "proxy": {"image": image}, "proxy_init": {"image": init}, **fields}}


def pod(**notes):
    return {"metadata": {"annotations": {f"sidecar.istio.io/{key}": value for key, value in notes.items()}}}


DEBUG = {"image": {"imageType": "debug"}}
CASES = {
    "plain": (values(), {}, {}, f"{HUB}/proxyv2:1.24.0"),
    "no name": (values(image=""), {}, {}, f"{HUB}/proxyv2:1.24.0"),
    "another name": (values(image="proxyTest"), {}, {}, f"{HUB}/proxyTest:1.24.0"),
    "a name that is a whole image": (values(image="example.com/p:1", variant="debug"), {}, DEBUG, "example.com/p:1"),
    "a type of the values": (values(variant="distroless"), {}, {}, f"{HUB}/proxyv2:1.24.0-distroless"),
    "a type of the proxy's config": (values(variant="distroless"), {}, DEBUG, f"{HUB}/proxyv2:1.24.0-debug"),
    "a type of the Pod": (
        values(variant="debug"), pod(proxyImageType="distroless"), DEBUG, f"{HUB}/proxyv2:1.24.0-distroless"
    ),
    "an empty type of the Pod": (values(), pod(proxyImageType=""), DEBUG, f"{HUB}/proxyv2:1.24.0-debug"),
    "a type that is not known": (values(), pod(proxyImageType="slim"), {}, f"{HUB}/proxyv2:1.24.0-slim"),
    "a type in the tag": (values(tag="1.24.0-distroless"), {}, {}, f"{HUB}/proxyv2:1.24.0-distroless"),
    "a type in the tag that is replaced": (values(tag="1.24.0-distroless"), {}, DEBUG, f"{HUB}/proxyv2:1.24.0-debug"),
    "the same type in the tag": (values(tag="1.24.0-debug"), {}, DEBUG, f"{HUB}/proxyv2:1.24.0-debug"),
    "another end of the tag": (values(tag="1.24.0-alpha.1"), {}, DEBUG, f"{HUB}/proxyv2:1.24.0-alpha.1-debug"),
    "the default type of a distroless tag": (
        values(tag="1.24.0-distroless"), pod(proxyImageType="default"), {}, f"{HUB}/proxyv2:1.24.0"
    ),
    "the default type of a plain tag": (values(), pod(proxyImageType="default"), {}, f"{HUB}/proxyv2:1.24.0"),
    "a tag that was read as a number": (values(tag=1.24), {}, {}, f"{HUB}/proxyv2:1.24"),
    "a tag that was read as a whole number": (values(tag=2), {}, DEBUG, f"{HUB}/proxyv2:2-debug"),
    "no tag": (values(tag=""), {}, DEBUG, f"{HUB}/proxyv2"),
    "null for a tag": (values(tag=None), {}, {}, f"{HUB}/proxyv2"),
    "no hub": (values(hub=""), {}, {}, "proxyv2:1.24.0"),
    "nothing at all": ({}, {}, {}, "proxyv2"),
    "an image of the Pod": (values(), pod(proxyImage="example.com/p:1", proxyImageType="debug"), {}, "example.com/p:1"),
    "an image of the Pod without a slash": (values(), pod(proxyImage="proxy:1"), {}, f"{HUB}/proxyv2:1.24.0"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "annotated", "config", "expected"), CASES.values(), ids=CASES)
def test_the_proxy_s_image(given, annotated, config, expected):
    assert proxy_image(annotated, given, config) == expected


INIT = {
    "plain": (values(image="proxyTest"), {}, f"{HUB}/proxyv2:1.24.0"),
    "no name": (values(init=""), {}, f"{HUB}/proxyv2:1.24.0"),
    "another name": (values(init="proxyInitTest"), {}, f"{HUB}/proxyInitTest:1.24.0"),
    "a whole image": (values(init="example.com/i:1"), {}, "example.com/i:1"),
    "a type": (values(), pod(proxyImageType="debug"), f"{HUB}/proxyv2:1.24.0-debug"),
    "an image of the Pod": (values(init="example.com/i:1"), pod(proxyImage="example.com/p:1"), "example.com/p:1"),
}


@pytest.mark.parametrize(("given", "annotated", "expected"), INIT.values(), ids=INIT)
def test_the_init_container_s_image(given, annotated, expected):
    assert init_image(annotated, given, {}) == expected
