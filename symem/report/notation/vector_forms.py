"""A quadratic form of a vector read off a log-density, and numbers that stand for matrices."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Mul, S, Sum

from symem.algebra.matrix_words import Word, gathered_words
from symem.algebra.rewriting import Identity, form
from symem.language.matrices import T, is_matrix, transpose
from symem.language.traces import Tr


@dataclass(frozen=True)
class Quadratic:
    """-z'Λz/2 + z'h."""

    precision: Expr
    field: Expr

    def in_terms_of(self, atom: Expr) -> Expr:
        square = -form(Mul(transpose(atom), self.precision, atom)) / 2
        return square + (form(Mul(transpose(atom), self.field)) if self.field != 0 else 0)


def quadratic_in(expr: Expr, atom: Expr) -> Quadratic | None:
    """A log-density as a quadratic in a vector, up to what is free of it; nothing if it is none."""
    precision: list[Expr] = []
    field: list[Expr] = []
    for term in Add.make_args(expr):
        if not term.has(atom):
            continue
        found = _parts(term, atom)
        if found is None:
            return None
        if found.precision.has(atom) or found.field.has(atom):
            return None
        precision.append(found.precision)
        field.append(found.field)
    return Quadratic(gathered_words(Add(*precision)), gathered_words(Add(*field)))


def _parts(term: Expr, atom: Expr) -> Quadratic | None:
    if isinstance(term, Sum):
        inner = quadratic_in(term.function, atom)
        return inner and Quadratic(_summed(inner.precision, term), _summed(inner.field, term))
    ends: list[Expr] = []
    scale = S.One
    for factor in Mul.make_args(term):
        base, power = factor.as_base_exp() if not is_matrix(factor) else (factor, S.One)
        if not factor.has(atom):
            scale *= factor
        elif isinstance(base, Tr) and base.is_form and power in (1, 2):
            ends += [base] * int(power)
        else:
            return None
    return _of_forms(scale, ends, atom)


def _of_forms(scale: Expr, forms: list[Expr], atom: Expr) -> Quadratic | None:
    if len(forms) == 1:
        word = forms[0].word
        if word[0] == T(atom) and word[-1] == atom:
            middle = Mul(*word[1:-1])
            return Quadratic(-scale * (middle + transpose(middle)), S.Zero)
        return Quadratic(S.Zero, scale * _other_end(word, atom))
    if len(forms) == 2:
        a, b = (_other_end(form.word, atom) for form in forms)
        return Quadratic(-scale * (a * transpose(b) + b * transpose(a)), S.Zero)
    return None


def _other_end(word: Word, atom: Expr) -> Expr:
    """h of z'h or h'z."""
    return Mul(*word[1:]) if word[0] == T(atom) else transpose(Mul(*word[:-1]))


def _summed(expr: Expr, like: Sum) -> Expr:
    return Sum(expr, *like.limits) if expr != 0 else S.Zero


def matrix_valued(value: Expr, symbol: Expr) -> Expr:
    """A number as the multiple of I that it is where a matrix is defined."""
    if not is_matrix(symbol) or is_matrix(value):
        return value
    return Mul(value, Identity(), evaluate=False) if value != 1 else Identity()
