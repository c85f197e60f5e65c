"""The record as it is told: no bound index has the letter of a free one, and nothing is asked for that holds anyway."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from sympy import Add, Expr, Ge, Gt, Mul, Pow, S, expand
from sympy.core.relational import Relational

from symem.calculus.fresh_names import Names
from symem.derivation import Ascent, Certificate, Definition, Derivation, Update, with_beside
from symem.language.leaves import array_of
from symem.language.matrices import is_matrix


def final_form(derivation: Derivation, names: Names) -> Derivation:
    """Letters apart in statistics and updates; conditions that follow from others left out."""
    places = {update.parameter: {a.index for a in update.definition.axes} for update in derivation.updates}
    needed = Needed(derivation)

    def told(certificate: Certificate) -> Certificate:
        taken, kept = places.get(certificate.parameter, set()), needed(certificate.conditions)
        conditions = (each.func(names.apart(each.lhs, taken), each.rhs, evaluate=False) for each in kept)
        return replace(certificate, conditions=tuple(conditions))

    surrogate = replace(
        derivation.surrogate,
        statistics=tuple(_apart(each, names) for each in derivation.surrogate.statistics),
    )
    return replace(
        derivation,
        surrogate=surrogate,
        updates=tuple(_updated(update, names) for update in derivation.updates),
        certificates=tuple(map(told, derivation.certificates)),
    )


def _apart(definition: Definition, names: Names) -> Definition:
    return replace(definition, value=names.apart(definition.value, {a.index for a in definition.axes}))


def _updated(update: Update, names: Names) -> Update:
    taken = {axis.index for axis in update.definition.axes}
    found = replace(
        update, definition=_apart(update.definition, names), nested=names.apart(update.nested, taken)
    )
    found = with_beside(found, lambda each: _apart(each, names))
    if isinstance(found, Ascent):
        return replace(
            found, within=found.within.rewritten(lambda part: part, lambda each: _apart(each, names))
        )
    return found


class Needed:
    """Leaves out conditions that others imply: N + c > 0 beside N > 0, and the mean of what is positive."""

    def __init__(self, derivation: Derivation) -> None:
        self._statistics = {array_of(each.symbol) for each in derivation.surrogate.statistics}
        self._means = {
            array_of(mean.symbol): function
            for moments in derivation.surrogate.moments
            for mean, function in zip(moments.means, moments.functions, strict=True)
        }

    def __call__(self, conditions: Sequence[Relational]) -> tuple[Relational, ...]:
        kept = list(conditions)
        for condition in sorted(conditions, key=lambda each: -each.count_ops()):
            others = [each for each in kept if each is not condition]
            if self._follows(condition, others):
                kept = others
        return tuple(kept)

    def _follows(self, condition: Relational, others: Sequence[Relational]) -> bool:
        """Whether a condition is what the others say, and terms that cannot be negative."""
        whole = condition.lhs
        if is_matrix(whole) or condition.rhs != 0:
            return False
        if array_of(whole) in self._means and others:
            return bool(self._means[array_of(whole)].is_positive)
        positive = {each.lhs for each in others if isinstance(each, Gt) and each.rhs == 0}
        bounds = [each.lhs for each in others if isinstance(each, Ge) and each.rhs == 0]
        strict = not isinstance(condition, Ge)
        return any(
            self._is_positive(rest, positive, strict=strict)
            for size in range(len(bounds) + 1)
            for chosen in combinations(bounds, size)
            for rest in [_less(whole, chosen)]
        )

    def _is_positive(self, whole: Expr, positive: set[Expr], *, strict: bool) -> bool:
        terms = Add.make_args(expand(whole))
        never_negative = all(self._each(term, positive, strict=False) for term in terms)
        return never_negative and (
            not strict or any(self._each(term, positive, strict=True) for term in terms)
        )

    def _each(self, term: Expr, positive: set[Expr], *, strict: bool) -> bool:
        factors = (f.base if isinstance(f, Pow) and f.exp.is_integer else f for f in Mul.make_args(term))
        return all(self._factor(factor, positive, strict=strict) for factor in factors)

    def _factor(self, factor: Expr, positive: set[Expr], *, strict: bool) -> bool:
        if factor in positive:
            return True
        is_statistic = any(array_of(entry) in self._statistics for entry in (factor, *factor.free_symbols))
        if is_statistic and strict:
            return False
        return bool(factor.is_positive if strict else factor.is_nonnegative)


def _less(whole: Expr, bounds: Iterable[Expr]) -> Expr:
    """An expression less what is known not to be negative, as often as it holds it."""
    for bound in bounds:
        letter = min(bound.free_symbols, key=str)
        slope = expand(bound).coeff(letter)
        times = expand(whole).coeff(letter) / slope if slope != 0 else S.Zero
        if times.is_positive:
            whole = expand(whole - times * bound)
    return whole
