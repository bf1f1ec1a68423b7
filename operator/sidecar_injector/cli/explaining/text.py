"""Explanations for people: the answer in the first line, then everything that led to it."""

from collections.abc import Iterator, Mapping, Sequence

from sidecar_injector.profiles.explaining.model import (
    Considered,
    Explanation,
    Running,
    RunningPod,
    SeenContainer,
    SeenEntry,
    Verdict,
)

_SAID = {
    Verdict.INJECTED: "injects",
    Verdict.NOT_INJECTED: "does not inject",
    Verdict.REFUSED: "refuses the Pod",
    Verdict.FAILED: "fails, and so does the Pod's creation",
}
_IN_TABLE = {Verdict.INJECTED: "yes", Verdict.NOT_INJECTED: "no", Verdict.REFUSED: "refused", Verdict.FAILED: "fails"}
_NAMES_SHOWN = 3


def as_text(explanation: Explanation) -> str:
    """Return an explanation as lines."""
    return "\n".join(_lines(explanation))


def overview_as_text(headline: str, namespace: Explanation, workloads: Sequence[Explanation]) -> str:
    """Return a Namespace: a table of its workloads, and what a Pod there is given that says nothing."""
    rows = [("WORKLOAD", "INJECTED", "PODS", "WHY"), *(_row(each) for each in workloads)]
    rest = list(_lines(namespace))[1:]
    return "\n".join([headline, *(["", *_table(rows)] if workloads else []), *rest])


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.headline
    about = [f"Or: {remedy}" for remedy in explanation.remedies[1:]]
    about += [f"Note: {note}" for note in explanation.notes]
    if explanation.namespace_labels is not None:
        about.append(f"Namespace {explanation.target.namespace}: {_pairs(explanation.namespace_labels)}")
    if explanation.running is not None:
        about.append(_running(explanation.running))
    if about:
        yield ""
        yield from about
    for found in explanation.configs:
        yield ""
        yield from _config(found)


def _running(running: Running) -> str:
    parts = [f"{running.current} up to date"]
    for pods, what in (
        (running.outdated, "of an earlier revision"),
        (running.missing, "without sidecar"),
        (running.leftover, "injected by what would not inject now"),
    ):
        if pods:
            parts.append(f"{len(pods)} {what} ({_names(pods)})")
    return f"Running Pods: {running.total}, of them {', '.join(parts)}"


def _names(pods: Sequence[RunningPod]) -> str:
    shown = [pod.name for pod in pods[:_NAMES_SHOWN]]
    return ", ".join([*shown, "…"] if len(pods) > _NAMES_SHOWN else shown)


# --- one config


def _config(found: Considered) -> Iterator[str]:
    about = [f"profile {found.profile}"] if found.profile else []
    about += [f"revision {found.revision}"] if found.revision else []
    about += [f"answers to istio.io/rev={found.answers_to}"] if found.answers_to else []
    shown_below = bool(found.steps) and found.steps[-1].decision.endswith(f": {found.message}")
    why = "" if shown_below else f": {' '.join(found.message.split())}"
    yield f"Config {found.config} ({', '.join(about)}): {_SAID[found.verdict]}{why}"
    for problem in found.problems:
        yield from _indented(2, f"its latest version is not accepted: {problem}")
    if found.entries:
        yield "  Asked by the API server:"
        yield from (f"    {line}" for line in _table([_entry(entry) for entry in found.entries]))
    if found.steps:
        yield "  Selection:"
        yield from (
            f"    {line}"
            for line in _table(
                [(step.rule, step.value, f"-> {step.decision}" if step.decision else "") for step in found.steps]
            )
        )
    if found.provisos:
        yield from (f"  Provided that {proviso}" for proviso in found.provisos)
    if found.templates:
        yield f"  Templates: {', '.join(found.templates)}"
    if found.rules:
        yield f"  Rules of the profile that changed something: {', '.join(found.rules)}"
    if found.after:
        yield "  Containers:"
        yield from (f"    {line}" for line in _table(list(_containers(found.before, found.after))))
    for warning in found.warnings:
        yield from _indented(2, f"Warning: {warning}")


def _entry(entry: SeenEntry) -> tuple[str, ...]:
    selects = {True: "yes", False: "no", None: "?"}[entry.selects]
    who = f"namespaces {entry.namespaces or '(any)'}; Pods {entry.pods or '(any)'}"
    return selects, entry.name, who, f"({entry.live})" if entry.live else ""


def _containers(before: Sequence[SeenContainer], after: Sequence[SeenContainer]) -> Iterator[tuple[str, ...]]:
    was = {each.name: each for each in before}
    for each in after:
        mark = "+" if each.name not in was else " " if was[each.name] == each else "~"
        yield mark, each.role, each.name, each.image
    for each in before:
        if each.name not in {other.name for other in after}:
            yield "-", each.role, each.name, each.image


# --- tables


def _row(explanation: Explanation) -> tuple[str, ...]:
    target, running = explanation.target, explanation.running
    pods = f"{running.total - len(running.missing)}/{running.total}" if running else "-"
    by = ", ".join(found.config for found in explanation.configs if found.verdict is Verdict.INJECTED)
    why = f"by {by}" if explanation.verdict is Verdict.INJECTED and by else explanation.cause
    return f"{target.kind}/{target.name}", _IN_TABLE[explanation.verdict], pods, " ".join(why.split())


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _pairs(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"


def _indented(width: int, text: str) -> Iterator[str]:
    yield from (f"{' ' * (width if not number else width + 2)}{line}" for number, line in enumerate(text.splitlines()))
