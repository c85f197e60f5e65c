"""The steps of a derivation, and the lines between them, in numbers: both sides of each by brute force."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
import scipy
from sympy import Expr, Integer, Sum, Symbol

from symem.derivation import (
    CellCounts,
    Conditional,
    Derivation,
    Linked,
    Posterior,
    Recognised,
    Relation,
    Shares,
    Step,
    Table,
    Update,
)
from symem.language.leaves import name_of, places_of
from symem.language.plates import Expectation, LogIverson
from symem.language.supports import Binary, Counts, Labels, OneHot, Positive, UnitInterval
from tests.derived import em
from tests.evaluate import Evaluator, situation
from tests.models import Row

PLACES = 12
#: Where places of a grid hold no latent, outcomes have no weight (0 log 0), or a few data leave a category out:
#: there the brute-force evaluator has no number, and such places are passed over.
UNDEFINED = {"bivariate_poisson", "bradley_terry", "click_pbm", "dawid_skene", "hmm_categorical"}

#: A latent at one place, where it is integrated out.
POINT = Symbol("point", real=True)

#: A value inside each kind of support.
INSIDE: dict[type, float] = {Binary: 1, Labels: 0, OneHot: 1, Counts: 60, Positive: 0.7, UnitInterval: 0.4}

ASIDE: dict[type, float] = {Binary: 0, Labels: 1, OneHot: 0, Counts: 61, Positive: 1.9, UnitInterval: 0.7}


def told(row: Row) -> Derivation:
    derivation: Derivation = em(row.name).derivation.informed
    return derivation


def few(derivation: Derivation, arrays: dict[str, Any]) -> dict[str, Any]:
    """A few positions of every plate that no parameter has; 300 stands for infinity."""
    model = derivation.model
    kept = {size for variable in model.parameters for size in variable.sizes}
    cut = dict(arrays)
    for variable in model.variables.values():
        if variable.name in cut and variable.sizes:
            whole = np.asarray(cut[variable.name])
            sizes = zip(variable.sizes, whole.shape, strict=False)
            part = whole[
                tuple(slice(None, None, 1 if size in kept else -(-n // PLACES)) for size, n in sizes)
            ]
            cut[variable.name] = (
                np.where(np.isinf(part), np.sign(part) * 300, part) if part.dtype == float else part
            )
    return cut


def before_the_m_step(
    row: Row, theta: dict[str, Any] | None = None, elsewhere: AbstractSet[str] = frozenset()
) -> Evaluator:
    """All names at θ⁽ᵗ⁾, or another θ, latents at some point of their supports, some at another; λ is anything."""
    derivation = em(row.name).derivation
    data = few(derivation, row.data)
    at = row.theta(row.file["start"]) if theta is None else theta
    run = Evaluator(situation(derivation.model, data, at, derivation.extents))
    for definition in (*derivation.definitions, *derivation.surrogate.statistics):
        run.define(definition.symbol, definition.axes, definition.value)
    for latent in derivation.model.latents:
        value = INSIDE.get(type(latent.support), 0.3)
        if latent.name in elsewhere:
            value = ASIDE.get(type(latent.support), -0.8)
        shape = tuple(int(run(size)) for size in (*latent.sizes, *latent.shape))
        run.values[latent.name] = np.full(shape, value) if shape else value
        if latent.seen is not None:
            shown, mask = (np.asarray(run.values[str(each.label)]) for each in latent.seen)
            run.values[latent.name] = np.where(mask == 1, shown, value)
    run.values |= {str(u.multiplier[0]): 3.0 for u in derivation.updates if isinstance(u, Shares)}
    return run


def scopes(derivation: Derivation, step: Step, run: Evaluator, most: int = 2) -> Iterator[dict[str, int]]:
    """A few values for the indices that a step leaves free."""
    known = {axis.index: axis.size for axis in (*axes_of(derivation), *step.axes)}
    free = sorted((s for s in step.before.free_symbols | step.after.free_symbols if s in known), key=str)
    ranges = [range(min(most, int(run(known[index])))) for index in free]
    for place in itertools.product(*ranges):
        yield {str(index): number for index, number in zip(free, place, strict=True)}


def axes_of(derivation: Derivation) -> list[Any]:
    defined = (
        *derivation.definitions,
        *derivation.surrogate.statistics,
        *(u.definition for u in derivation.updates),
    )
    labels = [axis for p in derivation.posteriors for _, axis in p.labels]
    return [*(axis for d in defined for axis in d.axes), *labels]


def value(run: Evaluator, side: Expr, scope: dict[str, int]) -> Any:
    """The number; where a density is too small for a double, in as many digits as it needs."""
    try:
        found = np.asarray(run(side, scope), dtype=float)
        if np.isneginf(found).any() and not side.has(LogIverson):
            return np.asarray(replace(run, context=mpmath.mp, cache={})(side, scope), dtype=float)
    except (ValueError, ZeroDivisionError):
        return np.asarray(np.nan)
    return found


# replaying -----------------------------------------------------------------------------------------------

Sides = Iterator[tuple[Any, Any]]


@dataclass
class Replay:
    """The steps of a row, both sides of each in numbers, as its law's relation says."""

    row: Row

    @cached_property
    def derivation(self) -> Derivation:
        return told(self.row)

    @cached_property
    def old(self) -> Evaluator:
        return before_the_m_step(self.row)

    @cached_property
    def new(self) -> Evaluator:
        return self._updated(self.derivation.updates)

    def _updated(self, updates: Iterable[Update]) -> Evaluator:
        run = Evaluator(dict(self.old.values))
        run.update(updates)
        return run

    def disagreements(self, step: Step) -> list[tuple[Any, ...]]:
        """The pairs of numbers that do not stand to each other as they should."""
        agree = AGREE.get(step.law.relation, alike)
        wrong = [(step.law.name, left, right) for left, right in self.pairs(step) if not agree(left, right)]
        blind = self.row.name in UNDEFINED
        return [each for each in wrong if not (blind and np.isnan(np.append(each[1], each[2])).any())]

    def pairs(self, step: Step) -> list[tuple[Any, Any]]:
        """Left and right in numbers, at a few places; none of a step that is replayed elsewhere."""
        return list(getattr(self, f"_{step.law.relation.name.lower()}")(step))

    def _at(self, run: Evaluator, *sides: Expr, step: Step) -> Sides:
        run.cache.clear()
        for scope in scopes(self.derivation, step, run):
            yield tuple(value(run, without_constraints(side), scope) for side in sides)

    def _differentiated(self, step: Step) -> Sides:
        """The slope along a direction, by a central difference."""
        for scope in scopes(self.derivation, step, self.old):
            yield slope_along(self.old, step, scope)

    def _equal(self, step: Step) -> Sides:
        yield from self._at(self.old, step.before, step.after, step=step)

    def _on_the_simplex(self, step: Step) -> Sides:
        yield from self._equal(step)

    def _at_the_update(self, step: Step) -> Sides:
        """The parameters being those of the whole M-step; conditional ones are followed one after the other."""
        run, told = self._after(step.about[0]), scaled(self.derivation, step)
        yield from self._at(run, told.before, told.after, step=told)

    _vanishes = _at_the_update

    def _after(self, parameter: Expr) -> Evaluator:
        """At the new parameters; where some are conditional, at those that are new once this one is."""
        updates = self.derivation.updates
        if not any(isinstance(update, Conditional) for update in updates):
            return self.new
        place = [update.parameter for update in updates].index(parameter)
        return self._updated(updates[: place + 1])

    def _up_to_a_constant(self, step: Step) -> Sides:
        """The gap is the same when the parameters in question move."""
        elsewhere = {name: self.new.values[name] for name in map(name_of, step.about)}
        moved = Evaluator({**self.old.values, **elsewhere})
        gap = step.before - step.after
        for scope in scopes(self.derivation, step, self.old):
            yield value(self.old, gap, scope), value(moved, gap, scope)

    def _posterior(self, step: Step) -> Sides:
        """The gap between the joint density and the terms at all places is the same when the latents move."""
        own = [each for each in self.derivation.posteriors if each.atom in step.about]
        gap = without_constraints(step.before - at_all_places(step.after, own[0]))
        moved = before_the_m_step(self.row, elsewhere={each.latent.name for each in own})
        yield value(self.old, gap, {}), value(moved, gap, {})

    def _coupled(self, step: Step) -> Sides:
        """The same where the terms are those of all places along an axis."""
        (own,) = (each for each in self.derivation.posteriors if each.atom in step.about)
        terms = at_all_places(step.after, replace(own, axes=step.axes))
        gap = without_constraints(step.before - terms)
        moved = before_the_m_step(self.row, elsewhere={own.latent.name})
        yield value(self.old, gap, {}), value(moved, gap, {})

    def _marginal(self, step: Step) -> Sides:
        """log ∫ exp of one latent, over its interval or its values; of the whole ℓ, `verify` enumerates."""
        own = [each for each in self.derivation.posteriors if (each.atom,) == step.about]
        for posterior in own:
            if isinstance(posterior, Table | Recognised):
                scope = self._where_it_is(posterior, step)
                mass = integral(self.old, posterior, Integer(1), scope)
                yield np.log(mass) if mass > 0 else -np.inf, value(self.old, step.after, scope)

    def _mean(self, step: Step) -> Sides:
        """⟨T⟩ of one latent that is not coupled; Q itself is compared with the mean over draws by `verify`."""
        own = [each for each in self.derivation.posteriors if (each.atom,) == step.about]
        for posterior in own:
            if isinstance(posterior, Table | Recognised) and not isinstance(posterior, Linked):
                inner = {m: posterior.expectations[m.args[0]] for m in step.before.atoms(Expectation)}
                function = step.before.xreplace(inner)
                scope = self._where_it_is(posterior, step)
                mass, first = (integral(self.old, posterior, f, scope) for f in (Integer(1), function))
                yield first / mass, value(self.old, step.after, scope)

    def _where_it_is(self, posterior: Posterior, step: Step) -> dict[str, int]:
        """The first place at which there is such a latent: not where an entry was seen."""
        places = scopes(self.derivation, step, self.old, most=PLACES)
        bracket = Integer(1) if posterior.condition is None else posterior.condition
        return next(scope for scope in places if self.old(bracket, scope) == 1)

    def _maximiser(self, _step: Step) -> Sides:
        """The certificate's: see test_certify."""
        yield from ()

    def _covaries(self, _step: Step) -> Sides:
        """Of all rows together: see test_louis."""
        yield from ()

    def _bends(self, _step: Step) -> Sides:
        """The ladder's: V6, see test_information_mutants."""
        yield from ()

    # bounds: what a step defines is held at θ⁽ᵗ⁾ --------------------------------------------------------

    def _held(self, step: Step) -> dict[str, Any]:
        for each in step.defines:
            self.old.define(each.symbol, each.axes, each.value)
        return {str(each.symbol): self.old.values[str(each.symbol)] for each in step.defines}

    def _at_the_old(self, step: Step) -> Sides:
        if is_closed(step):
            self._held(step)
            yield from self._at(self.old, step.before, step.after, step=step)

    def _at_least(self, step: Step) -> Sides:
        """At θ⁽ᵗ⁺¹⁾: left with its own E-step, right with that of θ⁽ᵗ⁾."""
        if not is_closed(step):
            return
        self.new.values |= self._held(step)
        self.new.cache.clear()
        theta = {v.name: self.new.values[v.name] for v in self.derivation.model.parameters}
        left = before_the_m_step(self.row, theta)
        yield value(left, step.before, {}), value(self.new, step.after, {})

    _rises = _at_least

    def _climbs(self, step: Step) -> Sides:
        self.new.values |= self._held(step)
        yield from self._at(self.new, step.before, step.after, step=step)


