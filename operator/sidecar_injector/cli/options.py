"""Options that several commands have, read and checked."""

import re
from collections.abc import Mapping

import click

from sidecar_injector.config.syntax import DNS_LABEL
from sidecar_injector.injection.facts import ClusterFacts

NEWEST_KUBERNETES = "1.36"


def cluster_of_version(_: click.Context, __: click.Parameter, value: str | None) -> ClusterFacts | None:
    """Read a version of Kubernetes: every node has it."""
    return None if value is None else cluster(value)


def cluster(version: str) -> ClusterFacts:
    """Return the facts of a cluster of which this is the version everywhere. Raises click.BadParameter."""
    found = re.fullmatch(r"v?(\d+)\.(\d+)(?:\.(\d+))?", version)
    if found is None:
        raise click.BadParameter(f"{version!r} is no version such as {NEWEST_KUBERNETES} or v1.33.2")
    major, minor, patch = (int(part or 0) for part in found.groups())
    return ClusterFacts(f"v{major}.{minor}.{patch}", oldest_kubelet=(major, minor))


def namespace_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Read the name of a Namespace."""
    if value is not None and DNS_LABEL.fault(value):
        raise click.BadParameter(f"{value!r} is not {DNS_LABEL.what}")
    return value


def labels(_: click.Context, __: click.Parameter, value: str | None) -> Mapping[str, str] | None:
    """Read labels, with commas between them."""
    if value is None:
        return None
    pairs = [pair.partition("=") for pair in value.split(",") if pair]
    wrong = [key for key, equals, _value in pairs if not equals or not key]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is no label; write KEY=VALUE,KEY=VALUE")
    return {key: label for key, _, label in pairs}
