"""What a model knows of its symbols: by their roles, and between the user's and the internal ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Expr

from symem.errors import ModelError, UndeclaredSymbolError
from symem.language.families import FAMILIES
from symem.language.family import Family
from symem.language.plates import Axis, index_symbol
from symem.language.ranges import own_range
from symem.language.reading import Reader, Shape
from symem.language.shapes import index_sizes, longest_sizes
from symem.language.stated import as_sympy
from symem.language.symbol_names import stated_name
from symem.language.symbol_translation import Translation
from symem.language.variables import Role, Variable


@dataclass(frozen=True)
class Formula:
    """A value over open indices, in internal symbols."""

    value: Expr
    axes: tuple[Axis, ...]


class Symbols:
    """Variables that were read by a reader."""

    variables: Mapping[str, Variable]
    declarations: Any
    _reader: Reader

    def _of(self, role: Role) -> tuple[Variable, ...]:
        return tuple(variable for variable in self.variables.values() if variable.role is role)

    @property
    def data(self) -> tuple[Variable, ...]:
        return self._of(Role.DATA)

    @property
    def known(self) -> tuple[Variable, ...]:
        return self._of(Role.KNOWN)

    @property
    def latents(self) -> tuple[Variable, ...]:
        return self._of(Role.LATENT)

    @property
    def factored(self) -> tuple[Variable, ...]:
        """The latents that factors of a mean field stand for."""
        return self._of(Role.FACTOR)

    @property
    def parameters(self) -> tuple[Variable, ...]:
        return self._of(Role.PARAMETER)

    @property
    def sizes(self) -> tuple[Variable, ...]:
        return self._of(Role.SIZE)

    @property
    def masks(self) -> tuple[Variable, ...]:
        return self._of(Role.MASK)

    @property
    def own_families(self) -> tuple[Family, ...]:
        """The families of the declarations that the user brought, those inside `Cases` included."""
        laws = (law for each in self.declarations for law in each.distribution.parts())
        known = {id(row) for row in FAMILIES.values()}
        return tuple({law.name: law.family for law in laws if id(law.family) not in known}.values())

    def variable(self, symbol: Any) -> Variable:
        """The variable that a user's symbol, an entry of it, or its name stands for.

        Raises
        ------
        UndeclaredSymbolError
            the model has none of that name.
        """
        name = symbol if isinstance(symbol, str) else stated_name(symbol)
        if name not in self.variables:
            raise UndeclaredSymbolError(
                f"{name!r} is not in the model; it has {', '.join(sorted(self.variables))}."
            )
        return self.variables[name]

    @property
    def index_sizes(self) -> dict[str, Expr]:
        """The internal size of every index that the user wrote."""
        return index_sizes(self._reader)

    @property
    def longest_sizes(self) -> dict[str, Expr]:
        """The same, with the largest size of an index whose range hangs on another."""
        return {**longest_sizes(self._reader), **self.index_sizes}

    @property
    def index_names(self) -> set[str]:
        """The indices that the user wrote, those too whose range hangs on another."""
        return set(self._reader.spans)

    @cached_property
    def _translation(self) -> Translation:
        return Translation(self.variables.values(), self._reader)

    def declared(self, expr: Any) -> Any:
        """An internal expression in the user's symbols and indices."""
        return self._translation.outward(expr)

    def internal(self, expr: Any) -> Any:
        """A user's expression in internal symbols.

        Raises
        ------
        ModelError
            it is no SymPy expression.
        UndeclaredSymbolError
            a symbol is not in the model.
        PlateError
            an index is free.
        """
        read = as_sympy(expr)
        if read is None:
            raise ModelError(f"{expr!r} is no SymPy expression.")
        return self._reader.read(read)

    def formula(self, expr: Any, places: Iterable[Any], beside: Mapping[str, tuple[Any, Shape]]) -> Formula:
        """A user's expression with open indices, in internal symbols.

        Parameters
        ----------
        expr : Any
            in symbols of the model, and in those of `beside`.
        places : Iterable[Any]
            the open indices.
        beside : Mapping[str, tuple[Any, Shape]]
            arrays that the model has not: what the user calls them -> the internal array and its shape.

        Raises
        ------
        ModelError
            as `internal`.
        """
        reader = replace(
            self._reader,
            symbols={**self._reader.symbols, **{name: array for name, (array, _) in beside.items()}},
            shapes={**self._reader.shapes, **{name: shape for name, (_, shape) in beside.items()}},
        )
        spans = {place: own_range(place) for place in places}
        opened = {place: index_symbol(reader.label(stated_name(place))) for place in spans}
        scope = {place: index + spans[place].lower for place, index in opened.items()}
        axes = (Axis(opened[p], reader.read(span.size, scope)) for p, span in spans.items())
        return Formula(reader.read(expr, scope), tuple(axes))

    def origin(self, place: Any) -> int:
        """What the user's index counts from that stands behind an internal one."""
        return int(self._reader.user_indices.get(place, (place, 0))[1])

    def shape(self, name: str) -> Shape:
        """The internal size and the origin of every slot of an array."""
        return self._reader.shapes[name]
