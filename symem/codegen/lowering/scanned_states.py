"""Chains of states as they are computed: one scan forward and back gives all moments, and what is new at each place."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from sympy import Expr, Function, IndexedBase, Integer, S, Symbol

from symem.derivation import Definition, GaussianChain, GaussianStates
from symem.language.leaves import places_of
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix
from symem.language.plates import Axis
from symem.language.traces import Element, Tr, log_det

#: What stands for a value that a scan gives.
_scanned = Function("scanned")


@dataclass(frozen=True, kw_only=True)
class ScannedStates(GaussianChain):
    """A chain of states with what its scan reads, F, b, Q and the mean and the variance of the first state, as definitions; and
    with what is new at each place: how much smaller the logarithm of the filtered volume is than that of the predicted one, and
    what lies between the mean before and that with its own place.
    """

    spread: Definition
    offset: Definition
    noise: Definition
    start: Definition
    start_variance: Definition
    news: Definition

    @property
    def read(self) -> tuple[Definition, ...]:
        """What the scan reads, in its order."""
        return (
            self.precision, self.shift, self.spread, self.offset, self.noise, self.start, self.start_variance,
        )  # fmt: skip

    @property
    def given(self) -> tuple[Definition, ...]:
        """What it gives, in its order."""
        return (
            self.predicted_mean, self.predicted_variance, self.filtered_mean, self.filtered_variance,
            self.smoothed_mean, self.smoothed_variance, self.neighbours, self.news,
        )  # fmt: skip

    @property
    def defining(self) -> tuple[str, ...]:  # type: ignore[override]
        return (
            "precision", "shift", "spread", "offset", "noise", "start", "start_variance", "predicted_mean",
            "predicted_variance", "filtered_mean", "filtered_variance", "smoothed_mean", "smoothed_variance",
            "neighbours", "news", "log_normaliser", "moments",
        )  # fmt: skip


def scanned_states(chain: GaussianChain) -> ScannedStates:
    """The chain with the values of its moments as those of a scan."""
    spread, offset, noise = chain.link
    start, variance = chain.first
    size = chain.latent.shape[0] if chain.latent.shape else Integer(1)
    read: dict[str, Any] = {
        "spread": named_link(chain, "spread", spread, (size, size)),
        "offset": named_link(chain, "offset", offset, (size, Integer(1))),
        "noise": named_link(chain, "noise", noise, (size, size), "positive definite"),
        "start": named_link(chain, "start", start, (size, Integer(1))),
        "start_variance": named_link(chain, "start_variance", variance, (size, size), "positive definite"),
    }
    places = tuple(axis.index for axis in chain.axes)
    news = IndexedBase(f"news_of_{chain.latent.name}", real=True)[places]
    value = opaque(chain, [chain.precision, chain.shift, *read.values()])
    kept: dict[str, Any] = {each.name: getattr(chain, each.name) for each in fields(chain)}
    moments = (
        "predicted_mean", "predicted_variance", "filtered_mean", "filtered_variance", "smoothed_mean", "smoothed_variance",
    )  # fmt: skip
    kept |= {name: replace(kept[name], value=value) for name in moments}
    at_steps = value.xreplace({chain.along.index: chain.steps.index})
    kept["neighbours"] = replace(chain.neighbours, value=at_steps)
    filtered, predicted = (
        log_det(each.symbol, size) for each in (chain.filtered_variance, chain.predicted_variance)
    )
    about = chain.filtered_variance.symbol
    spreads = {each: S.Zero for each in chain.log_normaliser.value.atoms(Tr) if each.has(about)}
    told = chain.log_normaliser.value.xreplace({filtered: news, predicted: S.Zero, about: S.Zero, **spreads})
    kept["log_normaliser"] = replace(chain.log_normaliser, value=told)
    return ScannedStates(**kept, **read, news=Definition(news, chain.axes, value))


def named_link(
    chain: GaussianStates, stem: str, value: Expr, size: tuple[Expr, Expr], kind: str = ""
) -> Definition:
    """What a scan reads, over no more axes than it depends on."""
    own = (chain.steps if axis == chain.along else axis for axis in chain.axes)
    axes: tuple[Axis, ...] = tuple(axis for axis in own if axis.index in value.free_symbols)
    places, name = tuple(axis.index for axis in axes), f"{stem}_of_{chain.latent.name}"
    if chain.latent.shape:
        return Definition(MatrixArray(name, *size, kind)[places], axes, value)
    symbol = IndexedBase(name, real=True)[places] if places else Symbol(name, real=True)
    return Definition(symbol, axes, value)


def opaque(chain: GaussianStates, read: list[Definition], before: Expr | None = None) -> Expr:
    """A number in which stands what a scan reads, and that it reads other places too."""
    t, s = chain.along.index, chain.steps.index
    found = [_number(each.symbol).xreplace({s: t}) for each in read]
    other = _number(chain.shift.symbol) if places_of(chain.shift.symbol) else t
    return _scanned(*found, other.xreplace({t: t - 1 if before is None else before}), t)


def _number(symbol: Expr) -> Expr:
    return Element(symbol, S.Zero, S.Zero) if isinstance(symbol, MatrixEntry) or is_matrix(symbol) else symbol
