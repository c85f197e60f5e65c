"""Latents whose conditional is of no family, by adaptive quadrature; counts, by a window of whole numbers. An approximation.

The log-density of one latent, or of two at the same position, is climbed to its mode in coordinates without ends; the nodes of
a Gauss-Hermite rule lie about there by its curvature (Liu & Pierce 1994; Pinheiro & Bates 1995). From there on they are a
table: Σ_q exp(log-weight) is what the latent leaves, and means are weighted sums over the nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import (
    Abs,
    Add,
    Expr,
    Heaviside,
    Integer,
    Max,
    Min,
    Piecewise,
    S,
    Sum,
    Symbol,
    exp,
    floor,
    log,
    oo,
    sign,
    sqrt,
)
from sympy.core.symbol import Str

from symem.calculus.eliminated import Case, Eliminated, Elimination
from symem.calculus.exponents import held_apart
from symem.calculus.gathering import gather_latent
from symem.calculus.refusals import told
from symem.calculus.separate import Term, rejoin
from symem.derivation import Definition, Quadrature
from symem.errors import NotDerivedError
from symem.language.leaves import places_of
from symem.language.plates import Axis, Iverson, LogIverson
from symem.language.quadrature_rule import Mode, RuleLogWeight, RuleNode
from symem.language.reading import Extent
from symem.language.supports import Counts

#: How many nodes are begun with, in one dimension and in two; a fit takes more if these are too few.
FIRST = {1: 12, 2: 64}
#: Functions with kinks and jumps.
_ROUGH = (Abs, sign, Max, Min, Piecewise, Heaviside, floor, Iverson)
#: How many whole numbers, beside twice the counts that were seen.
COUNTED = 32
#: The name of the number of nodes.
NODES = "Q"


class NoQuadratureError(NotDerivedError):
    """What stands in the way of a quadrature that was asked for."""


@dataclass(frozen=True)
class _Coordinate:
    """A latent as a function of a coordinate without ends, and the logarithm of its slope."""

    letter: Symbol
    value: Expr
    log_slope: Expr

    @classmethod
    def of(cls, letter: Symbol, ends: tuple[Expr, Expr]) -> _Coordinate:
        low, high = ends
        if low == -oo and high == oo:
            return cls(letter, letter, S.Zero)
        if high == oo:
            return cls(letter, low + exp(letter), letter)
        if low == -oo:
            return cls(letter, high - exp(letter), letter)
        share = 1 / (1 + exp(-letter))
        return cls(letter, low + (high - low) * share, log(high - low) - letter - 2 * log(1 + exp(-letter)))

    def at(self, place: Expr) -> _Coordinate:
        return _Coordinate(
            self.letter, *(each.xreplace({self.letter: place}) for each in (self.value, self.log_slope))
        )


def eliminate_by_quadrature(state: Elimination, case: Case) -> None:
    """Integrate a latent out, with another one at the same position that it depends on; or sum a count out.

    Raises:
        NoQuadratureError: it depends on more than one other latent, or on one elsewhere; or it is bounded by what is drawn.
    """
    cases = _joint(state, case)
    kind = _Window if case.variable.support.discrete else _Rule
    kind(state, cases).eliminate()


def _joint(state: Elimination, case: Case) -> list[Case]:
    """The latent whose turn it is, and the one that it depends on."""
    others = case.others()
    if not others:
        return [case]
    variables = {v for v in case.waiting if any(_is_entry(atom, v.symbol) for atom in others)}
    own = places_of(case.atom)
    if (
        len(others) > 1
        or places_of(others[0]) != own
        or any(v.support.discrete or v.shape for v in variables)
    ):
        raise NoQuadratureError(
            f"The conditional of {case.atom} is of no family and holds {', '.join(map(str, others))}: quadrature is for one or two "
            f"latents at the same position."
        )
    (variable,) = variables
    conditional = gather_latent(state.terms, variable, state.model.weights)
    second = Case(conditional, state.labels(conditional, list(case.waiting)), case.waiting)
    if second.atom != others[0] or second.labels != case.labels or set(second.others()) - {case.atom}:
        raise NoQuadratureError(
            f"{case.atom} and {others[0]} do not stand alone together: quadrature is for one or two latents."
        )
    return [case, second]


def _is_entry(atom: Expr, symbol: Expr) -> bool:
    return bool(getattr(atom, "base", atom) == symbol)


class _Rule:
    """The nodes for some latents together."""

    def __init__(self, state: Elimination, cases: Sequence[Case]) -> None:
        self.state, self.cases = state, cases
        self.first = cases[0]
        self.ends = [each.variable.support.bounds for each in cases]
        self.terms = _together([each.terms for each in cases], [each.atom for each in cases])
        if any(term.factor.has(LogIverson) for term in self.terms):
            raise NoQuadratureError(
                f"{self.first.atom} is bounded by what is drawn: its quadrature is not derived."
            )
        self.density = rejoin(self.terms)
        atoms = [each.atom for each in cases]
        #: The same with exponentials of the latents outside the sums, over which they would be computed again and again.
        self.split = rejoin(
            Term(held_apart(each.factor, atoms, each.indices), each.axes) for each in self.terms
        )
        used = set().union(*(each.used_indices for each in cases))
        self.outcome = self._outcome(Symbol(state.names.fresh(NODES), integer=True, positive=True), used)
        self.places = self.first.places
        self.at_node = (*self.places, self.outcome.index)

    def _outcome(self, size: Symbol, used: set[Symbol]) -> Axis:
        """The axis of the nodes, q where that is free."""
        names = self.state.names
        if "q" not in names.taken and "q" not in self.state.model.index_sizes:
            names.letters[size] = "q"
        return names.axis(size, self.name, used)

    @cached_property
    def coordinates(self) -> list[_Coordinate]:
        """One for each latent."""
        pairs = zip(self.cases, self.ends, strict=True)
        return [_Coordinate.of(self._letter(each), both) for each, both in pairs]

    def _letter(self, case: Case) -> Symbol:
        stem = "v" if len(self.cases) == 1 else f"v_{case.variable.name}"
        return Symbol(self.state.names.fresh(stem), real=True)

    @property
    def name(self) -> str:
        return "_".join(each.variable.name for each in self.cases)

    def eliminate(self) -> None:
        """The first latent leaves with all that hold it or another of them; the others with nothing."""
        shared = self._shared()
        kinds = [
            Quadrature(
                **case.shared,
                **shared,
                **self._moments(case, node.symbol, shared["probability"]),
                family="Quadrature",
            )
            for case, (_atom, node) in zip(self.cases, shared["nodes"], strict=True)
        ]
        own = [each.conditional for each in self.cases]
        terms = _together([each.terms for each in own], [each.atom for each in own])
        rest = tuple(term for term in own[0].rest if all(term in each.rest for each in own[1:]))
        self.state.leave(kinds[0], replace(own[0], terms=terms, rest=rest), shared["log_normaliser"].symbol)
        joint = self.state.done[-1].posterior.joint
        for posterior, each in zip(kinds[1:], own[1:], strict=True):
            posterior = replace(posterior, joint=joint, count=each.count, log_density=S.Zero)  # noqa: PLW2901
            self.state.done.append(Eliminated(posterior, each.position, (), S.Zero))

    def _shared(self) -> dict[str, Any]:
        """What the posteriors of all of them have in common."""
        modes, scales = self._centre()
        nodes = tuple(self._nodes(modes, scales))
        names = self.state.names
        rules = {case.atom: node.symbol for case, node in zip(self.cases, nodes, strict=True)}
        height = self.split.xreplace(rules)
        height += self._log_weight(modes, scales)
        axes = (*self.first.axes, self.outcome)
        weight = Definition(names.entry(f"eta_{self.name}", self.at_node, real=True), axes, height)
        whole = log(Sum(exp(weight.symbol), self.outcome.limits))
        normaliser = Definition(names.entry(f"A_{self.name}", self.places, real=True), self.first.axes, whole)
        gamma = names.entry(f"gamma_{self.name}", self.at_node, nonnegative=True)
        return {
            "log_density": self.density,
            "outcome": self.outcome,
            "modes": modes,
            "scales": scales,
            "nodes": tuple(zip((case.atom for case in self.cases), nodes, strict=True)),
            "log_weight": weight,
            "log_normaliser": normaliser,
            "probability": Definition(gamma, axes, exp(weight.symbol - normaliser.symbol)),
            "extent": self._extent(),
            "window": isinstance(self, _Window),
        }

    def _extent(self) -> Extent:
        """How many nodes are begun with."""
        return Extent(self.outcome.size, Integer(FIRST[len(self.cases)]), ())

    def _log_weight(self, modes: Sequence[Definition], scales: Sequence[Definition]) -> Expr:
        """What the rule and the coordinates add to the log-density at a node."""
        spread = Add(*(log(each.symbol) for each in scales[::2]))
        places = [self._places(modes, scales, each) for each in range(len(self.cases))]
        turned = (each.at(place).log_slope for each, place in zip(self.coordinates, places, strict=True))
        return Add(*turned) + spread + RuleLogWeight(self.outcome.index, self.outcome.size, len(self.cases))

    def _centre(self) -> tuple[tuple[Definition, ...], tuple[Definition, ...]]:
        """The mode of the log-density in the coordinates, and L with LLᵀ = (-∂²)⁻¹ there."""
        letters = tuple(each.letter for each in self.coordinates)
        values = {case.atom: each.value for case, each in zip(self.cases, self.coordinates, strict=True)}
        height = self.split.xreplace(values) + Add(*(each.log_slope for each in self.coordinates))
        if any(each.has(*letters) for each in height.atoms(*_ROUGH)):
            raise NoQuadratureError(
                f"The log-density of {self.first.atom} has a kink or a jump, {told(self.density)}: no quadrature is exact there."
            )
        modes = tuple(
            self._named(f"mode_{case.variable.name}", Mode(Integer(place), height, Str(self.name), *letters))
            for place, case in enumerate(self.cases)
        )
        there = dict(zip(letters, (each.symbol for each in modes), strict=True))
        bends = [-each.xreplace(there) for each in Mode(S.Zero, height, Str(self.name), *letters).bends]
        if len(letters) == 1:
            return modes, (self._named(f"scale_{self.name}", 1 / sqrt(bends[0])),)
        first, both, second = bends
        high = self._named(f"scale_{self.name}_11", 1 / sqrt(first - both**2 / second))
        across = self._named(f"scale_{self.name}_21", -both / second * high.symbol)
        low = self._named(f"scale_{self.name}_22", 1 / sqrt(second))
        return modes, (high, across, low)

    def _named(self, stem: str, value: Expr) -> Definition:
        return Definition(self.state.names.entry(stem, self.places, real=True), self.first.axes, value)

    def _places(self, modes: Sequence[Definition], scales: Sequence[Definition], number: int) -> Expr:
        """The coordinate of one latent at a node: m + L z."""
        index, size, dimensions = self.outcome.index, self.outcome.size, len(self.cases)
        row = scales[:1] if number == 0 else scales[1:]
        zs = (RuleNode(index, size, dimensions, across) for across in range(number + 1))
        return modes[number].symbol + Add(*(each.symbol * z for each, z in zip(row, zs, strict=True)))

    def _nodes(self, modes: Sequence[Definition], scales: Sequence[Definition]) -> Iterator[Definition]:
        """The values of each latent at the nodes."""
        axes = (*self.first.axes, self.outcome)
        for number, (case, coordinate) in enumerate(zip(self.cases, self.coordinates, strict=True)):
            value = coordinate.at(self._places(modes, scales, number)).value
            sign = {"positive": True} if self.ends[number][0].is_nonnegative else {"real": True}
            symbol = self.state.names.entry(f"node_{case.variable.name}", self.at_node, **sign)
            yield Definition(symbol, axes, value)

    def _moments(self, case: Case, node: Expr, probability: Definition) -> dict[str, Any]:
        """The mean and the variance of a latent."""
        names, name = self.state.names, case.variable.name
        mean = names.entry(f"E_{name}", self.places, real=True)
        variance = names.entry(f"V_{name}", self.places, nonnegative=True)
        gamma, limits = probability.symbol, self.outcome.limits
        return {
            "mean": Definition(mean, self.first.axes, Sum(gamma * node, limits)),
            "variance": Definition(variance, self.first.axes, Sum(gamma * (node - mean) ** 2, limits)),
        }


class _Window(_Rule):
    """The whole numbers from the least one on, as many as there are nodes."""

    def _centre(self) -> tuple[tuple[Definition, ...], tuple[Definition, ...]]:
        return (), ()

    def _log_weight(self, _modes: Sequence[Definition], _scales: Sequence[Definition]) -> Expr:
        return S.Zero

    def _nodes(self, _modes: Sequence[Definition], _scales: Sequence[Definition]) -> Iterator[Definition]:
        name = f"node_{self.first.variable.name}"
        symbol = self.state.names.entry(name, self.at_node, integer=True, nonnegative=True)
        yield Definition(symbol, (*self.first.axes, self.outcome), self.ends[0][0] + self.outcome.index)

    def _extent(self) -> Extent:
        """More than twice as many as the largest of the counts that were seen, which may be a part of these."""
        counts = [each for each in self.state.model.data if isinstance(each.support, Counts)]
        axes = tuple(axis for each in counts for axis in each.axes)
        seen = (
            each.symbol[tuple(a.index for a in each.axes)] if each.axes else each.symbol for each in counts
        )
        return Extent(self.outcome.size, COUNTED + 2 * Add(*seen), axes)


def _together(terms: Sequence[Sequence[Term]], atoms: Sequence[Expr]) -> tuple[Term, ...]:
    """The terms of some latents, those that hold several of them once."""
    return tuple(
        term
        for place, own in enumerate(terms)
        for term in own
        if not any(term.factor.has(atom) for atom in atoms[:place])
    )
