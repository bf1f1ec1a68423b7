"""The code that Jinja makes of a template, without what ours never need.

There are no includes, imports and blocks, so nobody asks for the variables of a finished template; and what is printed
is a marker already, which needs not be made text. A template prints and looks up dozens of times, so both are at hand.
"""

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame


class Code(CodeGenerator):
    """Writes the code of one template."""

    def write_commons(self) -> None:
        """Write what all code begins with."""
        self.writeline("printed, member = environment.finalize, environment.getattr")
        super().write_commons()

    def pop_assign_tracking(self, frame: Frame) -> None:
        """Write what becomes of the variables that a statement has set: in a loop, the loop's functions see them."""
        if frame.toplevel:
            self._assign_stack.pop()
        else:
            super().pop_assign_tracking(frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        """Write the look-up of a field."""
        self.write("member(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r})")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: object) -> None:
        self.write("printed(context, ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: object) -> None:
        self.write(")")
