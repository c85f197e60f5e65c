"""Latents with finitely many values: a table of log weights, their log-sum, their softmax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Add, Eq, Expr, Integer, Ne, Or, S, Sum, Symbol, exp, expand, log

from symem.calculus.brackets import collapse_to_index
from symem.calculus.eliminated import Case, Elimination
from symem.calculus.gathering import Conditional, atoms_of
from symem.calculus.separate import Term, fold, gather, rejoin, separate
from symem.derivation import Definition, Table
from symem.errors import NotDerivedError
from symem.language.counting_families import Bernoulli
from symem.language.plates import Axis, Iverson, LogIverson
from symem.language.reading import Extent
from symem.language.supports import Binary
from symem.language.weights import count_of, once


@dataclass(frozen=True)
class Outcomes:
    """The values of a finite latent: the axis that numbers them, and the latent at one of them."""

    axis: Axis
    value: Expr
    family: str
    extent: Extent | None = None

    def inside(self) -> list[Term]:
        """Where the number of values differs from position to position, the constraint to those there are."""
        return [Term(LogIverson(self.axis.index < self.extent.value))] if self.extent else []


class OutOfTurnError(NotDerivedError):
    """A label cannot be summed out as long as another latent, for a reason of its own, is still there."""


def eliminate_finite(state: Elimination, case: Case) -> None:
    """Sum a label or a binary latent out.

    Raises:
        NotDerivedError: another latent, no label, stands in its log weights, so that their log-sum is no term in it.
    """
    if case.depends_on_others():
        raise OutOfTurnError(
            f"The log weights of {case.atom} depend on {', '.join(map(str, case.others()))}, which must be eliminated before."
        )
    case = replace(case, conditional=with_companions(state, case.conditional))
    axis = state.outcome_axis(case.variable, case.used_indices)
    family = Bernoulli.name if isinstance(case.variable.support, Binary) else "Categorical"
    _tabulate(state, case, Outcomes(axis, axis.index, family))


def eliminate_range(state: Elimination, case: Case, bounds: tuple[Expr, Expr]) -> None:
    """Sum a count on a finite range out that no family matches."""
    length = expand(bounds[1] - bounds[0] + 1)
    size, extent = length, None
    if length.free_symbols & set(case.places):
        size = Symbol(state.names.fresh(f"max_{case.variable.name}"), integer=True, positive=True)
        extent = Extent(size, length, case.axes)
    axis = state.names.axis(size, case.variable.name, case.used_indices)
    _tabulate(state, case, Outcomes(axis, bounds[0] + axis.index, "Categorical", extent))


def with_companions(state: Elimination, conditional: Conditional) -> Conditional:
    """Add the terms at the same position that hold parameters but no latent.

    The weight is then p(x, z) at that position, and the normaliser is log p(x).
    """
    places = {axis.index for axis in conditional.position}
    if conditional.condition != 1 or not places:
        return conditional
    weights = state.model.weights
    joining = [
        term
        for term in conditional.rest
        if places <= term.indices
        and _is_companion(state, term)
        and count_of(term.factor, weights) == conditional.count
    ]
    inner = tuple(
        Term(once(t.factor, weights), tuple(a for a in t.axes if a.index not in places)) for t in joining
    )
    rest = tuple(term for term in conditional.rest if term not in joining)
    return replace(conditional, terms=(*conditional.terms, *inner), rest=rest)


def _is_companion(state: Elimination, term: Term) -> bool:
    if term.factor.has(LogIverson) or any(atoms_of(term.factor, latent) for latent in state.model.latents):
        return False
    return any(atoms_of(term.factor, parameter) for parameter in state.model.parameters)


def _tabulate(state: Elimination, case: Case, outcomes: Outcomes) -> None:
    name, axis = case.variable.name, outcomes.axis
    full, places = (*case.axes, axis), (*case.places, axis.index)
    weight = state.names.entry(f"eta_{name}", places, real=True)
    normaliser = state.normaliser(case.variable, case.axes, log(Sum(exp(weight), axis.limits)))
    gamma = state.names.entry(f"gamma_{name}", places, nonnegative=True)
    table = Table(
        **case.shared,
        family=outcomes.family,
        log_density=rejoin(case.terms),
        log_normaliser=normaliser,
        outcome=axis,
        log_weight=Definition(weight, full, _log_weight(case, outcomes)),
        probability=Definition(gamma, full, exp(weight - normaliser.symbol)),
        value=outcomes.value,
        extent=outcomes.extent,
    )
    state.leave(table, case.conditional, normaliser.symbol)


def _log_weight(case: Case, outcomes: Outcomes) -> Expr:
    """The gathered terms with the latent at an outcome."""
    rules = {case.atom: outcomes.value}
    parts = [
        collapse_to_index(part, outcomes.axis.index)
        for t in definite(case.terms, case.yes_or_no)
        for part in _reseparate(t, rules)
    ]
    return Add(*(fold(term).expr for term in gather([*parts, *outcomes.inside()])))


def _reseparate(term: Term, rules: Mapping[Expr, Expr]) -> list[Term]:
    return [Term(part.factor, part.axes + term.axes) for part in separate(term.factor.xreplace(dict(rules)))]


def definite(terms: Iterable[Term], choices: Iterable[Expr]) -> list[Term]:
    """The terms with no logarithm of what vanishes at 0 or at 1 of a choice: there c log 0 says that c is 0."""
    for choice in choices:
        terms = list(_definite(terms, choice))
    return list(terms)


def _definite(terms: Iterable[Term], choice: Expr) -> Iterator[Term]:
    counts: dict[tuple[Expr, int, tuple[Axis, ...]], Expr] = {}
    for term in terms:
        logs = [f for f in term.factors() if isinstance(f, log) and f.has(choice)]
        places = ((f, v) for f in logs for v in (0, 1) if f.args[0].xreplace({choice: Integer(v)}) == 0)
        zero, value = next(places, (None, 0))
        if zero is None:
            yield term
        else:
            key = zero, value, term.axes
            counts[key] = counts.get(key, S.Zero) + term.factor / zero
    for (zero, value, axes), count in counts.items():
        there, elsewhere = ({choice: Integer(each)} for each in (value, 1 - value))
        impossible = Or(Ne(choice, value), Eq(count.xreplace(there), 0))
        yield Term(LogIverson(impossible), axes)
        rest = Iverson(Eq(choice, 1 - value)) * (count * zero).xreplace(elsewhere)
        yield from (Term(part.factor, part.axes + axes) for part in separate(rest))


def at_value(terms: Iterable[Term], choice: Expr, value: int) -> Expr:
    """The sum of terms at a value of what stands in them."""
    parts = [part for term in terms for part in _reseparate(term, {choice: Integer(value)})]
    return rejoin(map(fold, gather(parts)))


def by_value(outcome: Symbol, values: Sequence[Expr]) -> Expr:
    """One value for each outcome."""
    return Add(*(Iverson(Eq(outcome, place)) * value for place, value in enumerate(values)))
