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
from sidecar_injector.templating.shapes.fitted import Spot, Unfit, fitted, never
from sidecar_injector.templating.shapes.plain import is_plain, prints_plain
from sidecar_injector.templating.shapes.plan import MAP_REMEDY, Fill, Plan, make_plan
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

    def render(self, context: Mapping[str, object], spot: Spot | None = None) -> "Rendered":
        """Render the template with these variables (plain JSON values; they are not changed and not copied).

        Args:
            context: the variables.
            spot: what the data is for; data that fits, or can be made to, comes as it fits.

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
            tree = None if spot is None else _fitting(plan, state.slots, spot)
            fits = tree is not None
            printed = _as_map(plan.root.fill(state.slots)) if tree is None else tree
        except (YamlProblem, Failure) as problem:
            raise places.error(problem) from problem
        return Rendered(printed, fits, fits and _is_plain(plan, spot, state.slots, printed), places, shape, state.slots)


@dataclass(frozen=True)
class Rendered:
    """What a template yields: a partial Pod, of which parts are shared with other renderings: do not change it.

    Attributes:
        tree: the partial Pod.
        fits: whether it is as it fits the spot that it was rendered for; if not, it is as it was printed.
        plain: whether it is known to have neither nulls nor keys that begin with `$`.
    """

    tree: dict[str, object]
    fits: bool
    plain: bool
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


def _fitting(plan: Plan, slots: Sequence[object], spot: Spot) -> dict[str, object] | None:
    """Return the data as it fits; None if it does not, or cannot be built: then it is to fail as it was printed."""
    try:
        return _as_map(_fill_for(plan, spot)(slots))
    except (Unfit, Failure):
        return None


def _is_plain(plan: Plan, spot: object, slots: Sequence[object], data: object) -> bool:
    """Tell whether the data of a plan is known to be plain. Without what is printed, it always is or never is."""
    if not plan.plain_keys or not prints_plain(slots, plan.plain_lines):
        return False
    if spot not in plan.plain:
        plan.plain[spot] = is_plain(data)
    return plan.plain[spot]


def _fill_for(plan: Plan, spot: Spot) -> Fill:
    """Return what builds the plan's data for a spot; it is made once."""
    fill = plan.fills.get(spot)
    if fill is None:
        try:
            fill = fitted(plan.root, spot)
        except Unfit:
            fill = never
        plan.fills[spot] = fill
    return fill


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
