r"""Updates with their numbers put in: \mu_1 = S_{11} / N_1 = 5487 / 100.1.

A printer that sets a number where a name would stand; between two numbers it sets a dot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sympy import Expr, Float, Symbol

from symem.language.leaves import name_of
from symem.report.notation.digits import SIGNIFICANT, as_shown, in_formula, single
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import Latex, readable

#: Digits beyond which no more help.
MOST = 12


class Numbers(Latex):
    """Known entries are printed as numbers of so many significant digits."""

    def __init__(
        self, lexicon: Lexicon, values: Mapping[Expr, float], significant: int = SIGNIFICANT
    ) -> None:
        super().__init__(lexicon)
        self.values, self.significant = values, significant

    def _print_Symbol(self, expr: Expr, **options: Any) -> str:
        if expr not in self.values:
            return super()._print_Symbol(expr, **options)
        shown = in_formula(self.values[expr], self.significant)
        return f"({shown})" if shown.startswith("-") or "times" in shown else shown

    _print_Indexed = _print_Symbol
    _print_Dummy = _print_Symbol

    def _is_atomic(self, base: Expr) -> bool:
        return base not in self.values and super()._is_atomic(base)

    def product(self, factors: tuple[Expr, ...]) -> str:
        last = len(factors) - 1
        shown = [self.factor(f, last=place == last) for place, f in enumerate(factors)]
        return r" \cdot ".join(shown)


def substituted(expr: Expr, values: Mapping[Expr, float], lexicon: Lexicon) -> str:
    """A formula with 0-based indices, its known entries as numbers."""
    held = {entry: Symbol(f"value_{place}", positive=True) for place, entry in enumerate(_held(expr, values))}
    numbers = {symbol: values[entry] for entry, symbol in held.items()}
    ranked = {symbol.name: lexicon.rank(name_of(entry)) for entry, symbol in held.items()}
    scope = replace(lexicon, ranks={**lexicon.ranks, **ranked})
    return Numbers(scope, numbers, needed(expr, values)).doprint(readable(expr.xreplace(held), scope))


def needed(expr: Expr, values: Mapping[Expr, float]) -> int:
    """How many digits the numbers must have for a calculator to find the result that is shown."""
    wanted = _shown(expr, values)
    enough = (
        digits
        for digits in range(SIGNIFICANT, MOST)
        if _shown(expr, {entry: as_shown(value, digits) for entry, value in values.items()}) == wanted
    )
    return next(enough, MOST)


def _shown(expr: Expr, values: Mapping[Expr, float]) -> str:
    found = expr.xreplace({entry: Float(value) for entry, value in values.items()})
    return single(float(found)) if found.is_number and found.is_real else ""


def _held(expr: Expr, values: Mapping[Expr, float]) -> list[Expr]:
    return sorted((entry for entry in values if expr.has(entry)), key=str)
