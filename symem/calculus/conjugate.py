"""Latents whose conditional is a family of the table: its arguments get names, its log-partition stays."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from sympy import Add, And, Eq, Expr, Ge, Gt, Integer, Lt, Max, Min, Mul, Not, Or, S, expand, oo, true
from sympy.core.relational import Relational

from symem.calculus.density import density_of
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.finite_tables import eliminate_range
from symem.calculus.gathering import atoms_of
from symem.calculus.recognise import Match, counting_bounds, recognise
from symem.calculus.separate import Term, fold, rejoin, separate
from symem.derivation import Definition, Recognised
from symem.errors import NotDerivedError
from symem.language.exponential_face import ExponentialFace
from symem.language.plates import Iverson, LogIverson

Density = Mapping[Expr, Expr]
Bounds = tuple[Expr, Expr]


def eliminate_continuous(state: Elimination, case: Case) -> None:
    """Integrate a continuous latent out."""
    density, support = _read(case, counting=False)
    found = recognise(density, case.atom, support, state.model.own_families)
    if found is None:
        raise NotDerivedError(_unrecognised(case, density, support))
    if _degenerates(case, found):
        labels = ", ".join(str(label) for label, _axis in case.labels)
        raise NotDerivedError(
            f"The posterior of {case.atom} is of another family for each value of {labels}: this is not derived."
        )
    _replace_by_normaliser(state, case, found, support)


def _degenerates(case: Case, found: Match) -> bool:
    """Whether for some labels the statistic drops out without which the family is no law."""
    last = found.natural[-1] if found.natural else S.One
    few = [axis for _label, axis in case.labels if axis.size.is_Integer and last.has(axis.index)]
    if found.face.flat or not last.has(Iverson):
        return False
    values = product(*(map(Integer, range(int(axis.size))) for axis in few))
    places = [axis.index for axis in few]
    return any(last.xreplace(dict(zip(places, each, strict=True))) == 0 for each in values)


def eliminate_count(state: Elimination, case: Case) -> None:
    """Sum a count out: by its family, or over its range if that is finite."""
    density, support = _read(case, counting=True)
    bounds = counting_bounds(density, case.atom, support)
    found = recognise(density, case.atom, bounds, state.model.own_families, counting=True)
    if found:
        _replace_by_normaliser(state, case, found, bounds)
    elif bounds[1] != oo and not case.depends_on_others():
        eliminate_range(state, case, bounds)
    else:
        raise NotDerivedError(_unrecognised(case, density, bounds))


def _read(case: Case, *, counting: bool) -> tuple[Density, Bounds]:
    """The log-density by functions of the latent, and the interval that constraints leave it."""
    terms = case.terms
    hard = tuple(term for term in terms if term.factor.has(LogIverson))
    density = density_of((term for term in terms if term not in hard), case.atom)
    home = case.variable.support.bounds
    return density, interval_of(case.atom, home, hard, case.conditional.condition, counting=counting)


def _replace_by_normaliser(state: Elimination, case: Case, found: Match, bounds: Bounds) -> None:
    arguments, parameters = {}, []
    for name, value in found.arguments.items():
        assumptions = found.face.argument(name).support.assumptions
        arguments[name], named = _named(state, case, name, value, assumptions)
        parameters += named
    left = found.face.log_partition(arguments, bounds) - _constant(found.face, case.atom, bounds)
    normaliser = state.normaliser(case.variable, case.axes, left)
    inline = case.depends_on_others()
    posterior = Recognised(
        **case.shared,
        row=found.row,
        log_density=rejoin(term for term in case.terms if not term.factor.has(LogIverson)),
        log_normaliser=normaliser,
        face=found.face,
        bounds=bounds,
        arguments=arguments,
        parameters=tuple(parameters),
        natural=found.natural,
        inline=inline,
    )
    state.leave(posterior, case.conditional, normaliser.value if inline else normaliser.symbol)


def _constant(face: ExponentialFace, u: Expr, bounds: Bounds) -> Expr:
    """What of log h is free of u: no term of the gathered density has it."""
    return Add(*(part for part in Add.make_args(face.base_measure(u, bounds)) if not part.has(u)))


def _named(
    state: Elimination, case: Case, name: str, value: Expr, assumptions: Mapping[str, bool]
) -> tuple[Expr, list[Definition]]:
    """An argument by name; where it is a polynomial in other latents, its coefficients by name."""
    if value.is_number:
        return value, []
    named = []
    for latent, coefficient in _by_latent(state, case, value).items():
        stem = f"{name}_{case.variable.name}" if latent == 1 else f"slope_{case.variable.name}"
        symbol = state.names.entry(stem, case.places, **assumptions)
        named.append((latent, Definition(symbol, case.axes, coefficient)))
    return Add(*(latent * definition.symbol for latent, definition in named)), [d for _, d in named]


def _by_latent(state: Elimination, case: Case, value: Expr) -> dict[Expr, Expr]:
    """{product of other latents, in the brackets they stand in: coefficient}.

    Raises:
        NotDerivedError: another latent stands under a sum over its positions.
    """
    parts: dict[Expr, Expr] = {}
    for term in separate(value):
        held = [f for f in term.factors() if any(atoms_of(f, latent) for latent in state.model.latents)]
        held += [f for f in term.factors() if held and isinstance(f, Iverson)]
        latent, rest = Mul(*held), Mul(*(f for f in term.factors() if f not in held))
        if latent.free_symbols & term.indices:
            raise NotDerivedError(
                f"The posterior of {case.atom} depends on {latent} at all of its positions at once."
            )
        parts[latent] = parts.get(latent, S.Zero) + fold(Term(rest, term.axes)).expr
    return parts if set(parts) != {S.One} else {S.One: value}


def _unrecognised(case: Case, density: Density, bounds: Bounds) -> str:
    shown = " + ".join(f"({coefficient})·{g}" for g, coefficient in density.items())
    return (
        f"The conditional log-density of {case.atom} on ({bounds[0]}, {bounds[1]}) is {shown or 'constant'}, which is "
        f"no family of the table: its posterior has no closed form here."
    )


# where a latent lies ----------------------------------------------------------------------------------


def interval_of(
    u: Expr, home: Bounds, hard: tuple[Term, ...], condition: Expr, *, counting: bool = False
) -> Bounds:
    """The support of u narrowed by every constraint; on the integers, a strict bound moves by one.

    Where a constraint holds only in some cases, the end is infinite in the others: end + log [case].

    Raises:
        NotDerivedError: a constraint is not an inequality that is linear in u.
    """
    lowers, uppers = [], []
    for case, relation in [r for term in hard for r in _relations(u, term.factor.args[0], condition)]:
        lower, upper = _bound(u, relation, counting=counting)
        lowers += [] if lower is None else [lower + LogIverson(case)]
        uppers += [] if upper is None else [upper - LogIverson(case)]
    return _inner(Max, home[0], lowers), _inner(Min, home[1], uppers)


def _relations(u: Expr, constraint: Expr, condition: Expr) -> list[tuple[Expr, Expr]]:
    """The relations of a constraint that holds where the latent exists, each with the case in which it holds."""
    absent = (
        {Not(part) for part in And.make_args(condition.args[0])} if isinstance(condition, Iverson) else set()
    )
    case: Expr = true
    if isinstance(constraint, Or):
        kept = [part for part in constraint.args if part not in absent and part.has(u)]
        if len(kept) != 1:
            raise NotDerivedError(
                f"The constraint {constraint} holds alternatives: write one relation for each."
            )
        case = And(*(Not(part) for part in constraint.args if part not in absent and part not in kept))
        constraint = kept[0]
    return [(case, relation) for relation in And.make_args(constraint)]


def _bound(u: Expr, relation: Expr, *, counting: bool) -> tuple[Expr | None, Expr | None]:
    if not isinstance(relation, Relational) or isinstance(relation, Eq):
        raise NotDerivedError(
            f"The constraint {relation} on {u} is no inequality: write u > a, u <= b or both."
        )
    difference = expand(relation.lhs - relation.rhs)
    slope = difference.coeff(u)
    rest = difference - slope * u
    if rest.has(u) or not (slope.is_positive or slope.is_negative):
        raise NotDerivedError(f"The constraint {relation} is not linear in {u}.")
    end = expand(-rest / slope)
    above = isinstance(relation, (Gt, Ge)) == bool(slope.is_positive)
    strict = counting and isinstance(relation, (Gt, Lt))
    return (end + 1 if strict else end, None) if above else (None, end - 1 if strict else end)


def _inner(pick: type[Expr], home: Expr, ends: list[Expr]) -> Expr:
    """The tightest of several bounds."""
    return pick(home, *ends)
