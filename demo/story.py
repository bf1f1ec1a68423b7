"""The chapters, in the order in which they are told. Each checks what it says."""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from demo.probe import Probe, Sample
from demo.stage import NAMESPACE, SIDECAR, Stage, containers, described, sidecar_images
from sidecar_injector import names

HERE = Path(__file__).parent
OLD, NEW = "example.org/proxy:1.0", "example.org/proxy:2.0"
REPLICAS = 200
FOLLOW_SECONDS = 1.0
PATIENCE_SECONDS = 10.0


def tell(stage: Stage) -> None:
    """Tell everything that happens while the operator runs."""
    for chapter in (configure, create, leave_alone, edit_live, break_it, attack, inject_twice, look, delete):
        chapter(stage)


def configure(stage: Stage) -> None:
    """Apply the SidecarInjectorConfig."""
    stage.narrator.chapter("A configuration: which Pods, and what they get")
    stage.narrator.command("cat", "demo/mesh.yaml")
    stage.narrator.output((HERE / "mesh.yaml").read_text())
    stage.kubectl("apply", "-f", "demo/mesh.yaml")
    stage.kubectl("wait", "--for=condition=Ready", "sic/mesh", "--timeout=10s")
    stage.kubectl("get", "sidecarinjectorconfigs")


def create(stage: Stage) -> None:
    """Every kind of workload gets its sidecar."""
    stage.narrator.chapter("Label a namespace, create workloads")
    stage.kubectl("create", "namespace", NAMESPACE)
    stage.kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
    stage.quietly("wait", "--for=create", "serviceaccount/default", "-n", NAMESPACE, "--timeout=20s")
    stage.kubectl("apply", "-n", NAMESPACE, "-f", "demo/workloads.yaml")
    stage.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/web", keep=1)
    stage.kubectl("rollout", "status", "-n", NAMESPACE, "statefulset/db", keep=1)
    stage.kubectl("wait", "-n", NAMESPACE, "--for=condition=Complete", "job/report", "--timeout=20s")
    written = _written()
    rows, bare = [], []
    for pod in sorted(stage.pods(), key=lambda pod: str(pod["metadata"]["name"])):
        name = pod["metadata"]["name"]
        rows.append((name, described(written[name.partition("-")[0]]), described(pod["spec"])))
        bare += [name] if sidecar_images(pod) != [OLD] else []
    stage.narrator.say("What is in each Pod, as written and as created:")
    stage.narrator.table(("POD", "AS WRITTEN", "AS CREATED"), rows)
    stage.claim(
        bare == ["plain"] and len(rows) == 6,
        "Deployment, StatefulSet, Job and bare Pod: each has the sidecar once; the Job completed all the same",
        rows,
    )


def leave_alone(stage: Stage) -> None:
    """The opt-out label and the unlabelled namespace."""
    stage.narrator.chapter("What is left alone")
    stage.kubectl("get", "pod", "plain", "-n", NAMESPACE, "--show-labels")
    (plain,) = stage.pods("plain")
    stage.claim(described(plain["spec"]) == "shell", f"A Pod labelled {names.INJECT}=false is as it was written", plain)
    stage.kubectl("run", "bystander", "--image=example.org/app:7", "-n", "default")
    found = stage.quietly("get", "pod", "bystander", "-n", "default", "-o=jsonpath={.spec..name}")
    stage.claim(SIDECAR not in found, "So is a Pod in a namespace without the label", found)


