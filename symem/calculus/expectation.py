"""Posterior means of terms, by the law of total expectation in the order of elimination, and the records with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import assert_never

from sympy import And, Eq, Expr, Indexed, Mul, S, Symbol, log

from symem.calculus.causal_independence import products_of
from symem.calculus.density import split_factor
from symem.calculus.eliminated import Eliminated
from symem.calculus.exponents import held_apart
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of
from symem.calculus.gaussian_vectors import second_moments, vector_mean
from symem.calculus.means_of_states import mean_of_states, moments_of_states
from symem.calculus.separate import Term, conditions_of, separate
from symem.derivation import (
    Causes,
    CellCounts,
    Definition,
    GaussianStates,
    GaussianVector,
    Linked,
    MemberCounts,
    Posterior,
    Quadrature,
    Recognised,
    Shared,
    Table,
)
from symem.errors import NotDerivedError
from symem.language.leaves import places_of
from symem.language.plates import Axis, Iverson, LogIverson, deviation, fresh_index, reindex
from symem.language.supports import Binary


@dataclass
class Expectations:
    """E[term | data, θ⁽ᵗ⁾]; the moments that were needed are named once and kept with their latent."""

    eliminated: list[Eliminated]
    names: Names
    moments: dict[tuple[str, Expr], Definition] = field(default_factory=dict)

    def of(self, term: Term) -> list[Term]:
        """The posterior mean of a term, as terms in named moments and probabilities.

        Raises:
            NotDerivedError: a latent occurs in a function whose posterior mean has no closed form.
        """
        terms = [term]
        for each in self.eliminated:
            terms = [mean for part in terms for mean in self.over(each, part)]
        return terms

    def over(self, one: Eliminated, term: Term) -> list[Term]:
        """The posterior mean of a term over one latent, given those that are eliminated later."""
        atoms = atoms_of(term.factor, one.posterior.latent)
        if not atoms:
            return [term]
        if term.factor.has(LogIverson):
            return []
        if isinstance(one.posterior, Causes) and (found := products_of(term.factor, one.posterior.latent)):
            return self._of_event(Here(one, atoms[0]), one.posterior, found, term)
        if isinstance(one.posterior, Linked) and len(atoms) == 2:
            return self._of_pair(one, one.posterior, atoms, term)
        if isinstance(one.posterior, Quadrature):
            return [self._at_nodes(one, one.posterior, term)]
        if isinstance(one.posterior, GaussianStates):
            return _over(term.axes, _of_states(one, one.posterior, atoms, term.factor))
        return self._alone(one, atoms, term)

    def _alone(self, one: Eliminated, atoms: list[Expr], term: Term) -> list[Term]:
        """Of a latent that the term holds at one place."""
        if len(atoms) > 1:
            raise NotDerivedError(
                f"The mean of {term.factor} needs the joint posterior of {atoms[0]} and {atoms[1]}."
            )
        here = Here(one, atoms[0])
        match one.posterior:
            case Table() as table:
                return self._finite(here, table, term)
            case GaussianVector() as vector:
                mean, covariance = here.placed(vector.mean), here.placed(vector.covariance)
                return _over(term.axes, vector_mean(term.factor, here.atom, mean, covariance))
            case CellCounts() | MemberCounts() | Recognised() as posterior:
                return self._moment(here, posterior, term)
            case Quadrature() | GaussianStates():
                raise AssertionError
            case _:
                assert_never(one.posterior)

    # -- finite posteriors -----------------------------------------------------------------------------

    def _finite(self, here: Here, table: Table, term: Term) -> list[Term]:
        """Σ_k γ_k f(k); where f is a bracket or a 0/1 factor, the one outcome it selects."""
        binary = isinstance(table.latent.support, Binary)
        one_of = selected(term.factor, here.atom, binary=binary)
        if one_of is not None:
            outcome, rest = one_of
            return [Term(here.probability(table, outcome) * rest, term.axes)]
        return self._two_values(here, table, term) if binary else [self._summed(here, table, term)]

    def _two_values(self, here: Here, table: Table, term: Term) -> list[Term]:
        """γ₀ f(0) + γ₁ f(1): any function of a binary latent is a table."""
        shares = ((value, here.probability(table, value)) for value in (S.Zero, S.One))
        return self._either(term, here.atom, shares)

    def _summed(self, here: Here, table: Table, term: Term) -> Term:
        index = table.outcome.index
        if index in term.indices or index in term.factor.free_symbols:
            index = fresh_index(index, set(term.indices) | term.factor.free_symbols)
        value = here.placed(table.value.xreplace({table.outcome.index: index}))
        factor = term.factor.xreplace({here.atom: value}) * here.probability(table, index)
        return Term(factor, (*term.axes, Axis(index, table.outcome.size)))

    def _at_nodes(self, one: Eliminated, posterior: Quadrature, term: Term) -> Term:
        """Σ_q γ_q f(u_q), of all latents that have these nodes.

        Raises:
            NotDerivedError: the term holds one of them at two positions.
        """
        taken, index = {*term.indices, *term.factor.free_symbols}, posterior.outcome.index
        index = fresh_index(index, taken) if index in taken else index
        found = [
            (atom, node)
            for own, node in posterior.nodes
            for atom in term.factor.atoms(Indexed, Symbol)
            if atom == own or getattr(atom, "base", None) == getattr(own, "base", own)
        ]
        places = {places_of(atom) for atom, _node in found}
        if len(places) > 1:
            raise NotDerivedError(
                f"The mean of {term.factor} needs the joint posterior of entries at several positions."
            )
        here = Here(one, found[0][0])
        rules = {posterior.outcome.index: index}
        values = {atom: here.placed(node.symbol).xreplace(rules) for atom, node in found}
        share = here.placed(posterior.probability.symbol).xreplace(rules)
        moving = [each.symbol for each in self.names.model.parameters]
        factor = held_apart(term.factor.xreplace(values), [*values.values()], moving)
        return Term(factor * share, (*term.axes, Axis(index, posterior.outcome.size)))

    def _of_pair(self, one: Eliminated, chain: Linked, atoms: list[Expr], term: Term) -> list[Term]:
        """Σ ξ f over the labels of two neighbours."""
        ordered = chain.in_order(*atoms)
        if ordered is None:
            raise NotDerivedError(
                f"The mean of {term.factor} needs the joint posterior of {atoms[0]} and {atoms[1]}."
            )
        first, second, at, place = ordered
        here, taken = Here(one, at), {*term.indices, *term.factor.free_symbols}
        share = here.placed(chain.pair.symbol).xreplace({chain.steps.index: place})
        outcomes = (chain.outcome.index, chain.following.index)
        if isinstance(chain.latent.support, Binary):
            values = [(a, b) for a in (S.Zero, S.One) for b in (S.Zero, S.One)]
            cells = [(at, share.xreplace(dict(zip(outcomes, at, strict=True)))) for at in values]
            terms = ((term.factor.xreplace({first: a, second: b}), cell) for (a, b), cell in cells)
            return _possible(term.axes, terms)
        fresh: list[Symbol] = []
        for index in outcomes:
            free = index if index not in taken else fresh_index(index, taken | {*outcomes, *fresh})
            fresh.append(free)
        share = share.xreplace(dict(zip(outcomes, fresh, strict=True)))
        axes = (*term.axes, *(Axis(index, chain.outcome.size) for index in fresh))
        return [Term(term.factor.xreplace({first: fresh[0], second: fresh[1]}) * share, axes)]

    def _of_event(self, here: Here, causes: Causes, products: list[Expr], term: Term) -> list[Term]:
        """(1 - π) f(0) + π f(1), π the probability of the event that all of several latents take part in."""
        (product, *others), latent = products, causes.latent
        if causes.event is None or others or atoms_of(term.factor.xreplace({product: S.One}), latent):
            c = f"c[{', '.join(map(str, places_of(causes.atom)))}]"
            raise NotDerivedError(
                f"The mean of {term.factor} over all {causes.atom} has no closed form in its parameters: let what each {causes.atom} "
                f"does be a latent of its own, {c}: Bernoulli({causes.chance}), and write ∏ (1 - {c}) for that product."
            )
        share = here.placed(causes.event)
        return self._either(term, product, ((S.Zero, 1 - share), (S.One, share)))

    @staticmethod
    def _either(term: Term, choice: Expr, shares: Iterable[tuple[Expr, Expr]]) -> list[Term]:
        """Σ γ f(v) over the values of what is one of two; what is impossible, as log f(v) is -∞, counts for nothing."""
        return _possible(
            term.axes, ((term.factor.xreplace({choice: value}), share) for value, share in shares)
        )

    # -- families and totals -----------------------------------------------------------------------------

    def _moment(self, here: Here, posterior: Shared | Recognised, term: Term) -> list[Term]:
        coefficient, g = split_factor(term.factor, here.atom)
        statistic = g.xreplace({here.atom: posterior.atom})
        if any(atoms_of(statistic, each) for each in self.names.model.parameters):
            value = _of_new_parameters(posterior, statistic)
        elif posterior.inline:
            value = mean_of(posterior, statistic)
            if any(atoms_of(value, each) for each in self.names.model.parameters):
                raise NotDerivedError(
                    f"The mean of {statistic} given other latents, {value}, holds parameters: it is no statistic."
                )
        else:
            value = self._in_names(posterior, statistic, here.axes)
        return _over(term.axes, coefficient * here.placed(value))

    def _in_names(self, posterior: Shared | Recognised, statistic: Expr, axes: tuple[Axis, ...]) -> Expr:
        """A mean by its name; of a square ⟨u²⟩ = ⟨u⟩² + ⟨(u - ⟨u⟩)²⟩, of which neither is a difference."""
        root, power = statistic.as_base_exp()
        asked = (root, statistic, deviation(root))
        known = isinstance(posterior, Recognised) and None not in map(posterior.mean, asked)
        if power == 2 and known:
            mean, variance = (self.named(posterior, each, axes) for each in (root, deviation(root)))
            return mean**2 + variance
        return self.named(posterior, statistic, axes)

    def named(self, posterior: Shared | Recognised, statistic: Expr, axes: tuple[Axis, ...]) -> Expr:
        """A mean by its name, from now on."""
        key = (posterior.latent.name, statistic)
        if key not in self.moments:
            places = tuple(axis.index for axis in axes)
            sign = (
                "positive" if statistic.is_positive else "nonnegative" if statistic.is_nonnegative else "real"
            )
            symbol = self.names.entry(_moment_name(posterior, statistic), places, **{sign: True})
            self.moments[key] = Definition(symbol, axes, mean_of(posterior, statistic))
        return self.moments[key].symbol


def posteriors(eliminated: list[Eliminated], expectations: Expectations) -> tuple[Posterior, ...]:
    """One record per latent, in the order of elimination."""
    return tuple(_with_moments(one.posterior, expectations) for one in eliminated)


def _with_moments(posterior: Posterior, expectations: Expectations) -> Posterior:
    name = posterior.latent.name
    own = {statistic: d for (latent, statistic), d in expectations.moments.items() if latent == name}
    means = {statistic: d.symbol for statistic, d in own.items()}
    if isinstance(posterior, Quadrature):
        means = {posterior.atom: posterior.mean.symbol, deviation(posterior.atom): posterior.variance.symbol}
    if isinstance(posterior, GaussianVector):
        means |= second_moments(posterior.atom, posterior.mean, posterior.covariance)
    if isinstance(posterior, GaussianStates):
        means |= moments_of_states(posterior)
    return replace(posterior, expectations=means, moments=tuple(own.values()))


@dataclass(frozen=True)
class Here:
    """A latent that has gone, at the place where a term holds it."""

    one: Eliminated
    atom: Expr

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Those of its own indices, then those of the labels that it depends on."""
        return (*self.one.position, *(axis for _label, axis in self.one.posterior.labels))

    @property
    def moved(self) -> dict[Expr, Expr]:
        return dict(zip((a.index for a in self.one.position), places_of(self.atom), strict=True))

    def placed(self, value: Expr, also: Mapping[Expr, Expr] = MappingProxyType({})) -> Expr:
        """A value of its posterior there, with label axes read at the labels, and others as told."""
        moved = self.moved
        labels = {axis.index: label.xreplace(moved) for label, axis in self.one.posterior.labels}
        return reindex(value, moved | labels | dict(also))

    def probability(self, table: Table, outcome: Expr) -> Expr:
        return self.placed(table.probability.symbol, {table.outcome.index: outcome})


