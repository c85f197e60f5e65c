"""The record of one elimination: a latent's posterior given the latents eliminated after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, S

from symem.calculus.recognise import Recognised
from symem.calculus.separate import Term
from symem.derivation import Definition
from symem.language.model import Variable
from symem.language.plates import Axis, Iverson
from symem.language.reading import Extent
from symem.language.supports import Binary, Labels

#: The supports over which a posterior is a table.
FINITE = (Binary, Labels)


@dataclass(frozen=True)
class Eliminated:
    """One latent's posterior given the latents eliminated after it.

    `labels` pairs each label atom the posterior depends on with the axis that stands for it. Exactly one of
    `recognised` (a family), `probability` (a finite table over `outcome`) or `cells` (counts with a known
    total) says what it is. `inline` posteriors depend on a continuous latent and are written out.
    """

    variable: Variable
    atom: Expr
    position: tuple[Axis, ...]
    labels: tuple[tuple[Expr, Axis], ...]
    family: str
    log_density: Expr
    log_normaliser: Definition
    condition: Expr = Iverson(True)
    recognised: Recognised | None = None
    arguments: Mapping[str, Expr] | None = None
    parameters: tuple[Definition, ...] = ()
    inline: bool = False
    outcome: Axis | None = None
    log_weight: Definition | None = None
    probability: Definition | None = None
    value: Expr | None = None
    trials: Expr | None = None
    extent: Extent | None = None
    gathered: tuple[Term, ...] = ()
    left: Expr = S.Zero

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (*self.position, *(axis for _atom, axis in self.labels))
