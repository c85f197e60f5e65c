"""Numbers of which Q knows no more than a product or a sum, whatever the data are.

If p ∂Q/∂p = q ∂Q/∂q identically, Q stays as it is where p is multiplied by a number and q divided by it, so that it
depends on pq alone; if ∂Q/∂a = ∂Q/∂b, on a + b alone. With the opposite sign it is a ratio or a difference. Such
parameters have no maximum of their own (Rothenberg 1971, theorem 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from sympy import Add, Expr, Integer, Matrix, Mul, S, expand, ilcm, powsimp

from symem.algebra.about_zero import AboutZero
from symem.algebra.rewriting import inlined
from symem.calculus.separate import Term, separate
from symem.calculus.slopes import EntangledError, slope
from symem.calculus.vanishing import Vanishing
from symem.derivation import Ascent, Conditional, Derivation, OfFactor, Unidentified
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.plates import Axis, total
from symem.language.supports import Simplex

#: How often one may stand where another stands once.
_RATIOS = (S.One, -S.One, Integer(2), -Integer(2), S.Half, -S.Half)

#: Numbers of a block up to which each pair is looked at.
MANY = 8


def with_unidentified(derivation: Derivation) -> Derivation:
    """The derivation with the products and sums that alone are identified, of each block without a joint maximum."""
    blocks = list(_in_question(derivation))
    scores = _Scores(derivation)
    found = tuple(each for block in blocks for each in _together(block, scores))
    return replace(derivation, unidentified=found)


def _in_question(derivation: Derivation) -> Iterator[list[Expr]]:
    """The numbers of the blocks that are maximised in turn, climbed, of which an update is refuted, or that are not derived."""
    refuted = {each.parameter for each in derivation.certificates if each.refuted}
    for _, block in groupby(derivation.updates, key=lambda update: update.block):
        updates = [update for update in block if not isinstance(update, OfFactor)]
        if any(isinstance(u, Conditional | Ascent) or u.parameter in refuted for u in updates):
            yield _numbers((u.parameter for u in updates), derivation)
    for outcome in derivation.not_derived:
        yield _numbers(outcome.parameters, derivation)


def _numbers(parameters: Iterable[Expr], derivation: Derivation) -> list[Expr]:
    """Those that are no matrices, and lie on no simplex."""
    supports = {v.name: v.support for v in derivation.model.parameters}
    kept = [p for p in parameters if not is_matrix(p) and not isinstance(supports[name_of(p)], Simplex)]
    return kept if len(kept) <= MANY else []


def _together(block: Sequence[Expr], scores: _Scores) -> Iterator[Unidentified]:
    """The parameters that a relation joins, gathered about the first of them; then one that is a factor of several."""
    for scaled in (True, False):
        left, alone = list(block), []
        while left:
            first, *left = left
            powers = {first: S.One}
            for other in left:
                power = scores.relation(first, other, scaled=scaled)
                if power:
                    powers[other] = power
            left = [each for each in left if each not in powers]
            if len(powers) > 1:
                yield Unidentified(
                    tuple(powers), (_form(powers, scaled=scaled),), _kind(powers, scaled=scaled)
                )
            else:
                alone.append(first)
        yield from _about_one(alone, scores, scaled=scaled)


def _about_one(alone: Sequence[Expr], scores: _Scores, *, scaled: bool) -> Iterator[Unidentified]:
    """One parameter that stands with each of several others: a p and a q, whose factor a is not identified."""
    powers = scores.null(alone, scaled=scaled)
    hub = next((u for u, c in powers.items() if [d * c > 0 for d in powers.values()].count(True) == 1), None)
    if hub is not None and len(powers) > 2:
        others = [u for u in powers if u != hub]
        forms = tuple(_form({hub: S.One, u: -powers[hub] / powers[u]}, scaled=scaled) for u in others)
        yield Unidentified((hub, *others), forms, "products" if scaled else "sums")


def _form(powers: Mapping[Expr, Expr], *, scaled: bool) -> Expr:
    """Π uᶜ, or Σ c u, with the smallest whole numbers."""
    whole = ilcm(1, *(power.q for power in powers.values()))
    pairs = [(u, whole * power) for u, power in powers.items()]
    return Mul(*(u**power for u, power in pairs)) if scaled else Add(*(power * u for u, power in pairs))


def _kind(powers: Mapping[Expr, Expr], *, scaled: bool) -> str:
    differ = any(power < 0 for power in powers.values())
    return ("product", "ratio")[differ] if scaled else ("sum", "difference")[differ]


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

    def relation(self, first: Expr, second: Expr, *, scaled: bool) -> Expr:
        """c if the score of the second is c times that of the first, ±1, ±2 or ±½, else 0; scaled, of u ∂Q/∂u."""
        own, others = self._axes(first), self._axes(second)
        shared: list[Axis] = []
        for axis in others:
            alike = next((each for each in own if each.size == axis.size and each not in shared), None)
            if alike is not None:
                shared.append(alike)
                second = second.xreplace({axis.index: alike.index})
        one, other = (self._total(each, shared, scaled=scaled) for each in (first, second))
        if one is None or other is None:
            return S.Zero
        return next((ratio for ratio in _RATIOS if self.vanishes(ratio * one - other)), S.Zero)

    def null(self, parameters: Sequence[Expr], *, scaled: bool) -> dict[Expr, Expr]:
        """{u: c}, c ≠ 0, of the one combination of total scores that vanishes; empty if there is none, or several."""
        totals = [self._total(each, (), scaled=scaled) for each in parameters]
        if len(totals) < 3 or None in totals:
            return {}
        rows = [expand(self.vanishes.named(each)).as_coefficients_dict() for each in totals]
        letters = list(dict.fromkeys(letter for row in rows for letter in row))
        found = Matrix([[row.get(letter, 0) for row in rows] for letter in letters]).nullspace()
        if len(found) != 1:
            return {}
        return {u: c for u, c in zip(parameters, found[0], strict=True) if c != 0}

    def _total(self, parameter: Expr, shared: Sequence[Axis], *, scaled: bool) -> Expr | None:
        """The score at the places that are shared, added up over the others."""
        try:
            found = powsimp(slope(self.terms, parameter), combine="exp")
        except EntangledError:
            return None
        left = tuple(axis for axis in self._axes(parameter) if axis not in shared)
        return total(parameter * found if scaled else found, left)

    def _axes(self, parameter: Expr) -> list[Axis]:
        sizes = self.derivation.model.variables[name_of(parameter)].sizes
        pairs = zip(places_of(parameter), sizes, strict=True)
        return [Axis(place, size) for place, size in pairs if not place.is_Integer]
