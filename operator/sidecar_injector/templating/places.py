"""From a place in rendered text to the place in the template that printed it; used after an error only."""

from collections.abc import Mapping, Sequence

from sidecar_injector.errors import Place, TemplateError, TemplateLimitError, TemplateRenderError
from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.markers import MARKER
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.shapes.locate import locate
from sidecar_injector.templating.shapes.plan import compose_shape
from sidecar_injector.templating.shapes.tracing import LineMap
from sidecar_injector.templating.yaml12.compose import YamlProblem

_LONE_VALUE = "a printed value is one value, never lines of YAML: write `key: {{ value }}`, or loop over its items"


class Places:
    """Finds places of one rendering, by rendering once more with marks for the lines of the template."""

    def __init__(self, program: Program, context: Mapping[str, object]) -> None:
        self._program = program
        self._context = context

    def error(self, problem: YamlProblem | Failure) -> TemplateError:
        """Make the error of a problem in the rendered text."""
        in_yaml = isinstance(problem, YamlProblem)
        column = problem.column if isinstance(problem, YamlProblem) else 0
        limit = problem.limit if isinstance(problem, YamlProblem) else isinstance(problem, LimitReached)
        lines = self._lines()
        lone = in_yaml and lines is not None and _lone_value(lines, problem.line)
        kind = TemplateLimitError if limit else TemplateRenderError
        return kind(
            self._place(lines, problem.line or 1, column), problem.problem, _LONE_VALUE if lone else problem.remedy
        )

    def of_node(self, path: Sequence[str | int]) -> Place:
        """Return the place that printed a node of the tree, or its nearest ancestor that is there."""
        lines = self._lines()
        pieces, state = self._program.run(self._context)
        shape = "".join(pieces)
        if lines is None or lines.shape != shape:
            return self._program.place(1)
        line, column = locate(compose_shape(shape, self._program.limits), path, state.slots)
        return self._place(lines, line, column)

    def _lines(self) -> LineMap | None:
        """Render with marks; None if that fails, which only a limit can make happen."""
        try:
            return LineMap(self._program.run_traced(self._context))
        except TemplateError:
            return None

    def _place(self, lines: LineMap | None, line: int, column: int) -> Place:
        """Return the place, with the column if the rendered line starts as the template's line does."""
        if lines is None:
            return self._program.place(1)
        template_line = lines.template_line(line, column)
        printed, source = lines.text(line), self._program.lines[template_line - 1]
        same_start = column and len(source) >= column and source.startswith(printed[: column - 1])
        return self._program.place(template_line, column if same_start else 0)


def _lone_value(lines: LineMap, line: int) -> bool:
    """Tell whether a printed value stands alone in this line or in the one before it."""
    return any(MARKER.fullmatch(lines.text(number).strip()) for number in (line - 1, line))
