"""Latent counts with a known total: the posterior is multinomial (Dempster, Laird & Rubin 1977, section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Add, Expr, S, Sum, exp, log, loggamma

from symem.calculus.conditioning import Group
from symem.calculus.density import density_of
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.gathering import Conditional, atoms_of, gather_latent
from symem.calculus.separate import rejoin, rename_apart
from symem.derivation import CellCounts, Definition, MemberCounts
from symem.errors import NotDerivedError
from symem.language.counting_families import Binomial
from symem.language.leaves import places_of
from symem.language.model import Variable
from symem.language.plates import Axis, fresh_index, reindex, total


def eliminate_total(state: Elimination, group: Group, waiting: list[Variable]) -> None:
    """Sum the counts of a group out: their total to the power of Σ exp(weight), over total!.

    Raises:
        NotDerivedError: arrays alone share a total, or the log-density of a count is not linear in it over count!.
    """
    cells = [_Cells.of(state, group, place, waiting) for place in range(len(group.members))]
    if len(cells) == 1:
        _over_axis(state, cells[0])
    elif all(each.outcome is not None for each in cells):
        names = " and ".join(each.variable.name for each in cells)
        raise NotDerivedError(
            f"The arrays {names} share a total and nothing else does: make them one array, over both axes."
        )
    else:
        # What is no array leaves the normaliser, which has its axes.
        _over_members(state, sorted(cells, key=lambda each: each.outcome is not None))


def _over_axis(state: Elimination, cells: _Cells) -> None:
    """The counts of an array over an axis."""
    assert cells.outcome is not None
    indices = tuple(axis.index for axis in cells.plates)
    full, name = (*cells.plates, cells.outcome), cells.variable.name
    at = (*indices, cells.outcome.index)
    eta = state.names.entry(f"eta_{name}", at, real=True)
    whole = log(Sum(exp(eta), cells.outcome.limits))
    mass = Definition(state.names.entry(f"A_{name}", indices, real=True), cells.plates, whole)
    gamma = state.names.entry(f"gamma_{name}", at, nonnegative=True)
    counts = CellCounts(
        latent=cells.variable,
        atom=cells.conditional.atom,
        axes=cells.plates,
        family="Multinomial",
        log_density=rejoin(cells.conditional.terms),
        log_normaliser=mass,
        trials=cells.trials,
        outcome=cells.outcome,
        log_weight=Definition(eta, full, cells.weight),
        probability=Definition(gamma, full, exp(eta - mass.symbol)),
    )
    state.leave(counts, cells.conditional, cells.trials * mass.symbol - loggamma(cells.trials + 1))


def _over_members(state: Elimination, cells: Sequence[_Cells]) -> None:
    """Several counts, some of them arrays that are summed over an axis of their own."""
    first = cells[0]
    plates, indices = first.plates, tuple(axis.index for axis in first.plates)
    cells = [each.at(indices) for each in cells]
    name = "_".join(each.variable.name for each in cells)
    whole = Add(*(each.mass for each in cells))
    mass = Definition(state.names.entry(f"A_{name}", indices, real=True), plates, log(whole))
    binary = len(cells) == 2 and all(each.outcome is None for each in cells)
    left = first.trials * mass.symbol - loggamma(first.trials + 1)
    for each in cells:
        own = each.conditional
        places = tuple(axis.index for axis in each.position)
        share = state.names.entry(f"gamma_{each.variable.name}", places, nonnegative=True)
        counts = MemberCounts(
            latent=each.variable,
            atom=each.conditional.atom,
            axes=each.position,
            family=Binomial.name if binary else "Multinomial",
            log_density=rejoin(each.conditional.terms),
            log_normaliser=mass,
            trials=first.trials,
            probability=Definition(share, each.position, exp(each.weight) / whole),
        )
        gathered = gather_latent(state.terms, each.variable, state.model.weights)
        state.leave(counts, replace(gathered, position=each.position, terms=own.terms, count=own.count), left)
        left = S.Zero


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


@dataclass(frozen=True)
class _Cells:
    """One member of a group: its gathered terms and weight, and the `outcome` axis that it runs over if any."""

    conditional: Conditional
    weight: Expr
    trials: Expr
    outcome: Axis | None

    @classmethod
    def of(cls, state: Elimination, group: Group, place: int, waiting: list[Variable]) -> _Cells:
        member, axis = group.members[place], group.over[place]
        variable = next(v for v in state.model.latents if atoms_of(member, v))
        conditional = gather_latent(state.terms, variable, state.model.weights)
        weight = _weight(conditional, state, waiting)
        places = dict(zip(places_of(member), conditional.position, strict=True))
        trials = group.total.xreplace({old: new.index for old, new in places.items()})
        outcome = places[axis.index] if axis is not None else None
        if outcome is not None and conditional.count.has(outcome.index):
            raise NotDerivedError(
                f"The total {group.total} is one over all {outcome.index}, of which each counts {conditional.count} times: rows "
                f"that share a total are no independent rows, so they cannot be counted by weights=; write the rows out."
            )
        return cls(conditional, weight, trials, outcome)

    @property
    def variable(self) -> Variable:
        return self.conditional.variable

    @property
    def position(self) -> tuple[Axis, ...]:
        return self.conditional.position

    @property
    def plates(self) -> tuple[Axis, ...]:
        return tuple(axis for axis in self.position if axis is not self.outcome)

    @property
    def mass(self) -> Expr:
        """Σ exp(weight)."""
        return total(exp(self.weight), (self.outcome,) if self.outcome is not None else ())

    def at(self, indices: tuple[Expr, ...]) -> _Cells:
        """The same with its plates at those indices."""
        rules = {axis.index: index for axis, index in zip(self.plates, indices, strict=True)}
        own, outcome = self.conditional, self.outcome
        if outcome is not None and outcome.index in indices:
            rules[outcome.index] = fresh_index(outcome.index, {*indices, *self.weight.free_symbols})
        moved = replace(
            own,
            atom=own.atom.xreplace(rules),
            position=tuple(axis.renamed(rules.get(axis.index, axis.index)) for axis in own.position),
            terms=tuple(rename_apart(term, set(rules.values())).replace(rules) for term in own.terms),
            count=reindex(own.count, rules),
        )
        outcome = outcome and moved.position[own.position.index(outcome)]
        return _Cells(moved, reindex(self.weight, rules), self.trials.xreplace(rules), outcome)