def edit_live(stage: Stage) -> None:
    """Every Pod has the old or the new sidecar whole, and the new one is soon there."""
    stage.narrator.chapter(f"Edit the configuration while {REPLICAS} Pods are being created")
    scale = ("scale", "-n", NAMESPACE, "deployment/web", f"--replicas={REPLICAS}")
    patch = ("patch", "sic", "mesh", "--type=merge", "-p", f'{{"spec": {{"values": {{"image": "{NEW}"}}}}}}')
    with Probe(stage.cluster.kubeconfig, NAMESPACE, _probe_pod()) as probe:
        stage.kubectl(*scale)
        entered = time.monotonic()
        stage.kubectl(*patch)
        answered = time.monotonic()
        first = probe.first(lambda sample: sidecar_images(sample.answer) == [NEW], PATIENCE_SECONDS)
    stage.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/web", "--timeout=60s", keep=1)
    _claim_that_it_followed(stage, first, entered, answered)
    _claim_that_all_are_whole(stage, probe.samples)
    stage.narrator.say("Pods that exist keep what they have; the next ones follow:")
    stage.kubectl("rollout", "restart", "-n", NAMESPACE, "statefulset/db")
    stage.kubectl("rollout", "status", "-n", NAMESPACE, "statefulset/db", "--timeout=20s", keep=1)
    (db,) = stage.pods("db-0")
    stage.claim(sidecar_images(db) == [NEW], f"After its restart db-0 runs {NEW}", db)


def _claim_that_it_followed(stage: Stage, first: Sample | None, entered: float, answered: float) -> None:
    if first is None:
        stage.refute("The new sidecar follows the edit", f"no Pod with it after {PATIENCE_SECONDS:g} s")
    enter, kubectl = (first.answered - entered) * 1000, (answered - entered) * 1000
    measured = f"{enter:.0f} ms after pressing Enter (kubectl itself took {kubectl:.0f} ms)"
    stage.measured["edit to first Pod with the new sidecar"] = measured
    if first.answered - answered <= FOLLOW_SECONDS:
        stage.narrator.proved(f"The new sidecar is in force within {FOLLOW_SECONDS:g} s of the edit: {measured}")
    else:
        load = f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
        stage.narrator.say(f"Slower than the second it takes where the CPUs are free (load {load}): {measured}")


def _claim_that_all_are_whole(stage: Stage, samples: list[Sample]) -> None:
    pods = [*stage.pods("-l", "app=web"), *(sample.answer for sample in samples)]
    kinds = Counter(tuple(sidecar_images(pod)) if "spec" in pod else "refused" for pod in pods)
    stage.measured["Pods created around the edit"] = (
        f"{len(pods)}: {kinds[(OLD,)]} with the old sidecar, {kinds[(NEW,)]} with the new one, "
        f"{len(pods) - kinds[(OLD,)] - kinds[(NEW,)]} with anything else"
    )
    stage.claim(
        set(kinds) <= {(OLD,), (NEW,)} and len(pods) >= REPLICAS,
        f"None was refused, none is half done. {stage.measured['Pods created around the edit']}",
        {str(kind): count for kind, count in kinds.items()},
    )


def break_it(stage: Stage) -> None:
    """A broken edit is refused and changes nothing."""
    stage.narrator.chapter("Break it")
    broken = yaml.safe_load((HERE / "broken.yaml").read_text())["spec"]["templates"][0]
    line = 1 + next(i for i, text in enumerate(broken["template"].splitlines()) if "imagee" in text)
    stage.narrator.say(f"The same file with one typing error, in line {line} of the template:")
    refusal = stage.kubectl_refused("apply", "-f", "demo/broken.yaml")
    stage.claim(
        f"mesh/{broken['name']}:{line}" in refusal and "imagee" in refusal,
        "Refused, and the message names the line",
        refusal,
    )
    stage.kubectl("run", "after", "--image=example.org/app:7", "-n", NAMESPACE)
    (after,) = stage.pods("after")
    stage.claim(sidecar_images(after) == [NEW], f"Nothing that worked stopped working: the next Pod has {NEW}", after)


