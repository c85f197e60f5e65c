"""Inverses of sums, as the checker sees them: each is one letter, and the sum's own words are told by that letter."""

from __future__ import annotations

from sympy import Add, Expr, Mul, Pow, Sum

from symem.calculus.separate import Term, rejoin, separate
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix, letters, shape, word_of
from symem.language.traces import Tr, trace, words


def has_inverses_of_totals(expr: Expr) -> bool:
    """Whether the inverse of a matrix that sums over plates stands in an expression."""
    return any(power.exp == -1 and is_matrix(power.base) and power.has(Sum) for power in expr.atoms(Pow))


def with_inverses_cancelled(expr: Expr) -> Expr:
    """The same expression with each inverse of a sum as one letter, and the sum's own words by that letter."""
    expr = rejoin(separate(expr))
    for number in range(8):
        expr = _with_totals_named(expr, number)
        inverses = sorted((p for p in expr.atoms(Pow) if _is_inverse_of_sum(p)), key=str)
        rules = next(filter(None, (_named(p, number) for p in inverses)), None)
        if rules is None:
            return expr
        expr = rejoin(separate(expr.xreplace(rules[0]).xreplace(rules[1])))
    return expr


def _with_totals_named(expr: Expr, number: int) -> Expr:
    """(Σ_k c_k M_k)⁻¹ → b⁻¹, and Σ_k c_k uᵀM_k v → uᵀbv."""
    powers = (p for p in expr.atoms(Pow) if p.exp == -1 and is_matrix(p.base) and isinstance(p.base, Sum))
    power = next(iter(sorted(powers, key=str)), None)
    if power is None or len(power.base.limits) != 1:
        return expr
    rows, cols = shape(power.base)
    letter = MatrixArray(f"_total{number}", rows, cols, "symmetric")()
    terms = separate(expr.xreplace({power: Pow(letter, -1)}))
    return rejoin(_drawn_together(term, power.base, letter) for term in terms)


def _drawn_together(term: Term, whole: Expr, letter: Expr) -> Term:
    index, _low, high = whole.limits[0]
    commuting, word = whole.function.args_cnc()
    for axis in (a for a in term.axes if a.size == high + 1):
        here = {index: axis.index}
        inner = letters(word_of(word).xreplace(here))
        rest = term.factor / Mul(*commuting).xreplace(here)
        scalar = next((f for f in Mul.make_args(rest) if isinstance(f, Tr) and f.has(axis.index)), None)
        if scalar is None or (rest / scalar).has(axis.index):
            continue
        for place in range(len(scalar.word) - len(inner) + 1):
            around = (*scalar.word[:place], letter, *scalar.word[place + len(inner) :])
            if scalar.word[place : place + len(inner)] == inner and not word_of(around).has(axis.index):
                value = trace(word_of(around), shape(around[0])[0])
                return Term(rest / scalar * value, tuple(a for a in term.axes if a != axis))
    return term


def _is_inverse_of_sum(power: Expr) -> bool:
    return power.exp == -1 and is_matrix(power.base) and isinstance(power.base, Add)


def _named(power: Expr, number: int) -> tuple[dict[Expr, Expr], dict[Expr, Expr]] | None:
    """B⁻¹ → b⁻¹ and L → (b - rest)/c, where B = cL + rest."""
    parts = words(power.base)
    single = next(((c, w) for c, w in parts if isinstance(w, MatrixEntry) and not c.has(w)), None)
    if single is None or any(w != single[1] and (w.has(single[1]) or c.has(single[1])) for c, w in parts):
        return None
    coefficient, letter = single
    whole = MatrixArray(f"_sum{number}", *letter.dimensions, "symmetric")[tuple(letter.indices)]
    rest = Add(*(c * w for c, w in parts if w != letter))
    return {power: Pow(whole, -1)}, {letter: (whole - rest) / coefficient}
