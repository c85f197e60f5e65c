"""What an iteration of a program costs: operations counted node by node, by the lengths of their axes.

An operation on arrays counts one for each entry, a product of matrices 2 r m c, a factorisation of d rows d³/3 and an
inverse d³ (Golub & Van Loan 2013, sections 1.1 and 4.2), a logarithm of a sum four for each term, a root five of Newton's
steps. What depends on data alone is computed once and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr, Integer, Mul, Symbol, expand

from symem.codegen.ir.instructions import Assign, Column, Normalise, Statement, Weigh
from symem.codegen.ir.nodes import (
    Apply,
    Contract,
    Factor,
    LogTotal,
    Messages,
    Node,
    Root,
    Scatter,
    Solve,
    Source,
    Total,
    TreeMessages,
    union,
)
from symem.codegen.ir.program import Program
from symem.codegen.lowering.row_plate import observed
from symem.derivation import RunningCost

NOTHING = Integer(0)
#: Operations for each term of the logarithm of a sum: the largest taken off, exp, the sum, the division.
OF_A_SOFTMAX = 4
#: Operations for each entry of the messages of both directions beside the two products with the table of steps: exp, the
#: density put in, the scale taken off, and both put together.
OF_A_MESSAGE = 10
#: Steps of Newton's method to a root.
NEWTON = 5
#: What costs nothing: a sign, and a count that multiplies rows which stand for several.
FREE = {"neg", "counted"}


def running_cost(program: Program) -> RunningCost:
    """The E-step, the statistics and the M-step of one iteration."""
    standing = _standing(program)
    count = _Count(program, standing)
    found = {"E-step": count.e_step(), "statistics": count.statistics(), "M-step": count.m_step()}
    parts = tuple((part, cost) for part, cost in found.items() if cost != 0)
    return RunningCost(parts, program.condensed, program.counted if standing is not None else None, standing)


def _standing(program: Program) -> Expr | None:
    """How many rows stand for all where nothing else tells these apart: one more than they have columns."""
    model = program.derivation.model
    arrays = [each for each in observed(model) if program.counted in each.sizes]
    if not program.condensed or any(each.name not in program.condensed or each.missing for each in arrays):
        return None
    widths = (Mul(*(size for size in each.sizes if size != program.counted)) for each in arrays)
    return expand(sum(widths, Integer(1)))


class _Count:
    """Operations of a program's lines; `standing` rows stand for all, if it is said."""

    def __init__(self, program: Program, standing: Expr | None) -> None:
        self.program = program
        self.standing = standing

    # parts --------------------------------------------------------------------------------------

    def e_step(self) -> Expr:
        program = self.program
        features = program.features
        nodes = [each.node for each in program.coefficients]
        nodes += [*features.coefficients] if features is not None else []
        lines = sum(map(self._statement, program.infer), NOTHING)
        return expand(lines + self.of_all([*nodes, program.log_likelihood]))

    def statistics(self) -> Expr:
        gathered = self.program.gathered
        lines = gathered.lines if gathered is not None else self.program.summarise
        columns = any(isinstance(line, Column) for line in lines)
        product = self._product() if columns else NOTHING
        return expand(product + self.of_all(line.node for line in lines if isinstance(line, Assign)))

    def m_step(self) -> Expr:
        return expand(self.of_all(line.node for line in self.program.m_step))

    def _statement(self, line: Statement) -> Expr:
        match line:
            case Assign():
                return self.of(line.node)
            case Weigh():
                return self._product() + (self.of(line.rest) if line.rest is not None else NOTHING)
            case Normalise():
                return OF_A_SOFTMAX * self._weights()

    def _weights(self) -> Expr:
        """The entries of the weights of labels."""
        features = self.program.features
        if features is None:
            return NOTHING
        return self.size((*features.labels, features.row))

    def _product(self) -> Expr:
        """Coefficients times features, or weights times features."""
        features = self.program.features
        columns = sum((self.size(axes) for axes in features.entries), NOTHING) if features else NOTHING
        return 2 * columns * self._weights()

    # nodes --------------------------------------------------------------------------------------

    def of_all(self, nodes: Iterable[Node]) -> Expr:
        return sum(map(self.of, nodes), NOTHING)

    def of(self, node: Node) -> Expr:
        """The operations of a node and of all below it; none of data alone, or of sizes."""
        if node.sources <= {Source.ROWS}:
            return NOTHING
        return self._own(node) + self.of_all(node.children)

    def _own(self, node: Node) -> Expr:
        match node:
            case Apply():
                return (
                    NOTHING
                    if node.operation in FREE
                    else max(len(node.arguments) - 1, 1) * self.size(node.axes)
                )
            case Total() | Scatter():
                return self.size(node.value.axes)
            case LogTotal():
                return OF_A_SOFTMAX * self.size(node.value.axes)
            case Contract():
                return 2 * self.size(union(str, (node.left, node.right)))
            case Solve() | Factor():
                return self._of_matrix(node)
            case Messages() | TreeMessages():
                return 4 * self.size(node.pairs) + OF_A_MESSAGE * self.size(node.places)
            case Root():
                return (
                    NEWTON * self.size(node.axes) * (self._own_all(node.function) + self._own_all(node.slope))
                )
        return NOTHING

    def _of_matrix(self, node: Solve | Factor) -> Expr:
        """A factorisation of a matrix, and what a system asks beside it."""
        apart = [axis for axis in node.matrix.axes if axis not in (node.row, node.column)]
        whole = self.size(apart) * self.size([node.row]) ** 3
        if isinstance(node, Solve):
            return whole / 3 + 2 * self.size(node.matrix.axes)
        return whole / 3 if node.operation == "_cholesky" else whole

    def _own_all(self, node: Node) -> Expr:
        """The operations of a formula whose letters stand for numbers."""
        return sum(map(self._own, node.walk()), NOTHING)

    def size(self, axes: Iterable[Symbol]) -> Expr:
        return Mul(*map(self._length, axes))

    def _length(self, axis: Symbol) -> Expr:
        length = self.program.index_sizes[axis]
        return self.standing if self.standing is not None and length == self.program.counted else length
