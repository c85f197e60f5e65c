"""The exponential family of the complete data: its statistics, their means given the data and under the model, and whether the
M-step solves the moment equation E_θ[s(Y)] = s⁽ᵗ⁾.

The two sides are found apart: s⁽ᵗ⁾ by the posteriors of the E-step, E_θ[s(Y)] by the law of complete data in which nothing was
seen. That they are equal at the updates is a check on both, and on the M-step. (Dempster, Laird & Rubin 1977, section 2;
Sundberg 1974.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, S

from symem.algebra.rewriting import inlined
from symem.budget import look
from symem.calculus.complete_law import CompleteLaw, mean_of
from symem.calculus.conditioning import condition
from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.fresh_names import Names
from symem.calculus.moment_equation import MomentEquation
from symem.calculus.separate import rejoin, separate
from symem.calculus.sufficient import Pair, canonical
from symem.derivation import (
    Definition,
    Derivation,
    ExponentialFamily,
    NoExponentialFamily,
    Posterior,
    SufficientStatistic,
)
from symem.errors import NotDerivedError
from symem.language.leaves import places_of
from symem.language.matrices import is_matrix
from symem.language.model import Model
from symem.language.plates import Axis, LogIverson, index_symbol, reindex

#: What is a formula of a statistic.
FORMULAS = ("function", "natural", "expected", "mean")


def family_of(derivation: Derivation) -> ExponentialFamily | NoExponentialFamily:
    """The exponential family of the complete data, or why there is none."""
    look("reading the complete data as an exponential family")
    return derivation.family or _family(derivation)


def in_symbols(
    family: ExponentialFamily | NoExponentialFamily, told: Callable[[Expr], Expr]
) -> ExponentialFamily | NoExponentialFamily:
    """The family with its formulas told in other symbols."""
    if isinstance(family, NoExponentialFamily):
        return replace(family, terms=tuple(map(told, family.terms)))
    statistics = (
        replace(
            each, **{name: told(value) for name in FORMULAS if (value := getattr(each, name)) is not None}
        )
        for each in family.statistics
    )
    laws = (replace(each, symbol=told(each.symbol), value=told(each.value)) for each in family.definitions)
    return replace(
        family,
        statistics=tuple(statistics),
        log_partition=told(family.log_partition),
        definitions=tuple(laws),
    )


def _family(derivation: Derivation) -> ExponentialFamily | NoExponentialFamily:
    law = derivation.model.of_complete_data()
    found = canonical(law, derivation.model.log_prior)
    if found.whole:
        return NoExponentialFamily(found.whole, found.by_entries)
    complete = _law_of(law)
    expected = _Expected(derivation)
    statistics = tuple(_statistic(pair, expected, complete) for pair in found.pairs)
    definitions = () if complete is None else complete.definitions
    equation = MomentEquation(derivation, law, statistics, definitions)
    return ExponentialFamily(
        statistics,
        found.log_partition,
        equation.spans,
        equation.claim,
        definitions,
        found.conjugate,
    )


def _law_of(law: Model) -> CompleteLaw | None:
    try:
        return CompleteLaw.of(law)
    except NotDerivedError:
        return None


def _statistic(pair: Pair, expected: _Expected, complete: CompleteLaw | None) -> SufficientStatistic:
    """With its means, open indices being kept apart from those that are summed over."""
    look()
    own = [axis.index for axis in pair.axes]
    apart = {index: index_symbol(f"open_{place}") for place, index in enumerate(own)}
    back = {other: index for index, other in apart.items()}
    function = reindex(pair.function, apart)
    try:
        mean = None if complete is None else reindex(complete.mean(function), back)
    except NotDerivedError:
        mean = None
    return SufficientStatistic(
        pair.axes, pair.function, pair.natural, reindex(expected(function), back), mean
    )


class _Expected:
    """E[s(Y) | x, θ⁽ᵗ⁾] of functions of complete data, in the names of the E-step."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation, self._model = derivation, derivation.model
        terms = separate(self._model.log_likelihood)
        self._relations = tuple(term for term in terms if isinstance(term.factor, LogIverson))
        self._gone = [Eliminated(each, _position(each), (), S.Zero) for each in derivation.posteriors]

    def __call__(self, function: Expr) -> Expr:
        seen = self._model.with_missing(function)
        if self._model.constraints and not is_matrix(seen):
            terms, _groups = condition(self._model, (*self._relations, *separate(seen)))
            seen = rejoin(term for term in terms if not term.factor.has(LogIverson))
        taken = Expectations(self._gone, Names(self._model), self._moments())
        found = mean_of(seen, taken)
        own = {each.symbol for each in self._derivation.definitions}
        return inlined(found, [each for each in taken.moments.values() if each.symbol not in own])

    def _moments(self) -> dict[tuple[str, Expr], Definition]:
        """The means that have names."""
        return {
            (posterior.latent.name, statistic): moment
            for posterior in self._derivation.posteriors
            for moment in posterior.moments
            for statistic, mean in posterior.expectations.items()
            if mean == moment.symbol
        }


def _position(posterior: Posterior) -> tuple[Axis, ...]:
    pairs = zip(places_of(posterior.atom), posterior.latent.sizes, strict=True)
    return tuple(Axis(place, size) for place, size in pairs)
