"""Questions that the cluster answers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar_injector.cli.explaining import configs
from sidecar_injector.cli.explaining.in_cluster import Cluster
from sidecar_injector.cli.explaining.in_files import as_pod, target, targets_in
from sidecar_injector.cli.explaining.knowledge import Knowledge, pod_that_says_nothing
from sidecar_injector.cli.explaining.objects import NAMESPACE, POD
from sidecar_injector.cli.explaining.question import Answered, Overview, Question, answered
from sidecar_injector.cli.files import Document, read_objects
from sidecar_injector.cli.offline import namespaces_in
from sidecar_injector.cli.workloads import template_path
from sidecar_injector.cluster.api import Api, namespace_of_context
from sidecar_injector.errors import InjectionError
from sidecar_injector.injection.view import Pod
from sidecar_injector.profiles.explaining import Explanation, Failure, RunningPod, Target
from sidecar_injector.profiles.explaining.running import as_sent, running_pod, target_of

Object = Mapping[str, object]

_DEFAULT_KUBECONFIG = "~/.kube/config"


async def ask(question: Question) -> Answered:
    """Return the answer. Raises ClusterError, InputFileError."""
    kubeconfig = _kubeconfig(question)
    namespace = question.namespace or _current_namespace(kubeconfig, question.context)
    api = Api(kubeconfig, question.context)
    try:
        return await _Asking(question, Cluster(api), namespace).answer()
    finally:
        await api.close()


def _kubeconfig(question: Question) -> str:
    """Return the kubeconfig, as kubectl finds it; empty: there is none, and this runs in a Pod."""
    found = question.kubeconfig or os.environ.get("KUBECONFIG", "")
    return found or (_DEFAULT_KUBECONFIG if Path(_DEFAULT_KUBECONFIG).expanduser().is_file() else "")


def _current_namespace(kubeconfig: str, context: str) -> str:
    files = [part for part in kubeconfig.split(os.pathsep) if part and Path(part).expanduser().is_file()]
    return namespace_of_context(kubeconfig, context) if files else "default"


@dataclass(frozen=True)
class _Found:
    """An object of the cluster, and what belongs to it: Pods that run, of a Pod its workload, and a Pod's refusal."""

    value: Object
    pods: list[RunningPod]
    workload: Object | None = None
    failure: Failure | None = None


class _Asking:
    """One question on its way."""

    def __init__(self, question: Question, cluster: Cluster, namespace: str) -> None:
        self._question = question
        self._cluster = cluster
        self._namespace = namespace
        self._supposed = bool(question.config_names)

    async def answer(self) -> Answered:
        """Find out what the question is about, and what is known, and explain."""
        if self._question.filenames:
            return await self._files()
        resource, name = self._question.named or (NAMESPACE, self._namespace)
        if resource is NAMESPACE:
            return await self._overview(name)
        found = await self._found(await self._cluster.read(resource, self._namespace, name))
        return [self._explained(await self._knowledge(self._namespace), found, self._namespace)]

    async def _files(self) -> list[Explanation]:
        documents = read_objects(self._question.filenames)
        targets = targets_in(documents, self._namespace)
        given = namespaces_in(documents)
        unknown = {each.namespace for each, _ in targets} - given.keys()
        knowledge = await self._knowledge(*sorted(unknown))
        knowledge = replace(knowledge, namespaces={**knowledge.namespaces, **given})
        return [answered(knowledge, each, pod) for each, pod in targets]

    async def _overview(self, namespace: str) -> Overview:
        await self._cluster.read(NAMESPACE, namespace, namespace)
        found = [_Found(each, pods) for each, pods in await self._cluster.workloads(namespace)]
        knowledge = await self._knowledge(namespace)
        itself = Target("Namespace", namespace, namespace, exists=True, supposed=self._supposed)
        return Overview(
            answered(knowledge, itself, pod_that_says_nothing(namespace)),
            tuple(self._explained(knowledge, each, namespace) for each in found),
        )

    async def _knowledge(self, *namespaces: str) -> Knowledge:
        question = self._question
        given = configs.from_files(question.config_names) if question.config_names else None
        stated, nodes = question.namespace_labels, question.nodes
        knowledge = await self._cluster.knowledge([] if stated is not None else namespaces, given)
        if nodes is not None:
            facts = replace(knowledge.facts, version=nodes.version, kubelets={}, oldest_kubelet=nodes.oldest_kubelet)
            knowledge = replace(knowledge, facts=facts)
        return replace(knowledge, other_labels=stated)

    async def _found(self, value: Object) -> _Found:
        if value.get("kind") == POD.kind:
            return _Found(value, [running_pod(value)], await self._cluster.owner_of(value, self._namespace))
        pods = await self._cluster.pods_of(value, self._namespace)
        return _Found(value, pods, failure=await self._cluster.failure_of(value, self._namespace))

    def _explained(self, knowledge: Knowledge, found: _Found, namespace: str) -> Explanation:
        about, pod, notes = _as_created(knowledge, found, namespace)
        knowledge = replace(knowledge, notes=(*knowledge.notes, *notes))
        if self._supposed:  # what runs has nothing to do with these configs
            return answered(knowledge, replace(about, supposed=True), pod)
        return answered(knowledge, about, pod, found.pods, found.failure)


def _as_created(knowledge: Knowledge, found: _Found, namespace: str) -> tuple[Target, Pod, list[str]]:
    """Return an object of the cluster, with its Pod as it is sent for creation, and what is to be noted about that."""
    path = template_path(found.value)
    if path:
        pod = as_pod(found.value, path, namespace, "", Document("the cluster", 0, found.value))
        return target(found.value, path, namespace, exists=True), pod, []
    about = target_of(found.value, found.workload)
    try:
        return about, as_sent(found.value, [known.name for known in knowledge.configs]), []
    except InjectionError as error:
        note = f"what the Pod was before its injection cannot be told, so it is explained as it is: {error}"
        return about, found.value, [note]
