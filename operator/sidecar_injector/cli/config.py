"""`sidecar-injector config`: complete configs to start from, one for each profile."""

from importlib import resources

import click

from sidecar_injector.profiles.istio.stock import stock_config


@click.group()
def config() -> None:
    """Print a complete, commented SidecarInjectorConfig to start from."""


@config.command()
def istio() -> None:
    """Print a config of profile Istio: Pods get what istiod would give them.

    It has Istio's templates sidecar, gateway, grpc-agent and grpc-simple, its values and its mesh config. Who runs
    Istio pastes their own values and mesh config, or has it written by: sidecar-injector import-istio
    """
    click.echo(stock_config(), nl=False)


@config.command()
def generic() -> None:
    """Print a config of profile Generic: a log shipper as a sidecar, and a second template on request.

    Save it, change it, and try it: sidecar-injector validate -f config.yaml
    """
    click.echo(generic_config(), nl=False)


def generic_config() -> str:
    """Return the text of the config of profile Generic."""
    return resources.files("sidecar_injector.cli").joinpath("generic.yaml").read_text("utf-8")