def slope_along(run: Evaluator, step: Step, scope: dict[str, int]) -> tuple[Any, Any]:
    """(difference of the left side over the step, the right side in that direction), a symmetric matrix staying one."""
    parameter = step.about[0]
    name, places = name_of(parameter), tuple(int(run(each, scope)) for each in places_of(parameter))
    whole = np.asarray(run.values[name], dtype=float)
    here = whole[places]
    direction = np.cos(1 + np.arange(here.size)).reshape(here.shape) if here.ndim else np.ones(())
    if here.ndim == 2 and here.shape[0] == here.shape[1]:
        direction = direction + direction.T
    width = 1e-5 * max(float(np.abs(here).max()), 1e-3)
    ends = []
    for sign in (1, -1):
        moved = whole.copy()
        moved[places] = here + sign * width * direction
        ends.append(value(Evaluator({**run.values, name: moved}), step.before, scope))
    slope = value(run, step.after, scope)
    return (ends[0] - ends[1]) / (2 * width), np.sum(np.reshape(slope, direction.shape) * direction)


def is_closed(step: Step) -> bool:
    """Whether H(q) has a closed form; where it has none, as that of a count, ascent itself is still replayed."""
    return not any(each.value.has(Expectation) for each in step.defines)


def alike(left: Any, right: Any) -> bool:
    return bool(np.allclose(left, right, rtol=1e-7, atol=1e-7))


