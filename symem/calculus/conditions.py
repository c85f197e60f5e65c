"""What a certificate needs to hold for an update to exist: what must not vanish, and what must be positive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Gt, Mul, Ne, factor_terms, together

from symem.calculus.maximisers import law_of
from symem.calculus.signs import Signs
from symem.derivation import Derivation, Update
from symem.language.support import Support

#: Operations up to which the sign of a denominator is looked for.
SHORT = 40


@dataclass(frozen=True)
class Conditions:
    """The conditions of the updates of one derivation."""

    derivation: Derivation
    signs: Signs

    def of(self, update: Update, home: Support) -> tuple[Expr, ...]:
        """What must not vanish, as the law says, and for the means that it holds to be there."""
        sizes = {v.symbol for v in self.derivation.model.sizes}
        moments = self.derivation.surrogate.moments
        totals = (total for means in moments for total in means.totals_in(update.value))
        wanted = dict.fromkeys((*law_of(update.law).exists(update.value, home), *totals))
        return tuple(self._is_there(base) for base in wanted if base.free_symbols - sizes)

    def needed(self, update: Update) -> Iterator[Expr]:
        """What must be positive, and need not be for all data."""
        for inside in law_of(update.law).positive(update.value):
            if not (inside.count_ops() < SHORT and self.signs(inside) in (0, 1)):
                yield self.is_positive(inside)

    def is_positive(self, expr: Expr) -> Expr:
        """That an expression is positive, without the factors that are never negative."""
        factors = [f for f in Mul.make_args(factor_terms(together(expr))) if self.signs(f) not in (0, 1)]
        return Gt(Mul(*factors), 0, evaluate=False)

    def _is_there(self, base: Expr) -> Expr:
        positive = base.count_ops() < SHORT and self.signs(base) in (0, 1)
        return Gt(base, 0, evaluate=False) if positive else Ne(base, 0, evaluate=False)
