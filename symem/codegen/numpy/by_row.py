"""The log-likelihood of each row: the E-step as far as that needs it, not summed."""

from __future__ import annotations

from symem.codegen.ir.instructions import Assign, Entry, Normalise, Statement, Weigh, live, nodes_of
from symem.codegen.ir.nodes import Node
from symem.codegen.numpy.e_step_lines import EStepLines
from symem.codegen.numpy.fields_read import names_in
from symem.codegen.numpy.lines import Given, Line


class ByRow(EStepLines):
    """Writes it for one program."""

    def body(self) -> list[str]:
        """The E-step as far as it is needed, the log weights exact, and what each row adds to the log-likelihood."""
        program, records = self.program, self.records
        value, *beside = records.of_each_row()
        lines: list[Line] = [*self._needed_for(value)]
        product = any(isinstance(each, Weigh) for each in lines) and program.direct is None
        given = Given(
            tuple((each, value.axes) for each in (value, *(beside if product else []))),
            lambda texts: f"return {' + '.join(texts)}",
        )
        if not records.given_to_log_joint:
            lines, given = self.lines.compact(lines, given)
        left = names_in(
            [*(node for each in lines for node in nodes_of(each)), *(node for node, _ in given.values)]
        )
        natural = ["natural"] if program.features else []
        names = [*records.coefficients, *natural]
        body = records.taken_apart(names, "coefficients", {*left, *(natural if product else [])})
        body += records.reading(left - {*names, *records.made_in_rows()}, "rows")
        for each in lines:
            assert not isinstance(each, Entry)
            body += self._exactly(each)
        ended = self.lines.fitted("return ", " + ".join(self.lines.texts(given)))
        return _without_last_name([*body, *self._refusals(value), *ended])

    def _needed_for(self, *values: Node) -> list[Statement]:
        """The statements on which values rest; log weights that have an exact form, on what this reads."""
        direct, lines = self.program.direct, self.program.infer
        if direct is None:
            return live(lines, values, set())
        exact = [Assign(each.name, direct, ()) if isinstance(each, Weigh) else each for each in lines]
        found = live(exact, values, set())
        return [
            Weigh(old.name, None) if isinstance(old, Weigh) else old
            for old, new in zip(lines, exact, strict=True)
            if new in found
        ]

    def _exactly(self, statement: Statement) -> list[str]:
        """A statement, log weights in the form that is exact at any distance where there are two."""
        if isinstance(statement, Weigh) and self.program.direct is not None:
            return [f"{statement.name} = {self._log_joint_call()}"]
        written = self._statement(statement)
        return written[:1] if isinstance(statement, Normalise) else written


def _without_last_name(body: list[str]) -> list[str]:
    """What the last line but one gives a name to alone is returned as it is."""
    start = f"{body[-1].removeprefix('return ')} = "
    last = body[-2] if len(body) > 1 else ""
    return [*body[:-2], f"return {last.removeprefix(start)}"] if last.startswith(start) else body
