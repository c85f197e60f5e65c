"""Chains and trees of states as they are computed: one pass there and back gives all moments, and what is new at each place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from sympy import Expr, Function, IndexedBase, Integer, S, Symbol

from symem.derivation import Definition, GaussianChain, GaussianStates, GaussianTree, OnTree
from symem.language.leaves import places_of
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix
from symem.language.plates import Axis
from symem.language.traces import Element, Tr, log_det

#: What stands for a value that a pass gives.
_scanned = Function("scanned")

#: What a pass reads beside the evidence: F, b, Q, and mean and variance of a state that has none before it.
_LAWS = ("spread", "offset", "noise", "start", "start_variance")


@dataclass(frozen=True, kw_only=True)
class ScannedStates(GaussianStates):
    """States with what their pass reads as definitions; and with what is new at each place, by which the log-normaliser is told."""

    spread: Definition
    offset: Definition
    noise: Definition
    start: Definition
    start_variance: Definition
    news: Definition

    #: The moments that the pass gives, in its order.
    passed: ClassVar[tuple[str, ...]]
    #: What the news are called.
    stem: ClassVar[str]

    @property
    def read(self) -> tuple[Definition, ...]:
        """What the pass reads, in its order."""
        return tuple(getattr(self, name) for name in (*self.evidence, *_LAWS))

    @property
    def given(self) -> tuple[Definition, ...]:
        """What it gives, in its order."""
        return tuple(getattr(self, name) for name in (*self.passed, "news"))

    @property
    def defining_fields(self) -> tuple[str, ...]:
        return (*self.evidence, *_LAWS, *self.passed, "news", "log_normaliser", "moments")


@dataclass(frozen=True, kw_only=True)
class ScannedStateChain(ScannedStates, GaussianChain):
    """States of a chain; new is how much smaller the logarithm of the filtered volume is than that of the predicted one, and what
    lies between the mean before and that with its own place.
    """

    stem = "news"

    passed = (
        "predicted_mean", "predicted_variance", "filtered_mean", "filtered_variance", "smoothed_mean", "smoothed_variance",
        "neighbours",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ScannedStateTree(ScannedStates, GaussianTree):
    """States on trees; new is the logarithm of the volume given the state of the parent."""

    stem = "volume"

    passed = ("given_parent", "smoothed_mean", "smoothed_variance", "neighbours")


def scanned_states(states: GaussianStates) -> ScannedStates:
    """The states with the values of their moments as those of a pass."""
    (spread, offset, noise), (start, variance) = states.link, states.first
    size = states.latent.shape[0] if states.latent.shape else Integer(1)
    read: dict[str, Any] = {
        "spread": _law(states, "spread", spread, (size, size)),
        "offset": _law(states, "offset", offset, (size, Integer(1))),
        "noise": _law(states, "noise", noise, (size, size), "positive definite"),
        "start": _law(states, "start", start, (size, Integer(1))),
        "start_variance": _law(states, "start_variance", variance, (size, size), "positive definite"),
    }
    kind = ScannedStateTree if isinstance(states, OnTree) else ScannedStateChain
    places = tuple(axis.index for axis in states.axes)
    news = IndexedBase(f"{kind.stem}_of_{states.latent.name}", real=True)[places]
    value = _opaque(states, [*states.said, *read.values()])
    kept: dict[str, Any] = {each.name: getattr(states, each.name) for each in fields(states)}
    kept |= {name: replace(kept[name], value=value) for name in kind.passed}
    at_steps = value.xreplace({states.along.index: states.steps.index})
    kept["neighbours"] = replace(states.neighbours, value=at_steps)
    told = states.log_normaliser.value.xreplace(_told(states, size, news))
    kept["log_normaliser"] = replace(states.log_normaliser, value=told)
    return kind(**kept, **read, news=Definition(news, states.axes, value))


def _told(states: GaussianStates, size: Expr, news: Expr) -> Mapping[Expr, Expr]:
    """What stands in the log-normaliser for what is new."""
    if isinstance(states, GaussianTree):
        return {log_det(states.given_parent.symbol, size): news}
    assert isinstance(states, GaussianChain)
    filtered, predicted = states.filtered_variance.symbol, states.predicted_variance.symbol
    spreads = {each: S.Zero for each in states.log_normaliser.value.atoms(Tr) if each.has(filtered)}
    return {log_det(filtered, size): news, log_det(predicted, size): S.Zero, filtered: S.Zero, **spreads}


def _law(
    states: GaussianStates, stem: str, value: Expr, size: tuple[Expr, Expr], kind: str = ""
) -> Definition:
    """What a pass reads, over no more axes than it depends on."""
    own = (states.steps if axis == states.along else axis for axis in states.axes)
    axes: tuple[Axis, ...] = tuple(axis for axis in own if axis.index in value.free_symbols)
    places, name = tuple(axis.index for axis in axes), f"{stem}_of_{states.latent.name}"
    if states.latent.shape:
        return Definition(MatrixArray(name, *size, kind)[places], axes, value)
    symbol = IndexedBase(name, real=True)[places] if places else Symbol(name, real=True)
    return Definition(symbol, axes, value)


def _opaque(states: GaussianStates, read: list[Definition]) -> Expr:
    """A number in which stands what a pass reads, and that it reads other places too."""
    t, s = states.along.index, states.steps.index
    found = [_number(each.symbol).xreplace({s: t}) for each in read]
    other = _number(states.shift.symbol) if places_of(states.shift.symbol) else t
    before = states.parent if isinstance(states, OnTree) else t - 1
    return _scanned(*found, other.xreplace({t: before}), t)


def _number(symbol: Expr) -> Expr:
    return Element(symbol, S.Zero, S.Zero) if isinstance(symbol, MatrixEntry) or is_matrix(symbol) else symbol
