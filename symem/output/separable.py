"""Log weights that separate: a sum of (parameters) times (data) is coefficients @ features.

The natural-parameter form of an exponential family, found from the algebra. The features are computed once
per fit; an E-step is then one matrix product, and so are the statistics of the same features.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Mul, Symbol

from symem.output.arrays import Axes, Contract, Load, Node, Total
from symem.output.contraction import ONE, add, level
from symem.output.lowering import Lowering


@dataclass(frozen=True)
class Features:
    """log weight = sum_r coefficients[r] * features[r] + rest, over (labels, row)."""

    weight: str
    labels: Axes
    row: Symbol
    features: tuple[Node, ...]
    coefficients: tuple[Node, ...]
    rest: Node | None

    def moment(self, node: Node) -> int | None:
        """r, if the node is the sum over rows of weight * features[r]."""
        value: Node
        feature: Node = ONE
        if isinstance(node, Total):
            value = node.value
        elif isinstance(node, Contract):
            pair = (
                (node.left, node.right)
                if isinstance(node.left, Load) and node.left.name == self.weight
                else (node.right, node.left)
            )
            value, feature = pair
        else:
            return None
        whole = isinstance(value, Load) and value.name == self.weight and node.axes == self.labels
        return self.features.index(feature) if whole and feature in self.features else None


def separated(lower: Lowering, weight: str, value: Expr, axes: Axes, row: Symbol) -> Features | None:
    """The features of a log weight over `axes`, if it has at least two and `row` is its only plate."""
    labels = tuple(axis for axis in axes if axis != row)
    found: dict[Node, list[Node]] = {}
    rest: list[Expr] = []
    for term in Add.make_args(value):
        split = _split(lower, term, labels, row)
        if split is None:
            rest.append(term)
        else:
            found.setdefault(split[0], []).append(split[1])
    if len(found) < 2 or not labels:
        return None
    features = sorted(found, key=lambda node: (node != ONE, sum(1 for _ in node.walk()), repr(node)))
    coefficients = tuple(add(lower.rank, found[feature]) for feature in features)
    return Features(weight, labels, row, tuple(features), coefficients, lower(Add(*rest)) if rest else None)


def _split(lower: Lowering, term: Expr, labels: Axes, row: Symbol) -> tuple[Node, Node] | None:
    """(feature, coefficient) of a term, or None if it mixes parameters and data."""
    constant, factors = term.as_coeff_mul()
    data: list[Expr] = []
    other: list[Expr] = []
    for factor in factors:
        (data if level(lower(factor)) == 1 else other).append(factor)
    feature, coefficient = lower(Mul(*data)) if data else ONE, lower(Mul(constant, *other))
    if (
        level(coefficient) != 0
        or feature.axes not in ((), (row,))
        or not set(coefficient.axes) <= set(labels)
    ):
        return None
    return feature, coefficient
