"""What a run has found, as one document: what it ran on, what was measured how, and each section's figures."""

import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import ssl
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.context import Plan
from benchmarks.processes import processors
from sidecar_injector import __version__

FORMAT = 1

Results = dict[str, Any]


def results(plan: Plan, sections: Mapping[str, Any]) -> Results:
    """Return the document."""
    return {
        "format": FORMAT,
        "taken": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "machine": machine(),
        "software": software(),
        "plan": asdict(plan),
        "sections": dict(sections),
    }


def machine() -> dict[str, Any]:
    """Return what it ran on, without a name."""
    return {
        "processor": _processor(),
        "processors": len(processors()),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load": round(os.getloadavg()[0], 1),
    }


def software() -> dict[str, str]:
    """Return the versions that matter."""
    found = {name: importlib.metadata.version(name) for name in ("kopf", "aiohttp")}
    if importlib.util.find_spec("uvloop"):
        found["uvloop"] = importlib.metadata.version("uvloop")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"sidecar-injector": __version__, "python": python, **found, "openssl": ssl.OPENSSL_VERSION.split()[1]}


def write(found: Results, path: Path) -> None:
    """Write the document, with the folder for it; what reads the file finds it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(as_text(found))
    unfinished.replace(path)


def as_text(found: Results) -> str:
    """Return the document as text; lists of numbers stay on one line."""
    text = json.dumps(found, indent=1)
    return re.sub(r"\[[\s\d.,]*\]", lambda match: re.sub(r"\s+", " ", match[0]), text) + "\n"


def read(path: Path) -> Results:
    """Read a document; raises ValueError for what is none, OSError for what cannot be read."""
    found = json.loads(path.read_text())
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path} holds no results of this version of the benchmarks")
    return found


def section(found: Results, name: str) -> dict[str, Any] | None:
    """Return the figures of a section; None if it was not measured."""
    figures = found["sections"].get(name)
    return figures if figures and not reason(found, name) else None


def reason(found: Results, name: str) -> str:
    """Return why there are no figures of a section; empty if there are, or if they were not wanted."""
    figures = found["sections"].get(name, {})
    return next((f"{how}: {figures[how]}" for how in ("skipped", "failed") if set(figures) == {how}), "")


def failed(found: Results) -> list[str]:
    """Return the sections in which something went wrong."""
    return [name for name in found["sections"] if reason(found, name).startswith("failed")]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.machine()
