"""`sidecar-injector run`: the operator itself."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, cast

import click

from sidecar_injector import names, settings

logger = logging.getLogger(__name__)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for row in reversed(settings.TABLE):
        shown = f"{row.meaning}  [{row.variable}{f'; default: {row.default}' if row.default != '' else ''}]"
        command = click.option(row.flag, row.name, help=shown.replace("`", ""))(command)
    return command


@click.command()
@_options
def run(**flags: str | None) -> None:
    """Run the operator until SIGTERM or SIGINT.

    Every option is also an environment variable, named in brackets; an option wins. Exit code 1: the operator could not
    go on; the last line of the log says why.
    """
    _operate(settings.load(os.environ, flags))


def _operate(chosen: settings.Settings) -> None:
    import kopf  # what this command alone needs is loaded by it alone

    import sidecar_injector.handlers  # noqa: F401
    from sidecar_injector.serving import logs

    logs.configure(chosen)
    memo: Any = kopf.Memo(settings=chosen)
    try:
        # Without an identity Kopf asks for the name of the user, and the numeric user of a container has none.
        kopf.run(clusterwide=True, standalone=True, identity=cast(Any, names.APP), memo=memo)
    except Exception as error:
        cause = error.__cause__ or error
        expected = isinstance(cause, kopf.PermanentError | OSError)
        logger.critical("The operator has ended: %s", cause, exc_info=None if expected else cause)
        sys.exit(1)
