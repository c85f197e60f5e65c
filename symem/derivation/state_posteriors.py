"""Posteriors of states that are Gaussian given their neighbours: along a chain, or on a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr

from symem.derivation.definition import Definition
from symem.derivation.neighbours import Neighbours, OnChain, OnTree
from symem.language.leaves import places_of


@dataclass(frozen=True, kw_only=True)
class GaussianStates(Neighbours):
    """States, numbers or vectors: each is Gaussian given the one before, and given all data.

    `first` are mean and variance of a state that has none before it, `link` F, b and Q of one after another, Normal(F h + b, Q),
    at the `steps`. What a place says by itself is -½ hᵀΛh + ηᵀh, Λ its `precision` and η its `shift`. The moments given all data
    are `smoothed`; `neighbours` is the covariance of a state with the one before.
    """

    first: tuple[Expr, Expr]
    link: tuple[Expr, Expr, Expr]
    precision: Definition
    shift: Definition
    smoothed_mean: Definition
    smoothed_variance: Definition
    neighbours: Definition

    evidence: ClassVar[tuple[str, ...]] = ("precision", "shift")
    letters: ClassVar[dict[str, str]] = {
        "precision": "Lambda", "shift": "eta", "smoothed_variance": "V", "neighbours": "C",
    }  # fmt: skip

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


@dataclass(frozen=True, kw_only=True)
class GaussianChain(OnChain, GaussianStates):
    """States along a chain.

    Their moments are `predicted`, given what came before, `filtered`, given their own place too, and `smoothed`, given all
    (Shumway & Stoffer 1982, equations A3 to A12).
    """

    predicted_variance: Definition
    filtered_variance: Definition
    predicted_mean: Definition
    filtered_mean: Definition

    letters: ClassVar[dict[str, str]] = {
        **GaussianStates.letters, "predicted_mean": "a", "filtered_mean": "m", "predicted_variance": "R", "filtered_variance": "P",
    }  # fmt: skip
    told = (
        ("predicted variances", ("predicted_variance",)),
        ("filtered variances", ("filtered_variance",)),
        ("predicted means", ("predicted_mean",)),
        ("filtered means", ("filtered_mean",)),
        ("innovations", ("log_normaliser",)),
        ("smoothed means", ("smoothed_mean",)),
        ("smoothed variances", ("smoothed_variance",)),
        ("neighbours of a chain", ("neighbours",)),
    )

    @property
    def up_to(self) -> tuple[Definition, ...]:
        """The moments given what came before and given the place too: means and variances."""
        return self.filtered_mean, self.filtered_variance, self.predicted_mean, self.predicted_variance

    @property
    def present(self) -> Expr:
        """The terms of a chain say themselves where they hold."""
        return self.count


@dataclass(frozen=True, kw_only=True)
class GaussianTree(OnTree, GaussianStates):
    """States on trees, each given that of its parent.

    `gathered` J and `pull` are the precision and the shift of all that is said at a place and below it, `given_parent` S the
    variance of a state given all data and the state of its parent (Chou, Willsky & Benveniste 1994).
    """

    gathered: Definition
    pull: Definition
    given_parent: Definition

    letters: ClassVar[dict[str, str]] = {
        **GaussianStates.letters,
        "gathered": "J",
        "pull": "h",
        "given_parent": "S",
    }
    told = (
        ("gathered precisions", ("gathered",)),
        ("variances given parents", ("given_parent",)),
        ("gathered shifts", ("pull",)),
        ("means of a tree", ("smoothed_mean",)),
        ("variances of a tree", ("smoothed_variance",)),
        ("parents and children", ("neighbours",)),
        ("volume of a tree", ("log_normaliser",)),
    )
