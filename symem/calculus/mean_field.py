"""Structured mean field: q(z) = Π q_j(z_j), each factor of the table, in place of a posterior that no order of elimination gives.

The latents that stand in the way get factors, whose arguments become parameters; the others are eliminated exactly, given
those. What is then maximised is the free energy F(q, θ) = E_q[log p(x, z; θ)] + H(q) ≤ ℓ(θ), of which one iteration climbs first the
factor of the rest, by elimination, then each other factor and θ in turn; so F never falls (Saul & Jordan 1996; Neal & Hinton 1998).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import combinations

from sympy import Expr

from symem.calculus.factor_kinds import factor_of
from symem.calculus.fresh_names import Names
from symem.calculus.means_of_factors import Mean
from symem.calculus.separate import Term, gather, rejoin, separate
from symem.errors import NotDerivedError
from symem.language.factored import with_factors
from symem.language.model import Model, Variable


@dataclass(frozen=True)
class Field:
    """Factors for some latents, and the model of the rest whose log-likelihood is the free energy over the factors.

    `terms` are those of the free energy in the letters of the factors, `lettered` the model in which these are parameters.
    """

    model: Model
    factors: tuple[Mean, ...]
    lettered: Model
    terms: tuple[Term, ...]

    @property
    def arguments(self) -> frozenset[str]:
        """The names of the arguments of the factors."""
        return frozenset(each.name for factor in self.factors for each in factor.variables)

    def at_values(self, expr: Expr) -> Expr:
        """An expression with the letters at their values in the arguments."""
        for factor in self.factors:
            expr = factor.explicit(expr)
        return expr

    @property
    def plain(self) -> tuple[Term, ...]:
        """The terms of the free energy without letters."""
        return self.explicit(self.terms)

    def explicit(self, terms: Sequence[Term]) -> tuple[Term, ...]:
        """Terms so."""
        return gather(part for term in terms for part in _explicit(term, self.factors))


def fields(
    model: Model, names: Names, terms: Sequence[Term], refusals: list[NotDerivedError]
) -> Iterator[Field]:
    """The fields of a model, those of the fewest factors first: of numbers before labels, on few places before many."""
    order = sorted(model.latents, key=lambda v: (v.support.finite, len(v.sizes), v.name))
    for count in range(1, len(order) + 1):
        for chosen in combinations(order, count):
            try:
                yield _field(model, names, terms, chosen)
            except NotDerivedError as refusal:
                refusals.append(refusal)


def _field(model: Model, names: Names, terms: Sequence[Term], latents: Sequence[Variable]) -> Field:
    factors = tuple(factor_of(model, names, terms, each) for each in latents)
    found = tuple(terms)
    for factor in factors:
        found = gather(mean for term in found for mean in factor.means(term))
    found = gather([*found, *(part for factor in factors for part in factor.entropy())])
    new = [each for factor in factors for each in factor.variables]
    plain = gather(part for term in found for part in _explicit(term, factors))
    made = with_factors(model, [each.name for each in latents], new, rejoin(plain))
    lettered = copy(made)
    letters = {each.name: each for factor in factors for each in factor.letter_variables()}
    lettered.variables = {**made.variables, **letters}
    return Field(made, factors, lettered, found)


def _explicit(term: Term, factors: Sequence[Mean]) -> list[Term]:
    value: Expr = term.factor
    for factor in factors:
        value = factor.explicit(value)
    if value == term.factor:
        return [term]
    return [Term(part.factor, part.axes + term.axes) for part in separate(value)]
