"""What the posterior of a latent may be: a table, shares of a known total, a family, a Gaussian vector, weights at nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from sympy import Expr, Sum, log, pi

from symem.derivation.definition import Definition
from symem.derivation.posterior_record import PosteriorRecord
from symem.derivation.state_posteriors import GaussianChain, GaussianStates
from symem.language.exponential_face import ExponentialFace
from symem.language.family import Family
from symem.language.leaves import places_of
from symem.language.matrices import COORDINATE, ENTRY, MatrixEntry
from symem.language.plates import Axis
from symem.language.reading import Extent
from symem.language.traces import block_log_det, log_det


@dataclass(frozen=True, kw_only=True)
class Table(PosteriorRecord):
    """A latent with finitely many values: `log_weight` and `probability` are arrays over (axes, outcome).

    `value` is the latent at an outcome, `extent` the number of outcomes where data show it.
    """

    outcome: Axis
    log_weight: Definition
    probability: Definition
    value: Expr
    extent: Extent | None = None

    defining: ClassVar[tuple[str, ...]] = ("log_weight", "log_normaliser", "probability", "moments")
    axial: ClassVar[tuple[str, ...]] = ("outcome",)


@dataclass(frozen=True, kw_only=True)
class Causes(Table):
    """Latents that act together along the axes `coupled`, through one `product` of a factor each.

    `log_weight` is that of one latent by itself; `probability` is made of it and of `parts`, which hold what the others
    do: L and k, log Σ exp of the weights, and of those times the factor; l and t, the logarithms of -log of the means of
    a factor and of the product; c and d, the logarithms of 1 less the mean of the product and of that of the other
    factors; r, the log-ratio of what the two values of the product are worth; B, the log mean of that; π, the probability
    that the product came out as 1. `factor` is the factor at an outcome; `alone` are a latent's own terms, `together`
    those in the product, `says` what they are at 0 and at 1. `event` is π where the product is 0 or 1.
    """

    parts: tuple[Definition, ...]
    coupled: tuple[Axis, ...]
    product: Expr
    factor: Expr
    alone: Expr
    together: Expr
    says: tuple[Expr, Expr]
    event: Expr | None

    @property
    def joint_axes(self) -> tuple[Axis, ...]:
        return self.coupled

    @property
    def chance(self) -> Expr:
        """The probability that a latent makes its factor fail."""
        return 1 - self.product.function

    defining: ClassVar[tuple[str, ...]] = ("log_weight", "parts", "log_normaliser", "probability", "moments")

    @property
    def parameters(self) -> tuple[Definition, ...]:
        return (self.log_weight, *self.parts)


@dataclass(frozen=True, kw_only=True)
class _Counts(PosteriorRecord):
    """Counts whose total `trials` is known: each has a share of it."""

    trials: Expr
    probability: Definition

    def mean(self, function: Expr) -> Expr | None:
        """E[count]; of other functions none is told."""
        return self.trials * self.probability.symbol if function == self.atom else None


@dataclass(frozen=True, kw_only=True)
class CellCounts(_Counts):
    """Counts over the cells `outcome` of an array."""

    outcome: Axis
    log_weight: Definition

    defining: ClassVar[tuple[str, ...]] = ("log_weight", "log_normaliser", "probability", "moments")
    axial: ClassVar[tuple[str, ...]] = ("outcome",)

    @property
    def joint_axes(self) -> tuple[Axis, ...]:
        return (self.outcome,)


@dataclass(frozen=True, kw_only=True)
class MemberCounts(_Counts):
    """One of several counts; those of one total share their normaliser."""

    defining: ClassVar[tuple[str, ...]] = ("log_normaliser", "probability", "moments")


@dataclass(frozen=True, kw_only=True)
class Recognised(PosteriorRecord):
    """A family of the table, by its `face`, on the interval `bounds`: `parameters` define its `arguments`.

    `natural` are the coefficients of the family's statistics in the gathered terms.
    """

    family: str = field(init=False)
    row: Family
    face: ExponentialFace
    bounds: tuple[Expr, Expr]
    arguments: Mapping[str, Expr]
    parameters: tuple[Definition, ...] = ()
    natural: tuple[Expr, ...] = ()
    inline: bool = False

    defining: ClassVar[tuple[str, ...]] = ("parameters", "log_normaliser", "moments")

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", f"Truncated{self.row.name}" if self.is_cut else self.row.name)

    @property
    def own(self) -> tuple[Expr, ...]:
        """The parameters of the family, in their order, in the arguments."""
        if self.face.parameters is not None:
            return self.face.parameters(self.arguments, self.bounds)
        return tuple(self.arguments[name] for name in self.row.parameters)

    @property
    def is_whole(self) -> bool:
        """Whether the latent has the whole range of the family, neither cut nor shifted."""
        return self.row.support(*self.own).bounds == self.bounds

    @property
    def is_cut(self) -> bool:
        """Whether it lies on a part of the family's interval."""
        return not self.row.home.discrete and not self.is_whole

    @property
    def interval(self) -> tuple[Expr, Expr]:
        return self.bounds

    @property
    def words(self) -> str:
        """The family in a sentence."""
        return f"truncated {self.row.words}" if self.is_cut else self.row.words

    @property
    def statistics(self) -> tuple[Expr, ...]:
        """The functions of the latent that the gathered terms are linear in."""
        return self.face.statistics(self.atom)

    @property
    def in_arguments(self) -> Expr:
        """The log-density of the family at its arguments."""
        return self.face.log_density(self.atom, self.arguments, self.bounds)

    def mean(self, function: Expr) -> Expr | None:
        """E[function of the latent] in the arguments, where it has a closed form."""
        return self.face.mean(self.atom, function, self.arguments, self.bounds)

    def variance(self, function: Expr) -> Expr | None:
        """Var(function of the latent) in the arguments, where it has a closed form."""
        return self.face.variance(self.atom, function, self.arguments, self.bounds)

    def covariance(self, one: Expr, other: Expr) -> Expr | None:
        """Cov of two functions of the latent in the arguments, where it has a closed form."""
        return self.face.covariance(self.atom, one, other, self.arguments, self.bounds)


