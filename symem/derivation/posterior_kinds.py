"""What the posterior of a latent may be: a table, shares of a known total, a family, a Gaussian vector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from sympy import Expr, S, Sum, log, pi

from symem.derivation.definition import Definition
from symem.language.exponential_face import ExponentialFace
from symem.language.family import Family
from symem.language.leaves import places_of
from symem.language.matrices import COORDINATE, ENTRY, MatrixEntry
from symem.language.model import Variable
from symem.language.plates import Axis
from symem.language.reading import Extent
from symem.language.traces import block_log_det, log_det


@dataclass(frozen=True, kw_only=True)
class _Posterior:
    """p(latent | data, latents eliminated later, theta^(t)) at one plate position: what all kinds have.

    `axes` are the latent's own plates followed by one axis for each label it is conditioned on; `labels` pairs
    each such label with its axis. `log_density` are the gathered terms, `log_normaliser` is what elimination
    leaves behind, `joint` what was left of the complete-data log-likelihood of rows that count once when the latent's turn came, `condition`
    the bracket outside which the latent does not exist, `count` how often its row counts (`weights=`). `expectations` maps each statistic of the latent to its
    conditional mean, which `moments` define. An `inline` posterior depends on another latent that is no label: its
    arguments are polynomials in it.
    """

    latent: Variable
    atom: Expr
    axes: tuple[Axis, ...]
    family: str
    log_density: Expr
    log_normaliser: Definition
    joint: Expr = S.Zero
    labels: tuple[tuple[Expr, Axis], ...] = ()
    condition: Expr | None = None
    count: Expr = S.One
    expectations: Mapping[Expr, Expr] = field(default_factory=dict)
    moments: tuple[Definition, ...] = ()

    #: The fields that hold definitions, in an order in which they can be computed.
    defining: ClassVar[tuple[str, ...]]

    @property
    def inline(self) -> bool:
        return False

    @property
    def parameters(self) -> tuple[Definition, ...]:
        """The arguments that have names: a table has none."""
        return ()

    @property
    def interval(self) -> tuple[Expr, Expr]:
        """The ends between which the latent lies."""
        return self.latent.support.bounds

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All names that this posterior brings in, in an order in which they can be computed."""
        if self.inline:
            return self.parameters
        return tuple(each for name in self.defining for each in _listed(getattr(self, name)))

    def rewritten(self, change: Callable[[Definition], Definition], **others: Any) -> Self:
        """The same with every definition changed, in the order of `definitions`, and other fields replaced."""
        changed: dict[str, Any] = {name: _changed(getattr(self, name), change) for name in self.defining}
        return replace(self, **(changed | others))


def _listed(value: Definition | tuple[Definition, ...]) -> tuple[Definition, ...]:
    return value if isinstance(value, tuple) else (value,)


def _changed(
    value: Definition | tuple[Definition, ...], change: Callable[[Definition], Definition]
) -> Definition | tuple[Definition, ...]:
    return tuple(map(change, value)) if isinstance(value, tuple) else change(value)


@dataclass(frozen=True, kw_only=True)
class Table(_Posterior):
    """A latent with finitely many values: `log_weight` and `probability` are arrays over (axes, outcome).

    `value` is the latent at an outcome, `extent` the number of outcomes where data show it.
    """

    outcome: Axis
    log_weight: Definition
    probability: Definition
    value: Expr
    extent: Extent | None = None

    defining: ClassVar[tuple[str, ...]] = ("log_weight", "log_normaliser", "probability", "moments")


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
    def chance(self) -> Expr:
        """The probability that a latent makes its factor fail."""
        return 1 - self.product.function

    defining: ClassVar[tuple[str, ...]] = ("log_weight", "parts", "log_normaliser", "probability", "moments")

    @property
    def parameters(self) -> tuple[Definition, ...]:
        return (self.log_weight, *self.parts)


@dataclass(frozen=True, kw_only=True)
class _Counts(_Posterior):
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


@dataclass(frozen=True, kw_only=True)
class MemberCounts(_Counts):
    """One of several counts; those of one total share their normaliser."""

    defining: ClassVar[tuple[str, ...]] = ("log_normaliser", "probability", "moments")


@dataclass(frozen=True, kw_only=True)
class Recognised(_Posterior):
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


@dataclass(frozen=True, kw_only=True)
class GaussianVector(_Posterior):
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


#: What a latent's posterior may be.
Posterior = Table | CellCounts | MemberCounts | Recognised | GaussianVector
#: The kinds that are probabilities, those with an axis of outcomes, and the counts with a known total.
Probabilities = Table | CellCounts | MemberCounts
Tabulated = Table | CellCounts
Shared = CellCounts | MemberCounts


def reported(posterior: Posterior) -> tuple[Definition, ...]:
    """What `posterior` shows of a latent: its probabilities, its arguments, or failing both its moments."""
    if posterior.inline:
        return posterior.moments or posterior.parameters
    return (posterior.probability,) if isinstance(posterior, Probabilities) else posterior.parameters
