"""What an import did, in lines for people."""

from collections.abc import Iterable, Iterator

from sidecar_injector.cli.importing.conversion import Conversion
from sidecar_injector.cli.importing.sources import DEFAULT, Installation

_GUIDE = "docs/how-to/move-from-istio.md"


def report(source: Installation, found: Conversion) -> Iterator[str]:
    """Yield the lines: what was taken from where, what was not, what differs."""
    yield f"Istio's injection, revision {source.revision or DEFAULT}, of {' and '.join(source.origins)}:"
    yield from _indented(_taken(found))
    yield from _section("Not carried over:", _left_out(found))
    yield from _section("Ignored, as Istio does:", found.ignored)
    yield from _section("Different here:", [*found.differs, *found.templates.notes])


def next_steps(found: Conversion) -> Iterator[str]:
    """Yield what to do with the config."""
    metadata = found.resource["metadata"]
    name = metadata["name"] if isinstance(metadata, dict) else ""
    yield f"Next, with the config in {name}.yaml ({_GUIDE} has all steps):"
    yield f"  sidecar-injector validate -f {name}.yaml"
    yield f"  sidecar-injector inject --config {name}.yaml -f deployment.yaml"
    yield f"  kubectl apply -f {name}.yaml"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield title
        yield from _indented(found)


def _taken(found: Conversion) -> Iterator[str]:
    spec = found.resource["spec"]
    assert isinstance(spec, dict)
    templates = found.templates
    if templates.stock:
        yield f"templates {', '.join(templates.stock)}: ours, in place of Istio's"
    if templates.translated:
        yield f"templates {', '.join(templates.translated)}: translated"
    if templates.skipped:
        yield f"templates {', '.join(templates.skipped)}: left out, because they are not injected into Pods"
    yield f"values, meshConfig: as they are; defaultTemplates: {', '.join(spec['defaultTemplates']) or 'none'}"
    match = spec["match"]
    selectors = f"{len(match.get('neverInject', []))} neverInject, {len(match.get('alwaysInject', []))} alwaysInject"
    for guardrail, reasons in found.allowed.items():
        more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        yield f"guardrails allow {guardrail}: {reasons[0]}{more}"
    yield f"policy {match['policy']}, selectors {selectors}; sidecarMode {spec['sidecarMode']}"


def _left_out(found: Conversion) -> Iterator[str]:
    for name, reasons in found.templates.refused.items():
        yield f"template {name}:"
        for reason in reasons:
            yield from (f"  {line}" for line in reason.splitlines())
    for name, foreign in found.templates.changed.items():
        yield f"template {name}: ours stands for it, but Istio's may have been changed: compare by hand"
        yield f"  not Istio's: {', '.join(foreign)}"
        yield "  put what you added into a template of its own, and name it behind this one in defaultTemplates"
    yield from found.incomplete
