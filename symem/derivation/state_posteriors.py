"""Posteriors of states that are Gaussian given their neighbours: along a chain, or on a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr

from symem.derivation.definition import Definition
from symem.derivation.neighbours import Pair, along_chain, on_tree
from symem.derivation.posterior_record import PosteriorRecord
from symem.language.leaves import places_of
from symem.language.plates import Axis


@dataclass(frozen=True, kw_only=True)
class GaussianStates(PosteriorRecord):
    """States along the axis `along`, numbers or vectors: each is Gaussian given the one before, and given all data.

    `first` are mean and variance of a state that has none before it, `link` F, b and Q of one after another, Normal(F h + b, Q),
    at the `steps`. What a place says by itself is -½ hᵀΛh + ηᵀh, Λ its `precision` and η its `shift`. The moments given all data
    are `smoothed`; `neighbours` is the covariance of a state with the one before.
    """

    along: Axis
    steps: Axis
    first: tuple[Expr, Expr]
    link: tuple[Expr, Expr, Expr]
    precision: Definition
    shift: Definition
    smoothed_mean: Definition
    smoothed_variance: Definition
    neighbours: Definition

    @property
    def slot(self) -> int:
        """The slot of a state that runs along them."""
        return places_of(self.atom).index(self.along.index)

    @property
    def mean(self) -> Expr:
        return self.smoothed_mean.symbol

    @property
    def covariance(self) -> Expr:
        return self.smoothed_variance.symbol

    @property
    def parameters(self) -> tuple[Definition, ...]:
        return (self.smoothed_mean, self.smoothed_variance)

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        """Two states as a pair of neighbours; None if they are none."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class GaussianChain(GaussianStates):
    """States along a chain.

    Their moments are `predicted`, given what came before, `filtered`, given their own place too, and `smoothed`, given all
    (Shumway & Stoffer 1982, equations A3 to A12).
    """

    predicted_variance: Definition
    filtered_variance: Definition
    predicted_mean: Definition
    filtered_mean: Definition

    defining: ClassVar[tuple[str, ...]] = (
        "precision", "shift", "predicted_variance", "filtered_variance", "predicted_mean", "filtered_mean", "log_normaliser",
        "smoothed_mean", "smoothed_variance", "neighbours", "moments",
    )  # fmt: skip

    @property
    def up_to(self) -> tuple[Definition, ...]:
        """The moments given what came before and given the place too: means and variances."""
        return self.filtered_mean, self.filtered_variance, self.predicted_mean, self.predicted_variance

    @property
    def present(self) -> Expr:
        """The terms of a chain say themselves where they hold."""
        return self.count

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        return along_chain(one, other)


@dataclass(frozen=True, kw_only=True)
class GaussianTree(GaussianStates):
    """States on trees, each given the one at its `parent`, an entry of an array of places.

    `gathered` J and `pull` are the precision and the shift of all that is said at a place and below it, `given_parent` S the
    variance of a state given all data and the state of its parent (Chou, Willsky & Benveniste 1994).
    """

    parent: Expr
    gathered: Definition
    pull: Definition
    given_parent: Definition

    defining: ClassVar[tuple[str, ...]] = (
        "precision", "shift", "gathered", "given_parent", "pull", "smoothed_mean", "smoothed_variance", "neighbours",
        "log_normaliser", "moments",
    )  # fmt: skip

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        return on_tree(self.parent, one, other)
