"""Relations observed about latent counts: totals become groups, other linear relations are solved.

`Eq(n1 + n2 + n3, y)` and `Eq(Sum(n[d, b], b), y[d])` make their counts a group with a known total;
`Eq(u[i] + w[i], x[i])` next to `Eq(v[i] + w[i], y[i])` is solved for u and v; `Eq(nTT, nT)` names a datum.
What is left stays in the log-likelihood as the constraint log [relation].
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Add, Eq, Expr, Ge, Indexed, Sum, expand

from symem.calculus.separate import Term, separate
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.plates import Axis, LogIverson
from symem.language.supports import Counts


@dataclass(frozen=True)
class Group:
    """Latent counts with a known total: entries one by one, and arrays each over an axis of its own.

    `members` are atoms, and `over` has for each the axis that it runs over, or none; `plates` are the axes that the
    total is repeated over.
    """

    members: tuple[Expr, ...]
    total: Expr
    plates: tuple[Axis, ...]
    over: tuple[Axis | None, ...]


def condition(model: Model, terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], tuple[Group, ...]]:
    """Find the groups, solve the other relations, and return the terms that remain."""
    counts = {v.symbol: v for v in model.latents if isinstance(v.support, Counts)}
    relations = [term for term in terms if _is_equation(term, counts)]
    rest = [term for term in terms if term not in relations]
    groups: list[Group] = []
    for relation in relations:
        group = _as_group(relation, counts, [other for other in relations if other is not relation])
        if group:
            groups.append(group)
        else:
            rest = _substitute(relation, counts, rest)
    return tuple(rest), tuple(groups)


def _is_equation(term: Term, counts: dict[Expr, Variable]) -> bool:
    if not isinstance(term.factor, LogIverson) or not isinstance(term.factor.args[0], Eq):
        return False
    return bool(_count_atoms(term.factor, counts))


def _count_atoms(expr: Expr, counts: Iterable[Expr]) -> list[Expr]:
    known = set(counts)
    arrays = {atom for atom in expr.atoms(Indexed) if atom.base in known}
    return sorted(arrays | (expr.free_symbols & known), key=str)


def _symbol(atom: Expr) -> Expr:
    return atom.base if isinstance(atom, Indexed) else atom


def _as_group(relation: Term, counts: dict[Expr, Variable], others: list[Term]) -> Group | None:
    """The relation as a total, if its counts occur in no other relation and all with weight one."""
    atoms = _count_atoms(relation.factor, counts)
    if any(_shared(atoms, other) for other in others):
        return None
    difference = relation.factor.args[0].lhs - relation.factor.args[0].rhs
    summed = [each for each in separate(difference) if _count_atoms(each.factor, counts)]
    rest = Add(*(each.expr for each in separate(difference) if each not in summed))
    parts = [each.factor.as_coeff_Mul() for each in summed]
    signs, members = {sign for sign, _ in parts}, tuple(member for _, member in parts)
    over = tuple(each.axes[0] if each.axes else None for each in summed)
    alone = len(members) == 1 and over[0] is None
    if alone or len(signs) != 1 or signs - {1, -1} or sorted(members, key=str) != atoms:
        return None
    if any(len(each.axes) > 1 for each in summed):
        return None
    return Group(members, expand(-rest / signs.pop()), relation.axes, over)


def _shared(atoms: list[Expr], other: Term) -> bool:
    """Whether another relation speaks of the same entries: the same scalars, or the same arrays."""
    found = other.factor.atoms(Indexed) | other.factor.free_symbols
    arrays = {atom.base for atom in found if isinstance(atom, Indexed)}
    return any(atom in found or (isinstance(atom, Indexed) and atom.base in arrays) for atom in atoms)


def _substitute(relation: Term, counts: dict[Expr, Variable], terms: list[Term]) -> list[Term]:
    """Solve a linear relation for one of its counts, one that can be expressed at every position."""
    difference = expand(relation.factor.args[0].lhs - relation.factor.args[0].rhs)
    for atom in _count_atoms(relation.factor, counts):
        slope = difference.coeff(atom)
        if slope in (1, -1) and not difference.has(Sum) and _plain(atom, relation):
            return _replace(atom, expand(atom - slope * difference), relation, terms)
    raise NotDerivedError(
        f"The relation {relation.factor.args[0]} cannot be conditioned on: write a total of counts with weight one, "
        f"or a relation that is linear in a count."
    )


def _plain(atom: Expr, relation: Term) -> bool:
    if not isinstance(atom, Indexed):
        return True
    return set(atom.indices) == relation.indices and len(set(atom.indices)) == len(atom.indices)


def _replace(atom: Expr, value: Expr, relation: Term, terms: list[Term]) -> list[Term]:
    """Put the value for the count wherever it stands; a difference of counts keeps being non-negative."""
    replaced = []
    for term in terms:
        factor = term.factor
        for other in _count_atoms(factor, [_symbol(atom)]):
            moved = dict(zip(atom.indices, other.indices, strict=True)) if isinstance(atom, Indexed) else {}
            factor = factor.xreplace({other: value.xreplace(moved)})
        replaced += [Term(part.factor, part.axes + term.axes) for part in separate(factor)]
    if len(Add.make_args(value)) > 1:
        replaced.append(Term(LogIverson(Ge(value, 0)), relation.axes))
    return replaced
