"""Writes the reference page of Istio's labels and annotations from the table of keys, so that it is complete.

python -m sidecar_injector.profiles.istio.reference > docs/reference/istio-annotations.md
"""

from collections.abc import Iterable, Sequence

from sidecar_injector.profiles.istio.keys import KEYS, Direction, Key, Place, Theme
from sidecar_injector.templating.reference import table

_HEAD = """\
# Labels and annotations of profile Istio

<!-- Written by `python -m sidecar_injector.profiles.istio.reference`; change it there. -->

What Pods and Namespaces say to a config of profile Istio, in Istio's own words. *else …* tells what becomes of a value
that is not allowed. A Pod that is refused is told of all its wrong annotations at once: key, value and what is allowed.
What is misspelt, misplaced, deprecated or without effect is a warning, which `kubectl` prints.
"""

_COLUMNS = ("key", "meaning", "allowed", "default, or what it wins over")
_LABELS = "The API server reads labels before it calls the injector: a label can spare the call, or bring it about."
_WRITTEN = "The injector writes these; what is there already stays where the row says so."
_AGENT = "The agent reads these, from inside the Pod; the injector leaves them as they are."
_ELSEWHERE = "These make no difference. They are known, so that nobody is told that they are misspelt."


def page() -> str:
    """Return the whole page as Markdown."""
    annotations = [key for key in KEYS if Place.POD_ANNOTATION in key.on]
    own = [key for key in annotations if key.theme is None]
    sections = [
        _HEAD,
        _section("## Labels of Pods", _at(Place.POD_LABEL), _LABELS),
        _section("## Labels of Namespaces", _at(Place.NAMESPACE_LABEL)),
        _section("## Annotations of Namespaces", _at(Place.NAMESPACE_ANNOTATION)),
        "## Annotations of Pods\n",
        *(_section(f"### {theme}", [key for key in annotations if key.theme is theme]) for theme in Theme),
        _section("## Annotations that the injector writes", _of(own, Direction.WRITTEN, Direction.BOTH), _WRITTEN),
        _section("## Annotations that only the agent reads", _of(own, Direction.AGENT), _AGENT),
        _section("## Annotations without effect", _of(own, Direction.ELSEWHERE), _ELSEWHERE),
    ]
    return "\n".join(sections)


def _at(place: Place) -> list[Key]:
    return [key for key in KEYS if place in key.on]


def _of(keys: Iterable[Key], *directions: Direction) -> list[Key]:
    return [key for key in keys if key.direction in directions]


def _section(title: str, keys: Sequence[Key], text: str = "") -> str:
    introduction = f"{text}\n\n" if text else ""
    return f"{title}\n\n{introduction}{table(_COLUMNS, map(_row, keys))}"


def _row(key: Key) -> tuple[str, str, str, str]:
    meaning = f"{key.meaning} **Deprecated**: {key.deprecated}." if key.deprecated else key.meaning
    allowed = f"{key.allowed}; else {key.format.otherwise}" if key.format.otherwise else key.allowed
    return f"`{key.name}`", meaning, allowed, key.default


if __name__ == "__main__":
    print(page(), end="")
