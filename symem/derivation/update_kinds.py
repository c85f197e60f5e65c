"""What the M-step finds for a parameter, how far it is established, and what it could not find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Self

from sympy import Expr, S, Symbol

from symem.derivation.definition import Definition


class Status(Enum):
    """How far a claim was established, from most to least: `UNDER` conditions that data can break."""

    PROVED = "proved"
    UNDER = "proved under conditions"
    CHECKED = "checked"
    OPEN = "open"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Claim:
    """A claim about an update, how far it was established, and by what argument; `points`: at how many it was checked;
    `unique`: that no other value is as good.
    """

    name: str
    status: Status
    argument: str
    points: int = 0
    unique: bool = False


@dataclass(frozen=True)
class Certificate:
    """What is known of one update: stationarity, second order, support, existence; and of which `approximation` of Q, if any."""

    parameter: Expr
    claims: tuple[Claim, ...]
    conditions: tuple[Expr, ...] = ()
    approximation: str = ""

    @property
    def refuted(self) -> Claim | None:
        """The first claim that does not hold, if any."""
        return next((claim for claim in self.claims if claim.status is Status.REFUTED), None)


@dataclass(frozen=True, kw_only=True)
class _Update:
    """theta^(t+1) for one parameter array: what all kinds have.

    The value of `definition` is in terms of statistic symbols, `nested` also of parameters updated before it.
    `equation` is the stationarity condition that it solves (an expression that vanishes), `block` numbers the
    parameters that meet in terms of Q, `law` is the name of the law that solved it, whose sentence is in the
    derivation's steps; `eliminated` are the parameters that were put into the equation, each from its own, and are
    updated after it.
    """

    definition: Definition
    equation: Expr
    nested: Expr
    block: int = 0
    law: str = ""
    eliminated: tuple[Expr, ...] = ()

    @property
    def parameter(self) -> Expr:
        return self.definition.symbol

    @property
    def value(self) -> Expr:
        return self.definition.value

    def rewritten(self, formula: Callable[[Expr], Expr], array: Callable[[Definition], Definition]) -> Self:
        """With its numbers and its arrays rewritten, but for its equation."""
        return replace(self, definition=array(self.definition), nested=formula(self.nested))


@dataclass(frozen=True, kw_only=True)
class Closed(_Update):
    """The maximiser of Q, the parameters of its block that were solved before it being put in."""


@dataclass(frozen=True, kw_only=True)
class Shares(_Update):
    """The maximiser on a simplex: `multiplier` is Lagrange's λ with its value."""

    multiplier: tuple[Symbol, Expr]

    def rewritten(self, formula: Callable[[Expr], Expr], array: Callable[[Definition], Definition]) -> Self:
        symbol, value = self.multiplier
        return replace(super().rewritten(formula, array), multiplier=(symbol, formula(value)))


@dataclass(frozen=True, kw_only=True)
class Conditional(_Update):
    """The maximiser of Q over this parameter with the others held (ECM; Meng & Rubin 1993).

    It may hold parameters that are updated after it, at their old values.
    """


@dataclass(frozen=True, kw_only=True)
class OfFactor(Conditional):
    """An argument of a factor of a mean field: those of one factor, `together`, maximise the free energy with all else held.

    `beside` are what its value reads, defined before it: of probabilities their log-weights and the log-sum of these.
    """

    together: tuple[Expr, ...]
    beside: tuple[Definition, ...] = ()

    def rewritten(self, formula: Callable[[Expr], Expr], array: Callable[[Definition], Definition]) -> Self:
        return replace(super().rewritten(formula, array), beside=tuple(map(array, self.beside)))


@dataclass(frozen=True)
class Chart:
    """In which coordinate a parameter is climbed: itself, itself where it must stay `positive`, that `times` the parameter of number
    `beside`, its `log`, that times such a parameter (a `power`), or log u/(1 - u), its `logit`.
    """

    kind: str = ""
    beside: int = -1

    @property
    def is_straight(self) -> bool:
        """Whether the coordinate is the parameter itself."""
        return self.kind in {"", "positive"}


