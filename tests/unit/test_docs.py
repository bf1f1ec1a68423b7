"""The pages and the repository agree: links resolve, commands exist."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sidecar_injector import names

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as forges make them: lower case, no punctuation, dashes for spaces."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path, link: str) -> bool:
    path, _, fragment = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return True
    return bool(fragment) and fragment not in anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_relative_links_resolve(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text()))
    assert [link for link in links if not re.match(r"[a-z]+:", link) and broken(page, link)] == []


def test_a_broken_link_would_be_noticed() -> None:
    readme = ROOT / "README.md"
    assert broken(readme, "docs/no-such-page.md")
    assert broken(readme, "README.md#no-such-heading")
    assert not broken(readme, "LICENSE")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_make_targets_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9.]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`|\$ )make ([a-z][a-z0-9.]*)", page.read_text(), re.MULTILINE))
    assert named <= targets


def test_the_readme_leads_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert {"make demo", "make test"} <= set(re.findall(r"make \w+", text))


def block(page: Path, language: str) -> str:
    """The first fenced block of a page in this language."""
    return page.read_text().partition(f"```{language}\n")[2].partition("```")[0]


def test_the_readmes_config_is_the_demos() -> None:
    assert block(ROOT / "README.md", "yaml") == (ROOT / "demo" / "mesh.yaml").read_text()


def test_the_readmes_config_has_the_effect_and_the_revision_that_the_readme_shows() -> None:
    shown = block(ROOT / "README.md", "diff").splitlines()
    written = "\n".join(line[1:] for line in shown if not line.startswith("+"))
    command = [sys.executable, "-m", "sidecar_injector", "inject", "-f", "-", "--config", "demo/mesh.yaml"]
    environment = {**os.environ, "PYTHONPATH": "operator"}
    done = subprocess.run(command, cwd=ROOT, env=environment, input=written, check=True, capture_output=True, text=True)
    pod = yaml.safe_load(done.stdout)
    status = json.loads(pod["metadata"]["annotations"][names.STATUS])
    pod["metadata"]["annotations"][names.STATUS] = "{…}"
    assert pod == yaml.safe_load("\n".join(line[1:] for line in shown))
    assert f"mesh   Generic   Enforce   {status['mesh']['revision']}   True" in (ROOT / "README.md").read_text()


def test_the_reference_knows_every_reason_and_every_metric() -> None:
    text = (ROOT / "docs" / "reference" / "README.md").read_text()
    assert [str(name) for name in (*names.Reason, *names.Metric) if f"`{name}`" not in text] == []


def test_every_page_of_the_docs_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    queue = [ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = re.findall(r"\]\(([^)\s#]+)", FENCE.sub("", page.read_text()))
        queue += [target for link in links if (target := (page.parent / link).resolve()).is_file()]
    assert [page_id(page) for page in (ROOT / "docs").rglob("*.md") if page not in seen] == []
