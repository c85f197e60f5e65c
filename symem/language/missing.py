"""Missing entries: a datum that is NaN is latent, the others are observed (Little & Rubin 2002, chapter 8).

Any function of the true entry is [seen] f(x) + [not seen] f(x_missing), summand by summand. A
datum with finitely many values becomes a latent throughout, tied to x by the constraint [x_missing = x]
where x was seen. Of a vector the latent stands for the whole, and its posterior is that of the entries not
seen given the seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Eq, Expr, Indexed, IndexedBase, Mul, Ne, Or, Symbol

from symem.language.leaves import places_of
from symem.language.matrices import MatrixArray, MatrixEntry, shape
from symem.language.plates import LogIverson, total
from symem.language.ragged_plates import RaggedPlate
from symem.language.splitting import split
from symem.language.supports import Binary
from symem.language.traces import Tr, trace
from symem.language.variables import Role, Variable


def split_missing(
    whole: Expr,
    constraints: tuple[Expr, ...],
    variables: Mapping[str, Variable],
    ragged: Sequence[RaggedPlate] = (),
    left_out: Collection[str] = (),
) -> tuple[Expr, tuple[Expr, ...], dict[str, Variable]]:
    """Put a latent beside every datum that may be missing, but for those that are left out, and rewrite the log-likelihood with
    its mask.
    """
    table = dict(variables)
    for variable in [each for each in variables.values() if each.missing]:
        latent, mask = _companions(variable)
        if variable.name in left_out:
            table[mask.name] = mask
            continue
        table |= {latent.name: latent, mask.name: mask}
        if variable.shape:
            whole = _renamed(whole, variable.symbol, latent.symbol)
            constraints = tuple(_renamed(c, variable.symbol, latent.symbol) for c in constraints)
            continue
        rename = {variable.symbol: latent.symbol}
        constraints = tuple(_known_where_observed(c, variable, latent, mask) for c in constraints)
        if variable.support.finite:
            whole = whole.xreplace(rename)
            constraints += (_tie(variable, latent, mask, ragged),)
        else:
            whole = _split(whole, variable, latent, mask)
    return whole, constraints, table


def companion_names(name: str) -> tuple[str, str]:
    """What the latent and the mask of a datum that may be missing are called."""
    return f"{name}_missing", f"observed_{name}"


def mask_of(name: str) -> IndexedBase:
    """The array of what was seen of an array of numbers."""
    return IndexedBase(companion_names(name)[1], **Binary().assumptions)


def _companions(variable: Variable) -> tuple[Variable, Variable]:
    if variable.shape:
        return _vector_companions(variable)
    array = isinstance(variable.symbol, IndexedBase)

    def symbol(name: str, assumptions: Mapping[str, bool]) -> Any:
        return IndexedBase(name, **assumptions) if array else Symbol(name, **assumptions)

    name, mask = companion_names(variable.name)
    latent_symbol = symbol(name, variable.support.assumptions)
    latent = replace(variable, name=name, symbol=latent_symbol, role=Role.LATENT, missing=False)
    binary = Binary()
    seen = replace(
        variable,
        name=mask,
        symbol=symbol(mask, binary.assumptions),
        role=Role.MASK,
        support=binary,
        missing=False,
    )
    seen = replace(seen, declared=seen.symbol)
    return latent, seen


def _vector_companions(variable: Variable) -> tuple[Variable, Variable]:
    """A latent that stands for the whole vector, of which the mask says which entries were seen."""
    name, mask = companion_names(variable.name)
    symbol, binary = variable.symbol, Binary()
    array = symbol.base if isinstance(symbol, MatrixEntry) else symbol
    whole = MatrixArray(name, *array.dimensions)
    marks = IndexedBase(mask, **binary.assumptions)
    latent = replace(
        variable,
        name=name,
        symbol=whole() if isinstance(symbol, MatrixEntry) else whole,
        role=Role.LATENT,
        missing=False,
        seen=(symbol, marks),
    )
    seen = Variable(mask, marks, Role.MASK, (*variable.sizes, *variable.shape), binary, marks)
    return latent, seen


def _renamed(expr: Expr, old: Any, new: Any) -> Expr:
    """An expression with another letter; its forms and traces are turned anew."""
    rules: dict[Any, Expr] = {}
    for each in expr.atoms(Tr):
        if each.has(old):
            word = each.args[0].xreplace({old: new})
            rules[each] = trace(word, shape(word)[0])
    return expr.xreplace(rules).xreplace({old: new})


def _entry(symbol: Any, places: tuple[Expr, ...]) -> Expr:
    return symbol[places] if places else symbol


def _tie(variable: Variable, latent: Variable, mask: Variable, ragged: Sequence[RaggedPlate]) -> Expr:
    """At each place, of sequences of several lengths at those that are there."""
    axes = variable.axes
    there = Mul(*(each.there(axes) for each in ragged if each.holds(variable)))
    places = tuple(axis.index for axis in axes)
    seen, value, true = (_entry(each.symbol, places) for each in (mask, variable, latent))
    return total(there * LogIverson(Or(Ne(seen, 1), Eq(true, value))), axes)


def _known_where_observed(constraint: Expr, variable: Variable, latent: Variable, mask: Variable) -> Expr:
    """A relation about a datum that may be missing speaks of its missing entries."""
    atoms = _atoms(constraint, variable)
    if not atoms:
        return constraint
    bracket = next(iter(constraint.atoms(LogIverson)))
    seen = [Eq(_entry(mask.symbol, places_of(atom)), 1) for atom in atoms]
    relation = bracket.args[0].xreplace({variable.symbol: latent.symbol})
    return constraint.xreplace({bracket: LogIverson(Or(*seen, relation))})


def _atoms(expr: Expr, variable: Variable) -> list[Expr]:
    if isinstance(variable.symbol, IndexedBase):
        found = {atom for atom in expr.atoms(Indexed) if atom.base == variable.symbol}
    else:
        found = expr.atoms(Symbol) & {variable.symbol}
    return sorted(found, key=str)


def _split(expr: Expr, variable: Variable, latent: Variable, mask: Variable) -> Expr:
    """The datum where it was seen, the latent elsewhere."""

    def ways(atom: Expr) -> tuple[tuple[Any, Expr], tuple[Any, Expr]]:
        places = places_of(atom)
        seen = _entry(mask.symbol, places)
        return (Eq(seen, 1), atom), (Ne(seen, 1), _entry(latent.symbol, places))

    return split(expr, lambda part: _atoms(part, variable), ways)