def _of_states(one: Eliminated, chain: GaussianStates, atoms: list[Expr], factor: Expr) -> Expr:
    return mean_of_states(chain, factor, atoms, lambda value, atom: Here(one, atom).placed(value))


def _possible(axes: tuple[Axis, ...], factors: Iterable[tuple[Expr, Expr]]) -> list[Term]:
    """Values times shares, as terms; what is impossible, as log f(v) is -∞, counts for nothing."""
    possible = (f * share for f, share in factors if not f.has(S.ComplexInfinity, S.NegativeInfinity))
    return [part for each in possible for part in _over(axes, each)]


def _over(axes: tuple[Axis, ...], value: Expr) -> list[Term]:
    """A value at every place of some axes, as terms."""
    return [Term(part.factor, part.axes + axes) for part in separate(value)]


def selected(factor: Expr, atom: Expr, *, binary: bool) -> tuple[Expr, Expr] | None:
    """(outcome, rest) of a factor that is zero at all other outcomes."""
    coefficient, g = split_factor(factor, atom)
    if binary and g.is_Pow | (g == atom) and g.as_base_exp()[0] == atom:
        return S.One, coefficient
    for condition in conditions_of(g):
        if isinstance(condition, Eq) and atom in condition.args:
            other = condition.rhs if condition.lhs == atom else condition.lhs
            rest = conditions_of(g) - {condition}
            plain = Mul(*(f for f in Mul.make_args(g) if not isinstance(f, Iverson)))
            return other, coefficient * (plain * Iverson(And(*rest))).xreplace({atom: other})
    return None


