"""Latent counts with a known total: the posterior is multinomial (Dempster, Laird & Rubin 1977, section 1)."""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, S, Sum, exp, log, loggamma

from symem.calculus.conditioning import Group
from symem.calculus.density import density_of
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.gathering import Conditional, atoms_of, gather_latent, places_of
from symem.calculus.separate import rejoin
from symem.derivation import CellCounts, Definition, MemberCounts
from symem.errors import NotDerivedError
from symem.language.counting_families import Binomial
from symem.language.model import Variable
from symem.language.plates import Axis


def eliminate_total(state: Elimination, variable: Variable, group: Group, waiting: list[Variable]) -> None:
    """Sum the counts of a group out: their total to the power of Σ exp(weight), over total!."""
    if group.axis is not None:
        _over_axis(state, variable, group, waiting)
    else:
        _over_members(state, group, waiting)


def _weight(conditional: Conditional, state: Elimination, waiting: list[Variable]) -> Expr:
    """The coefficient of the count in its log-density, which must be linear over count!."""
    u = conditional.atom
    if state.labels(conditional, waiting):
        raise NotDerivedError(
            f"The weight of {u} depends on a label: counts with a total given a label are not derived."
        )
    beside = Case(conditional, (), tuple(waiting)).others()
    if beside:
        raise NotDerivedError(
            f"The weight of {u} depends on {', '.join(map(str, beside))}: counts with a total given another latent are not "
            f"derived."
        )
    density = density_of(conditional.terms, u)
    if density.pop(loggamma(u + 1), None) != -1 or set(density) - {u}:
        raise NotDerivedError(
            f"{u} has a known total, so its log-density should be weight·{u} - log {u}!, but it is {rejoin(conditional.terms)}. "
            f"Is the multinomial coefficient missing from the likelihood?"
        )
    return density.get(u, S.Zero)


def _over_axis(state: Elimination, variable: Variable, group: Group, waiting: list[Variable]) -> None:
    conditional = gather_latent(state.terms, variable, state.model.weights)
    weight = _weight(conditional, state, waiting)
    places = dict(zip(places_of(group.members[0]), conditional.position, strict=True))
    assert group.axis is not None
    outcome = places[group.axis.index]
    if conditional.count.has(outcome.index):
        raise NotDerivedError(
            f"The total {group.total} is one over all {outcome.index}, of which each counts {conditional.count} times: rows that "
            f"share a total are no independent rows, so they cannot be counted by weights=; write the rows out."
        )
    plates = tuple(axis for axis in conditional.position if axis is not outcome)
    trials = group.total.xreplace({place: axis.index for place, axis in places.items()})
    indices = tuple(axis.index for axis in plates)
    full = (*plates, outcome)
    eta = state.names.entry(f"eta_{variable.name}", (*indices, outcome.index), real=True)
    mass = Definition(
        state.names.entry(f"A_{variable.name}", indices, real=True),
        plates,
        log(Sum(exp(eta), outcome.limits)),
    )
    gamma = state.names.entry(f"gamma_{variable.name}", (*indices, outcome.index), nonnegative=True)
    counts = CellCounts(
        latent=variable,
        atom=conditional.atom,
        axes=plates,
        family="Multinomial",
        log_density=rejoin(conditional.terms),
        log_normaliser=mass,
        trials=trials,
        outcome=outcome,
        log_weight=Definition(eta, full, weight),
        probability=Definition(gamma, full, exp(eta - mass.symbol)),
    )
    state.leave(counts, conditional, trials * mass.symbol - loggamma(trials + 1))


def _over_members(state: Elimination, group: Group, waiting: list[Variable]) -> None:
    conditionals, weights = [], []
    for member in group.members:
        variable = next(v for v in state.model.latents if atoms_of(member, v))
        conditionals.append(gather_latent(state.terms, variable, state.model.weights))
        weights.append(_weight(conditionals[-1], state, waiting))
    plates, trials = conditionals[0].position, _moved_total(group, conditionals[0].position)
    indices = tuple(axis.index for axis in plates)
    weights = [_at(w, c, plates) for w, c in zip(weights, conditionals, strict=True)]
    name = "_".join(c.variable.name for c in conditionals)
    mass = Definition(
        state.names.entry(f"A_{name}", indices, real=True),
        plates,
        log(Add(*(exp(weight) for weight in weights))),
    )
    family = Binomial.name if len(weights) == 2 else "Multinomial"
    for position, (conditional, weight) in enumerate(zip(conditionals, weights, strict=True)):
        share = state.names.entry(f"gamma_{conditional.variable.name}", indices, nonnegative=True)
        atom = conditional.variable.symbol[indices] if indices else conditional.variable.symbol
        counts = MemberCounts(
            latent=conditional.variable,
            atom=atom,
            axes=plates,
            family=family,
            log_density=rejoin(conditional.terms),
            log_normaliser=mass,
            trials=trials,
            probability=Definition(share, plates, exp(weight) / Add(*(exp(each) for each in weights))),
        )
        left = trials * mass.symbol - loggamma(trials + 1) if position == 0 else S.Zero
        gathered = gather_latent(state.terms, conditional.variable, state.model.weights)
        count = _at(gathered.count, conditional, plates)
        state.leave(counts, replace(gathered, position=plates, count=count), left)


def _moved_total(group: Group, plates: tuple[Axis, ...]) -> Expr:
    return group.total.xreplace(
        dict(zip(places_of(group.members[0]), (a.index for a in plates), strict=True))
    )


def _at(weight: Expr, conditional: Conditional, plates: tuple[Axis, ...]) -> Expr:
    return weight.xreplace(
        {own.index: axis.index for own, axis in zip(conditional.position, plates, strict=True)}
    )
