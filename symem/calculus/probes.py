"""Signs of matrices as signs of numbers: a matrix is positive semidefinite if hᵀMh ≥ 0 for a letter h, any vector."""

from __future__ import annotations

from itertools import pairwise

from sympy import Expr, Mul

from symem.calculus.along import scalars_of_matrices
from symem.calculus.separate import rejoin, separate
from symem.language.matrices import (
    Diagonal,
    MatrixArray,
    MatrixEntry,
    T,
    is_positive_semidefinite,
    shape,
    transpose,
    word_of,
)
from symem.language.traces import Element, Tr, trace


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
    if not all(_is_linear(term.factor) for term in separate(expr)):
        return None
    scalars = scalars_of_matrices(expr)
    found = [_between(scalars, size) for size in _inner_sizes(scalars)]
    found += [_at(scalars, stem) for stem in _stems(scalars)]
    rules = next(filter(None, found), None)
    return None if rules is None else rejoin(separate(expr.xreplace(rules)))


def _is_linear(factor: Expr) -> bool:
    """Whether exactly one scalar of matrices stands in a product, once."""
    held = [f for f in Mul.make_args(factor) if scalars_of_matrices(f)]
    return len(held) == 1 and isinstance(held[0], Tr)


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
        held = sorted(word[place].atoms(MatrixEntry), key=str)
        probe = MatrixArray("_g", shape(word[place])[0], 1)[held[0].indices if held else ()]
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
