"""Functions of data alone as letters: (1 + 2t)⁸ is one number of a row, and is not multiplied out.

The letters are known arrays of the model while it is derived; in the record their values stand again.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from sympy import Add, Basic, Expr, Indexed, Mul, Pow, Product, Sum, Symbol

from symem.algebra.squares import squares
from symem.calculus.fresh_names import Names
from symem.derivation import Definition
from symem.language.leaves import array_of, labels_in, name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.model import Model
from symem.language.plates import Axis, Iverson, LogIverson
from symem.language.support import Support
from symem.language.supports import NonNegative, Positive, Reals
from symem.language.variables import Role, Variable

#: Products of sums of that degree and more stay whole.
_WHOLE = 3


@dataclass(frozen=True)
class DataLetters:
    """The letters that stand for functions of data in a model, by name, each with its value."""

    model: Model
    lettered: Model
    values: Mapping[str, Definition]

    @classmethod
    def of(cls, model: Model) -> DataLetters:
        reader = _Lettering(model, Names(model))
        whole = reader.read(model.log_likelihood, {})
        if not reader.letters:
            return cls(model, model, {})
        lettered = copy(model)
        lettered.log_likelihood = whole
        lettered.variables = {**model.variables, **{v.name: v for v in map(_known, reader.letters.values())}}
        return cls(model, lettered, {name_of(each.symbol): each for each in reader.letters.values()})

    def told(self, record: Any) -> Any:
        """A record, or a part of one, with the values in place of the letters."""
        if not self.values:
            return record
        if isinstance(record, Model):
            return self._without_letters(record)
        if isinstance(record, Basic):
            if not any(map(self._is_letter, record.free_symbols)):
                return record
            whole = squares(record) if isinstance(record, Expr) else record
            return whole.replace(self._is_letter, lambda entry: self.values[name_of(entry)].at(entry))
        if isinstance(record, Mapping):
            return {self.told(key): self.told(value) for key, value in record.items()}
        if isinstance(record, tuple) and not hasattr(record, "_fields"):
            return tuple(map(self.told, record))
        if is_dataclass(record) and not isinstance(record, type | Variable):
            kept = {f.name: self.told(getattr(record, f.name)) for f in fields(record) if f.init}
            return replace(record, **kept)
        return record

    def _without_letters(self, model: Model) -> Model:
        """The model as it was stated, with what was understood of its variables since."""
        stated = copy(model)
        stated.log_likelihood = self.model.log_likelihood
        if model.stated is not None:
            stated.log_likelihood, stated.stated = self.told(model.log_likelihood), self.model
        stated.variables = {name: each for name, each in model.variables.items() if name not in self.values}
        return stated

    def _is_letter(self, node: Basic) -> bool:
        if not isinstance(node, Indexed | Symbol) or name_of(node) not in self.values:
            return False
        return isinstance(node, Indexed) == bool(self.values[name_of(node)].axes)


def _known(definition: Definition) -> Variable:
    array = array_of(definition.symbol)
    sizes = tuple(axis.size for axis in definition.axes)
    support = _support(definition.value)
    return Variable(name_of(definition.symbol), array, Role.KNOWN, sizes, support, array)


@dataclass
class _Lettering:
    """Reads an expression from above; `letters` are those found, by their value at the axes' own places."""

    model: Model
    names: Names
    letters: dict[Any, Definition] = field(default_factory=dict)

    def read(self, expr: Expr, sizes: Mapping[Symbol, Expr]) -> Expr:
        """The expression with letters; `sizes` of the indices that are bound around it."""
        if not expr.args or isinstance(expr, Indexed) or is_matrix(expr):
            return expr
        if isinstance(expr, Sum | Product):
            inner = {**sizes, **{index: high + 1 for index, _low, high in expr.limits}}
            return expr.func(self.read(expr.function, inner), *expr.limits)
        if isinstance(expr, Iverson | LogIverson) or not isinstance(expr, Expr):
            return expr
        own = [each for each in Mul.make_args(expr) if _degree(each) and self._is_data(each)]
        if sum(map(_degree, own)) >= _WHOLE:
            rest = Mul(*(each for each in Mul.make_args(expr) if each not in own))
            return self._letter(Mul(*own), sizes) * self.read(rest, sizes)
        parts = [self.read(each, sizes) for each in expr.args]
        return expr if parts == list(expr.args) else expr.func(*parts)

    def _is_data(self, expr: Expr) -> bool:
        """Whether nothing but numbers, indices and data that are never missing stands in it."""
        held = {name_of(each) for each in (*labels_in(expr), *expr.free_symbols)}
        seen = {v.name for v in (*self.model.data, *self.model.known) if not v.missing and not v.shape}
        return held & seen != set() and held & set(self.model.variables) <= seen

    def _letter(self, value: Expr, sizes: Mapping[Symbol, Expr]) -> Expr:
        places = tuple(sorted((s for s in value.free_symbols if s in sizes), key=str))
        axes = tuple(Axis(place, sizes[place]) for place in places)
        for known in self.letters.values():
            same = [axis.size for axis in known.axes] == [axis.size for axis in axes]
            if (
                same
                and known.value.xreplace(dict(zip(places_of(known.symbol), places, strict=True))) == value
            ):
                return known.symbol.xreplace(dict(zip(places_of(known.symbol), places, strict=True)))
        symbol = self.names.entry("f", places, **_support(value).assumptions)
        self.letters[value] = Definition(symbol, axes, value)
        return symbol


def _degree(expr: Expr) -> int:
    """Of how many sums an expression is the product, where it is one of sums of numbers that can be multiplied out."""
    if isinstance(expr, Pow):
        return _degree(expr.base) * int(expr.exp) if expr.exp.is_Integer and expr.exp.is_positive else 0
    if isinstance(expr, Mul):
        return sum(map(_degree, expr.args))
    return int(
        isinstance(expr, Add) and not is_matrix(expr) and not expr.has(Sum, Product, Iverson, LogIverson)
    )


def _support(value: Expr) -> Support:
    return Positive() if value.is_positive else NonNegative() if value.is_nonnegative else Reals()
