"""SidecarInjectorConfig: read, checked, compiled, and kept as an immutable Snapshot. Pure: no I/O, no clock."""

from sidecar_injector.config.compile import CompiledConfig, CompiledTemplate, compile_config
from sidecar_injector.config.conditions import Registration, status_of
from sidecar_injector.config.model import SidecarInjectorConfig
from sidecar_injector.config.parse import parse_config
from sidecar_injector.config.replicas import Report, Served, generations_in_use, served, undecided
from sidecar_injector.config.snapshot import Entry, Snapshot

__all__ = [
    "CompiledConfig",
    "CompiledTemplate",
    "Entry",
    "Registration",
    "Report",
    "Served",
    "SidecarInjectorConfig",
    "Snapshot",
    "compile_config",
    "generations_in_use",
    "parse_config",
    "served",
    "status_of",
    "undecided",
]
