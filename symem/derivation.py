"""The waist: frozen records of what was found, on which every later stage feeds.

A derivation is a straight-line program in SymPy: a list of `Definition`s, each a named array over axes
whose value refers only to data, parameters and earlier names. Reports print it, `program` turns it into
array operations, `certify` and `verify` check it; none of them derives anything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from sympy import Expr, Symbol

from symem.language.model import Model, Variable
from symem.language.plates import Axis
from symem.language.reading import Extent


@dataclass(frozen=True)
class Definition:
    """symbol[axes] := value.

    `symbol` is a `Symbol` or an `Indexed` over exactly the index symbols of `axes`; `value` may hold
    `Sum`s with 0-based limits, `Iverson` brackets, and any symbol defined before it.
    """

    symbol: Expr
    axes: tuple[Axis, ...]
    value: Expr


@dataclass(frozen=True)
class Step:
    """One line of the derivation: by `law`, `before` becomes `after`, because `reason`."""

    stage: str
    law: str
    before: Expr
    after: Expr
    reason: str


@dataclass(frozen=True)
class Posterior:
    """p(latent | data, latents eliminated later, theta^(t)) at one plate position.

    `axes` are the latent's own plates followed by one axis for each label it is conditioned on.
    `parameters` defines the family's arguments, `expectations` maps each statistic of the latent to its
    conditional mean, `log_normaliser` is what elimination leaves behind. For a finite posterior over
    `outcome`, `log_weight` and `probability` are arrays over (axes, outcome), and `value` is the latent at an
    outcome. `labels` pairs each label the posterior depends on with its axis; `trials` is a known total;
    `bounds` the interval of a family; `condition` the bracket outside which the latent does not exist. An
    `inline` posterior depends on another latent that is no label: its arguments are polynomials in it.
    """

    latent: Variable
    atom: Expr
    axes: tuple[Axis, ...]
    family: str
    parameters: tuple[Definition, ...]
    expectations: Mapping[Expr, Expr]
    log_normaliser: Definition
    log_density: Expr
    outcome: Axis | None = None
    log_weight: Definition | None = None
    probability: Definition | None = None
    moments: tuple[Definition, ...] = ()
    condition: Expr | None = None
    labels: tuple[tuple[Expr, Axis], ...] = ()
    arguments: Mapping[str, Expr] = field(default_factory=dict)
    trials: Expr | None = None
    value: Expr | None = None
    bounds: tuple[Expr, Expr] | None = None
    inline: bool = False
    extent: Extent | None = None

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All names that this posterior brings in, in an order in which they can be computed."""
        if self.inline:
            return self.parameters
        weight = (self.log_weight,) if self.log_weight else ()
        probability = (self.probability,) if self.probability else ()
        return (*weight, *self.parameters, self.log_normaliser, *probability, *self.moments)


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


@dataclass(frozen=True)
class Update:
    """theta^(t+1) for one parameter array.

    `value` is in terms of statistic symbols and of parameters updated before it (`nested`), `equation` the
    stationarity condition it solves (an expression that vanishes), `multiplier` the Lagrange multiplier, `law` the
    name of the law that solved it, whose sentence is in the derivation's steps. A `conditional` update maximises Q over this parameter with the others held (ECM): it may hold parameters that
    are updated after it, at their old values.
    """

    definition: Definition
    equation: Expr
    nested: Expr
    block: int = 0
    multiplier: tuple[Symbol, Expr] | None = None
    law: str = ""
    conditional: bool = False

    @property
    def parameter(self) -> Expr:
        return self.definition.symbol

    @property
    def value(self) -> Expr:
        return self.definition.value


@dataclass(frozen=True)
class NotDerived:
    """A block of parameters without a closed form: which, and the term that stands in the way."""

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
    def extents(self) -> tuple[Extent, ...]:
        """Sizes that data show."""
        own = tuple(posterior.extent for posterior in self.posteriors if posterior.extent)
        return (*self.model.extents, *own)
