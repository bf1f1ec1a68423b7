"""Which cluster the tests use: the embedded control plane, unless the environment names another.

- `SIDECAR_INJECTOR_TEST_CLUSTER=kubeconfig` with `KUBECONFIG`: that cluster. KUBECONFIG alone is not enough, because
  it may well point to a cluster that matters.
- `KUBEBUILDER_ASSETS`: the etcd, kube-apiserver and perhaps kubectl in that directory. There are no controllers then:
  only tests of the API itself can run.
- otherwise: the whole control plane of our own binary.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.kubernetes.binary import ensure_binary
from tests.kubernetes.cluster import Cluster, ClusterError, ExistingCluster
from tests.kubernetes.components import Programs
from tests.kubernetes.control_plane import ControlPlane

OPT_IN = "SIDECAR_INJECTOR_TEST_CLUSTER"
EXISTING = "kubeconfig"
EMBEDDED = "embedded"


def chosen_cluster(environment: Mapping[str, str] = os.environ) -> Cluster:
    """Return the cluster that the environment asks for, not yet started; raises ClusterError."""
    wish = environment.get(OPT_IN, "")
    if wish == EXISTING:
        return _existing(environment.get("KUBECONFIG", ""))
    if wish not in ("", EMBEDDED):
        raise ClusterError(f"{OPT_IN} is {wish!r}; it may be {EMBEDDED!r} (the default) or {EXISTING!r}.")
    if environment.get("KUBEBUILDER_ASSETS") and not wish:
        return ControlPlane(_assets(Path(environment["KUBEBUILDER_ASSETS"])), audit=True)
    return ControlPlane(audit=True)


def _existing(kubeconfig: str) -> Cluster:
    if not kubeconfig:
        raise ClusterError(f"{OPT_IN}={EXISTING} means the cluster of KUBECONFIG, but KUBECONFIG is not set.")
    return ExistingCluster(kubeconfig, _kubectl())


def _assets(directory: Path) -> Programs:
    programs = Programs.in_directory(directory.absolute())
    missing = [name for name in ("etcd", "kube-apiserver") if name not in programs.commands]
    if missing:
        raise ClusterError(
            f"KUBEBUILDER_ASSETS is {str(directory)!r}, where there is no executable {' or '.join(missing)}. "
            f"Unset it to use the embedded control plane."
        )
    if "kubectl" in programs.commands:
        return programs
    return Programs({**programs.commands, "kubectl": _kubectl()})


def _kubectl() -> Sequence[str]:
    installed = shutil.which("kubectl")
    return [installed] if installed else Programs.of_binary(ensure_binary()).commands["kubectl"]
