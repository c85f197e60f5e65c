"""`variable: distribution`, one line of a model stated by how the data arise.

Everything here is in the user's symbols; `reading` turns it inward afterwards. A declaration states the
log-density of its variable summed over the variable's plates, the support of the variable, and the supports
that its arguments need for the density to exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Add, Expr, Idx, Indexed, Not, S, Sum, Symbol, Tuple, log, loggamma

from symem.errors import ModelError, PlateError
from symem.language.categories import Categories, Requirement, categories
from symem.language.densities import log_density, requirements, value_support
from symem.language.families import as_distribution
from symem.language.family import Distribution
from symem.language.parents import has_parent
from symem.language.plates import Iverson
from symem.language.ranges import own_range
from symem.language.support import Support
from symem.language.supports import Counts, Positive, UnitInterval
from symem.language.symbol_names import stated_name
from symem.language.transcription import transcribed
from symem.language.vectors import check_value

#: Laws of several numbers, which stand under an index over their cells or one by one, and how they are written.
OF_CELLS = {"Multinomial": "x[i, v]: Multinomial(N[i], p[v])", "Dirichlet": "x[i, v]: Dirichlet(alpha[v])"}


def declaration(key: Any, stated: Any) -> Declaration:
    """Read one line of a model.

    Raises:
        ModelError: the left is no variable, or the right no distribution of it.
    """
    variable = tuple(key) if isinstance(key, (tuple, Tuple)) else key
    law = as_distribution(stated)
    for entry in variable if isinstance(variable, tuple) else (variable,):
        stated_name(entry)
        check_value(entry, law)
    read = Declaration(transcribed(variable), in_letters(law))
    if isinstance(variable, tuple) and read.name not in OF_CELLS:
        raise ModelError(
            f"{variable}: a tuple of variables is read for a Multinomial and a Dirichlet only, not for {read.distribution}."
        )
    if len({own_indices(entry) for entry in read.entries}) != 1:
        raise PlateError(f"The counts {variable} must stand over the same indices, or over none.")
    return read


def in_letters(distribution: Distribution) -> Distribution:
    """A distribution with its matrices in letters."""
    branches = {outcome: in_letters(branch) for outcome, branch in distribution.branches.items()}
    return Distribution(distribution.family, tuple(map(transcribed, distribution.arguments)), branches)


def _replaced(law: Distribution, rules: Mapping[Any, Any]) -> Distribution:
    arguments = tuple(argument.xreplace(rules) for argument in law.arguments)
    return Distribution(law.family, arguments, {o: _replaced(b, rules) for o, b in law.branches.items()})


def own_indices(variable: Any) -> tuple[Idx, ...]:
    """The indices on the left of a colon: each a plain `Idx` with a range, none twice; a first place is a number, a root a
    `Symbol`.
    """
    if not isinstance(variable, Indexed):
        return ()
    found = tuple(place for place in variable.indices if not (place.is_Integer or isinstance(place, Symbol)))
    for place in found:
        if not isinstance(place, Idx):
            raise PlateError(
                f"{variable} on the left of a colon: write plain indices, one Idx a plate, not {place}."
            )
        own_range(place)
    if len(set(found)) != len(found):
        raise PlateError(f"{variable} repeats an index: give every slot an Idx of its own.")
    return found


@dataclass(frozen=True)
class Declaration:
    """One line of a model: `variable: distribution`; a Multinomial may have a tuple of variables.

    `skipped`: an index, and at how many of its first places the law does not hold, for want of what it looks back at.
    `parent`: parent[v], where it looks back at the parent of a place v; it holds where there is one, or `at_roots`.
    """

    variable: Any
    distribution: Distribution
    skipped: tuple[Idx, int] | None = None
    parent: Indexed | None = None
    at_roots: bool = False

    @property
    def entries(self) -> tuple[Any, ...]:
        return self.variable if isinstance(self.variable, tuple) else (self.variable,)

    @property
    def stated_arguments(self) -> tuple[Expr, ...]:
        """The arguments as written, those of the branches of a `Cases` after its label."""
        branches = self.distribution.branches.values()
        return (*self.distribution.arguments, *(each for branch in branches for each in branch.arguments))

    @property
    def own(self) -> tuple[Idx, ...]:
        return own_indices(self.entries[0])

    @property
    def indices(self) -> tuple[Idx, ...]:
        """Every index in sight, those of the variable first."""
        inside = {index for argument in self.distribution.arguments for index in argument.atoms(Idx)}
        return (*self.own, *sorted(inside - set(self.own), key=str))

    def offsets(self, index: Idx) -> dict[str, int]:
        """How many places back along one of its own indices the law looks at each array: 2 where z[t-2] stands in it."""
        entries = {entry for argument in self.stated_arguments for entry in argument.atoms(Indexed)}
        found: dict[str, int] = {}
        for entry in entries:
            for place in entry.indices:
                offset = index - place
                if offset.is_Integer and offset > found.get(stated_name(entry), 0):
                    found[stated_name(entry)] = int(offset)
        return found

    @property
    def back(self) -> Idx | None:
        """The index along which the law looks back at places that are not there from the beginning."""
        if self.parent is not None and not self.at_roots:
            return self.parent.indices[0]
        return self.skipped[0] if self.skipped else None

    @property
    def place_by_place(self) -> Idx | None:
        """The index whose places have their turn one after another, or of which only some have one."""
        return self.parent.indices[0] if self.parent is not None else self.back

    @property
    def reach(self) -> int:
        """At how many places from the beginning it therefore does not hold."""
        return self.skipped[1] if self.skipped else 0

    def at(self, index: Idx, place: Expr) -> Declaration:
        """The line at one place of an index."""
        rules = {index: place}
        return Declaration(self.variable.xreplace(rules), _replaced(self.distribution, rules))

    @property
    def holds(self) -> Any:
        """Where a law of a tree does, as a condition on the parent; None of others."""
        if self.parent is None:
            return None
        there = has_parent(self.parent - own_range(self.parent.indices[0]).lower)
        return Not(there) if self.at_roots else there

    def limits(self, index: Idx) -> Any:
        """Where the law holds along an index: wherever the places exist that it looks back at."""
        span = own_range(index)
        return (index, span.lower + self.reach, span.upper) if index == self.back else index

    @property
    def name(self) -> str:
        return self.distribution.name

    @property
    def cell(self) -> Idx | None:
        """The index over the cells of a Multinomial or a Dirichlet, where it is one of the variable's own."""
        return self._cells().index if self.name in OF_CELLS else None

    def free_counts(self) -> Expr:
        """What must be added to the log-likelihood of a Multinomial to make of its counts independent ones with the same means:
        Poisson counts of means N p.
        """
        if self.name != "Multinomial":
            return S.Zero
        whole, cells = self.distribution.arguments[0], self._cells()
        parts = [x * log(whole) - whole * p for x, p in zip(self.entries, cells.probabilities, strict=True)]
        inner = Sum(parts[0], cells.index) if cells.index else Add(*parts)
        rest = tuple(index for index in self.own if index != cells.index)
        return self._over(inner - loggamma(whole + 1), rest)

    def log_likelihood(self) -> Expr:
        """The log-density summed over the variable's plates, where the places exist that the law looks back at."""
        if self.name in OF_CELLS:
            return self._of_cells()
        return self._over(log_density(self.entries[0], self.distribution, self.own), self.own)

    def _of_cells(self) -> Expr:
        cells = self._cells()
        if cells.index:
            each = self._of_cell(self.entries[0], cells.probabilities[0])
            together = self._together(Sum(cells.probabilities[0], cells.index)) + Sum(each, cells.index)
            return self._over(together, tuple(index for index in self.own if index != cells.index))
        pairs = zip(self.entries, cells.probabilities, strict=True)
        whole = Add(*cells.probabilities)
        return self._over(self._together(whole) + Add(*(self._of_cell(*pair) for pair in pairs)), self.own)

    def _of_cell(self, x: Expr, cell: Expr) -> Expr:
        """What one cell adds to the log-density."""
        if self.name == "Dirichlet":
            return (cell - 1) * log(x) - loggamma(cell)
        return x * log(cell) - loggamma(x + 1)

    def _together(self, whole: Expr) -> Expr:
        """What belongs to no cell: by the sum of the α, or by the number of trials."""
        return loggamma(whole if self.name == "Dirichlet" else self.distribution.arguments[0] + 1)

    def _over(self, density: Expr, own: tuple[Idx, ...]) -> Expr:
        density = density if self.holds is None else density * Iverson(self.holds)
        return Sum(density, *map(self.limits, reversed(own))) if own else density

    def _cells(self) -> Categories:
        cells = self.distribution.arguments[self.name == "Multinomial" :]
        last = [index for index in self.own if index in cells[0].atoms(Idx) or self.name == "Dirichlet"]
        if len(cells) == len(self.entries) > 1:
            return Categories(cells, None)
        if len(cells) > 1 or len(self.entries) > 1:
            raise ModelError(
                f"{self.variable}: {len(self.entries)} on the left, but {self.distribution} has {len(cells)} "
                f"cells; write as many, or {OF_CELLS[self.name]}."
            )
        if not last:
            raise PlateError(f"{self.variable}: write the category as its last index, {OF_CELLS[self.name]}.")
        return Categories(cells, last[-1])

    def supports(self) -> Iterator[tuple[str, Support]]:
        """The support of each variable on the left."""
        for entry in self.entries:
            if self.name == "Dirichlet":
                yield stated_name(entry), UnitInterval()
            else:
                yield stated_name(entry), value_support(self.distribution, self.own, str(self.variable))

    def requirements(self) -> Iterator[Requirement]:
        """What the arguments must satisfy, as (expression, support)."""
        if self.name == "Multinomial":
            yield self.distribution.arguments[0], Counts()
            yield from self._cells().requirements()
        elif self.name == "Dirichlet":
            yield from ((cell, Positive()) for cell in self._cells().probabilities)
        else:
            yield from requirements(self.distribution, self.own, str(self.variable))


__all__ = ["Declaration", "categories", "declaration", "own_indices"]
