"""A Kubernetes cluster of one's own, by hand: `python -m tests.kubernetes --help`."""

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
from tests.kubernetes.images import ImageError, ensure_images
from tests.kubernetes.node import Node, NodeImpossibleError, require_node
from tests.kubernetes.own_cluster import OwnCluster
from tests.kubernetes.packages import PackageError
from tests.kubernetes.supervisor import PREFIX
from tests.kubernetes.toolchain import ToolchainError

INTERRUPTED = 130
DESCRIPTION = f"""\
The clusters that the tests and the demo use: a real Kubernetes {kubernetes_version()} (etcd, kube-apiserver,
kube-controller-manager, kube-scheduler) on the loopback interface, with nodes that only pretend to run Pods; it needs
no privileges. Or the same with a whole node (kubelet, kube-proxy, containerd, DNS) on which Pods really run; it needs
root, Linux and some Debian packages, which it installs. Neither needs a container engine or a registry. They start in
five to fifteen seconds and leave nothing behind.

commands:
  up                 start a control plane, print how to use it, and keep it until Ctrl-C
  node               start a whole node with the images of the tests, the operator's among them, and do the same
  kubectl ARGUMENT…  run kubectl on the cluster of KUBECONFIG or, if that is not set, on the one that `up` has started
  build              only build the binary, which `up` and the tests do when they need it (minutes, once)
  images             only build the images, which `node` and the tests do when they need them (a minute, once)
"""
EPILOG = f"""\
example:
  python -m tests.kubernetes up                       # in one terminal
  python -m tests.kubernetes kubectl get nodes        # in another one

An operator on this machine can serve a Service that is in the cluster. With
  python -m tests.kubernetes up --route sidecar-injector/sidecar-injector:443=9443
what the API server sends to port 443 of the Service sidecar-injector in the namespace sidecar-injector
arrives at 127.0.0.1:9443.

A whole node takes the operator as anybody's cluster does, and more images from tarballs in docker's format:
  python -m tests.kubernetes node --image my-image.tar
  kubectl apply -k manifests/default

Binary and images are kept in {cache_directory()}; delete that directory to get rid of it.
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
        elif arguments.command == "images":
            _images(only_if_possible=arguments.if_possible)
        elif arguments.command == "node":
            _node(arguments)
        else:
            _up(arguments)
    except (BuildError, ClusterError, ImageError, NodeImpossibleError, PackageError, ToolchainError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kubernetes",
        usage="%(prog)s up [OPTION…] | node [OPTION…] | kubectl ARGUMENT… | build | images [OPTION]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("up", "node", "kubectl", "build", "images"), help=argparse.SUPPRESS)
    parser.add_argument(
        "--audit", action="store_true", help="record every request in audit.log, next to the kubeconfig"
    )
    node = parser.add_argument_group("options of node")
    node.add_argument("--fake-nodes", type=int, default=0, metavar="N", help="how many nodes to pretend beside it")
    node.add_argument(
        "--image", action="append", default=[], type=Path, metavar="TARBALL", help="one more image; may be repeated"
    )
    images = parser.add_argument_group("options of images")
    images.add_argument(
        "--if-possible", action="store_true", help="where no node is possible, say why, and count that as done"
    )
    up = parser.add_argument_group("options of up")
    up.add_argument("--nodes", type=int, default=2, metavar="N", help="how many nodes to pretend (default: 2)")
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


def _images(*, only_if_possible: bool) -> None:
    try:
        require_node()
    except NodeImpossibleError as error:
        if not only_if_possible:
            raise
        print(f"No images are needed: {error}")
        return
    print(*ensure_images().values(), sep="\n")


def _up(arguments: argparse.Namespace) -> None:
    control_plane = ControlPlane(audit=arguments.audit, nodes=arguments.nodes)
    _make_interruptible()
    with control_plane:
        for route in arguments.route:
            control_plane.route(*route)
        _keep(control_plane)


def _node(arguments: argparse.Namespace) -> None:
    _make_interruptible()
    require_node()
    images = [*ensure_images().values(), *arguments.image]
    with Node(images, fake_nodes=arguments.fake_nodes, audit=arguments.audit) as node:
        _keep(node)


def _make_interruptible() -> None:
    # SIGTERM as well; and SIGINT even if a shell that put this in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _keep(cluster: OwnCluster) -> None:
    print(f"Kubernetes {kubernetes_version()} is up at {cluster.server}. To use it, in another terminal:\n")
    print(f"  export KUBECONFIG={cluster.kubeconfig}")
    print(f"  export PATH={cluster.directory}/bin:$PATH    # for its kubectl\n")
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
