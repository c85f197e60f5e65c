"""Latents whose conditional is a family of the table: its arguments get names, its log-partition stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from sympy import Add, And, Expr, Integer, Mul, S, oo

from symem.calculus.density import density_of
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.finite_tables import eliminate_range
from symem.calculus.gathering import atoms_of
from symem.calculus.quadratic import summed_form
from symem.calculus.reach import Reach, reach
from symem.calculus.recognise import Match, counting_bounds, recognise
from symem.calculus.refusals import told, written_out
from symem.calculus.separate import Term, conditions_of, fold, rejoin, separate
from symem.derivation import Definition, Recognised
from symem.errors import NotDerivedError
from symem.language.exponential_face import ExponentialFace
from symem.language.matrices import is_matrix, shape, transpose
from symem.language.plates import Iverson, LogIverson
from symem.language.supports import Binary
from symem.language.traces import trace

Density = Mapping[Expr, Expr]
Bounds = tuple[Expr, Expr]

#: Names for a label over a grid, its weights and the grid, the first that is free.
_GRID = (("l", "h", "label"), ("w", "c", "weight"), ("g", "v", "grid"))


def eliminate_continuous(state: Elimination, case: Case) -> None:
    """Integrate a continuous latent out."""
    density, left = _read(state, case, counting=False)
    found = recognise(density, case.atom, left.bounds, state.model.own_families)
    if found is None:
        raise NotDerivedError(_unrecognised(state, case, density, left.bounds))
    if _degenerates(case, found):
        labels = ", ".join(str(label) for label, _axis in case.labels)
        raise NotDerivedError(
            f"The posterior of {case.atom} is of another family for each value of {labels}: this is not derived."
        )
    _replace_by_normaliser(state, case, found, left)


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
    try:
        density, left = _read(state, case, counting=True)
    except NotDerivedError:
        if not _is_bounded(case):
            raise
        eliminate_range(state, case, case.variable.support.bounds)
        return
    bounds = counting_bounds(density, case.atom, left.bounds)
    found = recognise(density, case.atom, bounds, state.model.own_families, counting=True)
    if found:
        _replace_by_normaliser(state, case, found, replace(left, lower=bounds[0], upper=bounds[1]))
    elif not bounds[1].has(oo) and left.demand == S.true and not case.depends_on_others():
        eliminate_range(state, case, bounds)
    else:
        raise NotDerivedError(_unrecognised(state, case, density, bounds))


def _is_bounded(case: Case) -> bool:
    """Whether a count has finitely many values, whatever is said of it, and nothing that waits stands beside it."""
    said = any(term.factor.has(LogIverson) for term in case.terms)
    return not case.variable.support.bounds[1].has(oo) and not said and not case.depends_on_others()


def _read(state: Elimination, case: Case, *, counting: bool) -> tuple[Density, Reach]:
    """The log-density by functions of the latent, and what constraints leave it."""
    terms = case.terms
    hard = tuple(term for term in terms if term.factor.has(LogIverson))
    density = density_of((term for term in terms if term not in hard), case.atom)
    home = case.variable.support.bounds
    condition, values = case.conditional.condition, _finite(state, case, hard)
    return density, reach(case.atom, home, hard, condition, values, counting=counting)


def _finite(state: Elimination, case: Case, hard: tuple[Term, ...]) -> dict[Expr, int]:
    """The labels and 0/1 data in the constraints, each with how many values it has."""
    found = {axis.index: int(axis.size) for _label, axis in case.labels if axis.size.is_Integer}
    for each in state.model.variables.values():
        if isinstance(each.support, Binary):
            found |= {atom: 2 for term in hard for atom in atoms_of(term.factor, each)}
    return found


def _replace_by_normaliser(state: Elimination, case: Case, found: Match, reached: Reach) -> None:
    bounds = reached.bounds
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
    left = (normaliser.value if inline else normaliser.symbol) + LogIverson(reached.demand)
    state.leave(posterior, case.conditional, left)


def _constant(face: ExponentialFace, u: Expr, bounds: Bounds) -> Expr:
    """What of log h is free of u: no term of the gathered density has it."""
    return Add(*(part for part in Add.make_args(face.base_measure(u, bounds)) if not part.has(u)))


def _named(
    state: Elimination, case: Case, name: str, value: Expr, assumptions: Mapping[str, bool]
) -> tuple[Expr, list[Definition]]:
    """An argument by name; where it is a polynomial in other latents, its coefficients by name."""
    if value.is_number:
        return value, []
    named, whole = list[Definition](), S.Zero
    for latent, coefficient in _by_latent(state, case, value).items():
        stem = f"{name}_{case.variable.name}" if latent == 1 else f"slope_{case.variable.name}"
        if is_matrix(coefficient):
            symbol = state.names.matrix(stem, case.places, shape(coefficient))
        else:
            symbol = state.names.entry(stem, case.places, **assumptions)
        named.append(Definition(symbol, case.axes, coefficient))
        whole += trace(transpose(symbol) * latent, 1) if is_matrix(symbol) else latent * symbol
    return whole, named


def _by_latent(state: Elimination, case: Case, value: Expr) -> dict[Expr, Expr]:
    """{product of other latents, in the brackets they stand in: coefficient}; of a vector b the u of uᵀb.

    Raises:
        NotDerivedError: another latent stands under a sum over its positions.
    """
    parts: dict[Expr, Expr] = {}
    for term in separate(value):
        held, rest = _latents_apart(state, term)
        latent = Mul(*held)
        theirs = any(atoms_of(latent, parameter) for parameter in state.model.parameters)
        everywhere = bool(latent.free_symbols & term.indices)
        form = summed_form(term.factor, term.axes, state.model.latents) if theirs or everywhere else None
        if form is not None:
            coefficient, latent = form
        elif everywhere:
            others = Mul(*(f for f in held if not isinstance(f, Iverson)))
            raise NotDerivedError(_at_all_places(case.atom, others))
        else:
            coefficient = fold(Term(rest, term.axes)).expr
        parts[latent] = parts.get(latent, S.Zero) + coefficient
    return parts if set(parts) != {S.One} else {S.One: value}


def _latents_apart(state: Elimination, term: Term) -> tuple[list[Expr], Expr]:
    """The latents among the factors of a term, in the brackets they stand in, and the rest.

    A bracket that runs with the sum, where the latents do not, only says which summands count.
    """
    plain = [f for f in term.factors() if not isinstance(f, Iverson)]
    held = [f for f in plain if any(atoms_of(f, latent) for latent in state.model.latents)]
    conditions = conditions_of(term.factor)
    run = any(f.free_symbols & term.indices for f in held)
    within = {c for c in conditions if held and (run or not c.free_symbols & term.indices)}
    rest = Mul(Iverson(And(*(conditions - within))), *(f for f in plain if f not in held))
    return [*held, *([Iverson(And(*within))] if within else [])], rest


def _at_all_places(atom: Expr, latent: Expr) -> str:
    name = str(atom).partition("[")[0]
    return (
        f"The posterior of {atom} depends on {latent} at all of its positions at once: state numbers that are jointly normal "
        f"as vectors, {name}: MultivariateNormal(m, S), and {atom} as h[i].T*{name} with h known, its rows 0 but for a 1 where "
        f"they choose an entry."
    )


def _unrecognised(state: Elimination, case: Case, density: Density, bounds: Bounds) -> str:
    names = [definition for each in state.done for definition in each.posterior.definitions]
    whole = written_out(Add(*(coefficient * g for g, coefficient in density.items())), names)
    u, low, high = (told(state.model.declared(each)) for each in (case.atom, *bounds))
    taken = set(state.model.variables)
    label, weight, grid = (next(each for each in letters if each not in taken) for letters in _GRID)
    at = label + u[len(case.variable.name) :]
    return (
        f"No closed form was found for the posterior of {u}: its log-density on ({low}, {high}), "
        f"{told(state.model.declared(whole))}, is that of no family in the table; a label over a grid of its values would "
        f"do, {at}: Categorical({weight}[k]) and {grid}[{at}] for {u}, with {weight} and {grid} known."
    )
