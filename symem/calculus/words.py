"""Scalars of matrices as the checker sees them: along a line, against a direction, with inverses cancelled.

Nothing here is shared with the solver: a derivative is what multiplies t in Q(X + tH), and a matrix is positive
semidefinite if hᵀMh ≥ 0 for a letter h that stands for every vector.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from sympy import Add, Expr, Indexed, Integer, Mul, Pow, Sum, Symbol

from symem.calculus.separate import Term, rejoin, separate
from symem.language.matrices import (
    BlockLogDet,
    Diagonal,
    Element,
    LogDet,
    MatrixArray,
    MatrixEntry,
    T,
    Tr,
    element,
    is_matrix,
    is_positive_semidefinite,
    letters,
    shape,
    trace,
    transpose,
    word_of,
    words,
)

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
    return MatrixArray(f"{name}_{entry.base.label}", rows, cols, kind)[tuple(entry.indices)]


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


# -- signs by form ---------------------------------------------------------------------------------------


def is_nonnegative(scalar: Expr) -> bool:
    """Whether a scalar is ≥ 0 by its form: vᵀPv, or tr(AB) with A and B positive semidefinite."""
    if not isinstance(scalar, Tr):
        return False
    if scalar.is_nonnegative:
        return True
    word = scalar.word
    turns = [word[place:] + word[:place] for place in range(len(word))] if not scalar.is_form else []
    return any(
        is_positive_semidefinite(word_of(turn[:cut])) and is_positive_semidefinite(word_of(turn[cut:]))
        for turn in turns
        for cut in range(1, len(turn))
    )


# -- against a direction -----------------------------------------------------------------------------------


def against(matrix: Expr) -> Expr:
    """hᵀMh for a letter h that stands for every vector."""
    probe = MatrixArray("_h", shape(matrix)[0], 1)()
    return trace(transpose(probe) * matrix * probe, 1)


def with_probes_for_entries(expr: Expr) -> Expr:
    """M_aa as eᵀMe, e standing for the unit vector at a."""
    rules = {each: _unit_form(each) for each in expr.atoms(Element) if each.args[1] == each.args[2]}
    return expr.xreplace(rules) if rules else expr


def _unit_form(entry: Expr) -> Expr:
    matrix, place, _ = entry.args
    unit = MatrixArray("_e", shape(matrix)[0], 1)[place]
    return trace(transpose(unit) * matrix * unit, 1)


def probed(expr: Expr) -> Expr | None:
    """An expression linear in one positive semidefinite matrix, that matrix being g gᵀ.

    Every positive semidefinite matrix is a sum of such, so the sign found for every g holds. The matrix is a letter
    that stands once in each scalar, or the identity between two letters of a size that occurs once in each.
    """
    scalars = scalars_of_matrices(expr)
    found = [_between(scalars, size) for size in _inner_sizes(scalars)]
    found += [_at(scalars, stem) for stem in _stems(scalars)]
    rules = next(filter(None, found), None)
    return None if rules is None else rejoin(separate(expr.xreplace(rules)))


def _stems(scalars: list[Expr]) -> list[Expr]:
    """Positive semidefinite letters that every scalar holds exactly once, whatever their places."""
    if not scalars or not all(isinstance(each, Tr) for each in scalars):
        return []
    return [stem for stem in map(_stem, scalars[0].word) if stem and all(_once(s, stem) for s in scalars)]


def _stem(letter: Expr) -> Expr | None:
    if not is_positive_semidefinite(letter):
        return None
    held = sorted(letter.atoms(MatrixEntry, Diagonal), key=str)
    return held[0].base if held and isinstance(held[0], MatrixEntry) else letter


def _is_at(letter: Expr, stem: Expr) -> bool:
    return bool(letter == stem or _stem(letter) == stem)


def _once(scalar: Expr, stem: Expr) -> bool:
    return sum(_is_at(letter, stem) for letter in scalar.word) == 1


def _at(scalars: list[Expr], stem: Expr) -> dict[Expr, Expr]:
    rules = {}
    for scalar in scalars:
        word = list(scalar.word)
        place = next(p for p, letter in enumerate(word) if _is_at(letter, stem))
        probe = MatrixArray("_g", shape(word[place])[0], 1)()
        word[place] = probe * T(probe)
        rules[scalar] = trace(word_of(word), shape(word[0])[0])
    return rules


def _inner_sizes(scalars: list[Expr]) -> list[Expr]:
    """Sizes of bonds that occur exactly once in every scalar."""
    if not scalars or not all(isinstance(each, Tr) for each in scalars):
        return []
    bonds = [[size for _place, size in _bonds(each)] for each in scalars]
    return [size for size in dict.fromkeys(bonds[0]) if all(own.count(size) == 1 for own in bonds)]


def _bonds(scalar: Expr) -> list[tuple[int, Expr]]:
    """(letter before it, size) of the bonds of a word that are longer than one."""
    word = scalar.word
    inner = [(p, shape(a)[1]) for p, (a, _b) in enumerate(pairwise(word))]
    closing = [] if scalar.is_form else [(len(word) - 1, shape(word[-1])[1])]
    return [(p, size) for p, size in (*inner, *closing) if size != 1]


def _between(scalars: list[Expr], size: Expr) -> dict[Expr, Expr]:
    probe = MatrixArray("_g", size, 1)()
    rules = {}
    for scalar in scalars:
        place = next(p for p, own in _bonds(scalar) if own == size)
        word = (*scalar.word[: place + 1], probe, T(probe), *scalar.word[place + 1 :])
        rules[scalar] = trace(word_of(word), shape(word[0])[0])
    return rules
