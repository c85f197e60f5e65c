"""The complete-data log-likelihood of components that have the same trees, at many points, rows and nodes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symem.budget import look
from symem.evaluation.compiled import Template, compiled, template
from symem.evaluation.points import Lookup
from symem.evaluation.stacks import Array
from symem.evaluation.trees import atoms_of
from symem.verification.components import Component, Domains
from symem.verification.configurations import Rows, rows_of
from symem.verification.enumeration import square_of

#: A tree, how many terms of a component have it, and its numbers.
Alike = tuple[Any, int, list[Array]]

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
    def tied(self) -> tuple[int, ...]:
        """The terms that demand that something of numbers be 0: these are on a subspace alone."""
        return tuple(
            place
            for place, term in enumerate(self.components[0].terms)
            if square_of(term) is not None and not any(map(self.domains.is_discrete, atoms_of(term)))
        )

    @cached_property
    def _terms(self) -> list[Alike]:
        shown = zip(*(component.templates for component in self.components), strict=True)
        return _alike(term for place, term in enumerate(shown) if place not in self.tied)

    @cached_property
    def _demands(self) -> list[Alike]:
        return _alike(
            [
                template(square, each.places)
                for each in self.components
                if (square := square_of(each.terms[place]))
            ]
            for place in self.tied
        )

    @cached_property
    def counts(self) -> Array:
        """How often the rows of the components count."""
        return np.array([self.domains.count(each) for each in self.components])

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
        return self._added(self._terms, lookup, columns, of)

    def _added(
        self, terms: list[Alike], lookup: Lookup, columns: Sequence[Array], of: Callable[[Array], Array]
    ) -> Array:
        look()
        rows = self.rows()
        count = len(rows.owner)
        latents = tuple(each.reshape(-1, count, each.shape[-1]) for each in columns)
        shape = (lookup.points or 1, count, max((each.shape[-1] for each in latents), default=1))
        total, most = np.zeros(shape), max(1, _MOST_NUMBERS // max(1, int(np.prod(shape))))
        for tree, copies, numbers in terms:
            for start in range(0, copies, most):
                part = tuple(_spread(each[start : start + most, rows.owner]) for each in numbers)
                values = of(compiled(tree)(part, latents, lookup))
                total += _added(values, min(most, copies - start))
        return total

    def flat(self, lookup: Lookup, columns: Sequence[Array]) -> Array:
        """The log-joint, every row at every point a row."""
        values = self.log_joint(lookup, columns)
        return values.reshape(-1, values.shape[-1])

    def demanded(self, lookup: Lookup, columns: Sequence[Array]) -> Array:
        """The sum of what must be 0, as `flat`."""
        values = self._added(self._demands, lookup, columns, np.asarray)
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


def _alike(terms: Iterable[Sequence[Template]]) -> list[Alike]:
    """The trees of terms, how many have each, and per number of a tree one value for each term (axis 0) and component (axis 1)."""
    found: dict[Any, list[list[Any]]] = {}
    for term in terms:
        found.setdefault(term[0].tree, []).append([each.constants for each in term])
    return [
        (tree, len(own), [np.array(number) for number in _transposed(own)]) for tree, own in found.items()
    ]


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
