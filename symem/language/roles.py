"""The role and the support of every symbol, from what was said and from where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Add, Equality, Expr, Indexed, Symbol, expand

from symem.errors import ModelError, PlateError, SupportError, UndeclaredSymbolError
from symem.language.matrices import MatrixArray
from symem.language.statements import Extras, Statement
from symem.language.support import Support
from symem.language.supports import Binary, Counts, Integers, Labels, NonNegative, Positive, Reals
from symem.language.survey import Slot, Survey
from symem.language.symbol_names import names_in, stated_name
from symem.language.variables import Role


def roles_of(survey: Survey, statement: Statement, extras: Extras) -> dict[str, Role]:
    """Every symbol's role: what was said, a size if it bounds a range, else what is left for it.

    What only relations or a prior hold is data or known.

    Raises:
        UndeclaredSymbolError: something named occurs nowhere.
        PlateError: a latent or a parameter bounds a range.
    """
    roles = dict(statement.roles)
    in_model = {name for piece in statement.pieces for name in names_in(piece)}
    in_log_prior = names_in(extras.log_prior)
    in_prior = {n for law in extras.prior.values() for a in law.arguments for n in names_in(a)}
    for name in survey.declared:
        if name not in roles:
            here = statement.rest if name in in_model else Role.KNOWN if name in in_log_prior else Role.DATA
            of_range = Role.KNOWN if name in survey.bounding else here
            roles[name] = Role.SIZE if name in survey.size_names else of_range
    for name in sorted(survey.size_names):
        if roles[name] in (Role.LATENT, Role.PARAMETER):
            raise PlateError(
                f"The {roles[name].value} {name!r} bounds the range of an index: a size is known."
            )
    for name in statement.roles:
        if name not in survey.declared and name not in in_prior:
            what = roles[name].value
            raise UndeclaredSymbolError(
                f"The {what} {name!r} appears nowhere in the likelihood: remove it, or use it."
            )
    return roles | {name: Role.KNOWN for name in in_prior if name not in roles}


def supports_of(
    survey: Survey, statement: Statement, roles: Mapping[str, Role], relations: tuple[Any, ...]
) -> dict[str, Support]:
    """Every symbol's support: what was said or demanded, what relations and label places imply, else the reals."""
    supports = dict(statement.supports)
    for relation in relations:
        _link_bound(relation, supports)
    for name, slots in survey.slots.items():
        for slot in slots:
            for label in slot.labels:
                _link_label(name, slot, label, roles, supports)
    for label in _labels_of_cases(statement):
        counts = supports.get(label)
        if isinstance(counts, Counts):
            supports[label] = as_label(counts) or counts
    for name, role in roles.items():
        if role is Role.SIZE:
            supports[name] = Counts(1)
        if role is Role.KNOWN and name in survey.bounding:
            supports.setdefault(name, Counts())
        supports.setdefault(name, _assumed(survey.declared.get(name)))
    return supports


def _assumed(declared: Any) -> Support:
    """What the user's own assumptions say of a symbol that nothing else bounds."""
    symbol = getattr(declared, "label", declared)
    if getattr(symbol, "is_positive", None):
        return Positive()
    return NonNegative() if getattr(symbol, "is_nonnegative", None) else Reals()


def _link_label(
    name: str, slot: Slot, label: Expr, roles: Mapping[str, Role], supports: dict[str, Support]
) -> None:
    """An array indexed by a label: the label's support and the slot agree.

    Raises:
        PlateError: what stands in the slot is neither an index nor a label.
    """
    if not isinstance(label, (Indexed, Symbol)):
        raise PlateError(f"{name} is indexed by {label}: index by a label, an observed category, or an Idx.")
    inner = stated_name(label)
    if roles.get(inner) is Role.PARAMETER:
        raise PlateError(f"{name} is indexed by {label}, which nothing declares: name it in known=[{inner}].")
    stated = supports.get(inner)
    if isinstance(stated, Counts) and (label_of := as_label(stated)):
        supports[inner] = label_of
        return
    if isinstance(stated, (Labels, Binary)):
        return
    if stated is not None and roles.get(inner) in (Role.LATENT, Role.DATA):
        raise SupportError(
            f"{name} is indexed by {label}, which lies in {stated}: an index is a label, Labels(K), or a count on "
            f"a range that is written out, such as Binomial(2, p)."
        )
    if slot.range is not None:
        lower = slot.range.lower
        supports[inner] = Labels(slot.range.size, int(lower) if lower.is_Integer else 0)
    else:
        supports[inner] = Labels(Symbol(f"size_{inner}", integer=True, positive=True))


