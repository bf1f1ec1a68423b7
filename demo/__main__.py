"""Run the story: `python -m demo` in a checkout. Exit code 0: every claim held; 1: one did not; 130: interrupted."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from demo.narrator import Narrator
from demo.process import Operator
from demo.stage import ClaimError, Stage
from demo.story import tell
from sidecar_injector import __version__, names
from tests.kubernetes.binary import ensure_binary, kubernetes_version
from tests.kubernetes.cluster import Cluster, ClusterError
from tests.kubernetes.control_plane import ControlPlane

ROOT = Path(__file__).resolve().parents[1]
INTERRUPTED = 130


def main() -> int:
    """Tell the story and clean up, whatever happens; return the exit code."""
    os.chdir(ROOT)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    narrator = Narrator()
    try:
        _play(narrator)
    except KeyboardInterrupt:
        narrator.failed("interrupted. Everything it had started is stopped and removed.")
        return INTERRUPTED
    except (ClaimError, ClusterError, AssertionError) as error:
        narrator.failed(str(error))
        return 1
    return 0


def _play(narrator: Narrator) -> None:
    narrator.title(f"sidecar-injector {__version__} on a real Kubernetes {kubernetes_version()} control plane")
    ensure_binary()
    began = time.monotonic()
    narrator.chapter("Start a control plane")
    with ControlPlane() as cluster:
        measured = {"control plane ready": f"{time.monotonic() - began:.1f} s"}
        narrator.proved(f"After {measured['control plane ready']} the API server answers at {cluster.server}")
        narrator.say(
            "etcd, API server, controllers and scheduler are the real ones. The two nodes are simulated: Pods are"
        )
        narrator.say("admitted, scheduled and reported as running, but no container is started.")
        _install(narrator, cluster)
        operator = Operator(cluster)
        with contextlib.ExitStack() as running:
            running.callback(operator.stop)
            started = time.monotonic()
            operator.start()
            measured["operator ready"] = f"{time.monotonic() - started:.1f} s"
            narrator.proved(f"Ready after {measured['operator ready']}")
            tell(Stage(narrator, cluster, operator, measured))
            started = time.monotonic()
            if code := operator.stop():
                raise ClaimError(f"the operator ended with exit code {code}.\n{operator.log()}")
            measured["operator stopped"] = f"{time.monotonic() - started:.1f} s after SIGTERM"
    narrator.chapter("Summary, as measured just now")
    measured["the whole story"] = f"{time.monotonic() - began:.1f} s"
    narrator.table(("WHAT", "MEASURED"), list(measured.items()))
    if cluster.directory.exists():
        raise ClusterError(f"{cluster.directory} was left behind.")
    narrator.proved("Cleaned up: the control plane, the operator and their files are gone")
    _what_next(narrator)


def _install(narrator: Narrator, cluster: Cluster) -> None:
    narrator.chapter("Install")
    narrator.command("kubectl", "apply", "-f", "manifests/install.yaml")
    narrator.output(cluster.kubectl("apply", "-f", "manifests/install.yaml").stdout)
    cluster.kubectl("wait", "--for=condition=Established", "crd", f"{names.PLURAL}.{names.GROUP}", "--timeout=20s")
    narrator.say(
        "Simulated nodes run nothing, so the operator runs here as a process: as its own ServiceAccount, with the"
    )
    narrator.say("permissions that the manifest grants and no others. The API server calls it through its Service.")


def _what_next(narrator: Narrator) -> None:
    narrator.chapter("What to try next")
    narrator.say("make up                  a control plane like this one, to type at yourself")
    narrator.say("docs/tutorial.md         the first sidecar of your own, step by step")
    narrator.say(".venv/bin/sidecar-injector inject -f demo/workloads.yaml --config demo/mesh.yaml -n shop")
    narrator.say("                         the same injection on files, without any cluster")
    narrator.say("make test                everything that is claimed, checked")


if __name__ == "__main__":
    sys.exit(main())
