"""The waist: frozen records of what was found, on which every later stage feeds.

A derivation is a straight-line program in SymPy: a list of `Definition`s, each a named array over axes
whose value refers only to data, parameters and earlier names. Reports print it, `program` turns it into
array operations, `certify` and `verify` check it; none of them derives anything again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, ClassVar, Self

from sympy import Equality, Expr, Indexed, S, Sum, Symbol, log, pi

from symem.language.exponential_face import ExponentialFace
from symem.language.family import Family
from symem.language.leaves import array_of, labels_in, name_of, places_of
from symem.language.matrices import COORDINATE, ENTRY, MatrixEntry
from symem.language.model import Model, Variable
from symem.language.plates import Axis, reindex
from symem.language.reading import Extent
from symem.language.traces import block_log_det, log_det


@dataclass(frozen=True)
class Definition:
    """symbol[axes] := value.

    `symbol` is a `Symbol` or an `Indexed` over exactly the index symbols of `axes`; `value` may hold
    `Sum`s with 0-based limits, `Iverson` brackets, and any symbol defined before it.
    """

    symbol: Expr
    axes: tuple[Axis, ...]
    value: Expr


class Relation(Enum):
    """How the two sides of a step stand to each other."""

    EQUAL = "equal wherever both are defined"
    AT_THE_OLD = "equal at the current parameters θ⁽ᵗ⁾"
    AT_THE_UPDATE = "equal at the new parameters"
    VANISHES = "zero at the new parameters"
    UP_TO_A_CONSTANT = "equal but for what is free of that which the step is about"
    ON_THE_SIMPLEX = "equal where the constraint holds"
    POSTERIOR = "equal at each place of the latents, but for what is free of them"
    MARGINAL = "the logarithm of the integral of the exponential over the latents"
    MEAN = "the posterior mean, up to a constant"
    AT_LEAST = "at no θ less, with statistics and what the step defines held at θ⁽ᵗ⁾"
    RISES = "at the new parameters not less, with what the step defines held at θ⁽ᵗ⁾"
    CLIMBS = "the same, with the statistics held too"
    MAXIMISER = "the point at which the function is largest"


@dataclass(frozen=True)
class Rule:
    """A law: its name, its sentence, its source, how it relates two lines, and the formula that it says.

    In the sentence {latent} and {parameter} stand for what a step is about, {Q}, {old} and the other names of
    `THEORY` for themselves, other {places} for the step's particulars; what stands between $ is a formula.
    A `detail` gives a line between, for those who want every line.
    """

    name: str
    sentence: str
    source: str
    relation: Relation
    formula: str = field(default="", kw_only=True)
    detail: bool = field(default=False, kw_only=True)


#: The names that any sentence may use, as they are written in plain text.
THEORY: Mapping[str, str] = {
    "theta": "θ",
    "old": "θ⁽ᵗ⁾",
    "next": "θ⁽ᵗ⁺¹⁾",
    "Q": "Q",
    "Q_theta": "Q(θ | θ⁽ᵗ⁾)",
    "Q_old": "Q(θ⁽ᵗ⁾ | θ⁽ᵗ⁾)",
    "Q_next": "Q(θ⁽ᵗ⁺¹⁾ | θ⁽ᵗ⁾)",
    "objective_theta": "ℓ(θ)",
    "objective_old": "ℓ(θ⁽ᵗ⁾)",
    "objective_next": "ℓ(θ⁽ᵗ⁺¹⁾)",
    "posterior": "p(latents | data, θ⁽ᵗ⁾)",
}


@dataclass(frozen=True)
class Ends:
    """Where a latent lies: between two ends, on the integers if it `counts`."""

    low: Expr
    high: Expr
    counts: bool

    def __str__(self) -> str:
        if not self.counts:
            return f"({self.low}, {self.high})"
        last = "" if self.high.is_infinite else f", {self.high}"
        return f"{self.low}, {self.low + 1}, …{last}"


@dataclass(frozen=True)
class Step:
    """One line of the derivation: by `law`, `before` becomes `after`.

    `about` are the latents or the parameters in question; `particulars` stand in the places of the law's sentence;
    `defines` are the names that the step brings in, `axes` the plates over which it holds.
    """

    stage: str
    law: Rule
    before: Expr
    after: Expr
    about: tuple[Expr, ...] = ()
    particulars: Mapping[str, Any] = field(default_factory=dict)
    defines: tuple[Definition, ...] = ()
    axes: tuple[Axis, ...] = ()

    @property
    def reason(self) -> str:
        """The law's sentence, and the formula that it says, in plain text."""
        told = " ".join(filter(None, (self.law.sentence, self.law.formula))).replace("$", "")
        particulars = {name: self._plain(value) for name, value in self.particulars.items()}
        return told.format(**{"latent": self._names, "parameter": self._names, **THEORY, **particulars})

    @property
    def _names(self) -> str:
        return ", ".join(map(str, self.about))

    def _plain(self, value: Any) -> str:
        """A particular: a list is told as a list, a tuple is words and formulas in their order."""
        if isinstance(value, Rule):
            return value.formula.format(parameter=self._names)
        if isinstance(value, list | tuple):
            return (", " if isinstance(value, list) else "").join(map(self._plain, value))
        return f"{value.lhs} = {value.rhs}" if isinstance(value, Equality) else str(value)


