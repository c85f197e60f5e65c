"""What the letters in an update stand for: statistics for sums over the data, means for latents.

Read backwards, a count is a sum of weights, and V + ⟨z⟩⟨z⟩ᵀ the mean of zzᵀ; the rules of `matrix_updates` use
both to show an update as a sum over the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Mul, S, Sum, Symbol, expand

from symem.algebra.about_zero import AboutZero
from symem.algebra.matrix_words import split
from symem.algebra.rewriting import MatrixMean, ScalarMean, inlined
from symem.derivation import (
    Definition,
    Derivation,
    GaussianStates,
    GaussianVector,
    Posterior,
    Recognised,
    Table,
)
from symem.language.leaves import labels_in, name_of, places_of
from symem.language.matrices import MatrixEntry, T, is_matrix, shape, transpose
from symem.language.plates import Axis, deviation
from symem.language.traces import Tr, trace


@dataclass(frozen=True)
class Moments:
    """The names of a Gaussian latent's mean and covariance, and the latent itself, at one place."""

    mean: Expr
    covariance: Expr
    atom: Expr

    def at(self, mean: Expr) -> Moments:
        """The same at the places of an entry of the mean."""
        places = dict(zip(places_of(self.mean), places_of(mean), strict=True))
        return Moments(mean, self.covariance.xreplace(places), self.atom.xreplace(places))

    @property
    def given(self) -> tuple[Expr, ...]:
        """The labels that the mean depends on."""
        return tuple(slot for slot in places_of(self.mean) if slot not in places_of(self.atom))


@dataclass(frozen=True)
class Meanings:
    """Statistics, the latents whose means they hold, and the probabilities that sum to one over an axis."""

    statistics: tuple[Definition, ...] = ()
    moments: tuple[Moments, ...] = ()
    shares: tuple[tuple[Definition, Axis], ...] = ()
    about_zero: AboutZero = AboutZero(())
    data: frozenset[str] = frozenset()
    centred: tuple[Definition, ...] = ()

    @classmethod
    def of(cls, derivation: Derivation) -> Meanings:
        """What the letters of a derivation stand for."""
        posteriors = derivation.posteriors
        return cls(
            derivation.surrogate.statistics,
            tuple(moments for p in posteriors for moments in _moments(p)),
            tuple((each.probability, each.outcome) for each in posteriors if isinstance(each, Table)),
            AboutZero(derivation.surrogate.moments),
            frozenset(variable.name for variable in derivation.model.data),
            derivation.surrogate.centred,
        )

    # sums -----------------------------------------------------------------------------------------------

    @property
    def counts(self) -> tuple[Definition, ...]:
        """Statistics that add up weights."""
        return tuple(each for each in self.statistics if _is_weight_sum(each.value))

    def inlined(self, expr: Expr) -> Expr:
        """The statistics written out, but for counts."""
        return turned(inlined(expr, (each for each in self.statistics if each not in self.counts)))

    def is_of_data(self, term: Expr) -> bool:
        """Whether a term holds a statistic or a sum."""
        names = {name_of(each.symbol) for each in self.statistics}
        return bool(term.has(Sum)) or any(name_of(e) in names for e in term.atoms(Indexed))

    def spread(self, term: Expr, missing: frozenset[Expr], limits: frozenset[Expr]) -> Expr | None:
        """A term free of some sums as a summand of them: its count is what its weights add up to."""
        if not missing:
            return term
        for factor in Mul.make_args(term):
            for weight, covered in () if is_matrix(factor) else self._weights(factor, missing):
                rest = self.spread(_without(term, factor) * weight, missing - covered, limits)
                if rest is not None:
                    return rest
        for probability, outcome in self.shares:
            if outcome.limits in {tuple(limit) for limit in missing}:
                rest = self.spread(term * probability.symbol, missing - {_limit(outcome, missing)}, limits)
                bound = {limit[0] for limit in limits}
                if rest is not None and set(places_of(probability.symbol)) <= bound:
                    return rest
        return None

    def _weights(self, factor: Expr, missing: frozenset[Expr]) -> Iterator[tuple[Expr, frozenset[Expr]]]:
        """(weight, limits) with the factor as the sum of the weight over those limits."""
        for limit in missing:
            if limit[2] + 1 == factor:
                yield S.One, frozenset([limit])
        for each in self.counts:
            if name_of(each.symbol) == name_of(factor):
                whole = each.at(factor)
                if isinstance(whole, Sum) and set(whole.limits) <= missing:
                    yield whole.function, frozenset(whole.limits)

    # means ----------------------------------------------------------------------------------------------

    def holds_covariance(self, expr: Expr) -> bool:
        names = {name_of(each.covariance) for each in self.moments}
        return any(name_of(entry) in names for entry in _entries(expr))

    def holds_centred(self, expr: Expr) -> bool:
        """Whether a mean or a scatter stands in an expression."""
        names = {name_of(each.symbol) for each in self.centred}
        return any(name_of(entry) in names for entry in _entries(expr))

    def is_latent(self, expr: Expr) -> bool:
        """Whether a latent stands in an expression itself, not its mean."""
        if isinstance(expr, Indexed | Symbol):
            return name_of(expr) in {name_of(each.atom) for each in self.moments}
        return not isinstance(expr, MatrixMean | ScalarMean) and any(map(self.is_latent, expr.args))

    def unaveraged(self, body: Expr) -> tuple[Expr, tuple[Expr, ...]]:
        """(f, labels) with ⟨f⟩ given the labels as the body; the body itself if it is no such mean."""
        found, given = body, ()
        for moments in self.moments:
            here = (e for e in _entries(body) if name_of(e) == name_of(moments.mean))
            for entry in sorted(here, key=str):
                labels = moments.at(entry).given
                inner = _unaveraged(found, moments.at(entry))
                if inner is None or (found is not body and labels != given):
                    return body, ()
                found, given = inner, labels
        return found, given


