"""Exponents taken apart: e^((μ - x)/s) = e^(μ/s) e^(-x/s), so that exponentials of data are statistics."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sympy import Add, Expr, Indexed, Mul, Symbol, exp, expand

from symem.calculus.separate import Term
from symem.language.leaves import array_of
from symem.language.model import Variable
from symem.language.special import FromLog


def exponents_apart(term: Term, parameters: Sequence[Variable]) -> Term:
    """A term whose exponentials, as far as they are factors, have parameters and all else in factors of their own."""
    arrays = {each.symbol for each in parameters}
    return Term(Mul(*(_apart(factor, arrays) for factor in term.factors())), term.axes)


def _apart(factor: Expr, arrays: set[Expr]) -> Expr:
    if not isinstance(factor, exp):
        return factor
    parts = Add.make_args(expand(factor.args[0]))
    moving = [part for part in parts if _entries(part) & arrays]
    varying = any(atom.base not in arrays for part in moving for atom in part.atoms(Indexed))
    if not moving or varying or len(moving) == len(parts):
        return factor
    return exp(Add(*moving)) * exp(Add(*(part for part in parts if part not in moving)))


def held_apart(factor: Expr, atoms: Collection[Expr], moving: Collection[Expr] = ()) -> Expr:
    """A product in which exp(a + b) is exp a times exp b, a holding some of these atoms and nothing that is `moving`: bound
    indices, or parameters that are still looked for.
    """
    return Mul(*(_held_apart(each, atoms, moving) for each in Mul.make_args(factor)))


def _held_apart(factor: Expr, atoms: Collection[Expr], moving: Collection[Expr]) -> Expr:
    if not isinstance(factor, exp):
        return factor
    parts = Add.make_args(expand(factor.args[0]))
    held = [each for each in parts if each.has(*atoms) and not each.has(*moving)]
    if not held or len(held) == len(parts):
        return factor
    return FromLog(Add(*held)) * exp(Add(*(each for each in parts if each not in held)))


def _entries(part: Expr) -> set[Expr]:
    return {array_of(atom) for atom in part.atoms(Indexed, Symbol)}
