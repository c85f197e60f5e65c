"""Which data, parameters and latents can move together without changing the log-density.

The change of the log-density is linear in the rates at which they move: the sets are the null space of a linear
system, found from the formulas.
"""

from __future__ import annotations

from sympy import (
    Expr,
    Indexed,
    IndexedBase,
    Matrix,
    S,
    Symbol,
    diff,
    oo,
)
from sympy.core.relational import Relational

from symem.algebra.expansion import monomials
from symem.derivation import Derivation
from symem.language.leaves import name_of
from symem.language.model import Variable
from symem.language.plates import LogIverson
from symem.language.supports import Interval, Reals

STEP = Symbol("translation_rate", real=True)


def has_data(derivation: Derivation, moving: frozenset[str]) -> bool:
    return any(each.name in moving and each.sizes for each in derivation.model.data)


def _candidates(derivation: Derivation) -> list[Variable]:
    model = derivation.model
    real = (*model.data, *model.known, *model.parameters, *model.latents)
    return [each for each in real if isinstance(each.support, Reals | Interval) and not _is_bounded(each)]


def _is_bounded(variable: Variable) -> bool:
    """Whether numbers bound it, so that it cannot move."""
    return any(end.is_number and end not in (oo, -oo) for end in variable.support.bounds)


def directions(derivation: Derivation) -> list[frozenset[str]]:
    """Sets of names that can all move by the same amount without changing the log-density."""
    candidates = _candidates(derivation)
    fixed = [*_pieces(derivation), *_constraints(derivation)]
    columns = [[monomials(_moved(piece, each.name)) for piece in fixed] for each in candidates]
    keys = sorted(
        {(p, key) for column in columns for p, entry in enumerate(column) for key in entry}, key=str
    )
    if not candidates:
        return []
    rows = [[column[p].get(key, S.Zero) for column in columns] for p, key in keys] or [
        [S.Zero] * len(columns)
    ]
    basis = Matrix(rows).nullspace()
    return [
        frozenset(each.name for each, entry in zip(candidates, vector, strict=True) if entry)
        for vector in basis
        if all(entry in (0, 1) for entry in vector)
    ]


def _pieces(derivation: Derivation) -> list[Expr]:
    whole = derivation.complete + derivation.model.log_prior
    return [whole.xreplace(dict.fromkeys(whole.atoms(LogIverson), S.Zero))]


def _constraints(derivation: Derivation) -> list[Expr]:
    """Differences that brackets and bounds compare with zero."""
    model = derivation.model
    conditions = [
        posterior.condition for posterior in derivation.posteriors if posterior.condition is not None
    ]
    texts = [*model.log_likelihood.atoms(LogIverson), *conditions]
    found = [side.lhs - side.rhs for text in texts for side in text.atoms(Relational)]
    for latent in model.latents:
        entry = (
            latent.symbol[tuple(Symbol(f"slot_{d}") for d in range(len(latent.sizes)))]
            if latent.sizes
            else latent.symbol
        )
        found += [entry - end for end in latent.support.bounds if end not in (oo, -oo)]
    return found


def _moved(expr: Expr, name: str) -> Expr:
    """The rate at which an expression changes when the variable of that name moves."""
    atoms = [
        atom
        for atom in expr.atoms(Indexed, Symbol)
        if name_of(atom) == name and not isinstance(atom, IndexedBase)
    ]
    atoms = [atom for atom in atoms if isinstance(atom, Indexed)] or atoms
    return diff(expr.xreplace({atom: atom + STEP for atom in atoms}), STEP).subs(STEP, 0)
