"""The table of keys is complete, and the reference page is what the table says."""

import re
from collections import Counter
from pathlib import Path

import pytest

from sidecar_injector import profiles
from sidecar_injector.profiles.istio import vocabulary
from sidecar_injector.profiles.istio.formats import REFUSED
from sidecar_injector.profiles.istio.keys import BY_NAME, KEYS, PREFIXES, Direction, Key, Place
from sidecar_injector.profiles.istio.reference import page
from sidecar_injector.profiles.istio.settings import VALUES

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "istio-annotations.md"
PACKAGE = Path(profiles.__file__).parent / "istio"
QUALIFIED = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]+/[A-Za-z0-9][A-Za-z0-9._-]*")
MENTIONED = re.compile(r"(?<![\w./-])(?:[a-z0-9-]+\.)*istio\.io/[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
"""A key of Istio's in a text; the addresses of web pages are none."""

REFUSING = {
    vocabulary.PROXY_CPU,
    vocabulary.PROXY_MEMORY,
    vocabulary.PROXY_CPU_LIMIT,
    vocabulary.PROXY_MEMORY_LIMIT,
    vocabulary.PROXY_CONFIG,
    vocabulary.STATUS_PORT,
    vocabulary.READINESS_INITIAL_DELAY,
    vocabulary.READINESS_PERIOD,
    vocabulary.READINESS_FAILURES,
    vocabulary.INTERCEPTION_MODE,
    vocabulary.INCLUDE_OUTBOUND_RANGES,
    vocabulary.EXCLUDE_OUTBOUND_RANGES,
    vocabulary.INCLUDE_INBOUND_PORTS,
    vocabulary.EXCLUDE_INBOUND_PORTS,
    vocabulary.EXCLUDE_OUTBOUND_PORTS,
    vocabulary.EXCLUDE_INTERFACES,
    vocabulary.KUBEVIRT_INTERFACES,
    vocabulary.REROUTE_INTERFACES,
    vocabulary.MERGE_METRICS,
}
"""The keys whose values Istio itself refuses."""


def constants() -> list[str]:
    """The constants of the vocabulary that are labels or annotations."""
    texts = [text for name, text in vars(vocabulary).items() if name.isupper() and isinstance(text, str)]
    return [text for text in texts if text == vocabulary.INJECTION or QUALIFIED.fullmatch(text)]


def mentioned() -> dict[str, str]:
    """Every key of Istio's in the sources and templates of the profile, with a file that has it."""
    files = [*PACKAGE.glob("*.py"), *PACKAGE.glob("templates/*.yaml")]
    return {key: file.name for file in files for key in MENTIONED.findall(file.read_text())}


def test_every_label_and_annotation_of_the_vocabulary_is_in_the_table_once() -> None:
    assert len(constants()) > 60
    assert Counter(key.name for key in KEYS) == Counter(set(constants()))


def test_no_two_constants_are_the_same_key() -> None:
    assert [key for key, count in Counter(constants()).items() if count > 1] == []


def test_every_key_of_istios_in_sources_and_templates_is_in_the_table() -> None:
    found = mentioned()
    assert len(found) > 40
    images = {VALUES["global"]["hub"]}
    assert {key: file for key, file in found.items() if key not in BY_NAME and key not in images} == {}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("    istio.io/rev: x", ["istio.io/rev"]),
        ("`proxy.istio.io/config`, or", ["proxy.istio.io/config"]),
        ('"a.b.istio.io/c-d.e": 1.', ["a.b.istio.io/c-d.e"]),
        ("see https://istio.io/latest/docs/ and https://x.istio.io/y.", []),
        ("istio.io:istiod-ca:root-cert", []),
    ],
)
def test_a_key_in_a_text_is_told_from_an_address(text: str, keys: list[str]) -> None:
    assert MENTIONED.findall(text) == keys


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_key_is_described(key: Key) -> None:
    assert key.on
    assert key.meaning.endswith(".")
    assert "\n" not in key.meaning + key.allowed + key.default + key.deprecated
    assert key.allowed
    assert bool(key.format.check) == bool(key.format.otherwise)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_only_annotations_of_pods_that_users_set_have_a_theme(key: Key) -> None:
    if Place.POD_ANNOTATION not in key.on or key.direction in (Direction.WRITTEN, Direction.AGENT, Direction.ELSEWHERE):
        assert key.theme is None
    if Place.POD_ANNOTATION in key.on and key.direction is Direction.READ:
        assert key.theme is not None


def test_what_istio_refuses_is_refused_and_a_little_more() -> None:
    refused = {key.name for key in KEYS if key.format.otherwise == REFUSED}
    assert refused == REFUSING | {
        vocabulary.BOOTSTRAP_OVERRIDE,
        vocabulary.INCLUDE_OUTBOUND_PORTS,
        vocabulary.OVERRIDES,
    }
    assert len(REFUSING) == 19


def test_the_prefixes_are_istios_own() -> None:
    assert {"istio.io", "sidecar.istio.io", "traffic.sidecar.istio.io"} < PREFIXES
    assert all(prefix == "istio.io" or prefix.endswith(".istio.io") for prefix in PREFIXES)


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text() == page(), (
        "run: python -m sidecar_injector.profiles.istio.reference > docs/reference/istio-annotations.md"
    )


@pytest.mark.parametrize(
    ("place", "headings"),
    [
        (Place.POD_LABEL, ["## Labels of Pods"]),
        (Place.NAMESPACE_LABEL, ["## Labels of Namespaces"]),
        (Place.NAMESPACE_ANNOTATION, ["## Annotations of Namespaces"]),
        (
            Place.POD_ANNOTATION,
            [
                "## Annotations of Pods",
                "## Annotations that the injector writes",
                "## Annotations that only the agent reads",
                "## Annotations without effect",
            ],
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, Place) else "",
)
def test_the_page_has_every_key_once_where_it_belongs(place: Place, headings: list[str]) -> None:
    sections = {section.partition("\n")[0]: section for section in re.split(r"^(?=## )", page(), flags=re.MULTILINE)}
    rows = [re.findall(r"^\| `([^`]+)` \|", sections[heading], re.MULTILINE) for heading in headings]
    assert Counter(name for names in rows for name in names) == Counter(key.name for key in KEYS if place in key.on)


def test_no_cell_of_the_page_breaks_its_table() -> None:
    rows = [line for line in page().splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}
