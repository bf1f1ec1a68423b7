"""The command line of the benchmarks: what it understands, what it refuses, and one run that is quick."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import cli, context, page, results, suite

ROOT = Path(__file__).resolve().parents[3]


def test_without_a_word_everything_is_measured_as_planned() -> None:
    arguments = cli.parsed([])
    assert arguments.command == "run"
    assert arguments.only == tuple(suite.SECTIONS)
    assert cli.plan_of(arguments) == context.Plan()


def test_wishes_change_the_plan() -> None:
    arguments = cli.parsed(["--only", "pipeline,http", "--seconds", "0.5", "--rounds", "3", "--connections", "1,16"])
    plan = cli.plan_of(arguments)
    assert arguments.only == ("pipeline", "http")
    assert (plan.seconds, plan.rounds, plan.connections, plan.quick) == (0.5, 3, (1, 16), False)


def test_quick_can_be_told_more() -> None:
    plan = cli.plan_of(cli.parsed(["--quick", "--rounds", "7"]))
    assert (plan.quick, plan.rounds, plan.seconds) == (True, 7, context.QUICK.seconds)


def test_another_injector_is_a_target() -> None:
    words = ["--against", "https://127.0.0.1:15017/inject/cluster/one", "--insecure", "--pid", "17"]
    other = cli.parsed(words).other
    assert (other.host, other.port, other.path) == ("127.0.0.1", 15017, "/inject/cluster/one?timeout=10s")
    assert (other.server_name, other.pid, other.patches) == ("", 17, True)


REFUSED = {
    "an unknown section": (["--only", "speed"], "there are pipeline, "),
    "an unknown command": (["measure"], "invalid choice"),
    "no time": (["--seconds", "0"], "no number above 0"),
    "no number of rounds": (["--rounds", "many"], "no number from 1 on"),
    "no connections": (["--connections", "1,,8"], "no number from 1 on"),
    "http": (["--against", "http://127.0.0.1/inject"], "must be https://"),
    "a file with a CA that is not there": (["--against", "https://a/", "--ca", "/nonexistent"], "No such file"),
    "a pid without another injector": (["--pid", "1"], "belong to --against"),
    "a picture of nothing": (["picture"], "needs a FILE"),
    "figures that are none": (["publish", "--quick"], "not quickly"),
    "figures of a part": (["publish", "--only", "http"], "measures everything"),
    "a run with a file": (["run", "figures.json"], "takes no FILE"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parsed(words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_help_names_every_section_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parsed(["--help"])
    shown = capsys.readouterr().out
    assert [word for word in (*suite.SECTIONS, *cli.COMMANDS) if f"  {word} " not in shown] == []


def test_published_figures_are_printed_as_a_page_and_as_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["page", str(page.FIGURES)]) == 0
    assert capsys.readouterr().out.rstrip("\n") in page.PAGE.read_text()
    assert cli.main(["picture", str(page.FIGURES)]) == 0
    assert capsys.readouterr().out == page.PICTURE.read_text()


def test_a_file_that_holds_no_results_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    file.write_text("[]")
    assert cli.main(["page", str(file)]) == 1
    assert "holds no results" in capsys.readouterr().err


def of_a_run(monkeypatch: pytest.MonkeyPatch, **sections: object) -> None:
    """Have the next run find what is published, but for these sections."""
    found = results.read(page.FIGURES)
    found["sections"] = {**found["sections"], **sections}
    monkeypatch.setattr(cli, "_measured", lambda arguments: found)


@pytest.mark.parametrize(("micros", "words", "code"), [(10_000, ["--check"], 1), (10_000, [], 0)])
def test_a_missed_bar_fails_a_run_that_is_to_check(
    micros: float, words: list[str], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pipeline = results.read(page.FIGURES)["sections"]["pipeline"]
    pipeline["two"]["micros"]["pipeline"]["lowest"] = micros
    of_a_run(monkeypatch, pipeline=pipeline)
    assert cli.main([*words, "--json", str(tmp_path / "figures.json")]) == code


def test_a_section_that_failed_fails_the_run_and_what_was_measured_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    of_a_run(monkeypatch, live={"failed": "no Pod was injected as edited"})
    assert cli.main(["--json", str(file)]) == 1
    told = capsys.readouterr()
    assert "The benchmark failed: live" in told.err
    assert "live: failed: no Pod was injected as edited" in told.out
    assert results.section(results.read(file), "pipeline")


def test_figures_of_which_some_are_missing_are_not_published(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page.FIGURES.read_text()
    of_a_run(monkeypatch, live={"failed": "no Pod was injected as edited"})
    assert cli.main(["publish", "--json", str(tmp_path / "figures.json")]) == 1
    assert "nothing is published" in capsys.readouterr().err
    assert page.FIGURES.read_text() == before


def test_a_quick_run_prints_tables_and_writes_figures(tmp_path: Path) -> None:
    file = tmp_path / "made" / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "pipeline", "--json", str(file)]
    environment = {**os.environ, "PYTHONPATH": "operator"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "The pipeline alone: µs of processor time" in done.stdout
    assert "pipeline: the path of one Pod" in done.stderr
    figures = results.read(file)["sections"]["pipeline"]
    assert figures["two"]["micros"]["pipeline"]["lowest"] > 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_figures_can_be_printed_as_json(tmp_path: Path) -> None:
    words = ["--quick", "--only", "pipeline", "--seconds", "0.02", "-o", "json", "--json", str(tmp_path / "f.json")]
    environment = {**os.environ, "PYTHONPATH": "operator"}
    command = [sys.executable, "-m", "benchmarks", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)["sections"].keys() == {"pipeline"}
