"""Environment variables as containers have them: addresses, switches, times, and what comes from elsewhere."""

from typing import Any

from benchmarks.workloads.model import Container

_PREFIXES = ("APP", "DB", "CACHE", "QUEUE", "TRACE", "HTTP", "AUTH", "FEATURE", "LOG", "LIMIT", "RETRY", "STORE")
_ENDS = (
    ("HOST", "primary.data.svc.cluster.local"),
    ("PORT", "5432"),
    ("URL", "https://api.example.org/v1/?region=eu&compact=true"),
    ("TIMEOUT", "2500ms"),
    ("ENABLED", "true"),
    ("LEVEL", "info"),
    ("POOL_SIZE", "16"),
    ("TAGS", "team:checkout,tier:backend,env:production"),
    ("OPTIONS", '{"batch": 100, "flush": "5s"}'),
    ("PATH", "/var/lib/app/cache"),
)


def environment(container: Container) -> list[dict[str, Any]]:
    """Return the variables of a container, as the API server has completed them."""
    found = [{"name": name, "value": value} for name, value in map(_plain, range(container.env))]
    found += [_secret(container, number) for number in range(container.secrets)]
    return [*found, *_downward()] if container.downward else found


def _plain(number: int) -> tuple[str, str]:
    # The counters have no common factor, so the first 120 pairs differ; later ones are numbered.
    prefix, (end, value) = _PREFIXES[number % len(_PREFIXES)], _ENDS[number * 7 // 12 % len(_ENDS)]
    return f"{prefix}_{end}_{number}" if number >= len(_PREFIXES) else f"{prefix}_{end}", value


def _secret(container: Container, number: int) -> dict[str, Any]:
    reference = {"name": f"{container.name}-credentials", "key": f"key-{number}"}
    return {"name": f"SECRET_{number}", "valueFrom": {"secretKeyRef": reference}}


def _downward() -> list[dict[str, Any]]:
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_IP": "status.podIP"}
    found = [
        {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
        for name, path in fields.items()
    ]
    processors = {"resource": "limits.cpu", "divisor": "0"}
    return [*found, {"name": "GOMAXPROCS", "valueFrom": {"resourceFieldRef": processors}}]
