"""Where this machine's pip takes packages from, for the pip inside an image that is being built."""

import ast
import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

INSIDE = "/etc/xdg/pip"
"""Where pip looks for the settings of a whole machine."""
PASSED = (
    *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "proxy"),
    *("cert", "client-cert", "timeout", "default-timeout", "retries"),
)
"""The options that say where packages come from. Others, such as `user` or `cache-dir`, are about this machine."""
CERTIFICATES = ("cert", "client-cert")
BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name a file of trusted CAs, for a pip whose settings do not."""


def pip_volumes(directory: Path) -> list[str]:
    """Write pip's settings into this new directory; return the volumes, `FROM:TO:ro`, that a build has to mount.

    Nothing of it gets into an image: a volume is there while a command runs.
    """
    options = _options()
    bundle = next((os.environ[name] for name in BUNDLES if os.environ.get(name)), "")
    if bundle:
        options.setdefault("cert", bundle)
    directory.mkdir()
    for name in CERTIFICATES:
        if name in options:
            shutil.copyfile(options[name], directory / name)
            options[name] = f"{INSIDE}/{name}"
    settings = configparser.RawConfigParser()
    settings["global"] = options
    with (directory / "pip.conf").open("w") as file:
        settings.write(file)
    places = [place for place in options.get("find-links", "").split() if Path(place).is_dir()]
    return [f"{directory}:{INSIDE}:ro", *(f"{place}:{place}:ro" for place in places)]


def _options() -> dict[str, str]:
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True)
    return parse_options(listed.stdout)


def parse_options(listed: str) -> dict[str, str]:
    """Return the options that say where packages come from, out of what `pip config list` prints.

    The environment is above the options of one command, and these are above those of all commands.
    """
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in sections and option in PASSED:
            sections[section][option] = str(ast.literal_eval(value))
    return _merged(*sections.values())


def _merged(*options: Mapping[str, str]) -> dict[str, str]:
    return {name: value for some in options for name, value in some.items()}
