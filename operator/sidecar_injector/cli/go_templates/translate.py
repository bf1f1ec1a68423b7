"""A Go template of Istio's, as a template of ours: right, or refused with every reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sidecar_injector.cli.go_templates.findings import Finding, Refused, Untranslatable
from sidecar_injector.cli.go_templates.layout import Lines, Writer, exact_texts, read_back, target
from sidecar_injector.cli.go_templates.parser import parse
from sidecar_injector.cli.go_templates.pieces import WHITE, Draft
from sidecar_injector.cli.go_templates.places import (
    Assembled,
    Edit,
    Place,
    Stretch,
    Survey,
    assemble,
    marker,
    refuse_marker_sign,
    signature,
    stretches_of,
    ways,
)
from sidecar_injector.cli.go_templates.places import parse as parse_yaml
from sidecar_injector.cli.go_templates.printing import Print, lead, printed
from sidecar_injector.cli.go_templates.statements import draft as drafted
from sidecar_injector.cli.go_templates.values import Form
from sidecar_injector.errors import TemplateError
from sidecar_injector.templating import compile_template


@dataclass(frozen=True)
class Translation:
    """A template of ours, and what people should know about it."""

    source: str
    notes: tuple[str, ...]


def translate(source: str, values: Mapping[str, object]) -> Translation:
    """Translate a Go template for a config with these values. Raises Untranslatable."""
    try:
        refuse_marker_sign(source)
        statements = parse(source)
    except Refused as refusal:
        raise Untranslatable([refusal.at(1)]) from None
    draft, findings = drafted(statements, values)
    places, edits, more = _survey(draft)
    prints, unprintable = _prints(draft, places)
    if findings or more or unprintable:
        raise Untranslatable([*findings, *unprintable, *(() if findings else more)])
    written = _written(draft, sorted(edits, key=lambda edit: (edit.piece, edit.start)), prints)
    notes = tuple(f"line {draft.outputs[number].line}: {how.note}" for number, how in prints.items() if how.note)
    return Translation(written, tuple(dict.fromkeys(notes)))


def _survey(draft: Draft) -> tuple[dict[int, list[Place]], set[Edit], list[Finding]]:
    """Return the places of each output, the literals to be rewritten, and what is no YAML."""
    places: dict[int, list[Place]] = {number: [] for number in draft.outputs}
    edits: set[Edit] = set()
    findings: list[Finding] = []
    stretches = stretches_of(draft, _left(draft), lambda number: _bare(draft, number))
    for way in ways(draft):
        assembled = assemble(draft, stretches, way)
        survey = Survey(assembled)
        try:
            _refuse_continued(draft, assembled)
            root = parse_yaml(assembled)
            if root is not None:
                survey.walk(root)
        except Refused as refusal:
            findings.append(refusal.at(1))
        edits |= survey.edits
        for number, place in survey.places:
            if place not in places[number]:
                places[number].append(place)
    return places, edits, findings


def _refuse_continued(draft: Draft, assembled: Assembled) -> None:
    """Refuse formatted YAML that continues the list or map of the template: a printed value is one value."""
    for start, stretch in assembled.starts:
        output = draft.outputs[stretch.printed] if stretch.printed is not None else None
        before = assembled.text[:start].rstrip(WHITE)
        if output is None or output.expr.form is not Form.YAML or not before or before.endswith((":", "-")):
            continue
        source = output.expr.source
        remedy = f"write a loop: `{{% for item in {source} %}}`, and `- {{{{ item }}}}` in it"
        raise Refused(f"`toYaml` of `{source}` continues a list, a map or a text", remedy, output.line)


def _left(draft: Draft) -> list[tuple[int, int]]:
    texts = exact_texts(draft)
    return [texts.get(index, (0, 0)) for index in range(len(draft.pieces))]


def _bare(draft: Draft, number: int) -> list[Stretch]:
    """Return an output as nothing but its marker, in a line of its own if it asks for that."""
    output = draft.outputs[number]
    if output.silent:
        return []
    return [Stretch(lead(output.expr), line=output.line), Stretch("", printed=number, line=output.line)]


def _prints(draft: Draft, places: Mapping[int, Sequence[Place]]) -> tuple[dict[int, Print], list[Finding]]:
    prints: dict[int, Print] = {}
    findings: list[Finding] = []
    for number, output in draft.outputs.items():
        try:
            prints[number] = Print(output.expr.source) if output.silent else printed(output.expr, places[number])
        except Refused as refusal:
            findings.append(refusal.at(output.line))
    return prints, findings


def _written(draft: Draft, edits: Sequence[Edit], prints: Mapping[int, Print]) -> str:
    """Return the source in the first layout that says what the Go template says. Raises Untranslatable."""
    wanted = target(draft, edits, prints)
    problem = "no layout of ours says the same as this template"
    for lines in Lines:
        source = Writer(draft, edits, prints, lines).source()
        if not _says(draft, read_back(source, draft, prints), wanted):
            continue
        try:
            compile_template("translated", source)
        except TemplateError as error:
            problem = f"the translated template does not compile: {error.problem}"
            continue
        return source
    raise Untranslatable([Finding(1, problem, "port it by hand")])


def _says(draft: Draft, found: Sequence[Stretch], wanted: Sequence[Stretch]) -> bool:
    return all(_tree(draft, found, way) == _tree(draft, wanted, way) for way in ways(draft))


def _tree(draft: Draft, stretches: Sequence[Stretch], way: tuple[Mapping[str, int], int]) -> object:
    try:
        return signature(
            parse_yaml(assemble(draft, stretches, way, lambda n: "" if draft.outputs[n].silent else marker(n)))
        )
    except Refused as refusal:
        return refusal.problem
