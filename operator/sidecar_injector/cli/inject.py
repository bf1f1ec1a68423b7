"""`sidecar-injector inject`: what the webhook would do to the workloads in files."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from sidecar_injector.cli.files import Document, Object, flatten, is_config, read_objects, write_objects
from sidecar_injector.cli.offline import Injector, Report, in_calling_order, inject_document, namespaces_in
from sidecar_injector.cli.options import NEWEST_KUBERNETES, cluster_of_version, labels, namespace_name
from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import ConfigError, InputFileError
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.names import KIND
from sidecar_injector.profiles.acceptance import accept

EPILOG = """
\b
Examples:
  sidecar-injector inject --config config.yaml -f deployment.yaml | kubectl apply -f -
  kubectl get deployments -o yaml | sidecar-injector inject --config config.yaml -f -

Where the API server decides, this command takes the answer to be yes: spec.match.conditions are not evaluated, and
labels of Namespaces are looked at only where these are in the input, or with --namespace-labels. Everything else is
decided by the same code as in the operator.

\b
Exit codes:
  0  done; standard output has all objects
  1  an object could not be injected (a template failed on it, or it is refused): standard output is empty
  2  wrong usage, or a file or config that cannot be used: standard output is empty
"""


@click.command(epilog=EPILOG)
@click.option(
    "-f", "--filename", "filenames", multiple=True, required=True, metavar="FILE",
    help="File or directory (*.yaml, *.yml, *.json) with objects; - is standard input. May be given again.",
)  # fmt: skip
@click.option(
    "--config", "config_names", multiple=True, required=True, metavar="FILE",
    help=f"File or directory with {KIND}s. May be given again; they are applied by spec.order, then name.",
)  # fmt: skip
@click.option(
    "-n", "--namespace", callback=namespace_name, metavar="NAME", default="default", show_default=True,
    help="Namespace of objects that name none.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="Form of the output."
)
@click.option(
    "--namespace-labels", callback=labels, metavar="KEY=VALUE,…",
    help="Labels of the Namespaces that are not in the input, for selection and for templates.",
)  # fmt: skip
@click.option(
    "--kubernetes-version", "cluster", callback=cluster_of_version, metavar="VERSION", default=NEWEST_KUBERNETES,
    show_default=True,
    help="Version of the cluster; sidecarMode Auto means native sidecars from 1.33 on (profile Generic: 1.29).",
)  # fmt: skip
@click.option(
    "-q", "--quiet", is_flag=True, help="Print only errors on standard error, not what happened to each object."
)
def inject(
    filenames: Sequence[str],
    config_names: Sequence[str],
    namespace: str,
    output: str,
    namespace_labels: Mapping[str, str] | None,
    cluster: ClusterFacts,
    quiet: bool,
) -> None:
    """Inject the Pods and workloads in files as the webhook would, and print all objects.

    Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job and CronJob are injected, also in
    Lists; other objects come out as they are, without comments. Standard error tells for each object which config
    injected it, or why it did not.
    """
    configs = load_configs(config_names)
    documents = read_objects(filenames)
    injector = Injector(configs, cluster, namespace, namespaces_in(documents), namespace_labels)
    report = Report()
    results = [inject_document(document, injector, report) for document in documents]
    for line in _unevaluated(configs) if not quiet else ():
        click.echo(line, err=True)
    for line in report.failures if quiet else report.lines:
        click.echo(line, err=True)
    if report.failures:
        sys.exit(1)
    write_objects(results, output)


def load_configs(names: Sequence[str]) -> list[CompiledConfig]:
    """Return the accepted configs in these files, in calling order. Raises InputFileError."""
    found: dict[str, tuple[CompiledConfig, Document]] = {}
    for document in read_objects(names):
        for path, value in flatten(document):
            if not is_config(value):
                continue
            config = _accepted(value, path, document)
            if config.name in found:
                message = f"{KIND}/{config.name} is in {found[config.name][1].file} already"
                raise InputFileError(document.file, message, document.number)
            found[config.name] = config, document
    if not found:
        raise InputFileError(", ".join(names), f"holds no {KIND}")
    return in_calling_order(config for config, _ in found.values())


def _accepted(value: Object, path: str, document: Document) -> CompiledConfig:
    try:
        return accept(value)
    except ConfigError as error:
        at = f"{path}: " if path else ""
        problems = "\n".join(str(problem) for problem in error.problems)
        raise InputFileError(
            document.file, f"{at}{KIND}/{error.config or '?'} is refused\n{problems}", document.number
        ) from None


def _unevaluated(configs: Iterable[CompiledConfig]) -> Iterator[str]:
    for config in configs:
        if config.spec.match.conditions:
            names = ", ".join(condition.name for condition in config.spec.match.conditions)
            yield f"{KIND}/{config.name}: taken as true, because only the API server evaluates CEL: {names}"