def _labels_of_cases(statement: Statement) -> set[str]:
    laws = (
        law for line in statement.declarations for law in line.distribution.parts() if law.name == "Cases"
    )
    return {name for law in laws for name in names_in(law.arguments[0]) if name in statement.supports}


def as_label(counts: Counts) -> Labels | None:
    """A count from 0 to a number, which selects as a label does."""
    low, high = counts.bounds
    return Labels(high + 1) if low == 0 and high.is_Integer else None


def _link_bound(relation: Any, supports: dict[str, Support]) -> None:
    """What bounds a positive quantity, or totals counts, is one itself."""
    sides = [side for side in relation.args if isinstance(side, (Symbol, Indexed))]
    others = [supports[name] for name in names_in(relation) if name in supports]
    for side in sides:
        if stated_name(side) in supports or not others:
            continue
        if all(isinstance(s, (Counts, Binary)) for s in others) and isinstance(relation, Equality):
            supports[stated_name(side)] = Integers() if _takes_away(relation, side) else Counts()
        elif all(s.bounds[0] == 0 for s in others) and len(sides) == 2:
            supports[stated_name(side)] = NonNegative()


def _takes_away(relation: Any, side: Any) -> bool:
    """Whether what is equal to one side is a difference."""
    other = next(each for each in relation.args if each is not side)
    return any(term.as_coeff_Mul()[0].is_negative for term in Add.make_args(expand(other)))


def check_places(survey: Survey) -> None:
    """No index such as t - 1 leaves its array.

    Raises:
        PlateError: one does.
    """
    for name, slots in survey.slots.items():
        for slot in slots:
            shifted = [place for offset, place in slot.offsets.items() if offset != 0]
            if shifted and slot.range and slot.range.lower.is_negative:
                raise PlateError(
                    f"{name}[{shifted[0]}] leaves the array: its first place would be {slot.range.lower}."
                )


def check_relations(relations: tuple[Any, ...], roles: Mapping[str, Role], missing: frozenset[str]) -> None:
    """What is given speaks of latents, or of data that may be missing.

    Raises:
        ModelError: a relation is about observed data only, or holds a parameter.
    """
    for relation in relations:
        names = names_in(relation)
        if not any(roles.get(name) is Role.LATENT or name in missing for name in names):
            raise ModelError(f"given=[{relation}] holds no latent: it says what was observed about latents.")


def check_prior(extras: Extras, roles: Mapping[str, Role]) -> None:
    """A prior is about parameters.

    Raises:
        ModelError: a key of prior=, or a symbol of log_prior=, is something else.
        UndeclaredSymbolError: a key of prior= is not in the model.
    """
    for key in extras.prior:
        for name in map(stated_name, key if isinstance(key, tuple) else (key,)):
            if name not in roles:
                raise UndeclaredSymbolError(f"The prior names {name!r}, which is not in the model.")
            if roles[name] is not Role.PARAMETER:
                raise ModelError(
                    f"prior={{{key}: …}}: {name!r} is {roles[name].value}, and priors are for parameters."
                )
    for name in sorted(names_in(extras.log_prior)):
        if roles.get(name) in (Role.LATENT, Role.DATA):
            raise ModelError(
                f"log_prior= holds the {roles[name].value} {name!r}: it is a density of the parameters."
            )


def check_missing(missing: frozenset[str], roles: Mapping[str, Role], survey: Survey) -> None:
    """Only data can be missing, and of vectors and matrices only vectors that have a law.

    Raises:
        ModelError: something else is named.
        UndeclaredSymbolError: it is not in the model.
    """
    for name in sorted(missing):
        if name not in roles:
            raise UndeclaredSymbolError(f"missing=[{name}]: {name!r} is not in the model.")
        if roles[name] not in (Role.DATA, Role.KNOWN):
            raise ModelError(
                f"missing=[{name}]: only data can be missing, and {name!r} is a {roles[name].value}."
            )
        stated = survey.declared.get(name)
        if isinstance(stated, MatrixArray):
            _check_missing_vector(name, stated, roles[name])


def _check_missing_vector(name: str, stated: MatrixArray, role: Role) -> None:
    rows, cols = stated.dimensions
    if cols != 1:
        raise ModelError(
            f"missing=[{name}]: {name} holds {rows} × {cols} matrices, and missing entries are read in vectors: write its "
            f"rows as an IndexedVector with a distribution."
        )
    if role is Role.KNOWN:
        raise ModelError(
            f"missing=[{name}]: {name} is known, so its missing entries have no law: give it a distribution, "
            f"{name}[i]: MultivariateNormal(…)."
        )
