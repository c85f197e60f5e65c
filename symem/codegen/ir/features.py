"""Log weights as one matrix product: coefficients of parameters times features of data."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Symbol

from symem.codegen.ir.nodes import ONE, Axes, Contract, Load, Node, Total


@dataclass(frozen=True)
class Features:
    """log weight = sum_r coefficients[r] * features[r] + rest, over (labels, row).

    A feature with entries stands for one for each entry; `symmetric` says which are the same with their two
    entries exchanged. `shared` is the sum over rows of the terms that are the same for every label: the product lacks
    them, and the log-likelihood has them beside it.
    """

    weight: str
    labels: Axes
    row: Symbol
    features: tuple[Node, ...]
    coefficients: tuple[Node, ...]
    symmetric: tuple[bool, ...]
    rest: Node | None
    shared: Node | None = None
    #: The same of each row.
    shared_by_row: Node | None = None
    #: The arrays whose product each feature is, by name.
    monomials: tuple[tuple[str, ...], ...] = ()

    @property
    def entries(self) -> tuple[Axes, ...]:
        """The entries of each feature."""
        return tuple(tuple(axis for axis in each.axes if axis != self.row) for each in self.features)

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
        if not isinstance(value, Load) or value.name != self.weight or feature not in self.features:
            return None
        found = self.features.index(feature)
        return found if node.axes == (*self.labels, *self.entries[found]) else None
