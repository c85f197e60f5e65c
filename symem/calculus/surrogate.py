"""Q(θ | θ⁽ᵗ⁾) and the expected sufficient statistics on which it depends.

Each term of E[log p(x, z; θ)] splits into a part in the parameters and a part in data and posterior means;
the latter, summed over all axes the parameters do not carry, is a statistic. (Dempster, Laird & Rubin 1977,
section 2.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Add, Eq, Expr, Indexed, Symbol

from symem.calculus.angles import angles_apart
from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.exponents import exponents_apart
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, fold, inner_indices, rejoin, tidy
from symem.calculus.simplex_sums import with_whole_shares
from symem.calculus.statistics import Named, Statistics
from symem.calculus.weighted_sums import Facts
from symem.derivation import GaussianStates, GaussianVector, Quadrature, Recognised, Tabulated
from symem.errors import NotDerivedError
from symem.language.leaves import array_of, places_of
from symem.language.matrices import ENTRY
from symem.language.model import Model, Variable
from symem.language.plates import Axis, Expectation, Iverson, LogIverson, index_symbol


@dataclass(frozen=True)
class Expected:
    """E[log p(x, z; θ) | x, θ⁽ᵗ⁾] as terms in statistics, and its part without parameters."""

    named: Named
    constant: Expr


def expected(
    model: Model,
    complete: tuple[Term, ...],
    prior: tuple[Term, ...],
    expectations: Expectations,
    names: Names,
) -> Expected:
    """Take the posterior mean of every term, and gather the statistics."""
    kinds = [one.posterior for one in expectations.eliminated]
    nodes = {
        array_of(node.symbol) for each in kinds if isinstance(each, Quadrature) for _, node in each.nodes
    }
    nodes |= {array_of(d.symbol) for each in kinds if isinstance(each, Recognised) for d in each.parameters}
    statistics, constants = Statistics(model, names, frozenset(nodes)), []
    means: list[Term] = []
    for term in complete:
        if any(atoms_of(term.factor, parameter) for parameter in model.parameters):
            means += expectations.of(term)
        elif not term.factor.has(LogIverson):
            constants.append(_constant(term, expectations, model))
    for term in prior:
        if any(atoms_of(term.factor, parameter) for parameter in model.parameters):
            means.append(term)
        else:
            constants.append(fold(term).expr)
    means = [
        exponents_apart(part, model.parameters)
        for term in means
        for part in angles_apart(with_whole_shares(term, model.parameters), model.parameters)
    ]
    running = running_slots(means, model.parameters)
    for term in means:
        statistics.take(plain_indices(term, model.parameters, running))
    return Expected(statistics.named(facts_of(statistics, expectations)), Add(*constants))


def facts_of(statistics: Statistics, expectations: Expectations) -> Facts:
    """What is known of the letters in statistics."""
    posteriors = [one.posterior for one in expectations.eliminated]
    tables = [each for each in posteriors if isinstance(each, Tabulated)]
    shares = {array_of(each.probability.symbol): each.outcome for each in tables}
    moments = expectations.moments
    variances: dict[Expr, Expr | None] = {
        array_of(d.symbol): array_of(moments[name, mean.args[0]].symbol)
        for (name, statistic), d in moments.items()
        for mean in statistic.atoms(Expectation)
    }
    variances |= {array_of(each.covariance): None for each in posteriors if isinstance(each, GaussianVector)}
    for each in posteriors:
        if isinstance(each, GaussianStates):
            mean = None if each.latent.shape else array_of(each.mean)
            variances |= {array_of(each.covariance): mean, array_of(each.neighbours.symbol): None}
    variances |= {
        array_of(value): None
        for each in posteriors
        if isinstance(each, Recognised) and each.inline
        for value in [each.variance(each.atom)]
        if value is not None and value.is_Atom | isinstance(value, Indexed)
    }
    model = statistics.model
    data = frozenset(v.symbol for v in model.data)
    counting = frozenset((*(mask.symbol for mask in model.masks), *(each.array for each in model.weights)))
    neighbours = {
        array_of(each.neighbours.symbol): (array_of(each.mean), each.slot, getattr(each, "parent", None))
        for each in posteriors
        if isinstance(each, GaussianStates) and not each.latent.shape
    }
    states = frozenset(array_of(each.mean) for each in posteriors if isinstance(each, GaussianStates))
    return Facts(frozenset(statistics.fixed), shares, variances, data, counting, neighbours, states)


def _constant(term: Term, expectations: Expectations, model: Model) -> Expr:
    """A term without parameters: its mean if it has one, else the unevaluated mean."""
    if not any(atoms_of(term.factor, latent) for latent in model.latents):
        return fold(term).expr
    try:
        return rejoin(fold(mean) for mean in expectations.of(term))
    except NotDerivedError:
        return Term(Expectation(term.factor), term.axes).expr


class Reach:
    """Whether an expression can be had from statistics, parameters and constants alone."""

    def __init__(self, model: Model, eliminated: Iterable[Eliminated]) -> None:
        arrays = [v for v in (*model.data, *model.masks) if v.sizes or v.shape]
        self._beyond = {v.symbol for v in (*arrays, *(v for v in model.known if v.sizes))}
        for one in eliminated:
            named = (*one.posterior.parameters, *one.posterior.definitions, one.posterior.log_normaliser)
            self._beyond |= {array_of(d.symbol) for d in named}

    def __call__(self, expr: Expr) -> bool:
        bases = {array_of(atom) for atom in expr.atoms(Indexed, Symbol)}
        return not (bases | expr.atoms(Indexed)) & self._beyond


# places of parameters ---------------------------------------------------------------------------------


def running_slots(terms: Iterable[Term], parameters: Iterable[Variable]) -> set[tuple[str, int]]:
    """The slots of parameters in which something other than a literal stands somewhere."""
    return {
        (variable.name, slot)
        for term in terms
        for variable in parameters
        for atom in atoms_of(term.factor, variable)
        for slot, place in enumerate(places_of(atom))
        if not place.is_Integer
    }


def plain_indices(term: Term, parameters: Iterable[Variable], running: set[tuple[str, int]]) -> Term:
    """Give every parameter plain indices: θ[x_i] becomes Σ_v [x_i = v] θ[v].

    A literal stays where only literals stand in that slot; next to θ[k], θ[0] is Σ_v [0 = v] θ[v].
    """
    factor, axes = term.factor, term.axes
    for variable in parameters:
        for atom in atoms_of(factor, variable):
            for slot, place in enumerate(places_of(atom)):
                literal = place.is_Integer and (variable.name, slot) not in running
                bound = {axis.index for axis in axes} | inner_indices(factor) | {ENTRY}
                if literal or place in bound:
                    continue
                axis = _category_axis(variable, slot, factor, axes)
                factor = _at_category(factor, place, axis, tuple(parameters)) * Iverson(Eq(place, axis.index))
                axes = (*axes, axis)
    return tidy(Term(factor, axes))


def _category_axis(variable: Variable, slot: int, factor: Expr, axes: tuple[Axis, ...]) -> Axis:
    taken = factor.free_symbols | {a.index for a in axes}
    names = ("v", "u", *(f"v_{number}" for number in range(2, 99)))
    return Axis(next(index_symbol(n) for n in names if index_symbol(n) not in taken), variable.sizes[slot])


def _at_category(factor: Expr, place: Expr, axis: Axis, parameters: tuple[Variable, ...]) -> Expr:
    rules: dict[Expr, Expr] = {}
    for variable in parameters:
        for slot, size in enumerate(variable.sizes):
            for atom in atoms_of(factor, variable):
                if atom.indices[slot] == place and size == axis.size:
                    places = list(rules.get(atom, atom).indices)
                    places[slot] = axis.index
                    rules[atom] = atom.base[tuple(places)]
    return factor.xreplace(rules)
