"""What to do about it: a command that can be pasted, if one will do, or the field and the file to change."""

import difflib
import json
from collections.abc import Mapping

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.errors import GuardrailError, InjectionError, MergeError, PodRejected, TemplateError
from sidecar_injector.injection.guardrails import remedy
from sidecar_injector.injection.view import Pod, annotations
from sidecar_injector.names import APP, SHORT_NAME, Reason
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.explaining.model import Target

Changes = Mapping[str, str | None]
"""Labels to set; None: to take off."""

_TEMPLATE = ("spec", "template")
_PATHS: Mapping[str, tuple[str, ...]] = {
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
}
"""Kinds whose Pod template may be changed, and then counts for the Pods to come."""
_MERGING = ("conflictPolicy", "Merge")
_RESTARTED = ("Deployment", "StatefulSet", "DaemonSet")


# --- the object


def place(target: Target, *fields: str) -> str:
    """Return the path of a field of the Pod, as it is in the object; of a Pod's workload, if that is to be edited."""
    return ".".join((*editable(target)[2], *fields))


def label_pods(target: Target, changes: Changes) -> str:
    """Return what it takes to have the Pods labelled so."""
    kind, name, path = editable(target)
    if target.exists and kind in _PATHS:
        patch: object = {"metadata": {"labels": dict(changes)}}
        for key in reversed(path):
            patch = {key: patch}
        return (
            f"kubectl patch {kind.lower()} {name} -n {target.namespace} -p '{json.dumps(patch, separators=(',', ':'))}'"
        )
    wanted = [f'label {key}: "{value}"' for key, value in changes.items() if value is not None]
    unwanted = [f"label {key}" for key, value in changes.items() if value is None]
    asked = " and ".join(
        [f"set the {' and the '.join(wanted)}"] * bool(wanted)
        + [f"take the {' and the '.join(unwanted)} off"] * bool(unwanted)
    )
    if target.kind == "Namespace":
        return f"{asked} (of Pods; in a workload: in spec.template.metadata.labels)"
    return f"{asked} in {place(target, 'metadata', 'labels')}{_whereabouts(target)}"


def change_field(target: Target, *fields: str) -> str:
    """Return where a field of the Pod can be changed: `… in spec.template.metadata.annotations (kubectl edit …)`."""
    kind, name, _ = editable(target)
    if target.exists and kind in _PATHS:
        return f"{place(target, *fields)} (kubectl edit {kind.lower()} {name} -n {target.namespace})"
    return f"{place(target, *fields)}{_whereabouts(target)}"


def editable(target: Target) -> tuple[str, str, tuple[str, ...]]:
    """Return kind, name and path to the Pod template of what has to be edited: of a Pod, the workload it belongs to."""
    if target.is_pod and target.owner is not None and target.owner.kind in _PATHS:
        return target.owner.kind, target.owner.name, _PATHS[target.owner.kind]
    return target.kind, target.name, target.path


def _whereabouts(target: Target) -> str:
    if target.file:
        return f" of {target.kind} {target.name} in {target.file}"
    if target.kind == "Namespace" or not target.exists:
        return ""
    if target.is_pod and target.owner is not None and target.owner.kind != "Pod":
        return f" of what makes it, {target.owner.kind} {target.owner.name}"
    return " of its manifest, and create it again"


def restart(target: Target) -> str:
    """Return how to have the Pods that run made anew; empty where none can be running."""
    if not target.exists or target.kind == "Namespace":
        return ""
    kind, name, _ = editable(target)
    if kind in _RESTARTED:
        return f"kubectl rollout restart {kind.lower()}/{name} -n {target.namespace}"
    if kind == "CronJob":
        return f"kubectl create job --from=cronjob/{name} {name}-again -n {target.namespace}"
    if target.is_pod and target.controlled:
        return f"kubectl delete pod {target.name} -n {target.namespace}"
    if target.is_pod:
        return "delete the Pod, and create it again from its manifest: kubectl replace --force -f FILE"
    if kind == "Job":
        return "delete the Job, and create it again from its manifest: kubectl replace --force -f FILE"
    return f"delete its Pods, so that {kind} {name} makes new ones"


