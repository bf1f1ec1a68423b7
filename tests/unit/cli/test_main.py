"""The program as a whole: help, what is imported when, exit codes, no tracebacks."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import sidecar_injector
from sidecar_injector.cli import COMMANDS, DEFECT, LazyCommand, main
from tests.unit.cli.program import call, config, pod, write

PROGRAM = """
import sys
from sidecar_injector.cli import main
main(sys.argv[1:], standalone_mode=False)
print(*sys.modules)
"""


def modules_after(*arguments: str) -> set[str]:
    """Return the modules that are imported once a command has run in a fresh interpreter."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_overview_imports_no_command() -> None:
    assert not {"yaml", "jinja2", "kopf", "kubernetes", "sidecar_injector.cli.inject"} & modules_after("--help")


def test_injecting_imports_neither_kopf_nor_a_client_of_the_api_server(tmp_path: Path) -> None:
    config_file, objects = write(tmp_path / "c.yaml", config()), write(tmp_path / "o.yaml", pod())
    imported = modules_after("inject", "-q", "-f", str(objects), "--config", str(config_file))
    assert "sidecar_injector.injection.pipeline" in imported
    assert not {"kopf", "kubernetes", "aiohttp", "cryptography", "prometheus_client"} & imported


def test_explaining_files_imports_no_client_of_the_api_server(tmp_path: Path) -> None:
    config_file, objects = write(tmp_path / "c.yaml", config()), write(tmp_path / "o.yaml", pod())
    imported = modules_after("explain", "-f", str(objects), "--config", str(config_file))
    assert "sidecar_injector.injection.pipeline" in imported
    assert not {"kopf", "kubernetes", "aiohttp", "cryptography", "prometheus_client"} & imported


def test_the_overview_names_every_command_and_exit_code() -> None:
    result = call("--help")
    assert result.exit_code == 0
    for name, command in COMMANDS.items():
        assert f"  {name} " in result.stdout
        assert command.summary in result.stdout
    for line in ("0  done", "1  the answer is no", "2  wrong usage", "3  a defect"):
        assert line in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage:")


@pytest.mark.parametrize("name", ["inject", "explain", "validate"])
def test_commands_with_several_exit_codes_document_them(name: str) -> None:
    help_text = call(name, "--help").stdout
    for code in ("0  ", "1  ", "2  "):
        assert f"    {code}" in help_text


def test_the_version_is_printed() -> None:
    assert call("version").stdout == f"{sidecar_injector.__version__}\n"
    assert sidecar_injector.__version__ in call("--version").stdout


def test_an_unknown_command_is_wrong_usage() -> None:
    result = call("injekt")
    assert result.exit_code == 2
    assert "No such command 'injekt'" in result.stderr


@click.command
def defective() -> None:
    """Fail as no command should."""
    _ = 1 / 0


def test_a_defect_is_one_line_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "version", LazyCommand("tests.unit.cli.test_main", "defective", ""))
    result = call("version")
    assert result.exit_code == DEFECT
    assert result.stderr == (
        "Error: a defect of sidecar-injector: ZeroDivisionError: division by zero\n(--debug shows where)\n"
    )


def test_debug_shows_where_a_defect_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "version", LazyCommand("tests.unit.cli.test_main", "defective", ""))
    result = CliRunner().invoke(main, ["--debug", "version"])
    assert result.exit_code == DEFECT
    assert "Traceback" in result.stderr
    assert "defective" in result.stderr
