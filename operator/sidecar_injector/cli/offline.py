"""Injection without a cluster: the serving pipeline, on objects from files."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sidecar_injector.cli.files import Document, Object, flatten, is_list, join, list_items
from sidecar_injector.cli.workloads import pod_of, template_path, with_pod
from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import InjectionError, InputFileError, ReviewError, TemplateError
from sidecar_injector.injection.calling import ask_in_turn
from sidecar_injector.injection.facts import ClusterFacts, NamespaceFacts
from sidecar_injector.injection.outcome import Outcome
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import REVIEW_API_VERSION, Request, parse_review
from sidecar_injector.names import Reason
from sidecar_injector.profiles import profile_for

_OBJECT = "request.object"


@dataclass(frozen=True)
class Injector:
    """What is known before an object is read.

    configs      -- in the order in which the API server would call for them
    cluster      -- version and abilities of the cluster
    namespace    -- of objects that name none
    namespaces   -- the Namespaces that are known, by name
    other_labels -- labels of all other Namespaces; None if they are unknown, and then every config selects them
    """

    configs: Sequence[CompiledConfig]
    cluster: ClusterFacts
    namespace: str = "default"
    namespaces: Mapping[str, NamespaceFacts] = field(default_factory=dict)
    other_labels: Mapping[str, str] | None = None

    def labels_of(self, namespace: str) -> Mapping[str, str] | None:
        """Return the labels of a Namespace, or None if they are unknown."""
        known = self.namespaces.get(namespace)
        return known.labels if known else self.other_labels

    def facts_for(self, namespace: str) -> ClusterFacts:
        """Return the facts for a Pod in this Namespace."""
        known = self.namespaces.get(namespace) or NamespaceFacts(namespace, self.other_labels or {})
        return replace(self.cluster, namespaces={namespace: known})


@dataclass
class Report:
    """What became of the objects, in lines for people: all of them, and those of objects that cannot be injected."""

    lines: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def inject_document(document: Document, injector: Injector, report: Report) -> Object:
    """Return the document with every Pod and Pod template in it injected, those in Lists included.

    What could not be injected is noted in the report and returned as it was. Raises InputFileError for a workload that
    does not say what its Pods are.
    """
    return _inject(document.value, "", document, injector, report)


def _inject(value: Object, at: str, document: Document, injector: Injector, report: Report) -> Object:
    if is_list(value):
        items = [_inject(item, path, document, injector, report) for path, item in list_items(value, at, document)]
        return {**value, "items": items} if items else value
    path = template_path(value)
    if path is None:
        return value
    pod_at = join(at, ".".join(path)) if path else at
    subject = _Subject(value, path, pod_at, document, injector)
    return subject.injected(pod_of(value, path, subject.namespace, at, document), report)


@dataclass(frozen=True)
class _Subject:
    """One workload on its way through all configs."""

    workload: Object
    path: Sequence[str]
    pod_at: str
    document: Document
    injector: Injector

    @property
    def namespace(self) -> str:
        return str(_metadata(self.workload).get("namespace") or self.injector.namespace)

    @property
    def title(self) -> str:
        metadata = _metadata(self.workload)
        name = metadata.get("name") or f"{metadata.get('generateName') or '(no name)'}"
        return f"{self.workload['kind']} {self.namespace}/{name}"

    def injected(self, pod: Object, report: Report) -> Object:
        """Return the workload, injected by every config that selects it."""
        try:
            result, outcomes = self._through_all(pod)
        except _NotInjectedError as error:
            line = f"{self.title}: not injected, {error}"
            report.lines.append(line)
            report.failures.append(line)
            return self.workload
        for config in self.injector.configs:
            report.lines += [f"{self.title}: {line}" for line in _lines(config, outcomes[config.name])]
        return self.workload if result is pod else with_pod(self.workload, self.path, result)

    def _through_all(self, pod: Object) -> tuple[Object, dict[str, Outcome]]:
        """Return the Pod after all configs, and what came of each, by name.

        As the API server does, those that want it are asked a second time when a later one has changed the Pod.
        """
        return ask_in_turn(
            pod, self.injector.configs, self._admit, lambda outcome: outcome.pod if outcome.patch else None
        )

    def _admit(self, pod: Object, config: CompiledConfig) -> Outcome:
        request = self._request(pod)
        facts, labels = self.injector.facts_for(self.namespace), self.injector.labels_of(self.namespace)
        try:
            return admit(request, config, profile_for(config), facts, labels)
        except (TemplateError, InjectionError) as error:
            raise _NotInjectedError(f"{config.name} failed: {error}") from error

    def _request(self, pod: Object) -> Request:
        """Return the request that the API server would send, checked as the webhook checks it."""
        request = {
            "uid": "offline",
            "operation": "CREATE",
            "namespace": self.namespace,
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "object": pod,
        }
        try:
            return parse_review({"apiVersion": REVIEW_API_VERSION, "kind": "AdmissionReview", "request": request})
        except ReviewError as error:
            raise refused_pod(error, self.pod_at, self.document) from None


def refused_pod(error: ReviewError, at: str, document: Document) -> InputFileError:
    """Return the error that a Pod in a file, at this path, is none, in the words in which the webhook says so."""
    found = re.fullmatch(rf"{re.escape(_OBJECT)}\.?(.*?): (.*)", str(error), re.DOTALL)
    path, message = found.groups() if found else ("", str(error))
    return document.refuse(join(at, path).rstrip("."), message)


class _NotInjectedError(Exception):
    """This object cannot be injected."""


def _metadata(value: Object) -> Object:
    metadata = value.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _lines(config: CompiledConfig, outcome: Outcome) -> Iterator[str]:
    decision = outcome.decision
    if decision.reason is Reason.INJECTED:
        yield f"injected by {config.name} (revision {config.digest}): {decision.message.removeprefix('injected ')}"
    elif decision.reason is Reason.ALREADY_INJECTED:
        yield f"already injected by {config.name} (revision {config.digest})"
    else:
        yield f"not injected by {config.name} ({decision.reason}): {decision.message}"
    for warning in outcome.warnings:
        if warning != decision.message:
            yield f"warning of {config.name}: {warning}"


def in_calling_order(configs: Iterable[CompiledConfig]) -> list[CompiledConfig]:
    """Return the configs in the order in which the API server calls for them."""
    return sorted(configs, key=lambda config: (config.spec.order, config.name))


def namespaces_in(documents: Iterable[Document]) -> dict[str, NamespaceFacts]:
    """Return the Namespaces among the objects, by name."""
    found: dict[str, NamespaceFacts] = {}
    for document in documents:
        for path, value in flatten(document):
            if value["apiVersion"] == "v1" and value["kind"] == "Namespace":
                facts = _namespace(value, path, document)
                found[facts.name] = facts
    return found


def _namespace(value: Object, path: str, document: Document) -> NamespaceFacts:
    metadata = value.get("metadata") or {}
    texts: list[dict[str, str]] = []
    for name in ("labels", "annotations"):
        given = (metadata.get(name) if isinstance(metadata, Mapping) else None) or {}
        if not isinstance(given, Mapping) or not all(isinstance(text, str) for text in given.values()):
            raise document.refuse(join(path, f"metadata.{name}"), "is not an object whose values are all text")
        texts.append(dict(given))
    return NamespaceFacts(str(metadata.get("name")) if isinstance(metadata, Mapping) else "", *texts)
