"""Templates: compiled once, rendered for every Pod."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from sidecar_injector.errors import Place
from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.language.values import OMIT, describe, size_of
from sidecar_injector.templating.limits import DEFAULT_LIMITS, Delimiters, Limits
from sidecar_injector.templating.places import Places
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.shapes.plan import MAP_REMEDY, Plan, make_plan
from sidecar_injector.templating.yaml12.compose import YamlProblem

_SHAPES = 64
"""How many plans a template keeps."""


def compile_template(
    name: str, source: str, *, delimiters: Delimiters = Delimiters.CURLY, limits: Limits = DEFAULT_LIMITS
) -> "Template":
    """Compile a template.

    Args:
        name: what messages call it: `config/template`.
        source: Jinja2 that prints the YAML of a partial Pod.
        delimiters: the marks around expressions and statements.
        limits: what it may cost.

    Raises:
        TemplateSyntaxError: it does not compile.
        TemplateLimitError: it is too long or nested too deeply.
    """
    return Template(Program(name, source, delimiters, limits))


class Template:
    """A compiled template; it may be rendered in several threads at once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._plans = _Plans()

    @property
    def name(self) -> str:
        """Return what messages call the template."""
        return self._program.name

    def render(self, context: Mapping[str, object]) -> "Rendered":
        """Render the template with these variables (plain JSON values; they are not changed and not copied).

        Raises:
            TemplateRenderError: it fails on these values, or yields something that is no map.
            TemplateLimitError: it takes too many steps, too much memory or output.
        """
        shape, state = self._program.run(context)
        places = Places(self._program, context)
        try:
            plan = self._plans.get(shape) or self._plans.add(shape, make_plan(shape, self._program.limits))
            _check_size(plan, state.slots, self._program.limits.result)
            _refuse_yaml_text(plan, state.yaml_slots)
            tree = _as_map(plan.root.fill(state.slots))
        except (YamlProblem, Failure) as problem:
            raise places.error(problem) from problem
        return Rendered(tree, places, shape, state.slots)


@dataclass(frozen=True)
class Rendered:
    """What a template yields: a partial Pod, of which parts are shared with other renderings: do not change it."""

    tree: dict[str, object]
    _places: Places = field(repr=False, compare=False)
    _shape: str = field(repr=False, compare=False)
    _slots: Sequence[object] = field(repr=False, compare=False)

    def place(self, path: Sequence[str | int]) -> Place:
        """Return the template line that printed a node of the tree, or its nearest ancestor that is there.

        The template is rendered once more for this: it is meant for messages.

        Args:
            path: keys and list positions, such as `("spec", "containers", 0, "image")`.
        """
        return self._places.of_node(path, self._shape, self._slots)


def _check_size(plan: Plan, slots: Sequence[object], limit: int) -> None:
    """Check what values that are used again and again, through a macro or set block, add up to."""
    if plan.repeated and sum(size_of(slots[slot]) * uses for slot, uses in plan.repeated) > limit:
        raise LimitReached(f"all printed values together have more than {limit} characters", "print less")


def _refuse_yaml_text(plan: Plan, yaml_slots: Sequence[int]) -> None:
    """Refuse text of `to_yaml` where structure is meant, before it becomes a text that no Pod has there."""
    for slot in yaml_slots:
        if slot in plan.plain_lines:
            problem = "text that `to_yaml` made is printed as the value of a key"
            remedy = "print the value itself, without filters: `key: {{ value }}`; put it in quotes if text is meant"
            raise Failure(problem, remedy, plan.plain_lines[slot])


def _as_map(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    if value is OMIT:
        return {}
    raise Failure(f"the template prints {describe(value)} where a map is expected", MAP_REMEDY, 1)


class _Plans:
    """The plans of a template's latest shapes."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._lock = Lock()

    def get(self, shape: str) -> Plan | None:
        plan = self._plans.get(shape)
        if plan is not None and len(self._plans) > _SHAPES // 2:
            with self._lock:
                self._plans[shape] = self._plans.pop(shape, plan)
        return plan

    def add(self, shape: str, plan: Plan) -> Plan:
        with self._lock:
            self._plans[shape] = plan
            while len(self._plans) > _SHAPES:
                del self._plans[next(iter(self._plans))]
        return plan