def mean_of(posterior: Shared | Recognised, statistic: Expr) -> Expr:
    """The mean of a function of the latent.

    Raises:
        NotDerivedError: the family has no closed form for it.
    """
    mean = posterior.mean(statistic)
    if mean is None:
        raise NotDerivedError(
            f"The posterior mean of {statistic}, a function of {posterior.atom}, under {posterior.family} has no closed form in the table."
        )
    return mean


def _of_new_parameters(posterior: Shared | Recognised, statistic: Expr) -> Expr:
    """E[u^p | θ⁽ᵗ⁾] of a power p that θ says, not θ⁽ᵗ⁾, which stands in the arguments of the posterior.

    Raises:
        NotDerivedError: the mean is not known.
    """
    mean = None
    if isinstance(posterior, Recognised):
        mean = posterior.face.mean_of_power(posterior.atom, statistic, posterior.arguments, posterior.bounds)
    if mean is None:
        raise NotDerivedError(
            f"The posterior mean of {statistic} under {posterior.family}, a function of parameters, has no closed form in the table."
        )
    return mean


def _moment_name(posterior: Posterior, statistic: Expr) -> str:
    u, name = posterior.atom, posterior.latent.name
    shapes = {
        u: f"E_{name}",
        log(u): f"E_log_{name}",
        1 / u: f"E_inverse_{name}",
        log(1 - u): f"E_log_1m_{name}",
        deviation(u): f"V_{name}",
        deviation(log(u)): f"V_log_{name}",
    }
    exponent = statistic.as_base_exp()[1]
    return shapes.get(statistic, f"E_{name}_{exponent}" if exponent.is_Integer else f"E_T_{name}")
