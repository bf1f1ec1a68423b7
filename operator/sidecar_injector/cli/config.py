"""`sidecar-injector config generic`: a complete config to start from."""

from importlib import resources

import click


@click.group()
def config() -> None:
    """Print a complete, commented SidecarInjectorConfig to start from."""


@config.command()
def generic() -> None:
    """Print a config of profile Generic: a log shipper as a sidecar, and a second template on request.

    Save it, change it, and try it: sidecar-injector validate -f config.yaml
    """
    click.echo(generic_config(), nl=False)


def generic_config() -> str:
    """Return the text of the config."""
    return resources.files("sidecar_injector.cli").joinpath("generic.yaml").read_text("utf-8")
