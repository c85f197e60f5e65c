"""The complete-data log-likelihood of components that have the same trees, at many points, rows and nodes at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symem.budget import look
from symem.evaluation.compiled import compiled
from symem.evaluation.points import Lookup
from symem.evaluation.stacks import Array
from symem.verification.components import Component, Domains
from symem.verification.configurations import Rows, rows_of

#: Numbers of one array that memory takes with ease, and nodes of a rule by its variables.
_MOST_NUMBERS, _NODES = 2_000_000, (1, 500, 25_000, 250_000)
_FIRST_CUT = 32


@dataclass
class LogJoint:
    """The sum of the terms of each component; `cut` is how many values are tried of a count that nothing bounds."""

    components: list[Component]
    domains: Domains
    cut: int = _FIRST_CUT
    _rows: dict[int, Rows] = field(default_factory=dict)

    @cached_property
    def discrete(self) -> tuple[bool, ...]:
        return tuple(self.domains.is_discrete(atom) for atom in self.components[0].atoms)

    @cached_property
    def _terms(self) -> list[tuple[Any, list[Array]]]:
        """The trees of the terms, and per number of a tree one value for each term (axis 0) and component (axis 1)."""
        found: dict[Any, list[list[Any]]] = {}
        for term in zip(*(component.templates for component in self.components), strict=True):
            found.setdefault(term[0].tree, []).append([each.constants for each in term])
        return [(tree, [np.array(number) for number in _transposed(terms)]) for tree, terms in found.items()]

    @cached_property
    def counts(self) -> Array:
        """How often the rows of the components count."""
        return np.array([self.domains.count(each) for each in self.components])

    @cached_property
    def _copies(self) -> Mapping[Any, int]:
        return Counter(each.tree for each in self.components[0].templates)

    def rows(self) -> Rows:
        """The configurations of all components at one point."""
        if self.cut not in self._rows:
            self._rows = {self.cut: rows_of(self.components, self.domains, self.cut)}
        return self._rows[self.cut]

    def log_joint(
        self, lookup: Lookup, columns: Sequence[Array], of: Callable[[Array], Array] = np.asarray
    ) -> Array:
        """The sum of (a function of) the terms at (points, rows, nodes); of columns the first axis is that of rows, or of
        points and rows.
        """
        look()
        rows = self.rows()
        count = len(rows.owner)
        latents = tuple(each.reshape(-1, count, each.shape[-1]) for each in columns)
        shape = (lookup.points or 1, count, max((each.shape[-1] for each in latents), default=1))
        total, most = np.zeros(shape), max(1, _MOST_NUMBERS // max(1, int(np.prod(shape))))
        for tree, numbers in self._terms:
            copies = self._copies[tree]
            for start in range(0, copies, most):
                part = tuple(_spread(each[start : start + most, rows.owner]) for each in numbers)
                values = of(compiled(tree)(part, latents, lookup))
                total += _added(values, min(most, copies - start))
        return total

    def flat(self, lookup: Lookup, columns: Sequence[Array]) -> Array:
        """The log-joint, every row at every point a row."""
        values = self.log_joint(lookup, columns)
        return values.reshape(-1, values.shape[-1])

    def parts(self, lookup: Lookup) -> Iterator[Lookup]:
        """As many points at a time as memory takes."""
        points = lookup.points or 1
        most = max(1, _MOST_NUMBERS // (len(self.rows().owner) * _NODES[min(self.coupled, len(_NODES) - 1)]))
        return (lookup.part(start, start + most) for start in range(0, points, most))

    @property
    def coupled(self) -> int:
        """How many latents are integrated by quadrature."""
        return self.discrete.count(False)

    def rows_at(self, lookup: Lookup) -> Rows:
        """The configurations at every point."""
        return self.rows().repeated(lookup.points or 1, len(self.components))


def _transposed(terms: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """The numbers of terms (axis 0) in components (axis 1), one table for each number."""
    for number in range(len(terms[0][0])):
        yield [[constants[number] for constants in term] for term in terms]


def _added(values: Array, terms: int) -> Array:
    """The sum of so many terms, before it is spread over the points, rows and nodes on which none depends."""
    if values.ndim < 4 or len(values) < terms:
        return terms * (values[0] if values.ndim == 4 else values)
    return values[0] if terms == 1 else np.asarray(values.sum(axis=0))


def _spread(numbers: Array) -> Array:
    """Numbers of (terms, rows) beside (terms, points, rows, nodes); matrices keep their own axes."""
    return numbers[:, None, :, None]
