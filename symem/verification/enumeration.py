"""All configurations of a few coupled discrete latents, as rows of an array of integers.

Hard constraints that are linear with nonnegative coefficients (a known total, a deterministic relation)
prune while the rows grow, so that compositions of a total are listed and not searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.evaluation.scalar_functions import Head
from symem.evaluation.trees import Apply, Atom, Constant, Node, atoms_of

Array = np.ndarray[Any, np.dtype[Any]]

MOST_ROWS = 500_000
_NO_BOUND = int(np.iinfo(np.int64).max)


class TooLargeError(Exception):
    """What was asked for cannot be computed by brute force; the message says why."""


@dataclass(frozen=True)
class Range:
    """The integers that one discrete latent may take; `upper` None means without bound."""

    lower: int
    upper: int | None


@dataclass(frozen=True)
class Linear:
    """sum of coefficient * atom + constant."""

    coefficients: Mapping[Atom, float]
    constant: float


@dataclass(frozen=True)
class Total:
    """A linear constraint: the weighted sum of the atoms equals, or is at most, `total`."""

    weights: Mapping[Atom, float]
    total: float
    exact: bool = True


def linear(node: Node) -> Linear | None:
    """A node as a linear form in latents, if it is one."""
    match node:
        case Constant(value):
            return Linear({}, float(value))
        case Atom():
            return Linear({node: 1.0}, 0.0)
        case Apply("Add", arguments):
            return _linear_sum([linear(each) for each in arguments])
        case Apply("Mul", (Constant(scale), other)):
            inner = linear(other)
            return None if inner is None else _scaled(inner, float(scale))
        case _:
            return None


def _scaled(form: Linear, scale: float) -> Linear:
    return Linear({atom: scale * each for atom, each in form.coefficients.items()}, scale * form.constant)


def _linear_sum(forms: Sequence[Linear | None]) -> Linear | None:
    coefficients: dict[Atom, float] = {}
    constant = 0.0
    for form in forms:
        if form is None:
            return None
        constant += form.constant
        for atom, each in form.coefficients.items():
            coefficients[atom] = coefficients.get(atom, 0.0) + each
    return Linear(coefficients, constant)


def hard_conditions(terms: Iterable[Node]) -> list[Node]:
    """The conditions that stand in brackets of log-densities, conjunctions taken apart."""
    found: list[Node] = []
    for term in terms:
        if isinstance(term, Apply) and term.function == "LogIverson":
            found += _conjuncts(term.arguments[0])
    return found


def square_of(term: Node) -> Node | None:
    """Of a term that demands that something be 0, that."""
    if not isinstance(term, Apply) or term.function != "LogIverson":
        return None
    demand = term.arguments[0]
    if not isinstance(demand, Apply) or demand.function != "Equality":
        return None
    one, other = demand.arguments
    return Apply("Add", (one, Apply("Mul", (Constant(-1), other))))


def _conjuncts(condition: Node) -> list[Node]:
    if isinstance(condition, Apply) and condition.function == "And":
        return [part for each in condition.arguments for part in _conjuncts(each)]
    return [condition]


def totals(conditions: Iterable[Node]) -> list[Total]:
    """The conditions that are linear with coefficients of one sign."""
    found = (_total(each) for each in conditions if isinstance(each, Apply) and len(each.arguments) == 2)
    return [each for each in found if each is not None]


def _total(condition: Apply) -> Total | None:
    left, right = (linear(each) for each in condition.arguments)
    if left is None or right is None:
        return None
    difference = _linear_sum([left, _scaled(right, -1.0)])
    if difference is None or condition.function not in _SENSE:
        return None
    exact, orientation, slack = _SENSE[condition.function]
    if exact and all(each <= 0 for each in difference.coefficients.values()):
        orientation = -1.0
    form = _scaled(difference, orientation)
    weights = {atom: each for atom, each in form.coefficients.items() if each != 0}
    if not weights or any(each < 0 for each in weights.values()):
        return None
    return Total(weights, -form.constant - slack, exact)


#: relation -> (an equality, sign that brings it to "sum <= total", what integers lose when it is strict)
_SENSE: Mapping[Head, tuple[bool, float, float]] = {
    "Equality": (True, 1.0, 0.0),
    "LessThan": (False, 1.0, 0.0),
    "StrictLessThan": (False, 1.0, 1e-9),
    "GreaterThan": (False, -1.0, 0.0),
    "StrictGreaterThan": (False, -1.0, 1e-9),
}


@dataclass(frozen=True)
class Counting:
    """Lists values of coupled discrete latents: their ranges, the linear constraints, and how many values
    are tried of a latent that nothing bounds.
    """

    ranges: Mapping[Atom, Range]
    limits: Sequence[Total]
    unbounded: int

    def configurations(self) -> Array:
        """All rows of values, one column per atom.

        Raises:
        ------
        TooLargeError
            There are more than half a million.
        """
        rows = np.zeros((1, 0), dtype=np.int64)
        for atom in self.ranges:
            low, high = self._reach(atom, rows)
            counts = np.maximum(high - low + 1, 0)
            if counts.sum() > MOST_ROWS:
                coupled = len(self.ranges)
                raise TooLargeError(
                    f"more than {MOST_ROWS} configurations of {coupled} coupled discrete latents"
                )
            starts = np.repeat(np.cumsum(counts) - counts, counts)
            values = np.arange(counts.sum()) - starts + np.repeat(low, counts)
            rows = np.column_stack([np.repeat(rows, counts, axis=0), values])
        return rows

    @property
    def last(self) -> Array:
        """The last value tried of each atom that nothing bounds, -1 elsewhere."""
        return np.array([self._cut(atom) if self._is_open(atom) else -1 for atom in self.ranges])

    def _is_open(self, atom: Atom) -> bool:
        return self.ranges[atom].upper is None and not any(atom in limit.weights for limit in self.limits)

    def _cut(self, atom: Atom) -> int:
        return self.ranges[atom].lower + self.unbounded - 1

    def _reach(self, atom: Atom, rows: Array) -> tuple[Array, Array]:
        """The least and the largest value of an atom beside each row of those before it."""
        own = self.ranges[atom]
        before = list(self.ranges)[: rows.shape[1]]
        low = np.full(len(rows), own.lower)
        high = np.full(len(rows), _NO_BOUND if own.upper is None else own.upper)
        for limit in self.limits:
            if atom in limit.weights and self._counts_up(limit):
                taken = sum(
                    rows[:, before.index(each)] * w for each, w in limit.weights.items() if each in before
                )
                left = limit.total - taken
                most = np.floor(left / limit.weights[atom] + 1e-9).astype(np.int64)
                high = np.minimum(high, most)
                if limit.exact and set(limit.weights) <= {*before, atom}:
                    whole = np.abs(left - most * limit.weights[atom]) < 1e-6
                    low = np.maximum(low, np.where(whole, most, high + 1))
        return low, np.where(high == _NO_BOUND, self._cut(atom), high)

    def _counts_up(self, limit: Total) -> bool:
        return all(atom in self.ranges and self.ranges[atom].lower >= 0 for atom in limit.weights)


def conditions_on(node: Node) -> list[Apply]:
    """All relations under a node that hold latents."""
    relations = [node] if isinstance(node, Apply) and node.function in _SENSE and atoms_of(node) else []
    below = node.arguments if isinstance(node, Apply) else ()
    return relations + [each for child in below for each in conditions_on(child)]
