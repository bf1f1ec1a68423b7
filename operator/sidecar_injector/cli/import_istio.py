"""`sidecar-injector import-istio`: the config that injects what an installed Istio injects."""

import os
import sys
from collections.abc import Sequence

import click

from sidecar_injector.cli.files import write_objects
from sidecar_injector.cli.importing.conversion import Conversion, convert
from sidecar_injector.cli.importing.report import next_steps, report
from sidecar_injector.cli.importing.sources import Installation, from_documents, from_files
from sidecar_injector.cli.options import namespace_name
from sidecar_injector.names import KIND

ISTIO_NAMESPACE = "istio-system"

EPILOG = """
\b
Examples:
  sidecar-injector import-istio > istio.yaml                    # from the cluster
  kubectl get configmaps -n istio-system -o yaml | sidecar-injector import-istio -f -
  sidecar-injector import-istio --config config.yaml --values values.json --mesh mesh.yaml

Istio's own templates are replaced by ours, which do the same. Other templates are translated, or left out with every
reason and what to write instead: a translation is exact, or there is none.

\b
Exit codes:
  0  done; standard output has the config
  1  something could not be carried over (standard output is empty unless --allow-incomplete), or the config that
     comes out would be refused
  2  wrong usage, a file that cannot be used, or a cluster that does not answer
"""


@click.command(epilog=EPILOG)
@click.option(
    "-f", "--filename", "filenames", multiple=True, metavar="FILE",
    help="File or directory with Istio's ConfigMaps, also in Lists; - is standard input. May be given again. "
    "Default: read them from the cluster.",
)  # fmt: skip
@click.option("--config", metavar="FILE", help="Instead: the document `config` of ConfigMap istio-sidecar-injector.")
@click.option("--values", metavar="FILE", help="The document `values` of the same ConfigMap.")
@click.option("--mesh", metavar="FILE", help="The document `mesh` of ConfigMap istio.")
@click.option(
    "-n", "--namespace", callback=namespace_name, metavar="NAME",
    help=f"Namespace of the ConfigMaps. [default: {ISTIO_NAMESPACE}; of files, any]",
)  # fmt: skip
@click.option(
    "--revision", metavar="NAME", help="Revision of Istio.  [default: the one without a name; of files, the only one]"
)
@click.option("--kubeconfig", default="", metavar="FILE", help="As for kubectl. [default: $KUBECONFIG, ~/.kube/config]")
@click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig. [default: its current one]")
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="Form of the output."
)
@click.option("--allow-incomplete", is_flag=True, help="Print the config even if something could not be carried over.")
def import_istio(
    filenames: Sequence[str],
    config: str | None,
    values: str | None,
    mesh: str | None,
    namespace: str | None,
    revision: str | None,
    kubeconfig: str,
    context: str,
    output: str,
    allow_incomplete: bool,
) -> None:
    """Print the SidecarInjectorConfig of profile Istio that injects what an installed Istio injects.

    It is made of the ConfigMaps istio-sidecar-injector (config and values) and istio (mesh) of one revision. Standard
    error tells what was taken from where, what was not carried over, and what differs.
    """
    _check_usage(filenames, config, values, mesh)
    if filenames:
        source = from_files(filenames, namespace, revision)
    elif config and values:
        source = from_documents(config, values, mesh, revision)
    else:
        source = _of_the_cluster(kubeconfig, context, namespace or ISTIO_NAMESPACE, revision)
    found = convert(source)
    for line in report(source, found):
        click.echo(line, err=True)
    _finish(found, output, allow_incomplete)


def _check_usage(filenames: Sequence[str], config: str | None, values: str | None, mesh: str | None) -> None:
    documents = {"--config": config, "--values": values, "--mesh": mesh}
    given = [option for option, name in documents.items() if name is not None]
    if filenames and given:
        raise click.UsageError(f"-f and {given[0]} exclude each other")
    if given and not (config and values):
        raise click.UsageError(f"{given[0]} needs --config and --values, both of ConfigMap istio-sidecar-injector")


def _of_the_cluster(kubeconfig: str, context: str, namespace: str, revision: str | None) -> Installation:
    import asyncio  # what only this way needs is loaded by it alone

    from sidecar_injector.cli.importing.in_cluster import from_cluster

    found = kubeconfig or os.environ.get("KUBECONFIG", "")
    return asyncio.run(from_cluster(found, context, namespace, revision))


def _finish(found: Conversion, output: str, allow_incomplete: bool) -> None:
    """Print the config, or say why not."""
    if found.problems:
        click.echo(f"Error: the {KIND} would be refused:", err=True)
        for problem in found.problems:
            click.echo(f"  {problem}", err=True)
        sys.exit(1)
    if not found.complete and not allow_incomplete:
        click.echo(
            "Error: not everything could be carried over; --allow-incomplete prints the config without it", err=True
        )
        sys.exit(1)
    write_objects([found.resource], output)
    for line in next_steps(found):
        click.echo(line, err=True)