def and_then(first: str, second: str) -> str:
    """Return two remedies as one: as a command line, if both are commands."""
    if not first or not second:
        return first or second
    return f"{first} && {second}" if _is_command(first) and _is_command(second) else f"{first}; then: {second}"


def _is_command(text: str) -> bool:
    return text.startswith("kubectl ") and " (" not in text


# --- the config and the operator


def after_outcome(target: Target, config: CompiledConfig, file: str, reason: Reason) -> str:
    """Return what to do about a decision that is the config's; `file` as for `after_failure`. Empty: it is not."""
    match reason:
        case Reason.AUDITED | Reason.DISABLED:
            return _set(config.name, file, "mode", "Enforce")
        case Reason.CONFLICT_SKIPPED:
            return f"{_set(config.name, file, *_MERGING)}; or rename the container in {change_field(target, 'spec')}"
        case Reason.NOTHING_TO_INJECT:
            return f"look at the conditions in its templates ({edit_config(config.name, file)})"
    return ""


def after_failure(
    target: Target, pod: Pod, config: CompiledConfig, file: str, error: InjectionError | TemplateError
) -> str:
    """Return what to do about a Pod that is refused, or on which the injection fails.

    file -- in which the config is; empty: in the cluster
    """
    if isinstance(error, TemplateError):
        template = error.place.template.rpartition("/")[2]
        what = error.remedy or "correct the template"
        return f"{what} (template {template}, line {error.place.line}; {edit_config(config.name, file)})"
    if isinstance(error, MergeError):
        return f"correct the template ({edit_config(config.name, file)})"
    if isinstance(error, GuardrailError):
        return _allow(config.name, file, remedy(config.spec.allowed, error.needed))
    match error.reason:
        case Reason.UNKNOWN_TEMPLATE:
            return _known_template(target, pod, config)
        case Reason.INVALID_ANNOTATION if isinstance(error, PodRejected) and error.of_namespace:
            return f"correct it in the Namespace: kubectl edit namespace {target.namespace}"
        case Reason.INVALID_ANNOTATION:
            return f"correct it in {change_field(target, 'metadata', 'annotations')}"
        case Reason.CONFLICT_REJECTED:
            return f"rename the container in {change_field(target, 'spec')}; or {_set(config.name, file, *_MERGING)}"
        case Reason.TEMPLATE_REFUSED:
            return f"change the Pod as the author of the template asks, in {change_field(target)}"
    return ""


def edit_config(name: str, file: str) -> str:
    """Return where a config is edited."""
    return f"config {name} in {file}" if file else f"kubectl edit {SHORT_NAME} {name}"


def _set(config: str, file: str, field: str, value: str) -> str:
    """Return how to set a field of a config's spec."""
    if file:
        return f"set spec.{field}: {value} in config {config} in {file}"
    return f"""kubectl patch {SHORT_NAME} {config} --type=merge -p '{{"spec":{{"{field}":"{value}"}}}}'"""


def _allow(name: str, file: str, guardrails: list[str]) -> str:
    """Return how to have a config allowed to give Pods what these guardrails are about."""
    if file:
        return f"set spec.guardrails.allow: [{', '.join(guardrails)}] in config {name} in {file}"
    patch = json.dumps({"spec": {"guardrails": {"allow": guardrails}}}, separators=(",", ":"))
    return f"kubectl patch {SHORT_NAME} {name} --type=merge -p '{patch}'"


def _known_template(target: Target, pod: Pod, config: CompiledConfig) -> str:
    key = profile_for(config).words.templates
    known = [*config.templates, *config.spec.aliases]
    asked = [name.strip() for name in annotations(pod).get(key, "").split(",")]
    meant = [name if name in known else next(iter(difflib.get_close_matches(name, known, n=1)), "") for name in asked]
    value = ",".join(meant) if all(meant) else f"names of these ({', '.join(known)})"
    return f"set the annotation {key} to {value} in {change_field(target, 'metadata', 'annotations')}"


def operator_check(namespace: str) -> str:
    """Return how to have the operator put its webhook right, which it does whenever it starts."""
    return f"kubectl rollout restart deployment/{APP} -n {namespace or APP} && {operator_status(namespace)}"


def operator_status(namespace: str) -> str:
    """Return how to see whether the operator runs."""
    return f"kubectl rollout status deployment/{APP} -n {namespace or APP}"
