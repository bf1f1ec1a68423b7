"""Write the software bill of materials of the image's Python packages, in CycloneDX's JSON.

usage: python hack/sbom.py OUTPUT

The packages are installed as the image installs them, from requirements.lock with its hashes, into an environment that
is thrown away; the tool that looks at them comes from requirements-sbom.lock and has an environment of its own. The
same locks give the same bytes. The bill is only written if it names exactly what the lock names.
"""

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC_VERSION = "1.6"

Pins = dict[str, str]


def main(output: Path) -> None:
    """Write the bill; raises SystemExit if it and the lock differ."""
    with tempfile.TemporaryDirectory(prefix="sidecar-injector-sbom-") as scratch:
        tool, image = Path(scratch, "tool"), Path(scratch, "image")
        venv.create(tool, with_pip=True)
        venv.create(image, with_pip=False)
        install(tool, tool, "requirements-sbom.lock")
        install(tool, image, "requirements.lock")
        text = bill(tool, image)
    if wrong := differences(components(json.loads(text)), pins((ROOT / "requirements.lock").read_text())):
        raise SystemExit("the bill and requirements.lock differ: " + ", ".join(wrong))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    print(f"{output}: {len(components(json.loads(text)))} packages")


def install(tool: Path, environment: Path, lock: str) -> None:
    """Install what a lock names into an environment, with the tool environment's pip."""
    pip = [python(tool), "-m", "pip", "--disable-pip-version-check", "--python", python(environment)]
    subprocess.run([*pip, "install", "--quiet", "--require-hashes", "-r", str(ROOT / lock)], check=True)


def bill(tool: Path, image: Path) -> str:
    """Return the bill of an environment, which also names this project as the thing that is made of it."""
    command = [str(tool / "bin" / "cyclonedx-py"), "environment", "--pyproject", str(ROOT / "pyproject.toml")]
    form = ["--output-reproducible", "--spec-version", SPEC_VERSION, "--output-format", "JSON"]
    done = subprocess.run([*command, *form, python(image)], check=True, capture_output=True, text=True)
    return done.stdout


def python(environment: Path) -> str:
    """Return an environment's interpreter."""
    return str(environment / "bin" / "python")


def components(found: dict[str, Any]) -> Pins:
    """Return the names and versions that a bill lists."""
    return {canonical(each["name"]): each["version"] for each in found["components"]}


def pins(lock: str) -> Pins:
    """Return the names and versions that a lock pins."""
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE)}


def differences(listed: Pins, locked: Pins) -> list[str]:
    """Return what only one of the two has, or both in different versions."""
    return [
        f"{name} ({listed.get(name, 'missing')} in the bill, {locked.get(name, 'missing')} in the lock)"
        for name in sorted(listed.keys() | locked.keys())
        if listed.get(name) != locked.get(name)
    ]


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