@dataclass(frozen=True, kw_only=True)
class _Posterior:
    """p(latent | data, latents eliminated later, theta^(t)) at one plate position: what all kinds have.

    `axes` are the latent's own plates followed by one axis for each label it is conditioned on; `labels` pairs
    each such label with its axis. `log_density` are the gathered terms, `log_normaliser` is what elimination
    leaves behind, `joint` what was left of the complete-data log-likelihood when the latent's turn came, `condition`
    the bracket outside which the latent does not exist. `expectations` maps each statistic of the latent to its
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
class CellCounts(_Posterior):
    """Counts over the cells `outcome` of an array whose total `trials` is known: each has a share of it."""

    trials: Expr
    outcome: Axis
    log_weight: Definition
    probability: Definition

    defining: ClassVar[tuple[str, ...]] = ("log_weight", "log_normaliser", "probability", "moments")

    def mean(self, function: Expr) -> Expr | None:
        """E[count]; of other functions none is told."""
        return self.trials * self.probability.symbol if function == self.atom else None


@dataclass(frozen=True, kw_only=True)
class MemberCounts(_Posterior):
    """One of several counts whose total `trials` is known; those of one total share their normaliser."""

    trials: Expr
    probability: Definition

    defining: ClassVar[tuple[str, ...]] = ("log_normaliser", "probability", "moments")

    def mean(self, function: Expr) -> Expr | None:
        """E[count]; of other functions none is told."""
        return self.trials * self.probability.symbol if function == self.atom else None


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
            mask = mask[(*getattr(self.atom, "indices", ()), ENTRY)]
        unseen = Sum(1 - mask.xreplace({ENTRY: COORDINATE}), (COORDINATE, 0, size - 1))
        return (unseen * log(2 * pi) - block_log_det(self.natural[1], mask, size)) / 2


#: What a latent's posterior may be.
Posterior = Table | CellCounts | MemberCounts | Recognised | GaussianVector
#: The kinds that are probabilities, those with an axis of outcomes, and the counts with a known total.
Probabilities = Table | CellCounts | MemberCounts
Tabulated = Table | CellCounts
Shared = CellCounts | MemberCounts


@dataclass(frozen=True)
class Scatter:
    """Σ w ⟨(f - m_f)(g - m_g)⟩, a sum about means that were defined before it.

    `definition` has the centred sum as its value, `raw` is the sum about zero that it stands for: raw =
    definition.symbol + excess, the excess being N m_f m_g in total and means. `between` is what a part of the data
    adds to the scatter of the whole beside its own: N (p_f - m_f)(p_g - m_g), where N is the part's total, p its
    means (the `parts` of `Moments`) and m the pooled means. Where a scatter has fewer axes than its means, it is
    pooled within: both are sums over the axes that are missing.
    """

    definition: Definition
    raw: Expr
    excess: Expr
    between: Expr


@dataclass(frozen=True)
class Moments:
    """Sums that share a weight w, as their total N, means m = Σ w ⟨f⟩ / N and scatters about them.

    `total` is a statistic, a known size, or a combination of such. `functions`, `means` and `parts` go together: f,
    the definition of its mean, and a letter for the mean of a part of the data, at the same places. Parts are pooled
    by N = Σ N_c, m = Σ N_c p_c / N, C = Σ (C_c + between_c) (Chan, Golub & LeVeque 1983). All definitions
    stand in `Surrogate.statistics` too, in an order in which they can be computed.

    For γ_ik, γ_ik x_i, γ_ik x_i², the Normal mixture: weight γ_ik, summed over i, total N_k, functions (x_i),
    means (m_k := Σ_i γ_ik x_i / N_k), parts (p_k) and one scatter

        definition V_k := Σ_i γ_ik (x_i - m_k)², raw Σ_i γ_ik x_i², excess N_k m_k², between N_k (p_k - m_k)².

    With one variance for all components it is V := Σ_k Σ_i γ_ik (x_i - m_k)², excess Σ_k N_k m_k², between
    Σ_k N_k (p_k - m_k)².
    """

    weight: Expr
    summed: tuple[Axis, ...]
    total: Expr
    functions: tuple[Expr, ...]
    means: tuple[Definition, ...]
    parts: tuple[Expr, ...]
    scatters: tuple[Scatter, ...]

    def totals_in(self, expr: Expr) -> tuple[Expr, ...]:
        """The totals that the means in an expression are divided by, at their places."""
        symbols = {array_of(mean.symbol): mean.symbol for mean in self.means}
        held = sorted(expr.atoms(Indexed, Symbol) - labels_in(expr), key=str)
        pairs = ((symbols[array_of(entry)], entry) for entry in held if array_of(entry) in symbols)
        return tuple(
            reindex(self.total, dict(zip(places_of(own), places_of(entry), strict=True)))
            for own, entry in pairs
        )


@dataclass(frozen=True)
class Surrogate:
    """Q(theta | theta^(t)) in terms of expected sufficient statistics, and the entropy of q.

    `value` holds new parameters and statistic symbols; `constant` the terms free of parameters;
    `log_prior` is already part of `value` in MAP-EM. `statistics` are a straight-line program; those that belong to
    one weight stand together in `moments`.
    """

    value: Expr
    statistics: tuple[Definition, ...]
    constant: Expr
    entropy: Expr
    moments: tuple[Moments, ...] = ()

    @property
    def of_moments(self) -> tuple[str, ...]:
        """The names of the totals, means and scatters among the statistics."""
        totals = {name_of(symbol) for each in self.moments for symbol in each.total.atoms(Indexed, Symbol)}
        own = (name_of(each.symbol) for each in self.statistics)
        return tuple(name for name in own if name in totals | {name_of(d.symbol) for d in self.centred})

    @property
    def centred(self) -> tuple[Definition, ...]:
        """The means and scatters among the statistics."""
        return tuple(
            definition
            for each in self.moments
            for definition in (*each.means, *(scatter.definition for scatter in each.scatters))
        )


class Status(Enum):
    """How far a claim was established."""

    PROVED = "proved"
    CHECKED = "checked"
    OPEN = "open"


@dataclass(frozen=True)
class Claim:
    """A claim about an update, how far it was established, and by what argument; `points`: at how many it was checked."""

    name: str
    status: Status
    argument: str
    points: int = 0


@dataclass(frozen=True)
class Certificate:
    """What is known of one update: stationarity, second order, support, existence."""

    parameter: Expr
    claims: tuple[Claim, ...]
    conditions: tuple[Expr, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Update:
    """theta^(t+1) for one parameter array: what all kinds have.

    The value of `definition` is in terms of statistic symbols, `nested` also of parameters updated before it.
    `equation` is the stationarity condition that it solves (an expression that vanishes), `block` numbers the
    parameters that meet in terms of Q, `law` is the name of the law that solved it, whose sentence is in the
    derivation's steps.
    """

    definition: Definition
    equation: Expr
    nested: Expr
    block: int = 0
    law: str = ""

    @property
    def parameter(self) -> Expr:
        return self.definition.symbol

    @property
    def value(self) -> Expr:
        return self.definition.value


@dataclass(frozen=True, kw_only=True)
class Closed(_Update):
    """The maximiser of Q, the parameters of its block that were solved before it being put in."""


@dataclass(frozen=True, kw_only=True)
class Shares(_Update):
    """The maximiser on a simplex: `multiplier` is Lagrange's λ with its value."""

    multiplier: tuple[Symbol, Expr]


