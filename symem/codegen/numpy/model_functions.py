"""The functions of a model, in the order in which one reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from symem.codegen.ir.nodes import Load, Node
from symem.codegen.ir.program import Program
from symem.codegen.lowering.reference_points import Reference
from symem.codegen.numpy.ascent_functions import Ascents
from symem.codegen.numpy.data_checks import Checks
from symem.codegen.numpy.draw_function import Drawing
from symem.codegen.numpy.e_step_functions import EStep
from symem.codegen.numpy.fields_read import Records
from symem.codegen.numpy.function_text import ROWS, Function
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.m_step_functions import MStep
from symem.codegen.numpy.predict_function import Predictions
from symem.codegen.numpy.slopes_function import slopes_function
from symem.codegen.numpy.starts import Starts
from symem.derivation import reported


class ModelFunctions:
    """Writes them for one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lines, self.records = Lines(program), Records(program)
        self.checks = Checks(program, self.lines)
        self.e_step = EStep(program, self.lines, self.records)
        self.m_step = MStep(program, self.lines, self.records)
        self.ascents = Ascents(program, self.lines, self.records)
        self.starts = Starts(program, self.lines, self.records)

    @cached_property
    def drawing(self) -> Drawing:
        """How data arise, written after all others."""
        return Drawing(self.program, self.lines, self.records)

    @cached_property
    def predictions(self) -> Predictions:
        """What is predicted of latents whose posteriors do not show it."""
        return Predictions(self.program, self.lines, self.records)

    @cached_property
    def slopes(self) -> Function | None:
        """The slopes of Q."""
        return slopes_function(self.program, self.lines, self.records)

    @cached_property
    def beside(self) -> Mapping[str, Function | None]:
        """What stands below the model, each under its title."""
        return {
            "how sure an estimate is: the slopes of Q": self.slopes,
            "how data arise: the declared laws, for sample": self.drawing.function,
            "what predict tells of latents beyond their posteriors": self.predictions.function,
        }

    def __iter__(self) -> Iterator[Function]:
        yield from self._check()
        yield from self.e_step
        yield from self.m_step
        yield from self.ascents
        given = [("rng", "np.random.Generator"), ROWS, ("prototypes", "Any")]
        sentence = "Latents made up for a chunk of rows, to start from."
        body = self.starts.body
        if body != ["return (_near(rng, prototypes, 0),)"]:
            yield Function("impute", given, "Latents", sentence, body)

    def _check(self) -> Iterator[Function]:
        lines = self.checks.lines()
        if lines:
            given = [("arrays", "dict[str, Any]"), ("sizes", "dict[str, int]")]
            yield Function("check", given, "None", "What the data ask of one another.", lines)

    def reference(self, reference: Reference) -> str:
        """A point from which data are measured, for the runtime's table."""
        names = ", ".join(
            f'"{name}"' for name in (reference.about.name, reference.point.name, reference.datum)
        )
        if isinstance(reference.function, Load):
            return f"Reference({names})"
        value = self.lines.spell(_of_value(reference.function))
        function = value.removesuffix("(value)")
        return f"Reference({names}, {function if function.isidentifier() or function[3:].isidentifier() else f'lambda value: {value}'})"

    def shown_rows(self) -> list[int | None]:
        """The axis of the rows in each array that is shown, None where it has none."""
        rows = self.program.rows
        found: list[int | None] = []
        for posterior in self.program.derivation.posteriors:
            for definition in reported(posterior):
                sizes = [axis.size for axis in definition.axes]
                found.append(sizes.index(rows) if rows in sizes else 0 if rows is None else None)
        return found


def _of_value(node: Node) -> Node:
    """A function of an array as one of a value, whatever the order of its dimensions."""
    return (
        replace(node, name="value", axes=(), stored=()) if isinstance(node, Load) else node.mapped(_of_value)
    )
