"""What a log-likelihood says of Gaussian states on trees, as quadratics: of each, of roots, of a parent and its child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Not

from symem.calculus.branches import Branches
from symem.calculus.quadratics_of_states import Forms, Pair, Quadratic, Reader, where
from symem.calculus.separate import Term
from symem.calculus.state_algebra import Algebra
from symem.errors import NotDerivedError
from symem.language.parents import has_parent


def of_states_on_trees(branches: Branches, labels: Mapping[Expr, Expr]) -> Forms:
    """Read the terms of trees, labels that they depend on being at their axes.

    Raises:
        NotDerivedError: a term is no quadratic, or says something of a parent by its child's data alone.
    """
    shape = branches.variable.shape
    reader = _Reader(branches, Algebra(shape[0] if shape else None), labels)
    for kind, terms in branches.parts.items():
        for term in terms:
            reader.read_as(kind, term)
    return reader.forms()


@dataclass
class _Reader(Reader):
    """What was said so far, of roots, of places, and of children by their parents."""

    links: Branches  # type: ignore[assignment]
    #: What was said of roots and children alike: each may be of their laws, or of what a place says by itself.
    shared: list[Quadratic] = field(default_factory=list)

    def read_as(self, kind: str, term: Term) -> None:
        branches = self.links
        own, above = term.factor.has(branches.atom), term.factor.has(branches.above)
        if own and above:
            self.pair += Pair(both=self._both(term.factor, term.axes, branches.above, branches.atom))
        elif above:
            self.pair += Pair(earlier=self._single(term.factor, term.axes, branches.above))
        elif own and kind == "step":
            self.later.append(self._single(term.factor, term.axes, branches.atom))
        elif own and kind == "first":
            self.first += self._single(term.factor, term.axes, branches.atom)
        elif own:
            self.shared.append(self._single(term.factor, term.axes, branches.atom))
        else:
            self.place += where(self._condition(kind), self._constant(term.factor, term.axes))

    def _condition(self, kind: str) -> list[Expr]:
        there = has_parent(self.links.parent)
        return {"step": [there], "first": [Not(there)]}.get(kind, [])

    def forms(self) -> Forms:
        """With those of the terms of children in their law that make it a density; the others are of their places."""
        self.later += self.shared
        step, rest = self._law()
        place, first = self.place, self.first
        for each in rest:
            place += each if each in self.shared else where(self._condition("step"), each)
        for each in self.shared:
            first += Quadratic() if each in rest else each
        found = Forms(self.algebra, place, first, Quadratic(), step)
        if found.beyond.square != 0 or found.beyond.line != 0:
            raise NotDerivedError(
                f"What is said of {self.links.above} beside {self.links.atom} is no law of the one given the other: let it be Normal about a "
                f"multiple of the state of its parent; states that are seen themselves are not derived: let what is seen be Normal about them."
            )
        return found
