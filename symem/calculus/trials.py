"""Numbers for what was not proved: Q and the M-step at random attainable statistics, sizes being small.

Data, known quantities and θ⁽ᵗ⁾ are drawn from their supports, posterior probabilities from simplexes, posterior
means from where such means can lie (E[u²] > E[u]², E[log u] < log E[u]); the statistics are then computed from
their definitions, so that they could all occur together. A check at such points is no proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from sympy import Abs, Expr, Idx, IndexedBase, Symbol, log, oo

from symem.calculus.count_totals import with_totals
from symem.derivation import (
    Ascent,
    Causes,
    Conditional,
    Definition,
    Derivation,
    GaussianStates,
    GaussianVector,
    Linked,
    MemberCounts,
    OfFactor,
    Posterior,
    Probabilities,
    Recognised,
    Shared,
    Tabulated,
    Tree,
    Update,
)
from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic, Arrays, depths, evaluate
from symem.evaluation.members import random_member, random_parameters, shape_of
from symem.evaluation.stacks import Array
from symem.evaluation.updating import updated
from symem.language.leaves import name_of, places_of
from symem.language.matrix_supports import PositiveDefinite
from symem.language.model import Variable
from symem.language.plates import Expectation
from symem.language.support_ends import ends_of, indices_of
from symem.language.supports import Reals, UnitInterval
from symem.language.symbol_names import names_in

#: The array that moves each mean away from an end of where it may lie.
_AWAY = "_away"
#: How much further counts vary than if each were the mean of the others.
_SPREAD = 5


def places_in(parameter: Expr) -> tuple[int | slice, ...]:
    """Where a representative entry stands in the array of values: a place that is a number, or all of an axis."""
    return tuple(int(each) if each.is_Integer else slice(None) for each in places_of(parameter))


class Trial:
    """One random situation: everything that Q and the M-step refer to, and θ⁽ᵗ⁺¹⁾ computed from it."""

    def __init__(self, derivation: Derivation, seed: int) -> None:
        self._derivation, self._rng = derivation, np.random.default_rng(seed)
        model, updates = derivation.model, derivation.updates
        self._climbs = any(isinstance(each, Ascent) and not each.within.concave for each in updates)
        self.arrays: Arrays = dict(small_sizes(derivation))
        given = (*model.known, *model.data, *model.masks)
        for variable in sorted(given, key=self._is_bound_by_data):
            self.arrays[variable.name] = self.given(variable)
        self.arrays = with_totals(model, self.arrays, {v.name for v in model.data}, self._rng)
        self.arrays |= random_parameters(model, self._rng, self.arrays)
        for posterior in reversed(derivation.posteriors):
            self._draw(posterior)
        self.arrays = evaluate(derivation.surrogate.statistics, self.arrays)
        self.after = updated(updates, self.arrays, sure=self._climbs)

    @property
    def has_maximum(self) -> bool:
        """Whether what is climbed, where Q is not known to be concave, ends at a maximum."""
        names = {name_of(u.parameter) for u in self._derivation.updates if isinstance(u, Ascent)}
        return all(bool(np.all(np.isfinite(self.after[name]))) for name in names)

    def at(self, update: Update) -> Arrays:
        """What an update meets: if it is a conditional maximiser, old values of what is updated after it; of factors always."""
        updates = self._derivation.updates
        later = [
            each
            for each in updates[updates.index(update) + 1 :]
            if (each.block != update.block and isinstance(each, OfFactor))
            or (isinstance(update, Conditional) and not isinstance(update, OfFactor))
        ]
        met = dict(self.after)
        for each in later:
            name, places = name_of(each.parameter), places_in(each.parameter)
            met[name] = np.array(met[name])
            met[name][places] = np.asarray(self.arrays[name])[places]
        return met

    def given(self, variable: Variable) -> Array:
        """An array in the support of a variable."""
        model = self._derivation.model
        scatter = isinstance(variable.support, PositiveDefinite)
        if variable in model.known and variable.symbol in model.log_prior.free_symbols and not scatter:
            return self._rng.uniform(1.5, 3, shape_of(variable, self.arrays))
        if not model.declarations and type(variable.support) is Reals:
            variable = replace(variable, support=UnitInterval())
        found = random_member(variable, self._rng, self.arrays, self._ends(variable))
        counts = variable in model.data and variable.support.kind == "count"
        if self._climbs and counts and variable.support.bounds[1] == oo:
            found = found * self._rng.integers(0, _SPREAD, found.shape)  # else no shape need have a maximum
        return found

    def _is_bound_by_data(self, variable: Variable) -> bool:
        """Whether something known has data as an end: a total, which is their sum."""
        model = self._derivation.model
        data = {each.name for each in model.data}
        return variable in model.known and any(data & names_in(end) for end in ends_of(variable, model))

    def _ends(self, variable: Variable) -> tuple[Array, Array]:
        """The ends of the support at each place, NaN where nothing says them yet."""
        model, scope = self._derivation.model, Arithmetic(self.arrays)
        indices = tuple(indices_of(variable, model))
        shape = shape_of(variable, self.arrays)[: len(indices)]
        found = []
        for end in ends_of(variable, model):
            try:
                found.append(scope.table(end, indices, shape))
            except UnknownSymbolError:
                found.append(np.full(shape, np.nan))
        return found[0], found[1]

    # -- posteriors --------------------------------------------------------------------------------------

    def _draw(self, posterior: Posterior) -> None:
        if isinstance(posterior, Linked):
            self._linked(posterior)
        elif isinstance(posterior, Probabilities):
            self._shares(posterior)
        if isinstance(posterior, Causes):
            events = (each for each in posterior.parts if each.symbol == posterior.event)
            self.arrays = evaluate([replace(each, value=self._away(each)) for each in events], self.arrays)
        if isinstance(posterior, GaussianVector | Recognised):
            self.arrays = evaluate(posterior.parameters, self.arrays)
        if isinstance(posterior, GaussianStates):
            self.arrays = evaluate(posterior.definitions, self.arrays)
        means = {
            statistic: d
            for d in posterior.moments
            for statistic, e in posterior.expectations.items()
            if e == d.symbol
        }
        for statistic in sorted(means, key=lambda each: each != posterior.atom):
            definition = means[statistic]
            if not isinstance(posterior, Shared):
                definition = replace(definition, value=self._attainable(posterior, statistic, means))
            self.arrays = evaluate([definition], self.arrays)

    def _away(self, definition: Definition) -> Expr:
        """A number below one, drawn anew at each place."""
        scope = Arithmetic(self.arrays)
        shape = tuple(scope.integer(axis.size) for axis in definition.axes)
        self.arrays[_AWAY] = self._rng.uniform(0.1, 1, shape)
        indices = tuple(axis.index for axis in definition.axes)
        return IndexedBase(_AWAY)[indices] if indices else Symbol(_AWAY)

    def _shares(self, posterior: Probabilities) -> None:
        definition = posterior.probability
        self.arrays = evaluate([replace(definition, value=self._away(definition))], self.arrays)
        if isinstance(posterior, Tabulated):
            values = self.arrays[name_of(definition.symbol)]
            values /= values.sum(axis=definition.symbol.indices.index(posterior.outcome.index), keepdims=True)
        else:
            self._together(posterior)

    def _linked(self, labels: Linked) -> None:
        """Labels of a chain or of a tree, each with a random law given the one before it, that of its parent."""
        scope, axes = Arithmetic(self.arrays), labels.probability.axes
        *sizes, count = [scope.integer(axis.size) for axis in axes]
        slot = axes.index(labels.along)
        places = sizes.pop(slot)
        before = np.arange(-1, places - 1)
        if isinstance(labels, Tree):
            before = self.arrays[name_of(labels.parent)]
        tables, pairs = np.empty((places, *sizes, count)), np.zeros((places, *sizes, count, count))
        for place in np.argsort(depths(before), kind="stable"):
            if before[place] < 0:
                tables[place] = self._rng.dirichlet(np.ones(count), sizes)
            else:
                law = self._rng.dirichlet(np.ones(count), (*sizes, count))
                pairs[place] = tables[before[place]][..., None] * law
                tables[place] = pairs[place].sum(axis=-2)
        self.arrays[name_of(labels.probability.symbol)] = np.moveaxis(tables, 0, slot)
        pairs = pairs if isinstance(labels, Tree) else pairs[1:]
        self.arrays[name_of(labels.pair.symbol)] = np.moveaxis(pairs, 0, slot)

    def _together(self, posterior: MemberCounts) -> None:
        """Counts that share a total: the shares of the group sum to one."""
        mass = posterior.log_normaliser
        group = [p for p in self._derivation.posteriors if p.log_normaliser.symbol == mass.symbol]
        shares = {
            name_of(p.probability.symbol): p.probability.axes for p in group if isinstance(p, MemberCounts)
        }
        if set(shares) <= set(self.arrays):
            beside = {
                n: tuple(d for d, a in enumerate(axes) if a not in mass.axes) for n, axes in shares.items()
            }
            whole = sum(self.arrays[name].sum(axis=own) for name, own in beside.items())
            self.arrays |= {n: self.arrays[n] / np.expand_dims(whole, own) for n, own in beside.items()}
            known = [each for p in group for each in p.moments if name_of(each.symbol) in self.arrays]
            self.arrays = evaluate(known, self.arrays)

    def _attainable(self, posterior: Posterior, statistic: Expr, means: Mapping[Expr, Definition]) -> Expr:
        """A mean that a law on the latent's support can have beside E[u]."""
        u, away = posterior.atom, self._away(means[statistic])
        low, high = (self._settled(end, means[statistic]) for end in posterior.interval)
        inner = low + away * (1 if high == oo else high - low) if abs(low) != oo else away
        if statistic == u:
            return inner
        centre = means[u].symbol if u in means else inner
        if statistic.has(Expectation):
            return away
        if isinstance(statistic, log):
            return log(Abs(statistic.args[0].xreplace({u: centre}))) - away
        return statistic.xreplace({u: centre}) + away

    def _settled(self, end: Expr, definition: Definition) -> Expr:
        """An end of an interval; infinity where it is not known yet."""
        indices = {str(axis.index) for axis in definition.axes}
        return oo if end.has(Idx) or names_in(end) - indices - set(self.arrays) else end


def small_sizes(derivation: Derivation) -> dict[str, int]:
    """Two entries for what parameters and labels show, three for vectors of data, more for plates of data."""
    model = derivation.model
    shown = {s for v in model.parameters for size in (*v.sizes, *v.shape) for s in size.free_symbols}
    shown |= {s for v in model.latents for size in v.shape for s in size.free_symbols}
    wide = {s for v in model.data if v.sizes for size in v.shape for s in size.free_symbols}
    plates = {s.symbol: 3 if s.symbol in wide else 2 if s.symbol in shown else 5 for s in model.sizes}
    if wide:
        plates = {symbol: 9 if number == 5 else number for symbol, number in plates.items()}
    return {str(s): number for s, number in (plates | {e.symbol: 3 for e in derivation.extents}).items()}
