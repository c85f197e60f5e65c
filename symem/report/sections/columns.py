"""What an iteration computes row by row: the data, the posterior, and what each row adds to each statistic.

For every plate over which a latent has a posterior there is one table; a column is a formula in the index of that
plate with its numbers and, if it is summed, its total. Further indices are written out where they are few. The
coefficients of the logarithms in Q are expected counts; those that combine statistics get columns of their own, so
that heads have their tails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np
from sympy import Add, Expr, Indexed, Integer, Mul, Sum, Symbol, log

from symem.derivation import Definition, Posterior, Probabilities
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix, shape
from symem.language.model import Role, Variable
from symem.language.parents import Parents
from symem.language.plates import Axis, total
from symem.language.traces import Element
from symem.report.iteration import Worked
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import collected_logs, printed

FEW = 4
LONGEST = 6  # of a vector so many entries have columns


@dataclass(frozen=True)
class Column:
    """A formula over the rows of a plate; `total` is None where the numbers are not added up. Numbers that are `apart`
    have digits of their own, not the decimals of a column.
    """

    head: str
    values: Any
    total: float | None = None
    whole: bool = False
    apart: bool = False


@dataclass(frozen=True)
class Rows:
    """The rows of one plate: the data, the posterior and the contributions."""

    axis: Axis
    data: tuple[Column, ...]
    posterior: tuple[Column, ...]
    shares: tuple[Column, ...]


def rows(worked: Worked, lexicon: Lexicon) -> tuple[Rows, ...]:
    """A table for each plate that has latents of its own."""
    axes = {axis.size: axis for each in worked.derivation.posteriors for axis in own_axes(each)[:1]}
    return tuple(Tabulation(worked, lexicon.within([axis]), axis).rows() for axis in axes.values())


def own_axes(posterior: Posterior) -> tuple[Axis, ...]:
    """The plates of a latent, without the labels it depends on."""
    labels = {axis for _, axis in posterior.labels}
    return tuple(axis for axis in posterior.axes if axis not in labels)


@dataclass(frozen=True)
class Tabulation:
    """Formulas over one plate, in numbers."""

    worked: Worked
    lexicon: Lexicon
    axis: Axis

    def rows(self) -> Rows:
        posterior = tuple(self._distinct(self._posterior()))
        heads = {column.head for column in posterior}
        shares = tuple(c for c in self._distinct(self._shares()) if c.head not in heads)
        totals = {column.head: column.total for column in self._shares()}
        summed = tuple(Column(c.head, c.values, totals.get(c.head), c.whole) for c in posterior)
        return Rows(self.axis, tuple(self._data()), summed, shares)

    def _distinct(self, columns: Iterator[Column]) -> Iterator[Column]:
        seen: set[str] = set()
        for column in columns:
            if column.head not in seen:
                seen.add(column.head)
                yield column

    # data ---------------------------------------------------------------------------------------

    def _data(self) -> Iterator[Column]:
        for variable in self.worked.derivation.model.variables.values():
            if variable.role in (Role.DATA, Role.KNOWN) and self.axis.size in variable.sizes:
                yield from self._datum(variable)

    def _datum(self, variable: Variable) -> Iterator[Column]:
        """The entries of an array as the reader gave them, a column for each of few places of its other slots."""
        if variable.shape:
            atom = variable.symbol[tuple(self._slots_of(variable))]
            yield from self._entries(atom, given=self.worked.given[variable.name])
            return
        given = np.asarray(self.worked.given[variable.name], dtype=float)
        if isinstance(variable.support, Parents):
            given = given + 1 - variable.support.origin  # they are rows, and these count from 1
        place = variable.sizes.index(self.axis.size)
        others = [length for slot, length in enumerate(given.shape) if slot != place]
        if np.prod(others, initial=1) > FEW:
            return
        table = np.moveaxis(given, place, 0)
        for rest in np.ndindex(*others):
            slots = [Integer(at) for at in rest]
            slots.insert(place, self.axis.index)
            atom = Indexed(variable.symbol, *slots)
            values = table[(slice(None), *rest)]
            yield Column(letter(atom, self.lexicon), values, whole=bool(variable.support.discrete))

    def _slots_of(self, variable: Variable) -> Iterator[Expr]:
        """The rows' index in its slot; of other plates the first place."""
        for size in variable.sizes:
            yield self.axis.index if size == self.axis.size else Integer(0)

    def _entries(self, atom: Expr, given: Any = None) -> Iterator[Column]:
        """A column for each entry of a small matrix, or for the first of a vector; `given` has what is missing as NaN."""
        rows, columns = (self.worked.size(size) for size in shape(atom))
        if columns == 1 or rows * columns <= FEW:
            whole = (
                self._numbers(atom)
                if given is None or np.ndim(given) != 2
                else np.asarray(given, dtype=float)
            )
            numbers = whole.reshape(-1, rows, columns)
            for row, column in islice(np.ndindex(rows, columns), LONGEST):
                entry = Element(atom, Integer(row), Integer(column))
                yield Column(latex(entry, self.lexicon), numbers[:, row, column])

    # posterior ----------------------------------------------------------------------------------

    def _posterior(self) -> Iterator[Column]:
        for each in self.worked.derivation.posteriors:
            if own_axes(each)[:1] and own_axes(each)[0].size == self.axis.size and not each.inline:
                yield from self._arguments(each)

    def _arguments(self, posterior: Posterior) -> Iterator[Column]:
        shown = (posterior.probability,) if isinstance(posterior, Probabilities) else posterior.parameters
        renamed = {e.symbol for e in posterior.moments if isinstance(e.value, Symbol | Indexed)}
        for definition in (*shown, *(each for each in posterior.moments if each.symbol not in renamed)):
            yield from self._definition(definition)

    def _definition(self, definition: Definition) -> Iterator[Column]:
        first = next((axis for axis in definition.axes if axis.size == self.axis.size), None)
        if first is not None:
            rest = tuple(axis for axis in definition.axes if axis != first)
            for here in self._places(rest):
                atom = definition.symbol.xreplace({first.index: self.axis.index}).xreplace(here)
                if is_matrix(atom):
                    yield from self._entries(atom)
                else:
                    yield Column(letter(atom, self.lexicon), self._numbers(atom))

    def _places(self, axes: tuple[Axis, ...]) -> Iterator[dict[Symbol, Integer]]:
        """Every place of the other indices, if they are few."""
        sizes = [self.worked.size(axis.size) for axis in axes]
        if np.prod(sizes, initial=1) <= FEW:
            for at in product(*map(range, sizes)):
                yield {axis.index: Integer(k) for axis, k in zip(axes, at, strict=True)}

    def _numbers(self, value: Expr) -> Any:
        return self.worked.table(value, (self.axis.index,), (self.worked.size(self.axis.size),))

    # statistics ---------------------------------------------------------------------------------

    def _shares(self) -> Iterator[Column]:
        for statistic in self.worked.derivation.surrogate.statistics:
            for here in self._places(statistic.axes):
                yield from self._share(statistic.value.xreplace(here))
        for count in self.expected_counts():
            yield from self._share(count)

    def _share(self, value: Expr) -> Iterator[Column]:
        """What each row adds to a sum over rows; matrices are shown as a whole elsewhere."""
        if is_matrix(value):
            return
        parts = [self._summand(term) for term in Add.make_args(value)]
        if all(part is not None for part in parts):
            body = Add(*parts)
            yield Column(self._head(body), self._numbers(body), self.worked.number(value))

    def _summand(self, term: Expr) -> Expr | None:
        """A sum over the plate and others, without the plate."""
        number, inner = term.as_coeff_Mul()
        if not isinstance(inner, Sum):
            return None
        own = [limit for limit in inner.limits if limit[2] == self.axis.size - 1]
        if not own:
            return None
        rest = [Axis(index, upper + 1) for index, _, upper in inner.limits if index != own[0][0]]
        body = inner.function.xreplace({own[0][0]: self.axis.index})
        return number * total(body, tuple(rest))

    def _head(self, body: Expr) -> str:
        return latex(printed(_factored(body)), self.lexicon)

    def expected_counts(self) -> Iterator[Expr]:
        """The coefficients of logarithms in Q that combine statistics, as sums over rows."""
        surrogate = self.worked.derivation.surrogate
        meaning = {name_of(each.symbol): each for each in surrogate.statistics}
        for term in Add.make_args(collected_logs(surrogate.value)):
            logs = [factor for factor in Mul.make_args(term) if isinstance(factor, log)]
            coefficient = term / logs[0] if len(logs) == 1 else Integer(0)
            used = [a for a in coefficient.atoms(Symbol) if a.name in meaning]
            if coefficient.is_Add and used and all(not meaning[a.name].axes for a in used):
                yield from self._joined(coefficient, {a: meaning[a.name].value for a in used})

    def _joined(self, coefficient: Expr, sums: dict[Symbol, Expr]) -> Iterator[Expr]:
        """N S_0 - S_2 as one sum over rows, where all its parts are such sums with factors free of rows."""
        bodies = []
        for term in Add.make_args(coefficient):
            found = [symbol for symbol in sums if term.has(symbol)]
            if len(found) != 1 or not isinstance(sums[found[0]], Sum) or len(sums[found[0]].limits) != 1:
                return
            (limit,) = sums[found[0]].limits
            inner = sums[found[0]].function.xreplace({limit[0]: self.axis.index})
            bodies.append(term / found[0] * inner)
        yield Sum(Add(*bodies), self.axis.limits)


def _factored(body: Expr) -> Expr:
    """γ N - γ x as γ (N - x)."""
    if not body.is_Add:
        return body
    common = set.intersection(*(set(Mul.make_args(term)) for term in body.args))
    shared = Mul(*(factor for factor in common if not factor.is_number))
    return Mul(shared, Add(*(term / shared for term in body.args)), evaluate=False) if shared != 1 else body