@dataclass(frozen=True)
class Climbed:
    """The part of Q that holds `parameters` which no formula maximises; `concave`: it is known to be so in all of them together;
    `over_rows`: it holds another function of them at every row, and not statistics alone.

    `one_step`: one of Newton's steps is taken, which raises it, and not as many as lead to its maximum (Lange 1995).
    `slopes` are its derivatives by each, `curvatures` those of each by itself and every later one, row by row, as arrays over
    the axes of both (of two vectors, then their entries): along the coordinates of the parameters' `charts`, if any has one.
    """

    parameters: tuple[Expr, ...]
    part: Expr
    slopes: tuple[Definition, ...]
    curvatures: tuple[Definition, ...]
    charts: tuple[Chart, ...] = ()
    concave: bool = True
    over_rows: bool = True
    one_step: bool = False

    def rewritten(
        self, formula: Callable[[Expr], Expr], array: Callable[[Definition], Definition]
    ) -> Climbed:
        """With its numbers and its arrays rewritten."""
        slopes, curvatures = tuple(map(array, self.slopes)), tuple(map(array, self.curvatures))
        return replace(self, part=formula(self.part), slopes=slopes, curvatures=curvatures)


@dataclass(frozen=True, kw_only=True)
class Ascent(_Update):
    """The maximiser of Q over the parameters of a part of it, by Newton's method, each step of which reads the data again. Where
    the part is not known to be concave it is that which the ascent from the old parameters meets; or, if but one step is taken,
    where that ends.

    Statistics alone leave the parameter where it is: that is its `value`, from which the ascent starts. `nested` says where it ends.
    """

    within: Climbed

    def rewritten(self, formula: Callable[[Expr], Expr], array: Callable[[Definition], Definition]) -> Self:
        return replace(super().rewritten(formula, array), within=self.within.rewritten(formula, array))


#: What the update of a parameter may be.
Update = Closed | Shares | Conditional | Ascent


def with_beside(update: Update, change: Callable[[Definition], Definition]) -> Update:
    """An update with what stands beside it rewritten, if something does."""
    if not isinstance(update, OfFactor) or not update.beside:
        return update
    return replace(update, beside=tuple(map(change, update.beside)))


def defined_by(update: Update) -> tuple[Definition, ...]:
    """What the M-step computes for an update, in its order: what stands beside it, then itself."""
    return (*(update.beside if isinstance(update, OfFactor) else ()), update.definition)


@dataclass(frozen=True)
class Score:
    """∂Q/∂parameter in statistics and parameters, which at θ = θ⁽ᵗ⁾ is the score of the observed data (Fisher's identity);
    in MAP-EM the slope of the log-prior is part of it.

    Of a symmetric matrix it is the symmetric G of dQ = tr(G dΣ). `row` is what one row adds to it, over the plate of the rows
    and the places of the parameter, in data, posterior means and parameters; None where the data are no such rows.
    `beside` is what belongs to no row: the slope of the log-prior.
    """

    parameter: Expr
    definition: Definition
    row: Definition | None = None
    beside: Expr = S.Zero


@dataclass(frozen=True)
class Unidentified:
    """Parameters that Q holds in some `forms` only, of one `kind`: a product, a ratio, a sum or a difference, or several."""

    parameters: tuple[Expr, ...]
    forms: tuple[Expr, ...]
    kind: str


@dataclass(frozen=True)
class NotDerived:
    """A block of parameters without a closed form: which, and the term that stands in the way.

    `equation` is the derivative with respect to the first, those that are `put_in` being at their updates; the `waiting`
    ones, which would have one given the rest, come last. Where a root was found and is `refuted`, it is the term that
    stands in the way, and this says what is wrong with it. A root given the others that no statistic gives, as it needs
    all data `again`, is told too. `reason` is a sentence in the user's symbols; `instead` is what it says would do, or
    `numerically`, what `numeric=True` does where closed forms alone were asked for.
    """

    parameters: tuple[Expr, ...]
    equation: Expr
    term: Expr
    reason: str = ""
    refuted: str = ""
    instead: str = ""
    waiting: tuple[Expr, ...] = ()
    again: Expr | None = None
    put_in: tuple[Expr, ...] = ()
    numerically: str = ""

    @property
    def stuck(self) -> tuple[Expr, ...]:
        """The parameters without which the rest would have a closed form."""
        return tuple(each for each in self.parameters if each not in self.waiting)
