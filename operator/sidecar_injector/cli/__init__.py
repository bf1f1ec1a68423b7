"""The command line. A command's module is imported when the command is called, so that each stays quick.

Exit codes: 0 done; 1 the answer is no (each command says of what); 2 wrong usage, or a file that cannot be used;
3 a defect of this program.
"""

import importlib
import sys
import traceback
from typing import Any, NamedTuple, NoReturn

import click

from sidecar_injector import __version__
from sidecar_injector.errors import SidecarInjectorError
from sidecar_injector.names import APP

BAD_INPUT = 2
DEFECT = 3

HELP = """
Injects sidecars into Pods from templates that render data, not text.

\b
Try a config without a cluster:
  sidecar-injector config generic > config.yaml
  sidecar-injector validate -f config.yaml
  sidecar-injector inject --config config.yaml -f deployment.yaml

\b
Exit codes of all commands:
  0  done
  1  the answer is no: a config is refused, an object cannot be injected
  2  wrong usage, or a file that cannot be read
  3  a defect of this program
"""


class LazyCommand(NamedTuple):
    """Where a command is, and what the overview says about it."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "run": LazyCommand("sidecar_injector.cli.run", "run", "Run the operator: inject Pods as they are created."),
    "inject": LazyCommand("sidecar_injector.cli.inject", "inject", "Inject the workloads in files, without a cluster."),
    "explain": LazyCommand(
        "sidecar_injector.cli.explain", "explain", "Explain why a Pod is injected or not, and what to do about it."
    ),
    "validate": LazyCommand("sidecar_injector.cli.validate", "validate", "Check SidecarInjectorConfigs in files."),
    "config": LazyCommand("sidecar_injector.cli.config", "config", "Print a complete config to start from."),
    "import-istio": LazyCommand(
        "sidecar_injector.cli.import_istio", "import_istio", "Write the config that does what an installed Istio does."
    ),
    "version": LazyCommand("sidecar_injector.cli.version", "version", "Print the version."),
}


class Main(click.Group):
    """A group that imports its commands when they are called, and turns errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        command: click.Command = getattr(importlib.import_module(found.module), found.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the table, so that --help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command; its errors become messages and exit codes."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except SidecarInjectorError as error:
            _fail(f"Error: {error}", BAD_INPUT)
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            _fail(f"Error: a defect of {APP}: {type(error).__name__}: {error}\n(--debug shows where)", DEFECT)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


@click.group(cls=Main, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name=APP)
@click.option("--debug", is_flag=True, help="Show where a defect of this program happened: sidecar-injector --debug …")
def main(debug: bool) -> None:
    """See HELP."""
