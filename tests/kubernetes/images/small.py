"""Images of a single static binary: the container that holds a Pod together, and a shell with its tools."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.kubernetes.binary import cache_directory
from tests.kubernetes.images.archive import Entry, File, Folder, Link, write_archive, write_layer
from tests.kubernetes.images.recipe import Recipe
from tests.kubernetes.progress import run
from tests.kubernetes.toolchain import find_go

PAUSE_SOURCE = Path(__file__).with_name("pause") / "main.go"
GO = "1.21"
NOBODY = "65535:65535"
PATH = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def _build_pause(archive: Path, scratch: Path) -> None:
    go = find_go(GO, cache_directory())
    env = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    command = [str(go), "build", "-trimpath", "-ldflags", "-s -w", "-o", str(scratch / "pause"), str(PAUSE_SOURCE)]
    run(command, cwd=scratch, env=env, describe=lambda _: "compiling")
    layer = write_layer(scratch / "layer", {"pause": File(scratch / "pause", 0o755)})
    write_archive(archive, PAUSE.tag, {"Entrypoint": ["/pause"], "User": NOBODY}, [layer])


def _build_busybox(archive: Path, scratch: Path) -> None:
    layer = write_layer(scratch / "layer", {"tmp": Folder(0o1777), "www": Folder(), **busybox_entries()})
    write_archive(archive, BUSYBOX.tag, {"Cmd": ["sh"], "Env": [PATH]}, [layer])


def busybox_entries() -> dict[str, Entry]:
    """Return Debian's static busybox as /bin/busybox, with a link for each of its commands beside it."""
    program = shutil.which("busybox")
    assert program, "the Debian package busybox-static was there a moment ago"
    names = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    links = {f"bin/{name}": Link("busybox") for name in names if name != "busybox"}
    return {"bin/busybox": File(Path(program), 0o755), **links}


PAUSE = Recipe("test.local/pause:1", lambda: (Path(__file__), PAUSE_SOURCE), _build_pause)
BUSYBOX = Recipe("test.local/busybox:1", lambda: (Path(__file__),), _build_busybox, ("busybox-static",))
