"""What a row of the table of distributions is, and a row with its arguments.

A row gives a density in the names and the parameter order of `sympy.stats`. A row with an exponential
face also says which statistics of u its log-density is linear in, what natural parameters mean in terms
of its arguments, its log-partition and its moments (Wainwright & Jordan 2008, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import Expr, S

from symem.errors import ModelError
from symem.language.stated import expression
from symem.language.supports import Support

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class ExponentialFace:
    """How a family is read off a log-density Σ ηᵣ Tᵣ(u) + log h(u).

    Args:
        statistics: u -> the functions Tᵣ(u).
        arguments: (η, bounds) -> the family's arguments by name, as closed forms.
        log_partition: (arguments, bounds) -> A = log ∫ h(u) exp(Σ ηᵣ Tᵣ(u)) du.
        moments: (u, arguments, bounds) -> function of u -> its mean.
        base_measure: (u, bounds) -> log h(u).
    """

    statistics: Callable[[Expr], tuple[Expr, ...]]
    arguments: Callable[..., Mapping[str, Expr]]
    log_partition: Callable[..., Expr]
    moments: Callable[..., Mapping[Expr, Expr]]
    base_measure: Callable[[Expr, tuple[Expr, Expr]], Expr] = lambda _u, _bounds: S.Zero


@dataclass(frozen=True)
class Family:
    """One row of the table; one more row is all that a family from outside needs.

    Args:
        name: the name users write, and the one a recognised posterior carries.
        parameters: parameter name -> support, in the order of `sympy.stats`.
        log_density: (value, *parameters) -> log p in SymPy, normalised: see `symem.language.families.check_family`.
        support: parameters -> the set of values.
        sampler: (rng, size, *parameters) -> array, the parameters being arrays that broadcast to size.
        face: the exponential face, for rows that a posterior can be recognised as.

    A family from outside, used as the table's own are:

        >>> from sympy import exp, log
        >>> from symem import Positive
        >>> Gompertz = Family(
        ...     "Gompertz",
        ...     {"b": Positive(), "eta": Positive()},
        ...     lambda x, b, eta: log(b) + log(eta) + eta + b * x - eta * exp(b * x),
        ...     lambda b, eta: Positive(),
        ... )
        >>> Gompertz(2, 3)
        Gompertz(2, 3)

    Source of names and parameter order: `sympy.stats`.
    """

    name: str
    parameters: Mapping[str, Support]
    log_density: Callable[..., Expr]
    support: Callable[..., Support]
    sampler: Callable[..., Array] | None = None
    face: ExponentialFace | None = None

    def __call__(self, *arguments: Any) -> Distribution:
        """The distribution with these arguments.

        Raises:
            ModelError: the number of arguments is another, or one of them is no SymPy expression.
        """
        if len(arguments) != len(self.parameters):
            wanted = ", ".join(self.parameters)
            raise ModelError(f"{self.name} takes ({wanted}), but {len(arguments)} arguments were given.")
        return Distribution(
            self, tuple(expression(each, f"An argument of {self.name}") for each in arguments)
        )


@dataclass(frozen=True)
class Distribution:
    """A family with its arguments: what stands behind the colon in a model."""

    family: Family
    arguments: tuple[Expr, ...]
    branches: Mapping[int, Distribution] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.family.name

    def parts(self) -> Iterator[Distribution]:
        """The distribution and those in its branches."""
        yield self
        for branch in self.branches.values():
            yield from branch.parts()

    def __hash__(self) -> int:
        return hash((self.family.name, self.arguments))

    def __str__(self) -> str:
        branches = ", ".join(f"{value}: {branch}" for value, branch in self.branches.items())
        inside = [*map(str, self.arguments), *([f"{{{branches}}}"] if branches else [])]
        return f"{self.name}({', '.join(inside)})"

    __repr__ = __str__