@dataclass(frozen=True, kw_only=True)
class DirichletShares(Recognised):
    """One of the shares along `outcome` that add up to 1: its own α, and the `rest` of their sum; they have one normaliser."""

    outcome: Axis

    @property
    def joint_axes(self) -> tuple[Axis, ...]:
        return (self.outcome,)

    @property
    def in_arguments(self) -> Expr:
        """What this share adds to the log-density of the family, but for the normaliser that all of them share."""
        return (self.arguments["alpha"] - 1) * self.statistics[0] - self.log_normaliser.symbol


@dataclass(frozen=True, kw_only=True)
class GaussianVector(PosteriorRecord):
    """A vector with a quadratic form: Gaussian, with `mean` and `covariance` made of `parameters`.

    `natural` are h and Λ of -½ zᵀΛz + hᵀz.
    """

    mean: Expr
    covariance: Expr
    parameters: tuple[Definition, ...] = ()
    natural: tuple[Expr, ...] = ()
    inline: bool = False

    defining: ClassVar[tuple[str, ...]] = ("parameters", "log_normaliser", "moments")

    @property
    def log_volume(self) -> Expr:
        """log √det(2πV), the log-integral of exp(-½ (z - m)ᵀΛ(z - m)); of a vector seen in part, over the rest."""
        size = self.latent.shape[0]
        if self.latent.seen is None:
            return (size * log(2 * pi) + log_det(self.covariance, size)) / 2
        mask = self.latent.seen[1]
        if not isinstance(mask, MatrixEntry):
            mask = mask[(*places_of(self.atom), ENTRY)]
        unseen = Sum(1 - mask.xreplace({ENTRY: COORDINATE}), (COORDINATE, 0, size - 1))
        return (unseen * log(2 * pi) - block_log_det(self.natural[1], mask, size)) / 2


@dataclass(frozen=True, kw_only=True)
class Quadrature(PosteriorRecord):
    """An approximation: the law of a latent without a family, as weights at nodes about where it is most probable.

    `outcome` numbers the nodes. `modes` are where the conditional log-density is largest, in coordinates without ends,
    `scales` the entries of the triangular L with LLᵀ = (-∂²)⁻¹ there, row by row; `nodes` pair each latent that is
    integrated at the same nodes, this one among them, with its values there. `log_weight` is the log-density at a node and
    the log-weight of the rule; for counts, a `window` of whole numbers, that of the rule is 0. (Liu & Pierce 1994; Pinheiro
    & Bates 1995.)
    """

    outcome: Axis
    modes: tuple[Definition, ...]
    scales: tuple[Definition, ...]
    nodes: tuple[tuple[Expr, Definition], ...]
    log_weight: Definition
    probability: Definition
    mean: Definition
    variance: Definition
    extent: Extent
    window: bool = False

    axial: ClassVar[tuple[str, ...]] = ("outcome",)
    letters: ClassVar[dict[str, str]] = {"probability": "gamma"}
    line_by_line: ClassVar[bool] = True

    @property
    def parameters(self) -> tuple[Definition, ...]:
        return (self.mean, self.variance)

    @property
    def node(self) -> Definition:
        """The values of this latent at the nodes."""
        return next(each for atom, each in self.nodes if atom == self.atom)

    @property
    def about(self) -> tuple[Definition, ...]:
        """What is known before the nodes are weighed: where they lie."""
        return (*self.modes, *self.scales, *(each for _atom, each in self.nodes))

    @property
    def dimensions(self) -> int:
        """How many latents are integrated together."""
        return len(self.nodes)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        own = (
            self.log_weight,
            self.log_normaliser,
            self.probability,
            self.mean,
            self.variance,
            *self.moments,
        )
        return (*self.about, *own)

    def rewritten(self, change: Callable[[Definition], Definition], **others: Any) -> Self:
        modes, scales = tuple(map(change, self.modes)), tuple(map(change, self.scales))
        nodes = tuple((atom, change(each)) for atom, each in self.nodes)
        return super().rewritten(change, modes=modes, scales=scales, nodes=nodes, **others)

    defining: ClassVar[tuple[str, ...]] = (
        "log_weight", "log_normaliser", "probability", "mean", "variance", "moments",
    )  # fmt: skip


#: What a latent's posterior may be.
Posterior = Table | CellCounts | MemberCounts | Recognised | GaussianVector | GaussianStates | Quadrature
#: The kinds that are probabilities, those with an axis of outcomes, and the counts with a known total.
Probabilities = Table | CellCounts | MemberCounts
Tabulated = Table | CellCounts | Quadrature
Shared = CellCounts | MemberCounts


def reported(posterior: Posterior) -> tuple[Definition, ...]:
    """What `posterior` shows of a latent: its probabilities, its arguments, or failing both its moments; of states along a chain
    what was known of them before and at their places too.
    """
    if isinstance(posterior, GaussianChain):
        return (*posterior.parameters, *posterior.up_to)
    if posterior.inline:
        return posterior.moments or posterior.parameters
    return (posterior.probability,) if isinstance(posterior, Probabilities) else posterior.parameters