def at_least(left: Any, right: Any) -> bool:
    return bool(left >= right - 1e-7 * max(1.0, abs(float(right))))


def about_alike(left: Any, right: Any) -> bool:
    """As near as a difference tells."""
    return bool(np.allclose(left, right, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(left)))))


AGREE = {
    **dict.fromkeys((Relation.AT_LEAST, Relation.RISES, Relation.CLIMBS), at_least),
    Relation.DIFFERENTIATED: about_alike,
}


def scaled(derivation: Derivation, step: Step) -> Step:
    """λ at its value."""
    own = [u for u in derivation.updates if isinstance(u, Shares) and u.parameter in step.about]
    if not own or step.defines:
        return step
    values = dict([own[0].multiplier])
    return replace(step, before=step.before.xreplace(values), after=step.after.xreplace(values))


def at_all_places(terms: Expr, posterior: Posterior) -> Expr:
    """The gathered terms of a latent, added up over its places."""
    labels = {axis for _, axis in posterior.labels}
    own = [axis for axis in posterior.axes if axis not in labels]
    own += [posterior.outcome] if isinstance(posterior, CellCounts) and posterior.outcome not in own else []
    terms = terms.xreplace({axis.index: atom for atom, axis in posterior.labels})
    bracket = Integer(1) if posterior.condition is None else posterior.condition
    return Sum(terms * bracket, *(axis.limits for axis in own)) if own else terms * bracket


