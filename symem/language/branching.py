"""A statement with its selectors written out: cases as sums over branches, relations as alternatives.

What is observed of a latent by its sign, by a 0/1 number or by alternatives becomes one relation, of which at most
one alternative holds for given data; where several do, z < a or z > b, a label that is latent says which.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from sympy import (
    Abs,
    Add,
    And,
    Eq,
    Expr,
    Ge,
    Gt,
    Heaviside,
    IndexedBase,
    Le,
    Lt,
    Or,
    Piecewise,
    Pow,
    S,
    Symbol,
    expand,
    log,
    sign,
)
from sympy.core.relational import Relational

from symem.language.logarithm import expand_logs
from symem.language.ranges import free_indices
from symem.language.selectors import Selectors, alternatives, and_
from symem.language.shown_latents import Shown, shown_latent
from symem.language.statements import Extras, Statement
from symem.language.supports import Binary, Labels, NonNegative
from symem.language.symbol_names import names_in, stated_name
from symem.language.variables import Role

_SELECTORS = (Piecewise, Heaviside, sign)


def with_branches(statement: Statement, extra: Extras) -> tuple[Statement, Extras]:
    """A statement and what stands beside it, without selectors."""
    chosen = {name: Binary() for piece in statement.pieces for name in _choosing(piece, statement)}
    statement = replace(statement, supports={**statement.supports, **chosen})
    relations = []
    for relation in extra.relations:
        statement, told = _without_selectors(relation, statement, extra.missing)
        relations.append(told)
    binary = _binary(statement)
    pieces = tuple(_written_out(piece, binary) for piece in statement.pieces)
    return replace(statement, pieces=pieces), replace(extra, relations=tuple(relations))


def _binary(statement: Statement) -> frozenset[str]:
    """The data and known numbers that are 0 or 1."""
    observed = {name for name in statement.supports if _role(name, statement) in (Role.DATA, Role.KNOWN)}
    return frozenset(name for name in observed if isinstance(statement.supports[name], Binary))


def _role(name: str, statement: Statement) -> Role:
    return statement.roles.get(name, statement.rest)


def _written_out(piece: Expr, binary: frozenset[str]) -> Expr:
    if (
        not piece.has(*_SELECTORS)
        and not any(p.base == 0 for p in piece.atoms(Pow))
        and not names_in(piece) & binary
    ):
        return piece
    letters = Selectors(binary)
    expanded = letters.chosen(expand_logs(letters.lettered(piece)))
    return letters.summed(expanded) if letters.found else piece


# 0/1 numbers that choose between parameters -------------------------------------------------------------


def _choosing(piece: Expr, statement: Statement) -> set[str]:
    """The numbers e of e a + (1 - e) b inside a logarithm, a and b of different parameters: nothing else said, 0 or 1."""
    undeclared = {
        name
        for name in names_in(piece) - (set(statement.supports) - statement.unsaid)
        if _role(name, statement) in (Role.DATA, Role.KNOWN)
    }
    if not undeclared or not piece.has(log):
        return set()
    sums = {each.args[0] for each in expand_logs(piece).atoms(log) if isinstance(each.args[0], Add)}
    return {
        stated_name(atom)
        for each in sums
        for atom in each.atoms(*_ATOMS) - _labels_in(each)
        if _is_name(atom) and stated_name(atom) in undeclared and _chooses(atom, each, statement)
    }


_ATOMS = (Symbol, type(IndexedBase("x")[0]))


def _is_name(atom: Any) -> bool:
    return type(atom) in _ATOMS or isinstance(atom, _ATOMS[1])


def _labels_in(expr: Expr) -> set[Expr]:
    """The names of arrays, which are no numbers by themselves."""
    return {entry.base.label for entry in expr.atoms(_ATOMS[1])}


def _chooses(atom: Expr, whole: Expr, statement: Statement) -> bool:
    if expand(whole).coeff(atom, 2) != 0 or expand(whole).coeff(atom, 1).has(atom):
        return False
    sides = [
        {
            name
            for name in names_in(expand(whole.xreplace({atom: S(value)})))
            if _role(name, statement) is Role.PARAMETER
        }
        for value in (0, 1)
    ]
    return all(sides) and not sides[0] & sides[1]


# relations ------------------------------------------------------------------------------------------------


def _without_selectors(relation: Any, statement: Statement, missing: frozenset[str]) -> tuple[Statement, Any]:
    relation = relation.replace(lambda each: isinstance(each, (Gt, Ge, Lt, Le)), _two_sided)
    if isinstance(relation, Relational) and not relation.has(*_SELECTORS):
        return statement, relation
    letters = Selectors(_binary(statement))
    told = letters.stated(letters.lettered(relation))
    latents = {name for name, role in statement.roles.items() if role is Role.LATENT} | missing
    points = _points(told, statement, latents)
    written = relation.atoms(Eq) & set(points)
    told = told.xreplace({each: S.false for each in points if each not in written})
    statement = _with_outcomes(told, statement)

    def is_latent(each: Any) -> bool:
        return bool(names_in(each) & latents)

    ways = alternatives(told, is_latent, _binary(statement))
    if written:
        shown, ways = shown_latent(
            relation, ways, sorted(written, key=str), is_latent, statement.supports, _binary(statement)
        )
        if shown is not None:
            statement = _with_shown(statement, shown)
    return _in_one(ways, relation, statement, latents)


def _with_shown(statement: Statement, shown: Shown) -> Statement:
    """The statement with the value of a latent put in; what says it and where is data if nothing else was said, not negative where
    that latent is not.
    """
    said = set(statement.roles).union(*map(names_in, statement.pieces))
    roles = dict.fromkeys(sorted(names_in(shown.relation) - said), Role.DATA)
    value, supports = stated_name(shown.value), statement.supports
    unsaid = value in roles and value not in supports and not shown.value.is_positive
    if unsaid and supports[stated_name(shown.entry)].bounds[0] == 0:
        supports = {**supports, value: NonNegative()}
    return replace(
        statement,
        pieces=tuple(map(shown.put_in, statement.pieces)),
        roles={**statement.roles, **roles},
        supports=supports,
        shown=(*statement.shown, shown),
    )


def _two_sided(relation: Relational) -> Any:
    """|x| > a as x > a or x < -a, and |x| < a as x < a and x > -a; any other inequality as it stands."""
    above, below = (Gt, Lt) if isinstance(relation, (Gt, Lt)) else (Ge, Le)
    if isinstance(relation.gts, Abs):
        x, a = relation.gts.args[0], relation.lts
        return Or(above(x, a), below(x, -a))
    if isinstance(relation.lts, Abs):
        x, a = relation.lts.args[0], relation.gts
        return And(below(x, a), above(x, -a))
    return relation


def _points(told: Any, statement: Statement, latents: set[str]) -> list[Any]:
    """The equations of a continuous latent: beside other relations for the same data they hold with probability 0."""
    smooth = {n for n in latents if n in statement.supports and not statement.supports[n].discrete}
    return (
        [] if isinstance(told, Relational) else [each for each in told.atoms(Eq) if names_in(each) & smooth]
    )


def _with_outcomes(told: Any, statement: Statement) -> Statement:
    """What is equated with 0 and 1 alone is binary."""
    values: dict[str, set[Expr]] = defaultdict(set)
    for each in told.atoms(Eq):
        if each.rhs.is_number and _is_name(each.lhs):
            values[stated_name(each.lhs)].add(each.rhs)
    found = {
        name: Binary()
        for name, outcomes in values.items()
        if outcomes == {S.Zero, S.One} and name not in statement.supports
    }
    return replace(statement, supports={**statement.supports, **found})


def _in_one(
    ways: list[list[Any]], relation: Any, statement: Statement, latents: set[str]
) -> tuple[Statement, Any]:
    """The alternatives as one relation; a label tells those apart that hold for the same data."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for way in ways:
        seen = [each for each in way if not names_in(each) & latents]
        groups[and_(*seen)].append(And(*(each for each in way if each not in seen)))
    most = max(map(len, groups.values()), default=0)
    if most <= 1:
        return statement, Or(*(And(known, *held) for known, held in groups.items()))
    (first, *_) = sorted(names_in(relation) & latents)
    indices = free_indices(relation)
    name = f"part_{first}"
    label = IndexedBase(name)[tuple(indices)] if indices else Symbol(name)
    parts = [
        And(known, held, Eq(label, place))
        for known, each in groups.items()
        for place, held in enumerate(each)
    ]
    roles = {**statement.roles, name: Role.LATENT}
    supports = {**statement.supports, name: Labels(most)}
    return replace(statement, roles=roles, supports=supports), Or(*parts)


__all__ = ["with_branches"]
