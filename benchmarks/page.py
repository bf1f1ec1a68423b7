"""The part of docs/performance.md that is made from results: everything between two marks."""

from pathlib import Path

from benchmarks import picture, results
from benchmarks.report import heading, tables
from benchmarks.results import Results

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, PICTURE, FIGURES = DOCS / "performance.md", DOCS / "performance.svg", DOCS / "performance.json"
BEGIN = "<!-- Made by `python -m benchmarks publish`; a test keeps it current. -->"
END = "<!-- End of what is made. -->"


def generated(found: Results) -> str:
    """Return what stands between the marks."""
    parts = [f"Measured on {heading(found)}.", *(table.markdown() for table in tables(found) if table.rows)]
    return "\n\n".join(parts)


def with_generated(page: str, found: Results) -> str:
    """Return the page with its made part as these results have it; raises ValueError if it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has not the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{generated(found)}\n\n{END}{after}"


def publish(found: Results) -> list[Path]:
    """Write results, picture and page; return the files."""
    page = with_generated(PAGE.read_text(), found)
    results.write(found, FIGURES)
    PICTURE.write_text(picture.svg(found))
    PAGE.write_text(page)
    return [FIGURES, PICTURE, PAGE]
