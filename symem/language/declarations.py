"""`variable: distribution` as a log-density, with what it asks of its arguments.

Everything here is in the user's symbols; `model` reads it afterwards. A declaration states the log-density
of its variable summed over the variable's plates, the support of the variable, and the supports that its
arguments need for the density to exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import (
    Add,
    And,
    Eq,
    Expr,
    Idx,
    Indexed,
    Integer,
    Mul,
    Ne,
    Not,
    Or,
    Pow,
    S,
    Sum,
    Symbol,
    Tuple,
    log,
    loggamma,
)

from symem.errors import ModelError, PlateError
from symem.language.families import Distribution, log_multinomial
from symem.language.plates import Iverson, LogIverson
from symem.language.reading import base_name, own_range
from symem.language.supports import Binary, Counts, Labels, Positive, Reals, Simplex, Support, UnitInterval

Requirement = tuple[Expr, Support]


def own_indices(variable: Any) -> tuple[Idx, ...]:
    """The indices on the left of a colon: each a plain `Idx` with a range, none twice."""
    if not isinstance(variable, Indexed):
        return ()
    for place in variable.indices:
        if not isinstance(place, Idx):
            raise PlateError(f"{variable} on the left of a colon: write plain indices, one Idx a plate, not {place}.")
    if len(set(variable.indices)) != len(variable.indices):
        raise PlateError(f"{variable} repeats an index: give every slot an Idx of its own.")
    return tuple(variable.indices)


def free_indices(expr: Expr, own: tuple[Idx, ...]) -> tuple[Idx, ...]:
    """The indices of an argument that neither the variable nor a `Sum` inside binds."""
    bound = {limit[0] for inner in expr.atoms(Sum) for limit in inner.limits}
    return tuple(sorted(expr.atoms(Idx) - set(own) - bound, key=str))


@dataclass(frozen=True)
class Categories:
    """The cells that a probability argument runs over: an index, or entries one by one."""

    probabilities: tuple[Expr, ...]
    index: Idx | None

    @property
    def size(self) -> Expr:
        return own_range(self.index).size if self.index else Integer(len(self.probabilities))

    @property
    def origin(self) -> Expr:
        return own_range(self.index).lower if self.index else S.Zero

    @property
    def support(self) -> Labels:
        if not self.origin.is_Integer:
            raise PlateError(f"The range of {self.index} must start at a number, not at {self.origin}.")
        return Labels(self.size, int(self.origin))

    def log_probability(self, value: Expr) -> Expr:
        if self.index:
            return log(self.probabilities[0].subs(self.index, value))
        return Add(*(Iverson(Eq(value, c)) * log(p) for c, p in enumerate(self.probabilities)))

    def requirements(self) -> Iterator[Requirement]:
        """An entry w[k] lies on a simplex; entries that sum to one by themselves lie in (0, 1)."""
        if self.index:
            yield self.probabilities[0], Simplex()
        elif sum(self.probabilities, S.Zero).expand() != 1:
            yield Tuple(*self.probabilities), Simplex()
        else:
            yield from ((entry, UnitInterval()) for entry in self.probabilities)


def categories(arguments: tuple[Expr, ...], own: tuple[Idx, ...], owner: str) -> Categories:
    """Read the probabilities of a Categorical or Multinomial."""
    if len(arguments) > 1:
        return Categories(arguments, None)
    free = free_indices(arguments[0], own)
    if len(free) != 1:
        raise PlateError(
            f"{owner}: the probabilities {arguments[0]} must hold exactly one index that runs over the categories, "
            f"such as w[k]; {len(free)} were found."
        )
    return Categories(arguments, free[0])


@dataclass(frozen=True)
class Declaration:
    """One line of a model: `variable: distribution`."""

    variable: Any
    distribution: Distribution

    @property
    def entries(self) -> tuple[Any, ...]:
        return self.variable if isinstance(self.variable, tuple) else (self.variable,)

    @property
    def own(self) -> tuple[Idx, ...]:
        return own_indices(self.entries[0])

    @property
    def indices(self) -> tuple[Idx, ...]:
        """Every index in sight, those of the variable first."""
        inside = {i for a in self.distribution.arguments for i in a.atoms(Idx)}
        return (*self.own, *sorted(inside - set(self.own), key=str))

    @property
    def name(self) -> str:
        return self.distribution.name

    def log_likelihood(self) -> Expr:
        """The log-density summed over the variable's plates."""
        if self.name == "Multinomial":
            return self._multinomial()
        density = log_density(self.entries[0], self.distribution, self.own)
        return _over(density, self.own)

    def _multinomial(self) -> Expr:
        total, cells = self._cells()
        if not cells.index:
            logs = Add(*(x * log(p) for x, p in zip(self.entries, cells.probabilities, strict=True)))
            return _over(log_multinomial(total, self.entries) + logs, self.own)
        rest = tuple(index for index in self.own if index != cells.index)
        x = self.entries[0]
        inner = Sum(x * log(cells.probabilities[0]) - loggamma(x + 1), cells.index)
        return _over(loggamma(total + 1) + inner, rest)

    def _cells(self) -> tuple[Expr, Categories]:
        total, *probabilities = self.distribution.arguments
        if len(probabilities) > 1:
            if len(probabilities) != len(self.entries):
                raise ModelError(
                    f"{self.variable}: Multinomial with {len(probabilities)} probabilities for {len(self.entries)} counts."
                )
            return total, Categories(tuple(probabilities), None)
        last = [index for index in self.own if index in probabilities[0].atoms(Idx)]
        if not last:
            raise PlateError(f"{self.variable}: write the category as its last index, x[i, v]: Multinomial(N[i], p[v]).")
        return total, Categories(tuple(probabilities), last[-1])

    def supports(self) -> Iterator[tuple[str, Support]]:
        """The support of each variable on the left."""
        for entry in self.entries:
            yield base_name(entry), value_support(self.distribution, self.own, str(self.variable))

    def requirements(self) -> Iterator[Requirement]:
        """What the arguments must satisfy, as (expression, support)."""
        if self.name == "Multinomial":
            total, cells = self._cells()
            yield total, Counts()
            yield from cells.requirements()
        else:
            yield from distribution_requirements(self.distribution, self.own, str(self.variable))


