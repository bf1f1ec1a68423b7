"""`inject` on whole files. A case is a directory: config.yaml, input.yaml, perhaps options; expected.yaml, report.txt.

UPDATE_GOLDEN=1 writes what comes out to expected.yaml and report.txt; read the difference before you keep it.
"""

import json
import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar_injector.cli import main
from sidecar_injector.cli.config import generic_config
from sidecar_injector.names import STATUS
from sidecar_injector.profiles.istio.stock import stock_config
from sidecar_injector.profiles.istio.vocabulary import STATUS as ISTIO_STATUS
from sidecar_injector.templating import load_all_yaml

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/input.yaml"))


def inject(case: Path, config: Path, objects: Path) -> tuple[str, str]:
    """Return what the command prints on standard output and standard error."""
    options = shlex.split((case / "options").read_text()) if (case / "options").exists() else []
    result = CliRunner().invoke(main, ["inject", "-f", str(objects), "--config", str(config), *options])
    assert result.exit_code == 0, result.stderr
    return result.stdout, result.stderr


def config_of(case: Path, tmp_path: Path) -> Path:
    """Return the case's config; a case without one is about one that `config` prints: `profile` names it."""
    if (case / "config.yaml").exists():
        return case / "config.yaml"
    path = tmp_path / "config.yaml"
    path.write_text(stock_config() if (case / "profile").exists() else generic_config())
    return path


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_files_come_out_as_expected(case: Path, tmp_path: Path) -> None:
    output, report = inject(case, config_of(case, tmp_path), case / "input.yaml")
    if os.environ.get("UPDATE_GOLDEN"):
        (case / "expected.yaml").write_text(output)
        (case / "report.txt").write_text(report)
    assert output == (case / "expected.yaml").read_text()
    assert report == (case / "report.txt").read_text()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_injecting_what_was_injected_changes_nothing(case: Path, tmp_path: Path) -> None:
    output, report = inject(case, config_of(case, tmp_path), case / "expected.yaml")
    assert output == (case / "expected.yaml").read_text()
    assert ": injected by" not in report


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_is_not_injected_comes_out_as_it_went_in(case: Path) -> None:
    before = load_all_yaml((case / "input.yaml").read_text(), "input")
    after = load_all_yaml((case / "expected.yaml").read_text(), "expected")
    pairs = [(old.value, new.value) for old, new in zip(before, after, strict=True)]
    untouched = [(old, new) for old, new in pairs if not any(key in json.dumps(new) for key in (STATUS, ISTIO_STATUS))]
    assert all(new == old for old, new in untouched)


def test_objects_that_make_no_pods_pass_through_untouched() -> None:
    case = HERE / "pass_through"
    assert STATUS not in (case / "expected.yaml").read_text()
    assert (case / "report.txt").read_text() == ""
