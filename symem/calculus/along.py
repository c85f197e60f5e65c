"""Scalars of matrices along a line, as the checker sees them: a derivative is what multiplies t in Q(X + tH).

Nothing here is shared with the solver.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from sympy import Expr, Indexed, Integer, Pow, Sum, Symbol

from symem.calculus.separate import Term, rejoin, separate
from symem.language.leaves import name_of
from symem.language.matrices import Diagonal, MatrixArray, MatrixEntry, word_of
from symem.language.traces import BlockLogDet, Element, LogDet, Tr, element, trace

#: The number that a direction is multiplied by.
T_STEP = Symbol("_t", real=True)


def scalars_of_matrices(expr: Expr) -> list[Expr]:
    """The traces, forms, entries and log-determinants of an expression, outermost ones only."""
    held = expr.atoms(Tr, Element, LogDet, BlockLogDet)
    inner = {b for a in held for b in a.atoms(Tr, Element, LogDet, BlockLogDet) if b != a}
    return sorted(held - inner, key=_text)


@cache
def _text(scalar: Expr) -> str:
    return str(scalar)


# -- along a line ------------------------------------------------------------------------------------------


def direction(entry: Expr, name: str = "_H") -> Expr:
    """A letter for any change of a matrix, at the same places and as symmetric as it is."""
    kind = "symmetric" if entry.is_symmetric_letter else ""
    rows, cols = entry.dimensions
    return MatrixArray(f"{name}_{name_of(entry)}", rows, cols, kind)[tuple(entry.indices)]


def along(terms: Iterable[Term], bases: Iterable[Expr]) -> tuple[Expr, Expr]:
    """(first, second) coefficients of t in Q(X + tH), the arrays of `bases` all being moved."""
    wanted = set(bases)
    coefficients: dict[int, list[Term]] = {1: [], 2: []}
    for term in terms:
        entries = [a for a in term.factor.atoms(MatrixEntry) if a.base in wanted]
        for part in separate(_moved(term.factor, entries)) if entries else ():
            power = int(part.factor.as_coeff_exponent(T_STEP)[1])
            if power in coefficients:
                coefficients[power].append(Term(part.factor / T_STEP**power, part.axes + term.axes))
    return rejoin(coefficients[1]), rejoin(coefficients[2])


def is_quadratic(terms: Iterable[Term], bases: Iterable[Expr]) -> bool:
    """Whether no term holds the arrays more than twice, or under an inverse or a determinant."""
    wanted = set(bases)
    for term in terms:
        entries = [a for a in term.factor.atoms(MatrixEntry) if a.base in wanted]
        closed = term.factor.atoms(LogDet) | {p for p in term.factor.atoms(Pow) if p.exp.is_negative}
        if any(each.has(entry) for each in closed for entry in entries):
            return False
        parts = separate(_moved(term.factor, entries)) if entries else ()
        if any(part.factor.as_coeff_exponent(T_STEP)[1] > 2 for part in parts):
            return False
    return True


def _moved(factor: Expr, entries: list[Expr]) -> Expr:
    """X + tH, X⁻¹ - t X⁻¹HX⁻¹ + t² X⁻¹HX⁻¹HX⁻¹ and log det X + t tr X⁻¹H - t²/2 tr X⁻¹HX⁻¹H for X."""
    rules: dict[Expr, Expr] = {}
    for entry in entries:
        step, undo = direction(entry), Pow(entry, -1)
        bend = undo * step * undo
        rules[undo] = undo - T_STEP * bend + T_STEP**2 * bend * step * undo
        rules[entry] = entry + T_STEP * step
        for whole in factor.atoms(LogDet):
            if whole.args[0] == entry:
                size = whole.args[1]
                first, second = trace(undo * step, size), trace(undo * step * undo * step, size)
                rules[whole] = whole + T_STEP * first - T_STEP**2 * second / 2
    return _replaced(factor, rules)


def _replaced(expr: Expr, rules: dict[Expr, Expr]) -> Expr:
    """Replace from outside in: an inverse before the letter inside it."""
    if expr in rules:
        return rules[expr]
    if not expr.args or not any(expr.has(old) for old in rules):
        return expr
    return expr.func(*(_replaced(argument, rules) for argument in expr.args))


# -- diagonals ---------------------------------------------------------------------------------------------


def entrywise(terms: Iterable[Term], base: Expr) -> tuple[Term, ...]:
    """tr(diag(f) M) = Σ_a f_a M_aa wherever an array stands inside a diagonal."""
    found = []
    for term in terms:
        rules = {each: _spelled(each, base) for each in scalars_of_matrices(term.factor)}
        factor = term.factor.xreplace({old: new for old, new in rules.items() if old != new})
        found += [Term(part.factor, part.axes + term.axes) for part in separate(factor)]
    return tuple(found)


def _spelled(scalar: Expr, base: Expr) -> Expr:
    if not isinstance(scalar, Tr):
        return scalar
    word = scalar.word
    places = [p for p, letter in enumerate(word) if isinstance(letter, Diagonal) and _holds(letter, base)]
    if len(places) != 1 or sum(_holds(letter, base) for letter in word) != 1:
        return scalar
    place, diagonal = places[0], word[places[0]]
    rest = word_of((*word[place + 1 :], *word[:place]))
    index = Symbol("a_entry", integer=True, nonnegative=True)
    return Sum(diagonal.at(index) * element(rest, index, index), (index, Integer(0), diagonal.args[1] - 1))


def _holds(letter: Expr, base: Expr) -> bool:
    return any(atom.base == base for atom in letter.atoms(Indexed))


# -- inverses of sums --------------------------------------------------------------------------------------


# -- signs by form ---------------------------------------------------------------------------------------


# -- against a direction -----------------------------------------------------------------------------------
