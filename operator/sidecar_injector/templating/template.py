"""Templates: compiled once, rendered for every Pod."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from sidecar_injector.errors import Place
from sidecar_injector.templating.failures import Failure, LimitReached
from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.values import OMIT, describe, size_of
from sidecar_injector.templating.limits import DEFAULT_LIMITS, Delimiters, Limits
from sidecar_injector.templating.places import Places
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.shapes.fitted import Spot, Unfit, fitted, never
from sidecar_injector.templating.shapes.plain import is_plain, prints_plain
from sidecar_injector.templating.shapes.plan import MAP_REMEDY, Fill, Plan, make_plan
from sidecar_injector.templating.shapes.settled import settled
from sidecar_injector.templating.specialised import Specialised
from sidecar_injector.templating.steady import Steady
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
    """A compiled template; it may be rendered in several threads at once.

    program     -- renders it in every context, and says what goes wrong
    specialised -- each renders it in the contexts that agree with what is done already; the first that can is taken
    """

    def __init__(self, program: Program, specialised: Sequence[Specialised] = ()) -> None:
        self._program = program
        self._way = _Way(program)
        self._short_ways = [(each.agrees, _Way(each, each.known)) for each in specialised]

    @property
    def name(self) -> str:
        """Return what messages call the template."""
        return self._program.name

    def specialised(self, steadies: Sequence[Steady]) -> "Template":
        """Return the same template that does now what it would do again in all contexts with these very objects.

        It renders all other contexts, too. If nothing can be done, or it takes too much, it is the template itself.

        Args:
            steadies: what many contexts have in common, the most first.
        """
        tree = self._program.environment.parse_to_run(self._program.source)
        made: list[Specialised] = []
        try:
            for steady in steadies:
                if not any(steady.covers(each.needed) for each in made):
                    made.append(Specialised(self._program, tree, steady))
            made = [each for each in made if each.does_something]
        except (LimitReached, RecursionError, MemoryError):
            return self
        return Template(self._program, made) if made else self

    def render(self, context: Mapping[str, object], spot: Spot | None = None) -> "Rendered":
        """Render the template with these variables (plain JSON values; they are not changed and not copied).

        Args:
            context: the variables.
            spot: what the data is for; data that fits, or can be made to, comes as it fits.

        Raises:
            TemplateRenderError: it fails on these values, or yields something that is no map.
            TemplateLimitError: it takes too many steps, too much memory or output.
        """
        places = Places(self._program, context)
        for agrees, way in self._short_ways:
            if agrees(context):
                try:
                    return way.rendered(context, spot, places)
                except Exception:  # the program fails, too, and says where; or it has a little more patience
                    break
        try:
            return self._way.rendered(context, spot, places)
        except (YamlProblem, Failure) as problem:
            raise places.error(problem) from problem


class _Way:
    """One way to the data: a program and the plans of the shapes that it prints.

    known -- the values that it prints first, whatever the context
    """

    def __init__(self, program: Program | Specialised, known: Sequence[object] = ()) -> None:
        self._program = program
        self._known = known
        self._plans = _Plans()

    def rendered(self, context: Mapping[str, object], spot: Spot | None, places: Places) -> "Rendered":
        """Render the template.

        Raises what the program raises, and YamlProblem and Failure with lines of the shape.
        """
        pieces, state = self._program.run(context)
        plan = self._plans.get(pieces) or self._plans.add(pieces, self._plan("".join(pieces), state.limits))
        _check_size(plan, state.slots, state.limits.result)
        _refuse_yaml_text(plan, state.yaml_slots)
        tree = None if spot is None else _fitting(plan, state.slots, spot)
        fits = tree is not None
        printed = _as_map(plan.root.fill(state.slots)) if tree is None else tree
        return Rendered(printed, fits, fits and _is_plain(plan, spot, state, printed), places)

    def _plan(self, shape: str, limits: Limits) -> Plan:
        return settled(make_plan(shape, limits), self._known)


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

    def place(self, path: Sequence[str | int]) -> Place:
        """Return the template line that printed a node of the tree, or its nearest ancestor that is there.

        The template is rendered again for this: it is meant for messages.

        Args:
            path: keys and list positions, such as `("spec", "containers", 0, "image")`.
        """
        return self._places.of_node(path)


def _fitting(plan: Plan, slots: Sequence[object], spot: Spot) -> dict[str, object] | None:
    """Return the data as it fits; None if it does not, or cannot be built: then it is to fail as it was printed."""
    try:
        return _as_map(_fill_for(plan, spot)(slots))
    except (Unfit, Failure):
        return None


def _is_plain(plan: Plan, spot: object, state: RenderContext, data: object) -> bool:
    """Tell whether the data of a plan is known to be plain. Without what is printed, it always is or never is."""
    if not plan.plain_keys or not (state.scalars_only or prints_plain(state.slots, plan.whole)):
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
    """The plans of a template's latest shapes.

    A shape is told by its pieces: most of them are the template's own, whose hashes Python remembers.
    """

    def __init__(self) -> None:
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._lock = Lock()

    def get(self, pieces: tuple[str, ...]) -> Plan | None:
        plan = self._plans.get(pieces)
        if plan is not None and len(self._plans) > _SHAPES // 2:
            with self._lock:
                self._plans[pieces] = self._plans.pop(pieces, plan)
        return plan

    def add(self, pieces: tuple[str, ...], plan: Plan) -> Plan:
        with self._lock:
            self._plans[pieces] = plan
            while len(self._plans) > _SHAPES:
                del self._plans[next(iter(self._plans))]
        return plan
