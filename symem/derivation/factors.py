"""A factor of a mean field: the law q(u) that stands for the posterior of a latent, apart from those of all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from symem.language.family import Family
from symem.language.model import Variable
from symem.language.plates import Axis


@dataclass(frozen=True)
class Factor:
    """q(u) at each place of `axes`, of the `family` with those `arguments`, which are parameters of the free energy.

    `log_density` are the terms of log p(x, z; θ) that hold the latent, `expected` their mean over the other factors, in statistics, θ
    and the arguments of the others; `log_law` is log q(u). Both are functions of u and equal up to a constant where the factor is best
    (Parisi 1988; Wainwright & Jordan 2008, section 5.3). `means` are the means of functions of u that others read, in the arguments.
    A law of the table has its `row`; `own` are the
    parameters of the law in their order, `outcome` the axis of the probabilities of a label.
    """

    latent: Variable
    atom: Expr
    axes: tuple[Axis, ...]
    family: str
    arguments: Mapping[str, Expr]
    log_density: Expr
    expected: Expr
    log_law: Expr
    means: tuple[tuple[Expr, Expr], ...]
    row: Family | None = None
    own: tuple[Expr, ...] = ()
    outcome: Axis | None = None
