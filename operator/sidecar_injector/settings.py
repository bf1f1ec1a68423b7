"""Every setting of the operator: one table, read from flags first, then from the environment, then the default.

A field of `Settings` is a row of the table. `namespace` is the flag `--namespace` and the variable
`SIDECAR_INJECTOR_NAMESPACE`; `docs/reference/settings.md` is made from the same rows.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sidecar_injector import names
from sidecar_injector.errors import SettingsError

ENVIRONMENT_PREFIX = "SIDECAR_INJECTOR_"
IN_CLUSTER_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a Pod finds the name of its own namespace."""


def _setting(default: Any, meaning: str, choices: tuple[str, ...] = (), low: float = 0, high: float = 0) -> Any:
    """Declare a row: `choices` limits a text, `low` and `high` (both inclusive; high 0: no bound) limit a number."""
    return dataclasses.field(
        default=default, metadata={"meaning": meaning, "choices": choices, "low": low, "high": high}
    )


@dataclass(frozen=True)
class Settings:
    """What the operator is told from outside."""

    namespace: str = _setting(
        names.APP,
        "Namespace of the operator: of its Service and CA Secret. Pods in it are never injected. "
        "In a Pod the default is the Pod's own namespace.",
    )
    service_name: str = _setting(names.APP, "Service through which API servers reach the webhook.")
    service_port: int = _setting(443, "Port of that Service.", low=1, high=65535)
    webhook_url: str = _setting(
        "",
        "Base URL under which API servers reach the webhook, such as https://192.0.2.7:9443, instead of the Service. "
        "For development: the operator runs outside the cluster.",
    )
    listen_address: str = _setting("", "Address that the webhook listens on; empty: all, IPv4 and IPv6.")
    listen_port: int = _setting(9443, "Port that the webhook listens on (HTTPS).", low=1, high=65535)
    health_address: str = _setting("", "Address for /livez, /readyz and /metrics; empty: all, IPv4 and IPv6.")
    health_port: int = _setting(8080, "Port for /livez, /readyz and /metrics (HTTP).", low=1, high=65535)
    log_format: str = _setting("plain", "Form of a log line: `plain` or `json`.", choices=("plain", "json"))
    log_level: str = _setting(
        "info",
        "Least severe level that is logged: `debug` (every admission), `info` (only refused and failed ones), "
        "`warning` or `error`.",
        choices=("debug", "info", "warning", "error"),
    )
    drain_seconds: float = _setting(
        10.0, "How long requests are still accepted after SIGTERM, while readiness is already off.", high=600
    )
    max_body_bytes: int = _setting(8 << 20, "Largest body of a request; a larger one is answered 413.", low=1024)
    max_in_flight: int = _setting(256, "Requests worked on at a time; one more is answered 503.", low=1)
    remembered_mib: float = _setting(
        1.0,
        "MiB for decisions that are remembered, for Pods that differ in nothing that is looked at, such as those of "
        "one ReplicaSet; 0: every Pod is decided anew.",
        high=1024,
    )
    ca_secret_name: str = _setting(names.CA_SECRET, "Secret, in the operator's namespace, that keeps the CA.")
    ca_lifetime_hours: float = _setting(
        87600.0, "Lifetime of a CA that is made; after two thirds of it there is a new one.", low=0.05, high=876000
    )
    certificate_lifetime_hours: float = _setting(
        2160.0,
        "Lifetime of a serving certificate; after two thirds of it there is a new one.",
        low=0.01,
        high=87600,
    )
    certificate_file: str = _setting(
        "",
        "File with a serving certificate of another issuer, and what leads from it to the CA, as PEM. It is followed; "
        "`--private-key-file` and `--ca-file` go with it, and the CA Secret is neither read nor written.",
    )
    private_key_file: str = _setting("", "File with the private key of `--certificate-file`, as PEM, not encrypted.")
    ca_file: str = _setting("", "File with the CAs to be trusted for `--certificate-file`, as PEM.")
    relist_seconds: float = _setting(
        60.0,
        "How often everything that is watched is listed too, in case a watch has died silently.",
        low=1,
        high=86400,
    )
    replica_name: str = _setting(
        "", "Name of this replica in `status.servers`, unique there; empty: the host name, which is the Pod's name."
    )
    kubeconfig: str = _setting(
        "", "Path of a kubeconfig; empty: the Pod's ServiceAccount, else KUBECONFIG, else ~/.kube/config."
    )


