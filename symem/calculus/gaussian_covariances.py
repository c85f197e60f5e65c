"""Covariances of forms in a Gaussian vector z with mean m and covariance V (Magnus 1978; Seber & Lee 2003, section 1.6).

Cov(a'z, b'z) = a'Vb, Cov(a'z, z'Mz) = 2 a'VMm and Cov(z'Mz, z'Nz) = 2 tr(MVNV) + 4 m'MVNm, M and N being symmetric.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr, S

from symem.calculus.quadratic import form_ends, split_forms, summed
from symem.calculus.separate import Term
from symem.errors import NotDerivedError
from symem.language.matrices import Unit, shape, transpose
from symem.language.traces import Element, trace


@dataclass(frozen=True)
class Form:
    """a'z + z'Mz."""

    linear: Expr = S.Zero
    quadratic: Expr = S.Zero

    @classmethod
    def of(cls, terms: Iterable[Term], atom: Expr) -> Form:
        """What terms add up to.

        Raises:
            NotDerivedError: one is no form of degree two.
        """
        linear, quadratic = S.Zero, S.Zero
        for term in terms:
            a, m = _read(term.factor, atom)
            linear += summed(a, term.axes) if a != 0 else S.Zero
            quadratic += summed(m + transpose(m), term.axes) / 2 if m != 0 else S.Zero
        return cls(linear, quadratic)


def covariance_of(one: Form, other: Form, mean: Expr, covariance: Expr) -> Expr:
    """Cov of two forms."""
    found = _between(one.linear, covariance, other.linear)
    found += 2 * _between(one.linear, covariance * other.quadratic, mean)
    found += 2 * _between(other.linear, covariance * one.quadratic, mean)
    if 0 in (one.quadratic, other.quadratic):
        return found
    twice = one.quadratic * covariance * other.quadratic
    return found + 2 * trace(twice * covariance, shape(mean)[0]) + 4 * _between(mean, twice, mean)


def _between(left: Expr, matrix: Expr, right: Expr) -> Expr:
    return S.Zero if 0 in (left, matrix, right) else trace(transpose(left) * matrix * right, 1)


def _read(factor: Expr, atom: Expr) -> tuple[Expr, Expr]:
    """(a, M) of a product that is a'z or z'Mz."""
    number, forms = split_forms(factor, atom)
    ends = [form_ends(form, atom) for form in forms]
    match ends:
        case [(middle, None)]:
            return S.Zero, number * middle
        case [(column, _)]:
            return number * column, S.Zero
        case [(a, S.One), (b, S.One)]:
            return S.Zero, number * a * transpose(b)
    raise NotDerivedError(
        f"The score holds {factor}, whose covariance has no closed form here: it is not quadratic in {atom}."
    )


def without_entries(factor: Expr) -> Expr:
    """Entries of words as forms between unit vectors."""
    return factor.replace(lambda each: isinstance(each, Element), lambda each: _as_form(*each.args))


def _as_form(word: Expr, row: Expr, column: Expr) -> Expr:
    rows, columns = shape(word)
    sides = transpose(Unit(row, rows)), Unit(column, columns)
    return trace(sides[0] * word * (S.One if columns == 1 else sides[1]), 1)
