"""Posterior means of terms, by the law of total expectation in the order of elimination."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import And, Eq, Expr, Mul, S, log

from symem.calculus.density import split_factor
from symem.calculus.eliminated import FINITE, Eliminated, GaussianVector
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of, places_of
from symem.calculus.gaussian_vectors import vector_mean
from symem.calculus.separate import Term, conditions_of, separate
from symem.derivation import Definition
from symem.errors import NotDerivedError
from symem.language.plates import Axis, Iverson, LogIverson, fresh_index, reindex
from symem.language.supports import Binary


@dataclass
class Expectations:
    """E[term | data, θ⁽ᵗ⁾]; the moments that were needed are named once and kept with their latent."""

    eliminated: list[Eliminated]
    names: Names
    moments: dict[tuple[str, Expr], Definition] = field(default_factory=dict)

    def of(self, term: Term) -> list[Term]:
        """The posterior mean of a term, as terms in named moments and probabilities.

        Raises:
            NotDerivedError: a latent occurs in a function whose posterior mean has no closed form.
        """
        terms = [term]
        for each in self.eliminated:
            terms = [mean for part in terms for mean in self._over(each, part)]
        return terms

    def _over(self, one: Eliminated, term: Term) -> list[Term]:
        atoms = atoms_of(term.factor, one.variable)
        if not atoms:
            return [term]
        if term.factor.has(LogIverson):
            return []
        if one.vector:
            return self._vector(one, term, atoms)
        if len(atoms) > 1:
            raise NotDerivedError(
                f"The mean of {term.factor} needs the joint posterior of {atoms[0]} and {atoms[1]}."
            )
        if isinstance(one.variable.support, Binary) and self._selected(one, term.factor, atoms[0]) is None:
            return self._two_values(one, term, atoms[0])
        if isinstance(one.variable.support, FINITE) or one.value is not None:
            return [self._finite(one, term, atoms[0])]
        return self._moment(one, term, atoms[0])

    # -- finite posteriors -----------------------------------------------------------------------------

    def _finite(self, one: Eliminated, term: Term, atom: Expr) -> Term:
        """Σ_k γ_k f(k); where f is a bracket or a 0/1 factor, the one outcome it selects."""
        assert one.outcome is not None
        assert one.value is not None
        selected = self._selected(one, term.factor, atom)
        if selected is not None:
            outcome, rest = selected
            return Term(self._gamma(one, atom, outcome) * rest, term.axes)
        index = one.outcome.index
        if index in term.indices | (term.factor.free_symbols - {index}) or index in term.factor.free_symbols:
            index = fresh_index(index, set(term.indices) | term.factor.free_symbols)
        axis = Axis(index, one.outcome.size)
        moved = dict(zip((a.index for a in one.position), places_of(atom), strict=True))
        value = one.value.xreplace({one.outcome.index: index} | moved)
        factor = term.factor.xreplace({atom: value}) * self._gamma(one, atom, index)
        return Term(factor, (*term.axes, axis))

    def _two_values(self, one: Eliminated, term: Term, atom: Expr) -> list[Term]:
        """γ₀ f(0) + γ₁ f(1): any function of a binary latent is a table."""
        parts = []
        for value in (S.Zero, S.One):
            weighted = term.factor.xreplace({atom: value}) * self._gamma(one, atom, value)
            parts += [Term(part.factor, part.axes + term.axes) for part in separate(weighted)]
        return parts

    def _selected(self, one: Eliminated, factor: Expr, atom: Expr) -> tuple[Expr, Expr] | None:
        coefficient, g = split_factor(factor, atom)
        if isinstance(one.variable.support, Binary) and g.is_Pow | (g == atom) and g.as_base_exp()[0] == atom:
            return S.One, coefficient
        for condition in conditions_of(g):
            if isinstance(condition, Eq) and atom in condition.args:
                other = condition.rhs if condition.lhs == atom else condition.lhs
                rest = conditions_of(g) - {condition}
                plain = Mul(*(f for f in Mul.make_args(g) if not isinstance(f, Iverson)))
                return other, coefficient * (plain * Iverson(And(*rest))).xreplace({atom: other})
        return None

    def _gamma(self, one: Eliminated, atom: Expr, outcome: Expr) -> Expr:
        assert one.probability is not None
        assert one.outcome is not None
        return self._placed(one, one.probability.symbol, atom).xreplace({one.outcome.index: outcome})

    # -- vectors ---------------------------------------------------------------------------------------

    def _vector(self, one: Eliminated, term: Term, atoms: list[Expr]) -> list[Term]:
        """A Gaussian vector at its posterior moments."""
        assert one.vector is not None
        if len(atoms) > 1:
            raise NotDerivedError(
                f"The mean of {term.factor} needs the joint posterior of {atoms[0]} and {atoms[1]}."
            )
        here = GaussianVector(
            self._placed(one, one.vector.mean, atoms[0]), self._placed(one, one.vector.covariance, atoms[0])
        )
        mean = vector_mean(term.factor, atoms[0], here)
        return [Term(part.factor, part.axes + term.axes) for part in separate(mean)]

    # -- families and totals -----------------------------------------------------------------------------

    def _moment(self, one: Eliminated, term: Term, atom: Expr) -> list[Term]:
        coefficient, g = split_factor(term.factor, atom)
        statistic = g.xreplace({atom: one.atom})
        if one.inline:
            value = self._formula(one, statistic)
        else:
            value = self._named(one, statistic).symbol
        placed = self._placed(one, value, atom)
        return [Term(part.factor, part.axes + term.axes) for part in separate(coefficient * placed)]

    def _formula(self, one: Eliminated, statistic: Expr) -> Expr:
        if one.trials is not None and one.probability is not None:
            known = {one.atom: one.trials * one.probability.symbol}
        else:
            assert one.recognised is not None
            assert one.arguments is not None
            known = dict(one.recognised.moments(one.atom, one.arguments))
        if statistic not in known:
            raise NotDerivedError(
                f"The posterior mean of {statistic} under {one.family} has no closed form in the table (it has "
                f"{', '.join(map(str, known))})."
            )
        return known[statistic]

    def _named(self, one: Eliminated, statistic: Expr) -> Definition:
        key = (one.variable.name, statistic)
        if key not in self.moments:
            formula = self._formula(one, statistic)
            axes = one.axes if one.trials is None else one.position
            symbol = self.names.entry(_moment_name(one, statistic), tuple(a.index for a in axes), real=True)
            self.moments[key] = Definition(symbol, axes, formula)
        return self.moments[key]

    def _placed(self, one: Eliminated, value: Expr, atom: Expr) -> Expr:
        """A value at the position of an atom, its label axes read at the labels there."""
        moved: dict[Expr, Expr] = dict(zip((a.index for a in one.position), places_of(atom), strict=True))
        labels = {axis.index: label.xreplace(moved) for label, axis in one.labels}
        return reindex(value, moved | labels)


def _moment_name(one: Eliminated, statistic: Expr) -> str:
    u, name = one.atom, one.variable.name
    shapes = {
        u: f"E_{name}",
        log(u): f"E_log_{name}",
        1 / u: f"E_inverse_{name}",
        log(1 - u): f"E_log_1m_{name}",
    }
    exponent = statistic.as_base_exp()[1]
    return shapes.get(statistic, f"E_{name}_{exponent}" if exponent.is_Integer else f"E_T_{name}")
