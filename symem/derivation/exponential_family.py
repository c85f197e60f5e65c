"""The exponential family that the complete data follow, where they follow one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Symbol

from symem.derivation.definition import Definition
from symem.derivation.update_kinds import Claim
from symem.language.plates import Axis

#: Where the form, the moment equation of full families and curved families are from.
FORM, FULL, CURVED = "Dempster, Laird & Rubin 1977, section 2", "Sundberg 1974", "Efron 1975"


@dataclass(frozen=True)
class SufficientStatistic:
    """A statistic s(y) of the complete data y = (x, z) at each place of `axes`.

    `natural` is η(θ), of the shape of s: together they add tr(ηᵀ s) to log p(y; θ). `expected` is s⁽ᵗ⁾ = E[s(Y) | x, θ⁽ᵗ⁾], in
    data and posterior means; `mean` is E_θ[s(Y)], what the model itself says of it before anything is seen, None where it has no
    closed form here.
    """

    axes: tuple[Axis, ...]
    function: Expr
    natural: Expr
    expected: Expr
    mean: Expr | None = None


@dataclass(frozen=True)
class Spans:
    """At some small `sizes`: how many numbers the statistics are, in how many directions they and the natural parameters vary
    together, and in how many θ moves these.
    """

    numbers: int
    statistics: int
    parameters: int
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class ExponentialFamily:
    """p(y; θ) = exp(Σ tr(ηᵀ s(y)) - A(θ)) h(y) (Dempster, Laird & Rubin 1977, section 2).

    In a full family the M-step solves the moment equation E_θ[s(Y)] = s⁽ᵗ⁾ (Sundberg 1974); in a `curved` one, in which θ has
    fewer free numbers than the statistics, it is solved in the directions ∂η/∂θ alone; so it is with a prior, whose slope
    stands on the other side. `claim` says how far that was established of the updates. `definitions` are the laws of labels
    along chains by which means are told. A prior is `conjugate` if its logarithm is in the functions of θ that stand beside
    statistics or in A, to which it then adds; None without a prior.
    """

    statistics: tuple[SufficientStatistic, ...]
    log_partition: Expr
    spans: Spans | None
    claim: Claim
    definitions: tuple[Definition, ...] = ()
    conjugate: bool | None = None

    @property
    def lines(self) -> tuple[Definition, ...]:
        """Its formulas as arrays over their axes, and the laws of labels."""
        told = (
            Definition(Symbol(f"s_{number}"), each.axes, value)
            for number, each in enumerate(self.statistics, 1)
            for value in (each.function, each.natural, each.expected, each.mean)
            if value is not None
        )
        return (*told, Definition(Symbol("A"), (), self.log_partition), *self.definitions)

    @property
    def sources(self) -> tuple[str, ...]:
        """The works that hold what it says."""
        return (FORM, *{True: (CURVED,), False: (FULL,), None: ()}[self.curved])

    @property
    def curved(self) -> bool | None:
        """Whether θ has fewer free numbers than the statistics; None if that was not found."""
        return None if self.spans is None else self.spans.parameters < self.spans.statistics


@dataclass(frozen=True)
class NoExponentialFamily:
    """Why there is no such form: `terms` of the complete-data log-likelihood in which θ and y stand together; `split` if they
    are products of entries of matrices, so that there is one that is not written out.
    """

    terms: tuple[Expr, ...]
    split: bool = False
    definitions: tuple[Definition, ...] = field(default=(), init=False)

    @property
    def lines(self) -> tuple[Definition, ...]:
        """Its terms as numbers."""
        return tuple(Definition(Symbol(f"s_{number}"), (), each) for number, each in enumerate(self.terms, 1))