FILES = ("certificate_file", "private_key_file", "ca_file")
"""Settings of which all are given, or none."""


@dataclass(frozen=True)
class Row:
    """One row of the table; `flag` such as `--log-level`, `variable` such as `SIDECAR_INJECTOR_LOG_LEVEL`."""

    name: str
    type: type
    default: Any
    meaning: str
    choices: tuple[str, ...]
    low: float
    high: float

    @property
    def flag(self) -> str:
        """The option of `sidecar-injector run`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.name.upper()


TABLE: tuple[Row, ...] = tuple(
    Row(name=field.name, type=type(field.default), default=field.default, **field.metadata)
    for field in dataclasses.fields(Settings)
)


def load(environment: Mapping[str, str], flags: Mapping[str, str | None] | None = None) -> Settings:
    """Read the settings; `flags` maps names of fields to texts, None where a flag was not given.

    An empty variable counts as one that is not set. Raises SettingsError, which names the flag or variable.
    """
    values: dict[str, Any] = {"namespace": _namespace_of_pod()} if IN_CLUSTER_NAMESPACE.exists() else {}
    for row in TABLE:
        flag = (flags or {}).get(row.name)
        if flag is not None:
            values[row.name] = _parse(row, flag, row.flag)
        elif environment.get(row.variable):
            values[row.name] = _parse(row, environment[row.variable], row.variable)
    settings = Settings(**values)
    _check_files(settings)
    url = urlsplit(settings.webhook_url)
    if settings.webhook_url and not (url.scheme == "https" and url.hostname and url.path in ("", "/")):
        raise SettingsError(f"--webhook-url: {settings.webhook_url!r}: must be https://HOST[:PORT]")
    return settings


def _check_files(settings: Settings) -> None:
    names_and_files = {"--" + name.replace("_", "-"): getattr(settings, name) for name in FILES}
    missing = [name for name, file in names_and_files.items() if not file]
    if missing and len(missing) < len(FILES):
        given = ", ".join(name for name in names_and_files if name not in missing)
        raise SettingsError(f"{given}: needs {' and '.join(missing)} too")


def _namespace_of_pod() -> str:
    return IN_CLUSTER_NAMESPACE.read_text(encoding="utf-8").strip()


def _parse(row: Row, text: str, where: str) -> Any:
    if row.choices and text not in row.choices:
        raise SettingsError(f"{where}: {text!r}: must be one of {', '.join(row.choices)}")
    if row.type is str:
        return text
    try:
        number = row.type(text)
    except ValueError:
        raise SettingsError(f"{where}: {text!r}: must be a number") from None
    if not row.low <= number <= (row.high or number):
        bound = f"from {row.low:g} to {row.high:g}" if row.high else f"at least {row.low:g}"
        raise SettingsError(f"{where}: {text}: must be {bound}")
    return number


def reference() -> str:
    """Return `docs/reference/settings.md`."""
    rows = "\n".join(
        f"| `{row.flag}`<br>`{row.variable}` | {f'`{row.default}`' if row.default != '' else ''} | {row.meaning} |"
        for row in TABLE
    )
    return (
        "# Settings of the operator\n\n"
        "Made from `operator/sidecar_injector/settings.py`; a test keeps it current.\n\n"
        "`sidecar-injector run` takes flags and variables; a flag wins. `kopf run operator/main.py` takes variables.\n"
        "An empty variable counts as one that is not set.\n\n"
        f"| flag and variable | default | meaning |\n|---|---|---|\n{rows}\n"
    )
