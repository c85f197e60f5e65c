"""∂/∂X of scalars of matrices: d tr(AXB) = tr(BA dX), dX⁻¹ = -X⁻¹ dX X⁻¹, d log det M = tr(M⁻¹ dM).

A word is differentiated letter by letter; every occurrence of X gives tr(G dX), and G is the gradient's transpose.
An entry ψ_a of a diagonal is differentiated the same way, dX being the matrix with a single 1 at (a, a).
(Magnus & Neudecker 2019, chapter 9; Petersen & Pedersen 2012, section 2.)
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Add, Dummy, Expr, Mul, Pow, S, Sum, diff, expand

from symem.errors import NotDerivedError
from symem.language.matrices import ENTRY, Diagonal, MatrixArray, T, is_matrix, letters, transpose, word_of
from symem.language.traces import Element, LogDet, Tr, element

#: The differential of an unknown matrix, or the unit matrix of an entry of a diagonal.
DIFFERENTIAL = "_d"


def gradient(factor: Expr, entry: Expr) -> Expr:
    """∂/∂X of a product of scalars, in the shape of X; symmetrised where X is symmetric."""
    step = MatrixArray(DIFFERENTIAL, *entry.dimensions)()
    found = S.Zero
    for scalar, slope in _scalars(factor, entry):
        found += slope * Add(*(_slope(word, step) for word in _differential_words(scalar, entry, step)))
    return (found + transpose(found)) / 2 if entry.is_symmetric_letter else found


def jacobian(factor: Expr, entry: Expr) -> Expr:
    """∂/∂Xᵀ of a vector by a vector: of a number times a word it is the word times the number's gradient, beside the word's own."""
    numbers, sequence = factor.args_cnc() if isinstance(factor, Mul) else ([], [factor])
    number, word = Mul(*numbers), word_of(sequence)
    found = word * transpose(gradient(number, entry)) if number.has(entry) else S.Zero
    step = MatrixArray(DIFFERENTIAL, *entry.dimensions)()
    for own in _words(_differential(word, entry, step)) if word.has(entry) else ():
        commuting, factors = own.args_cnc()
        *before, last = letters(word_of(factors))
        if last != step:
            raise NotDerivedError(f"The derivative of {word} by {entry} is not in the rules for matrices.")
        found += Mul(number, *commuting) * (word_of(before) if before else S.One)
    return found


def diagonal_slope(factor: Expr, entry: Expr, place: Expr) -> Expr:
    """∂/∂ψ_a of a product of scalars in which diag(… ψ …) stands, at the entry `place`."""
    size = next(each.args[1] for each in factor.atoms(Diagonal) if each.has(entry))
    step = MatrixArray(DIFFERENTIAL, size, size, "symmetric")()
    found = S.Zero
    for scalar, slope in _scalars(factor, entry):
        for word in _differential_words(scalar, entry, step):
            found += slope * _entry_slope(word, step, place)
    return found


def holds_in_diagonal(factor: Expr, entry: Expr) -> bool:
    return any(each.has(entry) for each in factor.atoms(Diagonal))


def _scalars(factor: Expr, entry: Expr) -> Iterator[tuple[Expr, Expr]]:
    """The traces and log-determinants that hold the unknown, each with ∂factor/∂it."""
    held = sorted((a for a in factor.atoms(Tr, LogDet, Element) if a.has(entry)), key=str)
    outer = [a for a in held if not any(b != a and b.has(a) for b in held)]
    for scalar in outer:
        shield = Dummy(real=True)
        yield scalar, diff(factor.xreplace({scalar: shield}), shield).xreplace({shield: scalar})


def _differential_words(scalar: Expr, entry: Expr, step: Expr) -> Iterator[Expr]:
    """The cycles, each with one step in it, whose traces add up to the differential."""
    if isinstance(scalar, LogDet):
        matrix = scalar.args[0]
        yield from _words(Pow(matrix, -1) * _differential(matrix, entry, step))
    elif isinstance(scalar, Tr):
        yield from _words(_differential(scalar.args[0], entry, step))
    else:
        raise NotDerivedError(f"The derivative of {scalar} by {entry} is not in the rules for matrices.")


def _words(matrix: Expr) -> tuple[Expr, ...]:

    return tuple(Add.make_args(expand(matrix)))


def _differential(expr: Expr, entry: Expr, step: Expr) -> Expr:
    if not expr.has(entry):
        return S.Zero
    if expr == entry:
        return step
    if isinstance(expr, T):
        return T(step)
    if isinstance(expr, Add):
        return Add(*(_differential(each, entry, step) for each in expr.args))
    if isinstance(expr, Mul):
        return Add(*_product_rule(expr, entry, step))
    if isinstance(expr, Pow) and expr.exp == -1:
        return -expr * _differential(expr.base, entry, step) * expr
    if isinstance(expr, Diagonal):
        return expr.args[0].diff(entry) * step
    if isinstance(expr, Sum) and is_matrix(expr):
        return Sum(_differential(expr.function, entry, step), *expr.limits)
    raise NotDerivedError(f"The derivative of {expr} by {entry} is not in the rules for matrices.")


def _product_rule(product: Expr, entry: Expr, step: Expr) -> Iterator[Expr]:
    commuting, word = product.args_cnc()
    sequence = letters(word_of(word))
    for position, letter in enumerate(sequence):
        change = _differential(letter, entry, step)
        if change != 0:
            yield Mul(*commuting, *sequence[:position], change, *sequence[position + 1 :])


def _slope(word: Expr, step: Expr) -> Expr:
    """G with tr(word) = tr(Gᵀ dX)."""
    commuting, after, before, turned = _around(word, step)
    rest = word_of((*after, *before))
    return Mul(*commuting) * (rest if turned else transpose(rest))


def _entry_slope(word: Expr, step: Expr, place: Expr) -> Expr:
    commuting, after, before, _turned = _around(word, step)
    rest = element(word_of((*after, *before)), place, place)
    return Mul(*commuting).xreplace({ENTRY: place}) * rest


def _around(word: Expr, step: Expr) -> tuple[list[Expr], tuple[Expr, ...], tuple[Expr, ...], bool]:
    """(numbers, letters after the step, letters before it, whether it stands transposed)."""
    commuting, factors = word.args_cnc()
    sequence = letters(word_of(factors))
    position = next(p for p, letter in enumerate(sequence) if letter in (step, T(step)))
    turned = sequence[position] != step
    return commuting, sequence[position + 1 :], sequence[:position], turned