def without_constraints(expr: Expr) -> Expr:
    """Where the constraints hold."""
    return expr.xreplace({each: Integer(0) for each in expr.atoms(LogIverson)})


def integral(run: Evaluator, posterior: Table | Recognised, f: Expr, scope: dict[str, int]) -> float:
    """∫ f exp(log-density) over the latent, at one place."""
    whole = isinstance(posterior, Recognised)  # its bounds say where it lies, a table's constraints do
    density = without_constraints(posterior.log_density) if whole else posterior.log_density

    density, f = (side.xreplace({posterior.atom: POINT}) for side in (density, f))

    def at(side: Expr, point: Any) -> float:
        return float(value(run, side, {**scope, POINT.name: point}))

    if isinstance(posterior, Table):
        places = (
            {**scope, str(posterior.outcome.index): k} for k in range(int(run(posterior.outcome.size, scope)))
        )
        points = [run(posterior.value, place) for place in places]
        return float(sum(at(f, point) * np.exp(at(density, point)) for point in points))
    low, high = (float(end) if end.is_infinite else float(run(end, scope)) for end in posterior.bounds)
    if posterior.row.home.discrete:
        points = list(range(int(low), int(min(high, low + 100)) + 1))
        return float(sum(at(f, point) * np.exp(at(density, point)) for point in points))
    return smooth(lambda u: at(density, u), lambda u: at(f, u), low, high)


def charted(low: float, high: float) -> tuple[Any, Any]:
    """(u, du/dt) of t on the whole line."""
    if np.isinf(low) and np.isinf(high):
        return np.sinh, np.cosh
    if np.isinf(low):
        return lambda t: high - np.exp(t), np.exp
    if np.isinf(high):
        return lambda t: low + np.exp(t), np.exp
    width = high - low
    return lambda t: low + width / (1 + np.exp(-t)), lambda t: width / (2 + np.exp(t) + np.exp(-t))


def smooth(log_density: Any, f: Any, low: float, high: float) -> float:
    """∫ f exp(log-density) by the trapezoidal rule, where the integrand is not negligible."""
    place, slope = charted(low, high)

    def height(t: float) -> float:
        return float(log_density(place(t)) + np.log(slope(t)))

    top = scipy.optimize.minimize_scalar(lambda t: -height(t), bounds=(-25, 25), method="bounded").x
    reach, peak = {-1: 1e-3, 1: 1e-3}, height(top)
    for side in (-1, 1):
        while height(top + side * reach[side]) > peak - 32:
            reach[side] *= 1.5
    grid = np.linspace(top - reach[-1], top + reach[1], 240)
    return float(np.trapezoid([f(place(t)) * np.exp(height(t)) for t in grid], grid))