def attack(stage: Stage) -> None:
    """A value that looks like YAML and Jinja2 stays one string."""
    stage.narrator.chapter("Try to break out of an annotation")
    stage.narrator.command("cat", "demo/hostile.yaml")
    stage.narrator.output((HERE / "hostile.yaml").read_text())
    stage.kubectl("apply", "-n", NAMESPACE, "-f", "demo/hostile.yaml")
    text = yaml.safe_load((HERE / "hostile.yaml").read_text())["metadata"]["annotations"]["example.org/team"]
    (pod,) = stage.pods("hostile")
    (sidecar,) = [container for container in containers(pod["spec"]) if container["name"] == SIDECAR]
    words = ("get", "pod", "hostile", "-n", NAMESPACE, "-o", "jsonpath={.spec.initContainers[0].env}")
    stage.narrator.command("kubectl", *words)
    stage.narrator.paragraph(stage.quietly(*words))
    stage.claim(sidecar["env"] == [{"name": "TEAM", "value": text}], "The text is still that text, one string", sidecar)
    stage.claim(
        described(pod["spec"]) == "proxy (sidecar), shell" and "securityContext" not in sidecar,
        "No intruder, nothing privileged: templates render data, not text",
        pod,
    )


def inject_twice(stage: Stage) -> None:
    """Injecting an injected Pod changes nothing."""
    stage.narrator.chapter("Inject what is injected already")
    (before,) = stage.pods("after")
    stage.narrator.command(
        "kubectl", "get", "pod", "after", "-n", NAMESPACE, "-o", "json", pipe=" | kubectl replace --force -f -"
    )
    manifest = stage.quietly("get", "pod", "after", "-n", NAMESPACE, "-o", "json")
    done = stage.cluster.kubectl("replace", "--force", "-f", "-", input=manifest)
    stage.narrator.output(done.stdout)
    (after,) = stage.pods("after")
    stage.claim(
        after["metadata"]["uid"] != before["metadata"]["uid"] and after["spec"] == before["spec"],
        f"The new Pod equals the old one, field by field: {described(after['spec'])}",
        {"before": before["spec"], "after": after["spec"]},
    )


def look(stage: Stage) -> None:
    """Status and metrics."""
    stage.narrator.chapter("What the operator says about itself")
    stage.kubectl("get", "sic", "mesh", "-o", "wide")
    template = '{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\\n"}{end}'
    conditions = stage.kubectl("get", "sic", "mesh", "-o", f"jsonpath={template}")
    ready = [line for line in conditions.splitlines() if line.startswith("Ready=True")]
    stage.claim(ready, "The refused edit left no trace in the status", conditions)
    admissions = stage.operator.metric(names.Metric.ADMISSIONS)
    seconds = stage.operator.metric(f"{names.Metric.ADMISSION_SECONDS}_sum")
    stage.narrator.say("From its /metrics:")
    stage.narrator.output(
        "\n".join(f"{names.Metric.ADMISSIONS}{{{labels}}} {value:g}" for labels, value in admissions.items())
    )
    total = sum(admissions.values())
    stage.measured["answers to the API server"] = (
        f"{total:.0f}, {sum(seconds.values()) / total * 1000:.2f} ms each on average inside the operator"
    )
    stage.claim(total >= REPLICAS, f"It has answered {stage.measured['answers to the API server']}", admissions)


def delete(stage: Stage) -> None:
    """Without the config Pods are created as they are written."""
    stage.narrator.chapter("Delete the configuration")
    stage.kubectl("delete", "sic", "mesh")
    stage.kubectl("run", "late", "--image=example.org/app:7", "-n", NAMESPACE)
    (late,) = stage.pods("late")
    stage.claim(sidecar_images(late) == [], "The next Pod has no sidecar, and nothing refused it", late)


def _written() -> dict[str, dict[str, Any]]:
    """The Pod specs in workloads.yaml, by the name of the workload or Pod."""
    documents = yaml.safe_load_all((HERE / "workloads.yaml").read_text())
    specs = {document["metadata"]["name"]: document["spec"] for document in documents}
    return {name: spec["template"]["spec"] if "template" in spec else spec for name, spec in specs.items()}


def _probe_pod() -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": "example.org/app:7"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "probe-"}, "spec": spec}
