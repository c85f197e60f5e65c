"""What is left of a difference, beside the rounding of its parts: a running error bound (Wilkinson 1963, ch. 1).

The rounding of a square is that of its base: where (a + b m - y)² is no more than it, nothing is said by its being positive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sympy import Abs, Add, Expr, Gt, Indexed, Mul, Ne, Pow, S, Sum, Symbol

from symem.derivation import Definition
from symem.language.leaves import name_of, places_of

#: A sum is computed to that share of the sizes of its parts, and has kept its digits where its rounding is a smaller
#: share of it than the second.
_UNIT, _KEPT = 1e-16, 1e-9


@dataclass(frozen=True)
class Rounding:
    """What sums, products and powers lose, and the statistics that are such; all else is exact."""

    statistics: Mapping[str, Definition]

    def beyond(self, condition: Expr) -> Expr:
        """That a difference is not 0, or is positive, by more than its rounding; other conditions stay as they are."""
        if not isinstance(condition, Gt | Ne) or condition.rhs != 0:
            return condition
        lost = self.of(condition.lhs)
        size = condition.lhs if isinstance(condition, Gt) else Abs(condition.lhs)
        return condition if lost == 0 else Gt(size - lost / _KEPT, 0)

    def of(self, expression: Expr) -> Expr:
        """A bound of what an expression loses."""
        match expression:
            case Symbol() | Indexed():
                return self._of_statistic(expression)
            case Add():
                return Add(*map(self.of, expression.args), *(_UNIT * Abs(each) for each in expression.args))
            case Mul():
                return _of_product(expression.args, [self.of(each) for each in expression.args])
            case Pow() if expression.exp.is_Integer and expression.exp.is_positive:
                count = int(expression.exp)
                return _of_product([expression.base] * count, [self.of(expression.base)] * count)
            case Pow() if expression.exp.is_number:
                return Abs(expression.exp * expression / expression.base) * self.of(expression.base)
            case Sum():
                return Sum(
                    self.of(expression.function) + _UNIT * Abs(expression.function), *expression.limits
                )
        return S.Zero

    def _of_statistic(self, symbol: Expr) -> Expr:
        definition = self.statistics.get(name_of(symbol))
        if definition is None:
            return S.Zero
        moved = dict(zip(places_of(definition.symbol), places_of(symbol), strict=True))
        return self.of(definition.value.xreplace(moved))


def _of_product(factors: Sequence[Expr], inner: Sequence[Expr]) -> Expr:
    """Π (|f| + lost) - Π |f|, one factor after the other, so that nothing cancels."""
    sizes = [Abs(each) for each in factors]
    wide = [size + lost for size, lost in zip(sizes, inner, strict=True)]
    return Add(
        *(Mul(*wide[:place], lost, *sizes[place + 1 :]) for place, lost in enumerate(inner) if lost != 0)
    )
