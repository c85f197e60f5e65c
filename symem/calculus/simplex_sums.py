"""Shares sum to one wherever a sum runs over all of them: Σ_i Σ_k Σ_j w_ik h_kj = Σ_i Σ_k w_ik for h_k on the simplex.

What a simplex says is put into Q before Q is differentiated, so that a simplex and what it multiplies do not meet.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Mul

from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term
from symem.language.leaves import places_of
from symem.language.model import Variable
from symem.language.supports import Simplex


def with_whole_shares(term: Term, parameters: Iterable[Variable]) -> Term:
    """A term without the shares that are summed over their simplex, nothing else in it depending on the cell."""
    for variable in parameters:
        if isinstance(variable.support, Simplex) and variable.sizes:
            term = _summed(term, variable, variable.support.axes)
    return term


def _summed(term: Term, variable: Variable, count: int) -> Term:
    shares = [f for f in term.factors() if f in atoms_of(term.factor, variable)]
    rest = Mul(*(f for f in term.factors() if f not in shares))
    if len(shares) != 1:
        return term
    cells = places_of(shares[0])[-count:]
    summed = tuple(axis for axis in term.axes if axis.index in cells)
    whole = {axis.index: axis.size for axis in summed} == dict(
        zip(cells, variable.sizes[-count:], strict=True)
    )
    others = {symbol for place in places_of(shares[0])[:-count] for symbol in place.free_symbols}
    others |= rest.free_symbols | {symbol for axis in term.axes for symbol in axis.size.free_symbols}
    if not whole or others & set(cells):
        return term
    return Term(rest, tuple(axis for axis in term.axes if axis not in summed))
