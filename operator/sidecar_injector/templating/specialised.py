"""A template's program for the contexts of one config: what depends on the config alone was done when it was made."""

from collections.abc import Mapping, Sequence

from jinja2 import nodes

from sidecar_injector.templating.language.context import RenderContext
from sidecar_injector.templating.language.residue import residue
from sidecar_injector.templating.language.sandbox import GLOBALS
from sidecar_injector.templating.program import Program
from sidecar_injector.templating.steady import Steady


class Specialised:
    """What is left of a program when some variables are known. It prints what the program prints, where they are so.

    Markers have other numbers than in the program's own shapes: those of what was known come first.

    program -- the whole
    tree    -- of it, as it is run
    steady  -- what is known
    needed  -- what of this was of use

    Raises LimitReached if what is known takes more than a whole rendering may.
    """

    def __init__(self, program: Program, tree: nodes.Template, steady: Steady) -> None:
        left = residue(tree, steady, GLOBALS, RenderContext(program.environment, {}, program.limits))
        self._environment = program.environment
        self._code = program.load(left.tree)
        self._start = left.start
        self._set = left.variables
        self.needed = left.needed
        self._agree = left.needed.agrees()

    @property
    def known(self) -> Sequence[object]:
        """The values of the first slots."""
        return self._start.slots

    @property
    def does_something(self) -> bool:
        """Whether any of the template is done."""
        return bool(self.known or self.needed.whole or self.needed.parts)

    def agrees(self, context: Mapping[str, object]) -> bool:
        """Tell whether what was known is so in a context: whether these are the very same objects."""
        return self._agree(context) and context.keys().isdisjoint(GLOBALS)

    def run(self, context: Mapping[str, object]) -> tuple[tuple[str, ...], RenderContext]:
        """Run what is left, in a context that agrees: the shape in pieces, and the state with the printed values.

        Raises whatever goes wrong; the program says what, and where.
        """
        state = self._start.resumed({**GLOBALS, **context, **self._set})
        return self._environment.pieces(self._code.root_render_func(state)), state
