"""Posterior covariances of sums over latents, by the law of total covariance in the order of elimination.

Cov(f, g) = E[Cov(f, g | later latents)] + Cov(E[f | later latents], E[g | later latents]), and given those a latent is
independent of itself at other places. So each latent adds, at every place, Σ c_T d_S Cov(T, S), where f = Σ c_T T and
g = Σ d_S S in functions of it: γ_k (δ_kl - γ_l) of a label, N p_k (δ_kl - p_l) of counts with a known total, ∂²A/∂η_T ∂η_S
of a family (Wainwright & Jordan 2008, section 3), a'Vb and 2 tr(MVNV) + 4 m'MVNm of forms in a Gaussian vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from typing import assert_never

from sympy import Eq, Expr, S, polygamma

from symem.calculus.brackets import collapse_pinned
from symem.calculus.density import split_factor
from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations, Here, mean_of, selected
from symem.calculus.gathering import atoms_of, move
from symem.calculus.gaussian_covariances import Form, covariance_of
from symem.calculus.scores import told_form
from symem.calculus.separate import Term, fold, rejoin, separate
from symem.derivation import (
    Causes,
    CellCounts,
    DirichletShares,
    GaussianVector,
    MemberCounts,
    Neighbours,
    Quadrature,
    Recognised,
    Shared,
    Table,
)
from symem.errors import NotDerivedError
from symem.language.plates import Axis, Iverson, total
from symem.language.supports import Binary
from symem.language.weights import Weight, once

#: Functions of a latent at a place, each with what stands before it.
Coefficients = Mapping[Expr, Expr]


class PlainExpectations(Expectations):
    """Posterior means in names that there are already; others are written out."""

    def named(self, posterior: Shared | Recognised, statistic: Expr, axes: tuple[Axis, ...]) -> Expr:
        """A mean by its name if it has one."""
        known = self.moments.get((posterior.latent.name, statistic))
        return mean_of(posterior, statistic) if known is None else known.symbol


@dataclass(frozen=True)
class Covariances:
    """Cov(f, g | data, θ⁽ᵗ⁾) of sums of terms, over all latents of a model whose rows count as `weights` say."""

    expectations: PlainExpectations
    weights: tuple[Weight, ...] = ()

    def of(self, first: Sequence[Term], second: Sequence[Term]) -> Iterator[Term]:
        """The covariance, as terms in posteriors.

        Raises:
            NotDerivedError: a latent along a chain, or one whose moments have no closed form.
        """
        for together in _together(self.expectations.eliminated):
            for term in self._given_later(together, first, second):
                yield from self._averaged(term)
            first, second = (self._means(together, terms) for terms in (first, second))

    def _means(self, together: Sequence[Eliminated], terms: Sequence[Term]) -> list[Term]:
        found = list(terms)
        for one in together:
            found = [mean for term in found for mean in self.expectations.over(one, term)]
        return found

    def _averaged(self, term: Term) -> Iterable[Term]:
        """The mean over the latents that are left."""
        latents = (one.posterior.latent for one in self.expectations.eliminated)
        if not any(atoms_of(term.factor, latent) for latent in latents):
            return [term]
        parts = (Term(part.factor, part.axes + term.axes) for part in separate(term.factor))
        return [mean for part in parts for mean in self.expectations.of(part)]

    def _given_later(
        self, together: Sequence[Eliminated], first: Sequence[Term], second: Sequence[Term]
    ) -> Iterator[Term]:
        """The covariance over one latent, or over counts of one total, given those that are eliminated later."""
        latents = [one.posterior.latent for one in together]
        if not all(
            any(atoms_of(t.factor, each) for t in terms for each in latents) for terms in (first, second)
        ):
            return
        one, count = together[0], together[0].posterior.count
        if isinstance(one.posterior, Neighbours | Causes):
            raise NotDerivedError(
                f"The covariance of functions of {one.posterior.latent.name} at several places has no closed form here."
            )
        if isinstance(one.posterior, Quadrature):
            raise NotDerivedError(
                f"The posterior of {one.posterior.latent.name} is told at nodes, approximately."
            )
        f, g = ([self._moved(one, terms) for one in together] for terms in (first, second))
        match one.posterior:
            case CellCounts() | MemberCounts():
                yield from _of_total(together, f, g)
            case DirichletShares() as shares:
                yield _of_shares(one, shares, f[0], g[0])
            case GaussianVector() as vector:
                here = Here(one, vector.atom)
                mean, spread = here.placed(vector.mean), here.placed(vector.covariance)
                ours, theirs = (Form.of(moved[0], vector.atom) for moved in (f, g))
                yield Term(count * covariance_of(ours, theirs, mean, spread), one.position)
            case Table() | Recognised():
                for (a, c), (b, d) in product(*(_coefficients(one, moved[0]).items() for moved in (f, g))):
                    yield Term(count * c * d * self._pair(one, a, b), one.position)
            case _:
                assert_never(one.posterior)

    def _moved(self, one: Eliminated, terms: Sequence[Term]) -> list[Term]:
        """The terms that hold a latent, at its place, of a row that counts once; the place is not summed over."""
        variable, places = one.posterior.latent, {axis.index for axis in one.position}
        moved = (
            move(Term(once(term.factor, self.weights), term.axes), variable, one.position)
            for term in terms
            if atoms_of(term.factor, variable)
        )
        return [Term(t.factor, tuple(axis for axis in t.axes if axis.index not in places)) for t in moved]

    def _pair(self, one: Eliminated, a: Expr, b: Expr) -> Expr:
        """Cov(a, b) of two functions of a label or of a latent with a family."""
        here = Here(one, one.posterior.atom)
        if isinstance(one.posterior, Recognised):
            return here.placed(self._in_family(one.posterior, a, b))
        table = one.posterior
        assert isinstance(table, Table)
        binary = isinstance(table.latent.support, Binary)
        one_of = [selected(each, here.atom, binary=binary) for each in (a, b)]
        if all(each is not None and each[1] == 1 for each in one_of):
            (k, _), (m, _) = one_of  # type: ignore[misc]
            share = [here.probability(table, outcome) for outcome in (k, m)]
            return share[0] * (Iverson(Eq(k, m)) - share[1])
        mean_a, mean_b, both = (self._mean(one, each) for each in (a, b, a * b))
        return both - mean_a * mean_b

    def _mean(self, one: Eliminated, function: Expr) -> Expr:
        parts = (part for term in separate(function) for part in self.expectations.over(one, term))
        return rejoin(parts)

    def _in_family(self, posterior: Recognised, a: Expr, b: Expr) -> Expr:
        found = posterior.covariance(a, b)
        if found is None:
            raise NotDerivedError(
                f"The posterior covariance of {a} and {b} under {posterior.family} has no closed form in the table."
            )
        return found


def _together(eliminated: Iterable[Eliminated]) -> Iterator[tuple[Eliminated, ...]]:
    """The latents in the order of elimination, counts of one total together."""

    def key(one: Eliminated) -> Expr:
        own = one.posterior
        return own.log_normaliser.symbol if isinstance(own, MemberCounts) else own.latent.symbol

    return (tuple(group) for _, group in groupby(eliminated, key=key))


def _coefficients(one: Eliminated, terms: Iterable[Term]) -> Coefficients:
    """{function of the latent: what stands before it}, sums inside written out."""
    found: dict[Expr, list[Term]] = {}
    for term in terms:
        coefficient, function = split_factor(term.factor, one.posterior.atom)
        part = Term(coefficient, term.axes)
        if any(axis.index in function.free_symbols for axis in term.axes):
            part, function = Term(S.One), term.expr
        found.setdefault(function, []).append(fold(part))
    return {function: told_form(rejoin(parts)) for function, parts in found.items()}


def _of_total(
    members: Sequence[Eliminated], first: Sequence[Sequence[Term]], second: Sequence[Sequence[Term]]
) -> Iterator[Term]:
    """N (Σ_k p_k c_k d_k - Σ_k p_k c_k Σ_l p_l d_l), k and l running over all cells and members."""
    own = members[0].posterior
    assert isinstance(own, Shared)
    plates = own.log_normaliser.axes
    alike, sides = S.Zero, [S.Zero, S.Zero]
    for one, *terms in zip(members, first, second, strict=True):
        share = one.posterior.probability.symbol  # type: ignore[union-attr]
        within = tuple(axis for axis in one.position if axis not in plates)
        c, d = (_linear(one, each) for each in terms)
        alike += total(share * c * d, within)
        sides = [
            side + (total(share * each, within) if each != 0 else S.Zero)
            for side, each in zip(sides, (c, d), strict=True)
        ]
    yield Term(own.count * own.trials * (alike - sides[0] * sides[1]), plates)


def _of_shares(one: Eliminated, own: DirichletShares, first: Sequence[Term], second: Sequence[Term]) -> Term:
    """Σ_k ψ′(α_k) c_k d_k - ψ′(Σ α) Σ_k c_k Σ_l d_l of Σ c log u and Σ d log u."""
    found = [_coefficients(one, each) for each in (first, second)]
    (logarithm,), (alpha, rest) = own.statistics, own.arguments.values()
    if any(set(each) - {logarithm} for each in found):
        raise NotDerivedError(
            f"The score is not linear in {logarithm}, so that its covariance has no closed form here."
        )
    c, d = (each.get(logarithm, S.Zero) for each in found)
    here = Here(one, own.atom)

    def over_cells(value: Expr) -> Expr:
        parts = (Term(part.factor, (*part.axes, own.outcome)) for part in separate(value))
        return rejoin(fold(collapse_pinned(part)) for part in parts)

    alike = over_cells(here.placed(polygamma(1, alpha)) * c * d)
    apart = here.placed(polygamma(1, alpha + rest)) * over_cells(c) * over_cells(d)
    return Term(own.count * (alike - apart), one.plates)


def _linear(one: Eliminated, terms: Iterable[Term]) -> Expr:
    """c of c n, for a count n."""
    found = _coefficients(one, terms)
    if set(found) - {one.posterior.atom}:
        raise NotDerivedError(
            f"The score is not linear in the count {one.posterior.atom}, so that its covariance has no closed form here."
        )
    return found.get(one.posterior.atom, S.Zero)
