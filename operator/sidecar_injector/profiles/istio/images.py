"""Images of what is injected: `<hub>/<name>:<tag>`, where the type of an image is the end of its tag.

Source: https://istio.io/latest/docs/ops/configuration/security/harden-docker-images/ and the annotations
`sidecar.istio.io/proxyImage` and `sidecar.istio.io/proxyImageType`.
"""

from collections.abc import Mapping

from sidecar_injector.injection.view import Pod, annotations
from sidecar_injector.profiles.istio.reading import at
from sidecar_injector.profiles.istio.vocabulary import PROXY_IMAGE, PROXY_IMAGE_TYPE

_DEFAULT_NAME = "proxyv2"
_DEFAULT_TYPE = "default"
_TYPE_SUFFIXES = ("-distroless", "-debug")


def proxy_image(pod: Pod, values: Mapping[str, object], proxy_config: Mapping[str, object]) -> str:
    """Return the image of the proxy."""
    return _image(pod, values, proxy_config, "proxy")


def init_image(pod: Pod, values: Mapping[str, object], proxy_config: Mapping[str, object]) -> str:
    """Return the image of the init container that captures traffic, or checks that it is captured."""
    return _image(pod, values, proxy_config, "proxy_init")


def _image(pod: Pod, values: Mapping[str, object], proxy_config: Mapping[str, object], part: str) -> str:
    """Return an image: the Pod's annotation, or a name of the values that has a slash, is all of it."""
    asked = annotations(pod).get(PROXY_IMAGE, "").strip()
    name = asked if "/" in asked else _text(at(values, "global", part, "image")) or _DEFAULT_NAME
    if "/" in name:
        return name
    hub, tag = _text(at(values, "global", "hub")), _text(at(values, "global", "tag"))
    kind = (
        annotations(pod).get(PROXY_IMAGE_TYPE)
        or _text(at(proxy_config, "image", "imageType"))
        or _text(at(values, "global", "variant"))
    )
    tag = _typed(tag, kind)
    return (f"{hub}/" if hub else "") + name + (f":{tag}" if tag else "")


def _typed(tag: str, kind: str) -> str:
    """Return the tag of an image's type; without a tag there is nothing to tell the types apart."""
    if not tag or not kind:
        return tag
    plain = next((tag.removesuffix(suffix) for suffix in _TYPE_SUFFIXES if tag.endswith(suffix)), tag)
    return plain if kind == _DEFAULT_TYPE else f"{plain}-{kind}"


def _text(value: object) -> str:
    """Return a value as text: a tag such as 1.24 may have been read as a number."""
    return "" if value is None or isinstance(value, bool) else str(value)