@dataclass(frozen=True, kw_only=True)
class Conditional(_Update):
    """The maximiser of Q over this parameter with the others held (ECM; Meng & Rubin 1993).

    It may hold parameters that are updated after it, at their old values.
    """


#: What the update of a parameter may be.
Update = Closed | Shares | Conditional


@dataclass(frozen=True)
class NotDerived:
    """A block of parameters without a closed form: which, and the term that stands in the way.

    `equation` is the derivative with respect to the first; parameters that would have one given it come last.
    """

    parameters: tuple[Expr, ...]
    equation: Expr
    term: Expr
    reason: str


@dataclass(frozen=True)
class Derivation:
    """Everything that was found, in the order of the theory."""

    model: Model
    complete: Expr
    posteriors: tuple[Posterior, ...]
    log_likelihood: Expr
    surrogate: Surrogate
    updates: tuple[Update, ...]
    not_derived: tuple[NotDerived, ...]
    certificates: tuple[Certificate, ...] = ()
    steps: tuple[Step, ...] = field(default=())

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The E-step as a straight-line program; names that two posteriors share come once."""
        found = {each.symbol: each for posterior in self.posteriors for each in posterior.definitions}
        return tuple(found.values())

    @property
    def own_extents(self) -> tuple[Extent, ...]:
        """Sizes of the tables of latents, where data show them."""
        tables = (each for each in self.posteriors if isinstance(each, Table))
        return tuple(each.extent for each in tables if each.extent is not None)

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Sizes that data show."""
        return (*self.model.extents, *self.own_extents)
