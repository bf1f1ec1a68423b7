"""`sidecar-injector version`."""

import click

from sidecar_injector import __version__


@click.command()
def version() -> None:
    """Print the version and nothing else."""
    click.echo(__version__)
