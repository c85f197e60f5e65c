"""Q(θ | θ⁽ᵗ⁾) and the expected sufficient statistics on which it depends: totals, means, scatters, plain sums."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Indexed, Symbol

from symem.derivation.definition import Definition
from symem.language.leaves import array_of, labels_in, name_of, places_of
from symem.language.plates import Axis, reindex

#: How the names of sums begin that have no letter of their own.
NUMBERED = "S_"


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
    def numbered(self) -> tuple[Definition, ...]:
        """The statistics that have no letter of their own."""
        return tuple(each for each in self.statistics if name_of(each.symbol).startswith(NUMBERED))

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
