"""Objects in files, each with the Pod that it makes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sidecar_injector.cli.explaining.knowledge import pod_that_says_nothing
from sidecar_injector.cli.files import Document, Object, flatten, join
from sidecar_injector.cli.offline import refused_pod
from sidecar_injector.cli.workloads import pod_of, template_path
from sidecar_injector.errors import InputFileError, ReviewError
from sidecar_injector.injection.review import check_pod
from sidecar_injector.injection.view import Pod, annotations, labels, part
from sidecar_injector.profiles.explaining.model import Target


def targets_in(documents: Sequence[Document], namespace: str) -> list[tuple[Target, Pod]]:
    """Return what there is to explain in files: Pods and workloads, or of Namespaces alone what a Pod there is given.

    namespace -- of objects that name none. Raises InputFileError if there is nothing, or a Pod is none.
    """
    found = list(_workloads(documents, namespace)) or list(_namespaces(documents))
    if not found:
        files = ", ".join(dict.fromkeys(document.file for document in documents))
        raise InputFileError(files, "holds nothing that makes Pods")
    return found


def as_pod(workload: Object, path: Sequence[str], namespace: str, at: str, document: Document) -> Pod:
    """Return the Pod that a workload makes, checked as the webhook checks it."""
    pod = pod_of(workload, path, namespace, at, document)
    try:
        check_pod(pod)
    except ReviewError as error:
        raise refused_pod(error, join(at, ".".join(path)) if path else at, document) from None
    return pod


def target(workload: Object, path: Sequence[str], namespace: str, *, file: str = "", exists: bool = False) -> Target:
    """Return a workload as something to be explained."""
    metadata = part(workload, "metadata")
    name = str(metadata.get("name") or metadata.get("generateName") or "(no name)")
    mine = workload if path else {}  # a Pod's own are those of its template
    return Target(
        str(workload["kind"]),
        namespace,
        name,
        tuple(path),
        file,
        exists,
        labels=_texts(labels(mine)),
        annotations=_texts(annotations(mine)),
    )


def _workloads(documents: Iterable[Document], default: str) -> Iterator[tuple[Target, Pod]]:
    for document in documents:
        for at, value in flatten(document):
            path = template_path(value)
            if path is not None:
                namespace = str(part(value, "metadata").get("namespace") or default)
                pod = as_pod(value, path, namespace, at, document)
                yield target(value, path, namespace, file=document.file), pod


def _namespaces(documents: Iterable[Document]) -> Iterator[tuple[Target, Pod]]:
    for document in documents:
        for _, value in flatten(document):
            if (value["apiVersion"], value["kind"]) == ("v1", "Namespace"):
                name = str(part(value, "metadata").get("name"))
                yield Target("Namespace", name, name, file=document.file), pod_that_says_nothing(name)


def _texts(given: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, Mapping) else {}
