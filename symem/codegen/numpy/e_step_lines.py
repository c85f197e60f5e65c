"""Statements of the E-step as lines, and the values that a function of it gives."""

from __future__ import annotations

from collections.abc import Sequence

from symem.codegen.ir.instructions import Assign, Normalise, Statement, Weigh
from symem.codegen.ir.nodes import Apply, Contract, Load, Node, Total
from symem.codegen.ir.program import Program
from symem.codegen.numpy.fields_read import Records, names_in
from symem.codegen.numpy.lines import Given, Lines
from symem.codegen.numpy.spelling import PIECES
from symem.codegen.numpy.wrapping import WIDTH


class EStepLines:
    """Writes them for one program."""

    def __init__(self, program: Program, lines: Lines, records: Records) -> None:
        self.program, self.lines, self.records = program, lines, records

    def _body(self, lines: Sequence[Assign], given: Given, record: str, *done: str) -> list[str]:
        """The lines with what they read above them, and the value that they give."""
        kept, ended = self.lines.compact(lines, given)
        nodes = [
            *(each.node for each in kept if isinstance(each, Assign)),
            *(node for node, _ in ended.values),
        ]
        body = self.records.reading(names_in(nodes) - {each.name for each in lines} - set(done), record)
        body += [text for each in kept for text in self.lines.update(each)]
        return [*body, *self._end(ended)]

    def _end(self, given: Given) -> list[str]:
        texts = self.lines.texts(given)
        flat = given.flat(texts)
        if self.lines.indent + len(flat) <= WIDTH:
            return [flat]
        if len(texts) == 1:
            return self.lines.fitted("return ", texts[0])
        return self.lines.returned(texts)

    def _log_joint_call(self) -> str:
        return f"log_joint({', '.join(['theta', 'rows', *self.records.given_to_log_joint])})"

    def _refusals(self, value: Node) -> list[str]:
        guarded = [
            each.normaliser for each in self.program.infer if isinstance(each, Normalise) and each.guarded
        ]
        return [f"_refuse_impossible({name}, rows.first)" for name in guarded if name in names_in([value])]

    def _statement(self, statement: Statement) -> list[str]:
        lines = self.lines
        if isinstance(statement, Assign):
            return self._fresh(statement) if statement.name in self._overwritten else lines.assign(statement)
        if isinstance(statement, Normalise):
            helper = "_guarded_softmax" if statement.guarded else "_softmax"
            line = f"{statement.normaliser} = {helper}({statement.weight}, {statement.axis})"
            return [line, *self._told_apart(statement)]
        return self._weighed(statement)

    def _told_apart(self, statement: Normalise) -> list[str]:
        """Far away the labels are told apart by differences of coefficients, where these are all that tells them apart."""
        features, chain = self.program.features, self._chain()
        if features is None or self.program.direct is None or chain[-1:] != [statement]:
            return []
        tables = ", ".join(f"({each.weight}, {each.axis})" for each in chain)
        told = f"_tell_apart({statement.normaliser}, log_joint_expanded, theta, rows, {tables})"
        whole = len(chain) == len(features.labels) and chain[-1].axis == 0
        return ["if not exact:", f"    {told}"] if whole else []

    def _chain(self) -> list[Normalise]:
        """The labels of the product summed out one after the other, each from what the one before has left."""
        name, chain = "", list[Normalise]()
        for each in self.program.infer:
            if isinstance(each, Weigh) and each.rest is None:
                name = each.name
            elif isinstance(each, Normalise) and each.weight == name and not each.guarded:
                chain.append(each)
            elif isinstance(each, Assign) and isinstance(each.node, Load) and chain:
                name = each.name if each.node.name == chain[-1].normaliser else name
        return chain

    def _weighed(self, statement: Weigh) -> list[str]:
        """Log weights as a matrix product, where that keeps its digits."""
        product = "_weights(natural, rows)"
        direct = self._log_joint_call()
        least = ", 16.0" if self._has_counts() else ""
        test = [] if self.program.direct is None else [f"exact = _is_exact(natural, rows{least})"]
        if statement.rest is None:
            chosen = product if self.program.direct is None else f"{product} if exact else {direct}"
            return [*test, f"{statement.name} = {chosen}"]
        features = self.program.features
        assert features is not None
        rest = self.lines.spell.aligned(statement.rest, (*features.labels, features.row))
        added = [f"{statement.name} = {product}", *self.lines.fitted(f"{statement.name} += ", rest)]
        if self.program.direct is None:
            return added
        inner = [f"    {line}" for line in added]
        return [*test, "if exact:", *inner, "else:", f"    {statement.name} = {direct}"]

    def _has_counts(self) -> bool:
        """Whether log-gammas of data, which are of the size of x log x, stand beside the product."""
        nodes = () if self.program.direct is None else self.program.direct.walk()
        return any(isinstance(each, Apply) and each.operation in PIECES for each in nodes)

    @property
    def _overwritten(self) -> set[str]:
        return {each.weight for each in self.program.infer if isinstance(each, Normalise)}

    def _fresh(self, line: Assign) -> list[str]:
        """Log weights are normalised in place, so they must not share memory with anything."""
        if isinstance(line.node, Apply | Contract | Total):
            return self.lines.assign(line)
        return self.lines.fitted(f"{line.name} = ", f"np.array({self.lines.text(line.node, line.axes)})")
