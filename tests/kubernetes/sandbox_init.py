"""The first process of a node's sandbox: makes a machine of its namespaces, then starts components as it is told.

Run by `sandbox.py` as `python sandbox_init.py DIRECTORY NODE_ADDRESS`. The components' supervisor is a child of this
process, which itself only waits for orphans, as the first one in a PID namespace has to. When the supervisor ends, so
does it, and with it, by the kernel's hand, everything else in the sandbox.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.kubernetes import cgroups, supervisor

HOSTNAME = "node"
BRIDGE = "node0"
SWITCHED_ON = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")
WRITTEN_BY_THE_KUBELET = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""Settings of the whole machine, which no namespace keeps apart."""


def main() -> None:
    """Set up the sandbox and run the supervisor in it."""
    directory, address = Path(sys.argv[1]), sys.argv[2]
    mount_everything(directory)
    connect(address)
    started = os.fork()
    if started == 0:
        supervisor.die_with_parent()
        supervisor.exit_on_signals()
        supervisor.log_to(directory)
        supervisor.own_components(directory, supervisor.lines_until())
        os._exit(0)
    while os.wait()[0] != started:
        pass


def mount_everything(directory: Path) -> None:
    """Hide the machine: what is written to its files and settings in here stays in here."""
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "proc", "proc", "/proc")
    cgroups.mount_own()
    for name in ("etc", "var"):
        upper, work = directory / "upper" / name, directory / "work" / name
        for path in (upper, work):
            path.mkdir(parents=True)
            path.chmod(0o755)
        run("mount", "-t", "overlay", "-o", f"lowerdir=/{name},upperdir={upper},workdir={work}", "overlay", f"/{name}")
    run("mount", "-t", "tmpfs", "tmpfs", "/run", "-o", "mode=755")
    Path("/run/netns").mkdir()
    for name in WRITTEN_BY_THE_KUBELET:
        scratch = directory / "sysctl" / name
        scratch.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(Path("/proc/sys", name).read_text())
        run("mount", "--bind", str(scratch), f"/proc/sys/{name}")
    # The kubelet and containerd mount things for each other to see.
    run("mount", "--make-rshared", "/")


def connect(address: str) -> None:
    """Make a network that leads nowhere, with the node's address on a bridge without ports."""
    run("hostname", HOSTNAME)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{address}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    # A ClusterIP needs some route before kube-proxy's rules can send it elsewhere.
    run("ip", "route", "add", "default", "dev", BRIDGE)
    for name in SWITCHED_ON:
        Path("/proc/sys", name).write_text("1")


def run(*command: str) -> None:
    """Run a command; raises CalledProcessError after it has told what is wrong."""
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
