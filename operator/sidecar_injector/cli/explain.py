"""`sidecar-injector explain`: why is this Pod injected, or not, and what to do about it?"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence

import click

from sidecar_injector.cli.explaining import configs
from sidecar_injector.cli.explaining.data import as_data, overview_as_data
from sidecar_injector.cli.explaining.in_files import targets_in
from sidecar_injector.cli.explaining.knowledge import Knowledge, pod_that_says_nothing
from sidecar_injector.cli.explaining.objects import NAMESPACE, named
from sidecar_injector.cli.explaining.question import Answered, Overview, Question, answered
from sidecar_injector.cli.explaining.text import as_text, overview_as_text
from sidecar_injector.cli.files import read_objects
from sidecar_injector.cli.offline import namespaces_in
from sidecar_injector.cli.options import NEWEST_KUBERNETES, cluster, cluster_of_version, labels, namespace_name
from sidecar_injector.errors import ClusterError
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.names import KIND
from sidecar_injector.profiles.explaining import Target, Verdict
from sidecar_injector.templating import dump_yaml

EPILOG = f"""
The first line names the cause and what to do about it. Below it stands everything that led to it: every config in the
order in which the API server calls for them; by which of its entries, if by any; each rule of the selection, with what
it looked at; the templates, the rules that finish the Pod, and its containers. It is the operator's own code that
decides.

\b
Objects: a Pod, or what makes Pods: deployment, statefulset, daemonset, cronjob, job, replicaset, replicationcontroller
(short: po, deploy, sts, ds, cj, rs, rc); of others, such as Argo's Rollouts, explain one of their Pods.

\b
Examples:
  sidecar-injector explain pod/web-5d9c7b6f4-x2x7q -n shop     # why does this Pod have (no) sidecar?
  sidecar-injector explain deployment/web -n shop              # what will its Pods be given, and what do they have?
  sidecar-injector explain -n shop                             # the whole namespace, a line for each workload
  sidecar-injector explain -f app.yaml                         # before it is applied, by the cluster's configs
  sidecar-injector explain -f app.yaml --config mesh.yaml --namespace-labels istio-injection=enabled
  sidecar-injector explain deployment/web --config new.yaml    # what would another config do?

The cluster is only read, with your own rights: the object, its Pods, its Namespace, {KIND}s, the
MutatingWebhookConfiguration, and nodes. What you may not read is noted, and done without. CEL expressions
(spec.match.conditions) can be evaluated by the API server only; the answer says what hangs on them.

\b
Exit codes:
  0  injected: what runs has its sidecar, and what is created would be given it; or the question was about a namespace
  1  not injected: a Pod that runs has none, or one that is created would get none, or could not be created
  2  wrong usage, or a file, object or cluster that cannot be read
"""


@click.command(epilog=EPILOG)
@click.argument("words", nargs=-1, metavar="[TYPE/NAME | TYPE NAME]")
@click.option(
    "-n", "--namespace", callback=namespace_name, metavar="NAME",
    help="Namespace of the object, or of objects in files that name none. Alone: explain the whole namespace. "
    "[default: that of the context]",
)  # fmt: skip
@click.option(
    "-f", "--filename", "filenames", multiple=True, metavar="FILE",
    help="Explain the objects in this file or directory (*.yaml, *.yml, *.json); - is standard input. May be given "
    "again. Namespaces among them say their labels.",
)  # fmt: skip
@click.option(
    "--config", "config_names", multiple=True, metavar="FILE",
    help=f"File or directory with {KIND}s, instead of those in the cluster. With -f, no cluster is needed.",
)  # fmt: skip
@click.option(
    "--namespace-labels", callback=labels, metavar="KEY=VALUE,…",
    help="Labels of the Namespaces that are not in the files, instead of those in the cluster.",
)  # fmt: skip
@click.option(
    "--kubernetes-version", "nodes", callback=cluster_of_version, metavar="VERSION",
    help=f"Version of the nodes, which decides about native sidecars. [default: the cluster's, or {NEWEST_KUBERNETES}]",
)  # fmt: skip
@click.option("--kubeconfig", default="", metavar="FILE", help="As for kubectl. [default: $KUBECONFIG, ~/.kube/config]")
@click.option("--context", default="", metavar="NAME", help="Context of the kubeconfig. [default: its current one]")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", show_default=True,
    help="Form of the output.",
)  # fmt: skip
def explain(
    words: Sequence[str],
    namespace: str | None,
    filenames: Sequence[str],
    config_names: Sequence[str],
    namespace_labels: Mapping[str, str] | None,
    nodes: ClusterFacts | None,
    kubeconfig: str,
    context: str,
    output: str,
) -> None:
    """Explain why a Pod, a workload, a file or a namespace is injected or not, and what to do about it."""
    about = named(words)
    if about and filenames:
        raise click.UsageError("Name an object of the cluster, or files with -f; not both.")
    if not (about or filenames or namespace):
        raise click.UsageError(
            "What is to be explained? Name an object (deployment/web), a file (-f), or a namespace (-n)."
        )
    question = Question(about, filenames, config_names, namespace, namespace_labels, nodes, kubeconfig, context)
    result = _offline(question) if _needs_no_cluster(question) else _online(question)
    _print(result, output)
    if not isinstance(result, Overview) and any(each.verdict is not Verdict.INJECTED for each in result):
        sys.exit(1)


def _needs_no_cluster(question: Question) -> bool:
    """Tell whether everything is given: configs, and files or a Namespace's labels."""
    of_namespace = question.named is None or question.named[0] is NAMESPACE
    given = question.filenames or (of_namespace and question.namespace_labels is not None)
    return bool(question.config_names and given)


def _offline(question: Question) -> Answered:
    namespace = question.namespace or "default"
    documents = read_objects(question.filenames) if question.filenames else []
    knowledge = Knowledge(
        configs.from_files(question.config_names),
        question.nodes or cluster(NEWEST_KUBERNETES),
        namespaces_in(documents),
        question.namespace_labels,
    )
    if documents:
        return [answered(knowledge, target, pod) for target, pod in targets_in(documents, namespace)]
    name = question.named[1] if question.named else namespace
    return Overview(answered(knowledge, Target("Namespace", name, name), pod_that_says_nothing(name)), ())


def _online(question: Question) -> Answered:
    from sidecar_injector.cli.explaining.online import ask  # loads the client of the API server

    try:
        return asyncio.run(ask(question))
    except ClusterError as error:
        if question.filenames and not question.config_names and not error.status:
            raise ClusterError(f"{error}\nWithout a cluster, give the configs, too: --config FILE") from None
        raise


def _print(result: Answered, output: str) -> None:
    if output == "text":
        click.echo(_text(result))
        return
    data = _data(result)
    text = dump_yaml(data) if output == "yaml" else json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)


def _text(result: Answered) -> str:
    if isinstance(result, Overview):
        return overview_as_text(result.headline, result.namespace, result.workloads)
    return "\n\n".join(as_text(each) for each in result)


def _data(result: Answered) -> Mapping[str, object]:
    if isinstance(result, Overview):
        return overview_as_data(result.headline, result.namespace, result.workloads)
    found: list[Mapping[str, object]] = [as_data(each) for each in result]
    return found[0] if len(found) == 1 else {"items": found}
