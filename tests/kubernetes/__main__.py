"""A Kubernetes control plane of one's own, by hand: `python -m tests.kubernetes --help`."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.kubernetes.binary import BuildError, cache_directory, ensure_binary, kubernetes_version
from tests.kubernetes.cluster import ClusterError
from tests.kubernetes.components import Programs
from tests.kubernetes.control_plane import ControlPlane
from tests.kubernetes.supervisor import PREFIX
from tests.kubernetes.toolchain import ToolchainError

INTERRUPTED = 130
DESCRIPTION = f"""\
The control plane that the tests and the demo use: a real Kubernetes {kubernetes_version()} (etcd, kube-apiserver,
kube-controller-manager, kube-scheduler) on the loopback interface, with nodes that only pretend to run Pods.
It needs no privileges and no container engine, starts in about five seconds, and leaves nothing behind.

commands:
  up                 start a control plane, print how to use it, and keep it until Ctrl-C
  kubectl ARGUMENT…  run kubectl on the cluster of KUBECONFIG or, if that is not set, on the one that `up` has started
  build              only build the binary, which `up` and the tests do when they need it (minutes, once)
"""
EPILOG = f"""\
example:
  python -m tests.kubernetes up                       # in one terminal
  python -m tests.kubernetes kubectl get nodes        # in another one

An operator on this machine can serve a Service that is in the cluster. With
  python -m tests.kubernetes up --route sidecar-injector/sidecar-injector:443=9443
what the API server sends to port 443 of the Service sidecar-injector in the namespace sidecar-injector
arrives at 127.0.0.1:9443.

The binary is kept in {cache_directory()}; delete that directory to get rid of it.
Exit codes: 0 done, 1 it did not work (the message tells why), 2 wrong usage; `kubectl` has kubectl's own.
"""


def main(argv: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    if argv[:1] == ["kubectl"]:
        return _kubectl(argv[1:])
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "build":
            print(ensure_binary())
        else:
            _up(arguments)
    except (BuildError, ClusterError, ToolchainError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kubernetes",
        usage="%(prog)s up [OPTION…] | kubectl ARGUMENT… | build",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("up", "kubectl", "build"), help=argparse.SUPPRESS)
    up = parser.add_argument_group("options of up")
    up.add_argument("--nodes", type=int, default=2, metavar="N", help="how many nodes to pretend (default: 2)")
    up.add_argument("--audit", action="store_true", help="record every request in audit.log, next to the kubeconfig")
    up.add_argument(
        "--route",
        action="append",
        default=[],
        type=_route,
        metavar="NAMESPACE/SERVICE:PORT=LOCALPORT",
        help="lead the API server's webhook calls to a Service's port to a port on 127.0.0.1; may be repeated",
    )
    return parser


def _route(text: str) -> tuple[str, str, int, int]:
    target, _, local = text.partition("=")
    service, _, port = target.partition(":")
    namespace, _, name = service.partition("/")
    if not (namespace and name and port.isdigit() and local.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAMESPACE/SERVICE:PORT=LOCALPORT")
    return name, namespace, int(port), int(local)


def _up(arguments: argparse.Namespace) -> None:
    # SIGTERM as well; and SIGINT even if a shell that put this in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ControlPlane(audit=arguments.audit, nodes=arguments.nodes) as control_plane:
        for route in arguments.route:
            control_plane.route(*route)
        print(f"Kubernetes {kubernetes_version()} is up at {control_plane.server}. To use it, in another terminal:\n")
        print(f"  export KUBECONFIG={control_plane.kubeconfig}")
        print(f"  export PATH={control_plane.directory}/bin:$PATH    # for its kubectl\n")
        print("Logs are in the same directory. Ctrl-C ends it and removes everything.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def _kubectl(arguments: Sequence[str]) -> int:
    if not os.environ.get("KUBECONFIG"):
        # Never ~/.kube/config: whoever runs this means the cluster for tests.
        found = [path for path in Path("/tmp").glob(f"{PREFIX}*/admin.kubeconfig") if os.access(path, os.R_OK)]
        if len(found) != 1:
            running = "".join(f"\n  export KUBECONFIG={path}" for path in found) or " `up` starts one."
            count = "More than one control plane is" if found else "No control plane is"
            print(f"{count} running, and KUBECONFIG is not set.{running}", file=sys.stderr)
            return 1
        os.environ["KUBECONFIG"] = str(found[0])
    command = [*Programs.of_binary(ensure_binary()).commands["kubectl"], *arguments]
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
