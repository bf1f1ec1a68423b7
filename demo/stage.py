"""What every chapter of the story works with: the cluster, the narrator, and claims that are checked."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from demo.narrator import Narrator
from demo.process import Operator
from tests.kubernetes.cluster import Cluster

NAMESPACE = "shop"
SIDECAR = "proxy"


class ClaimError(Exception):
    """Something that the story says did not happen."""


@dataclass
class Stage:
    """The state of the story; `measured` collects what the summary tells: what it is, and the value."""

    narrator: Narrator
    cluster: Cluster
    operator: Operator
    measured: dict[str, str] = field(default_factory=dict)

    def kubectl(self, *words: str, keep: int | None = None) -> str:
        """Show a kubectl command, run it, show what it printed; raises ClaimError when it fails."""
        done = self._run(words, keep)
        if done.returncode != 0:
            raise ClaimError(f"kubectl ended with exit code {done.returncode}.\n{self.operator.log()}")
        return done.stdout

    def kubectl_refused(self, *words: str) -> str:
        """Show and run a kubectl command that has to be refused; return the refusal or raise ClaimError."""
        self.narrator.command("kubectl", *words)
        done = self.cluster.kubectl(*words, check=False)
        if done.returncode == 0:
            self.refute(f"kubectl {' '.join(words)} is refused", done.stdout)
        first, patch, reason = done.stderr.partition("\n{")
        if patch:
            self.narrator.output(first)
            self.narrator.output("… (the patch that kubectl tried)")
        self.narrator.paragraph(reason[reason.find("\nfor: ") + 1 :] if patch else done.stderr)
        return done.stderr

    def quietly(self, *words: str) -> str:
        """Run a kubectl command that the reader need not see."""
        return self.cluster.kubectl(*words).stdout

    def pods(self, *selection: str) -> list[dict[str, Any]]:
        """Return Pods of the story's namespace, those that are being deleted left out."""
        found: dict[str, Any] = self.cluster.get("pods", "-n", NAMESPACE, *selection)
        listed: list[dict[str, Any]] = found.get("items", [found])
        return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]

    def claim(self, holds: object, claim: str, otherwise: object = "") -> None:
        """Say that the claim holds, or raise ClaimError with what was found instead."""
        if not holds:
            self.refute(claim, otherwise)
        self.narrator.proved(claim)

    def refute(self, claim: str, found: object) -> NoReturn:
        """Raise ClaimError."""
        shown = found if isinstance(found, str) else json.dumps(found, indent=1, default=str)
        raise ClaimError(
            f"this does not hold: {claim}\nFound: {shown}\nThe operator's log ends with:\n{self.operator.log()}"
        )

    def _run(self, words: Sequence[str], keep: int | None = None) -> subprocess.CompletedProcess[str]:
        self.narrator.command("kubectl", *words)
        done = self.cluster.kubectl(*words, check=False)
        self.narrator.output(done.stdout + done.stderr, keep)
        return done


def containers(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of a Pod in the order in which they start."""
    return [*spec.get("initContainers", []), *spec["containers"]]


def sidecar_images(pod: Mapping[str, Any]) -> list[str]:
    """Return the images of the injected containers in a Pod: one, or none, or something is wrong."""
    return [container["image"] for container in containers(pod["spec"]) if container["name"] == SIDECAR]


def described(spec: Mapping[str, Any]) -> str:
    """Return what starts in a Pod, in order, such as `proxy (sidecar), restore (init), db`."""
    native = [
        (c["name"], "sidecar" if c.get("restartPolicy") == "Always" else "init") for c in spec.get("initContainers", [])
    ]
    return ", ".join([*(f"{name} ({kind})" for name, kind in native), *(c["name"] for c in spec["containers"])])
