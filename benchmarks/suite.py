"""The sections, in the order in which they are measured: first what needs no cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from benchmarks import accepting, growth, http, instructions, live, memory, pipeline, start
from benchmarks.context import Bench, SkippedError
from benchmarks.load import LoadError
from benchmarks.servers.running import ServerError
from tests.kubernetes.cluster import ClusterError

FAILURES = (ClusterError, LoadError, ServerError, AssertionError, OSError)


@dataclass(frozen=True)
class Section:
    """What is told of a section before it is measured, and what measures it."""

    title: str
    measure: Callable[[Bench], dict[str, Any]]


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "pipeline": Section("the path of one Pod without HTTP and Kopf, step by step", pipeline.measure),
        "instructions": Section(
            "instructions of the processor for an admission, where valgrind is there", instructions.measure
        ),
        "accept": Section("what judging a config takes before it serves", accepting.measure),
        "growth": Section("how an admission grows with what there is more of", growth.measure),
        "start": Section("from the start of the process until it is ready", start.measure),
        "http": Section("admissions over HTTPS, beside servers that do next to nothing", http.measure),
        "live": Section("from an edit of a config to the first Pod served with it", live.measure),
        "memory": Section("what is resident after the start, and after many admissions", memory.measure),
    }
)


def measure(bench: Bench, chosen: Sequence[str]) -> dict[str, Any]:
    """Measure the sections of these names; of one that could not be measured, the figures say why.

    The reason is under `skipped` if it cannot be measured here at all, and under `failed` if something went wrong.
    """
    found: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        if name in chosen:
            bench.progress.section(f"{name}: {section.title}")
            try:
                found[name] = section.measure(bench)
            except SkippedError as error:
                bench.progress.say(f"skipped: {error}")
                found[name] = {"skipped": str(error)}
            except FAILURES as error:
                bench.progress.say(f"failed: {error}")
                found[name] = {"failed": str(error)}
    return found
