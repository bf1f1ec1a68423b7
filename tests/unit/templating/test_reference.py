"""The reference page of the template language is complete and current."""

from pathlib import Path

from sidecar_injector.templating.language.methods import METHODS
from sidecar_injector.templating.language.vocabulary import FILTERS, FUNCTIONS, TESTS
from sidecar_injector.templating.reference import VARIABLES, page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "templates.md"


def test_the_page_is_what_the_registers_say() -> None:
    assert PAGE.read_text() == page(), (
        "run: python -m sidecar_injector.templating.reference > docs/reference/templates.md"
    )


def test_every_entry_has_a_line_of_documentation() -> None:
    entries = [*FILTERS, *TESTS, *FUNCTIONS, *(entry for register in METHODS.values() for entry in register)]
    assert len(entries) > 100
    for entry in entries:
        assert entry.doc.endswith(".")
        assert "\n" not in entry.doc
        assert f"`{entry.name}" in page() or entry.usage.replace("|", "\\|") in page()


def test_every_variable_is_named() -> None:
    for name, _ in VARIABLES:
        assert f"| `{name}` |" in page()
