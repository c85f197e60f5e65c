"""Numbers of which Q knows no more than a product or a sum, whatever the data are.

If p ∂Q/∂p = q ∂Q/∂q identically, Q stays as it is where p is multiplied by a number and q divided by it, so that it
depends on pq alone; if ∂Q/∂a = ∂Q/∂b, on a + b alone. With the opposite sign it is a ratio or a difference. Such
parameters have no maximum of their own (Rothenberg 1971, theorem 1).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from sympy import Add, Expr, Mul

from symem.algebra.about_zero import AboutZero
from symem.algebra.rewriting import inlined
from symem.calculus.laws import LAWS
from symem.calculus.separate import Term, separate
from symem.calculus.slopes import EntangledError, slope
from symem.calculus.vanishing import Vanishing
from symem.derivation import Conditional, Derivation, Unidentified
from symem.errors import UnidentifiedWarning
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.plates import Axis, total
from symem.language.supports import Simplex

#: Numbers of a block up to which each pair is looked at.
MANY = 8


def with_unidentified(derivation: Derivation) -> Derivation:
    """The derivation with the products and sums that alone are identified, of each block without a joint maximum."""
    blocks = list(_in_question(derivation))
    scores = _Scores(derivation)
    found = tuple(each for block in blocks for each in _together(block, scores))
    return replace(derivation, unidentified=found)


def warn_of_unidentified(derivation: Derivation) -> None:
    """Say of which updates each depends on the start."""
    model, law = derivation.model, LAWS["identified together"]
    for each in derivation.steps:
        if each.law is law:
            declared = {
                name: model.declared(value) for name, value in each.particulars.items() if name == "form"
            }
            told = replace(
                each,
                about=tuple(map(model.declared, each.about)),
                particulars={**each.particulars, **declared},
            )
            warnings.warn(told.reason, UnidentifiedWarning, stacklevel=5)


def _in_question(derivation: Derivation) -> Iterator[list[Expr]]:
    """The numbers of the blocks that are maximised in turn, of which an update is refuted, or that are not derived."""
    refuted = {each.parameter for each in derivation.certificates if each.refuted}
    for _, block in groupby(derivation.updates, key=lambda update: update.block):
        updates = list(block)
        if any(isinstance(u, Conditional) or u.parameter in refuted for u in updates):
            yield _numbers((u.parameter for u in updates), derivation)
    for outcome in derivation.not_derived:
        yield _numbers(outcome.parameters, derivation)


def _numbers(parameters: Iterable[Expr], derivation: Derivation) -> list[Expr]:
    """Those that are no matrices, and lie on no simplex."""
    supports = {v.name: v.support for v in derivation.model.parameters}
    kept = [p for p in parameters if not is_matrix(p) and not isinstance(supports[name_of(p)], Simplex)]
    return kept if len(kept) <= MANY else []


def _together(block: Sequence[Expr], scores: _Scores) -> Iterator[Unidentified]:
    """The parameters that a relation joins, gathered about the first of them."""
    for scaled in (True, False):
        left = list(block)
        while left:
            first, *left = left
            signs = {first: 1}
            for other in left:
                sign = scores.relation(first, other, scaled=scaled)
                if sign:
                    signs[other] = sign
            left = [each for each in left if each not in signs]
            if len(signs) > 1:
                yield _unidentified(signs, scaled=scaled)


def _unidentified(signs: Mapping[Expr, int], *, scaled: bool) -> Unidentified:
    if scaled:
        form, kinds = Mul(*(u**sign for u, sign in signs.items())), ("product", "ratio")
    else:
        form, kinds = Add(*(sign * u for u, sign in signs.items())), ("sum", "difference")
    return Unidentified(tuple(signs), form, kinds[-1 in signs.values()])


@dataclass(frozen=True)
class _Scores:
    """∂Q/∂u in terms of the data: statistics about a mean hide how their totals are related."""

    derivation: Derivation

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        q = self.derivation.surrogate
        return separate(inlined(AboutZero(q.moments)(q.value), q.statistics))

    @cached_property
    def vanishes(self) -> Vanishing:
        return Vanishing(self.derivation)

    def relation(self, first: Expr, second: Expr, *, scaled: bool) -> int:
        """1 or -1 if the score of one is that times the score of the other, else 0; scaled, of u ∂Q/∂u."""
        own, others = self._axes(first), self._axes(second)
        shared: list[Axis] = []
        for axis in others:
            alike = next((each for each in own if each.size == axis.size and each not in shared), None)
            if alike is not None:
                shared.append(alike)
                second = second.xreplace({axis.index: alike.index})
        one, other = (self._total(each, shared, scaled=scaled) for each in (first, second))
        if one is None or other is None:
            return 0
        return next((sign for sign in (1, -1) if self.vanishes(one - sign * other)), 0)

    def _total(self, parameter: Expr, shared: Sequence[Axis], *, scaled: bool) -> Expr | None:
        """The score at the places that are shared, added up over the others."""
        try:
            found = slope(self.terms, parameter)
        except EntangledError:
            return None
        left = tuple(axis for axis in self._axes(parameter) if axis not in shared)
        return total(parameter * found if scaled else found, left)

    def _axes(self, parameter: Expr) -> list[Axis]:
        sizes = self.derivation.model.variables[name_of(parameter)].sizes
        pairs = zip(places_of(parameter), sizes, strict=True)
        return [Axis(place, size) for place, size in pairs if not place.is_Integer]
