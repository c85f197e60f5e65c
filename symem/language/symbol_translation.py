"""Internal expressions back in the user's symbols, indices and ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sympy import Eq, Expr, Indexed, MatrixSymbol, Product, S, Sum, Symbol
from sympy.core.relational import Relational
from sympy.matrices.expressions.matexpr import MatrixElement

from symem.language.leaves import IndexedMatrix, MatrixSum, name_of
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.operators import plain
from symem.language.plates import Iverson
from symem.language.reading import Reader
from symem.language.symbol_names import stated_name
from symem.language.transcription import stated_array
from symem.language.user_matrices import NUMBERS_OF_MATRICES, user_matrix, user_number
from symem.language.variables import Variable


class Translation:
    """The way out of a model that `Reader` is the way in."""

    def __init__(self, variables: Iterable[Variable], reader: Reader) -> None:
        self._variables = {variable.symbol: variable for variable in variables}
        self._shapes = reader.shapes
        self._labels = reader.label_origins
        self._user = reader.user_indices

    def outward(self, expr: Any) -> Any:
        """An internal expression as the user would write it."""
        rules: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
            ((Sum, Product), self._sum),
            (Indexed, self._array),
            (Symbol, self._symbol),
            (NUMBERS_OF_MATRICES, lambda number: user_number(number, self.outward)),
            (Relational, lambda relation: _balanced(relation.func, *map(self.outward, relation.args))),
            (Iverson, self._bracket),
        )
        rule = next((each for kinds, each in rules if isinstance(expr, kinds)), self._parts)
        return rule(expr)

    def _parts(self, expr: Any) -> Any:
        if not expr.args:
            return expr
        if is_matrix(expr):
            return user_matrix(expr, self.outward)
        return expr.func(*map(self.outward, expr.args))

    def _sum(self, expr: Any) -> Any:
        inside, limits = self.outward(expr.function), [self._limit(*limit) for limit in expr.limits]
        return MatrixSum(plain(inside), *limits) if is_matrix(expr) else expr.func(inside, *limits)

    def _bracket(self, expr: Iverson) -> Any:
        (condition,) = expr.args
        cell = self._cell(*condition.args) if isinstance(condition, Eq) else None
        return cell or Iverson(self.outward(condition))

    def _limit(self, index: Symbol, low: Expr, high: Expr) -> tuple[Any, Expr, Expr]:
        user, lower = self._user.get(index, (index, S.Zero))
        return user, self.outward(low) + lower, self.outward(high) + lower

    def _own_count(self, place: Expr) -> Any:
        """The place in an array that the derivation brought in: it counts as the user's index does."""
        return self._user[place][0] if place in self._user else self.outward(place)

    def _symbol(self, symbol: Symbol) -> Any:
        if symbol in self._user:
            user, lower = self._user[symbol]
            return user - lower
        variable = self._variables.get(symbol)
        return _shown(variable, symbol) - (self._labels.get(variable.name, 0) if variable else 0)

    def _array(self, entry: Indexed) -> Any:
        variable = self._variables.get(entry.base) or self._variables.get(entry)
        if isinstance(entry, MatrixEntry):
            return self._matrix(variable, entry)
        if variable is None or variable.name not in self._shapes:
            return _shown(variable, entry.base)[tuple(self._own_count(place) for place in entry.indices)]
        origins = self._shapes[variable.name].origins
        places = (self.outward(p) + origin for p, origin in zip(entry.indices, origins, strict=False))
        if isinstance(variable.declared, (IndexedMatrix, MatrixSymbol)):
            return _element(variable.declared, *places)
        return variable.declared[tuple(places)] - self._labels.get(variable.name, 0)

    def _matrix(self, variable: Variable | None, entry: MatrixEntry) -> Any:
        """A matrix of the user's, or one that the derivation brought in."""
        origins = self._shapes[variable.name].origins if variable and variable.name in self._shapes else ()
        plated = bool(entry.indices)
        shape = [self.outward(size) for size in entry.dimensions]
        shown = stated_array(name_of(entry), (shape[0], shape[1]), plated=plated)
        if not plated:
            return shown
        if not origins:
            return shown[tuple(self._own_count(place) for place in entry.indices)]
        return shown[tuple(self.outward(p) + o for p, o in zip(entry.indices, origins, strict=True))]

    def _cell(self, label: Expr, cell: Expr) -> Any:
        """[z_i = k] as the entry z[i, k] of an array that was declared one-hot."""
        variable = self._variables.get(label.base) if isinstance(label, Indexed) else None
        origins = self._shapes[variable.name].origins if variable and variable.name in self._shapes else ()
        if variable is None or len(origins) != len(variable.sizes) + 1:
            return None
        places = zip((*label.indices, cell), origins, strict=True)
        return variable.declared[tuple(self.outward(place) + origin for place, origin in places)]


def _element(vectors: Any, *places: Any) -> Any:
    """The entry at the last place of a vector of which only entries are used."""
    *plates, row = places
    return MatrixElement(vectors[tuple(plates)] if plates else vectors, row, S.Zero)


def _balanced(kind: type[Relational], left: Expr, right: Expr) -> Any:
    """A relation whose left side adds no number: z - 1 = k - 1 is z = k."""
    shift, rest = left.as_coeff_Add()
    return kind(rest, right - shift) if rest != 0 else kind(left, right)


def _shown(variable: Variable | None, symbol: Any) -> Any:
    """The user's symbol; a missing datum's latent keeps its own name beside the datum's."""
    return variable.declared if variable and stated_name(variable.declared) == variable.name else symbol