def _over(density: Expr, own: tuple[Idx, ...]) -> Expr:
    return Sum(density, *reversed(own)) if own else density


def value_support(distribution: Distribution, own: tuple[Idx, ...], owner: str) -> Support:
    """The set that a distribution puts its mass on."""
    if distribution.name == "Categorical":
        return categories(distribution.arguments, own, owner).support
    if distribution.name == "Cases":
        return _widest([value_support(branch, own, owner) for branch in distribution.branches.values()])
    return distribution.family.support(*distribution.arguments)


def _widest(supports: list[Support]) -> Support:
    spread = [s for s in supports if not (s.bounds[0] == s.bounds[1])]
    kinds = {type(s) for s in spread}
    if len(kinds) == 1 and all(s.discrete for s in spread):
        return spread[0]
    return Reals()


def distribution_requirements(distribution: Distribution, own: tuple[Idx, ...], owner: str) -> Iterator[Requirement]:
    if distribution.name == "Categorical":
        yield from categories(distribution.arguments, own, owner).requirements()
    elif distribution.name == "Cases":
        for branch in distribution.branches.values():
            yield from distribution_requirements(branch, own, owner)
    else:
        yield from zip(distribution.arguments, distribution.family.parameters.values(), strict=True)


def log_density(value: Any, distribution: Distribution, own: tuple[Idx, ...]) -> Expr:
    """log p(value), in the user's symbols."""
    if distribution.name == "Categorical":
        return categories(distribution.arguments, own, str(value)).log_probability(value)
    if distribution.name == "Cases":
        return _cases(value, distribution, own)
    if distribution.name in ("Multinomial", "Dirichlet"):
        raise ModelError(f"{distribution.name} cannot stand inside Cases or for {value}.")
    _check_free(value, distribution, own)
    return distribution.family.log_density(value, *distribution.arguments)


def _check_free(value: Any, distribution: Distribution, own: tuple[Idx, ...]) -> None:
    for argument in distribution.arguments:
        free = free_indices(argument, own)
        if free:
            raise PlateError(f"The index {free[0].label} is free in {value}: {distribution}; sum over it or give it to {value}.")


def _cases(value: Any, distribution: Distribution, own: tuple[Idx, ...]) -> Expr:
    label = distribution.arguments[0]
    points = [b.arguments[0] for b in distribution.branches.values() if b.name == "Dirac"]
    parts = []
    for outcome, branch in distribution.branches.items():
        conditions = [Eq(label, outcome)]
        density = log_density(value, branch, own)
        if points and branch.name != "Dirac" and not value_support(branch, own, str(value)).discrete:
            off_points = [Ne(value, point) for point in points]
            density += LogIverson(And(*off_points))
            parts.append(_guarded(conditions, off_points, density))
        else:
            parts.append(_guarded(conditions, [], density))
    return Add(*parts)


def _guarded(conditions: list[Any], off_points: list[Any], density: Expr) -> Expr:
    """[conditions] times a log-density, with hard constraints kept free of 0 · (-oo)."""
    parts = []
    for part in Add.make_args(density):
        if isinstance(part, LogIverson):
            parts.append(LogIverson(Or(Not(And(*conditions)), part.args[0])))
        else:
            parts.append(Iverson(And(*conditions, *off_points)) * part)
    return Add(*parts)


def spread(expr: Expr, support: Support) -> Iterator[tuple[str, Support]]:
    """What a requirement on an expression means for the symbols in it.

    A product is positive if its factors are, a probability 1 - p if p is one; inside exp or log nothing
    is asked. These are sufficient conditions; `parameters=` overrides them.
    """
    if isinstance(expr, (Symbol, Indexed)):
        yield base_name(expr), support
    elif isinstance(expr, (Add, Mul)):
        for argument in expr.args:
            yield from spread(argument, support)
    elif isinstance(expr, Pow):
        yield from spread(expr.base, support)
    elif isinstance(expr, Sum):
        yield from spread(expr.function, support)


def narrower(one: Support | None, other: Support) -> Support:
    """Of two supports asked of one symbol, the smaller set."""
    rank: Mapping[type[Support], int] = {Reals: 0, Positive: 1, UnitInterval: 2, Binary: 3, Simplex: 4}
    if one is None:
        return other
    return other if rank.get(type(other), 3) > rank.get(type(one), 3) else one
