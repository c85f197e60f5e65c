"""Data on which nothing else depends: where they are missing, they and their law are left out, of chains and where they stand in the
way of a posterior.

Summed or integrated over, the law of a datum on which nothing depends is 1 (a barren node: Shachter 1986): the likelihood is that of
the others, and so are complete data without it. EM with it left out goes no slower for what is missing (Little & Rubin 2002, section 8.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Add, Eq, Expr, Indexed, Sum

from symem.language.declarations import OF_CELLS, Declaration
from symem.language.leaves import name_of
from symem.language.logarithm import expand_logs
from symem.language.missing import mask_of
from symem.language.plates import Iverson
from symem.language.statements import Extras, Statement
from symem.language.supports import OneHot
from symem.language.symbol_names import names_in, stated_name
from symem.language.variables import Role, Variable


def left_out(statement: Statement, extra: Extras, roles: Mapping[str, Role]) -> frozenset[str]:
    """The names of such data. Rows that count are not among them, nor are finitely many values, which say a place in a table."""
    lines = statement.declarations if extra.missing and not extra.weights else ()
    names = [stated_name(line.entries[0]) for line in lines]
    chained = {
        name
        for name, line in zip(names, lines, strict=True)
        if line.back is not None and roles[name] is Role.LATENT
    }
    laws = [{name for each in line.stated_arguments for name in names_in(each)} for line in lines]
    beside = {name for relation in extra.relations for name in names_in(relation)} | set(
        names_in(extra.log_prior)
    )
    return frozenset(
        name
        for name, line, law in zip(names, lines, laws, strict=True)
        if name in extra.missing - beside and law & chained and names.count(name) == 1
        if _is_number(line) and not any(name in each for each in laws)
    )


def barren(
    declarations: Iterable[Declaration], variables: Mapping[str, Variable], beside: Expr
) -> frozenset[str]:
    """All such data, numbers with a law of their own, whatever they hang on; relations and priors are `beside`."""
    lines = [*declarations]
    stated = [stated_name(entry) for line in lines for entry in line.entries]
    asked = {name for line in lines for each in line.stated_arguments for name in names_in(each)}
    alone = {stated_name(line.variable) for line in lines if len(line.entries) == 1 and _is_of_one(line)}
    return frozenset(
        name
        for name, each in variables.items()
        if each.missing and each.sizes and not each.shape and not isinstance(each.support, OneHot)
        if name in alone - asked and stated.count(name) == 1 and not beside.has(each.symbol)
    )


def _is_of_one(line: Declaration) -> bool:
    """Whether the law is that of one number, at each place."""
    return line.name not in OF_CELLS and line.place_by_place is None


def _is_number(line: Declaration) -> bool:
    entry, law = line.variable, line.distribution
    ((_, support),) = line.supports() if isinstance(entry, Indexed) else ((None, None),)
    return support is not None and entry.is_commutative and not law.branches and not support.finite


def where_seen(density: Expr, name: str) -> Expr:
    """The log-density of a datum, summed over its plates, of what was seen of it."""
    if isinstance(density, Sum):
        return Sum(where_seen(density.function, name), *density.limits)
    (entry,) = {atom for atom in density.atoms(Indexed) if name_of(atom) == name}
    seen = Iverson(Eq(mask_of(name)[entry.indices], 1))
    return Add(*(seen * part for part in Add.make_args(expand_logs(density))))