def _moments(posterior: Posterior) -> Iterator[Moments]:
    match posterior:
        case GaussianVector(mean=MatrixEntry() as mean, covariance=MatrixEntry() as covariance):
            indices = {atom: axis.index for atom, axis in posterior.labels}
            yield Moments(mean, covariance.xreplace(indices), posterior.atom)
        case GaussianStates():
            yield Moments(posterior.mean, posterior.covariance, posterior.atom)
        case Recognised():
            for statistic, mean in posterior.expectations.items():
                variance = posterior.expectations.get(deviation(statistic))
                if variance is not None:
                    yield Moments(mean, variance, statistic)


def _entries(expr: Expr) -> set[Expr]:
    """Entries of arrays, and scalars."""
    return set(expr.atoms(Indexed, Symbol)) - labels_in(expr)


def _unaveraged(body: Expr, moments: Moments) -> Expr | None:
    """f(z) with ⟨f(z)⟩ = body, for a body quadratic in the mean of z; nothing if it is none."""
    mean, covariance, atom = moments.mean, moments.covariance, moments.atom
    if any(each.has(mean) for each in body.atoms(Sum)):  # there its index is another
        return None
    remaining = list(Add.make_args(body))
    found: list[Expr] = []
    for term in [each for each in remaining if each.has(covariance)]:
        partner = _respelled(term, {covariance: mean * transpose(mean)})
        if partner not in remaining:
            return None
        remaining.remove(term)
        remaining.remove(partner)
        found.append(_respelled(term, {covariance: atom * transpose(atom)}))
    if not found or any(_degree(each, mean) > 1 for each in remaining):
        return None
    return Add(*found, *(_respelled(each, {mean: atom}) for each in remaining))


def _respelled(term: Expr, rules: dict[Expr, Expr]) -> Expr:
    """A term with letters replaced, its traces turned again."""
    turns = {T(old): transpose(new) for old, new in rules.items() if is_matrix(old)}
    return expand(turned(term.xreplace(rules | turns)))


def _degree(term: Expr, letter: Expr) -> int:
    """How often a letter stands in a term."""
    if not is_matrix(letter):
        return sum(int(p) for b, p in (f.as_base_exp() for f in Mul.make_args(term)) if b == letter)
    words = [split(term)[1]] if is_matrix(term) else []
    for factor in Mul.make_args(term) if not is_matrix(term) else ():
        base, power = factor.as_base_exp()
        words += [base.word] * int(power) if isinstance(base, Tr) and power.is_Integer else []
    return sum(each in (letter, T(letter)) for word in words for each in word)


def turned(expr: Expr) -> Expr:
    """Every trace multiplied out and turned again."""
    return expr.replace(lambda e: isinstance(e, Tr), lambda e: trace(e.args[0], shape(e.args[0])[0]))


def _without(term: Expr, count: Expr) -> Expr:
    if not is_matrix(term):
        return term / count
    number, word = split(term)
    return number / count * Mul(*word)


def _limit(axis: Axis, limits: frozenset[Expr]) -> Expr:
    return next(limit for limit in limits if limit[0] == axis.index)


def _is_weight_sum(value: Expr) -> bool:
    return isinstance(value, Sum) and isinstance(value.function, Indexed) and not is_matrix(value.function)
