"""What a solver asks of its arrays, as tables: shape, kind of value, categories; written from the supports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Indexed, Integer, S, Symbol, oo
from sympy.core.relational import Relational

from symem.codegen.ir.program import Program
from symem.codegen.lowering.row_plate import observed
from symem.derivation import (
    Chain,
    Neighbours,
    Table,
)
from symem.language.leaves import name_of
from symem.language.model import Model, Variable
from symem.language.plates import LogIverson
from symem.language.ragged_plates import ragged_plates
from symem.language.reading import Extent
from symem.language.supports import (
    Counts,
    Interval,
    Labels,
    Simplex,
)
from symem.runtime.sequences import Ragged


@dataclass(frozen=True)
class Bounds:
    """The ends between which data lie, as formulas over the data's own indices."""

    variable: Variable
    ends: tuple[Expr, Expr]

    @property
    def wanted(self) -> str:
        """What an error says of them."""
        low, high = self.ends
        if low == high:
            return str(low)
        if high == oo:
            return f"at least {low}"
        return f"at most {high}" if low in (0, -oo) else f"between {low} and {high}"

    def places(self, sizes: Mapping[Symbol, Expr]) -> tuple[Symbol, ...]:
        """The index that runs along each slot of the data in the ends."""
        used = sorted(symbols_of(self.ends) & sizes.keys(), key=str)
        free = (Symbol(f"slot_{d}") for d in range(len(self.variable.sizes)))
        return tuple(
            next((index for index in used if sizes[index] == size), spare)
            for size, spare in zip(self.variable.sizes, free, strict=True)
        )


def bounds_of(variable: Variable, model: Model) -> Bounds | None:
    """The bounds of data that its kind does not tell, None if there are none or latents hold them."""
    if not isinstance(variable.support, Counts | Interval):
        return None
    low, high = variable.support.bounds
    told = (S.Zero, oo) if isinstance(variable.support, Counts) else (-oo, oo)
    hidden = {each.name for each in (*model.latents, *model.parameters)}
    read = {name_of(atom) for end in (low, high) for atom in end.atoms(Indexed, Symbol)}
    return Bounds(variable, (low, high)) if (low, high) != told and not read & hidden else None


def symbols_of(ends: tuple[Expr, Expr]) -> set[Symbol]:
    return {symbol for end in ends for symbol in end.free_symbols if isinstance(symbol, Symbol)}


class Tables:
    """The tables of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.model = program.derivation.model

    def parameters(self) -> list[str]:
        return [f"{quoted(each.name)}: {self._spec(each)}" for each in self.model.parameters]

    def data(self) -> list[str]:
        return [f"{quoted(each.name)}: {self._spec(each)}" for each in (*self.model.data, *self.model.known)]

    def sizes(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.program.sized if each.declared is not None)

    def shown_sizes(self) -> tuple[str, ...]:
        """Sizes that values of the data show."""
        return tuple(each.symbol.name for each in self.program.derivation.extents)

    def scale(self) -> str | int:
        """The number of observations: the length of the first data plate."""
        arrays = [each for each in (*self.model.data, *self.model.known) if each.sizes]
        first = arrays[0].sizes[0] if arrays else Integer(1)
        return plain_size(first if self.program.rows is None else self.program.rows)

    def places(self) -> tuple[str | int, ...]:
        """What a row has of observations beside itself: the places of its chains or trees."""
        posteriors = self.program.derivation.posteriors
        linked = next((each for each in posteriors if isinstance(each, Neighbours)), None)
        if linked is None:
            return ()
        labels = {axis for _, axis in linked.labels}
        sizes = [plain_size(axis.size) for axis in linked.axes if axis not in labels]
        return tuple(size for size in sizes if size != self.scale())

    def nodes(self) -> tuple[tuple[str, int], ...]:
        """The numbers of nodes of quadratures, and how many times more are twice as many along each dimension."""
        found = self.program.derivation.approximated
        return tuple({each.extent.symbol.name: 2**each.dimensions for each in found}.items())

    def factors(self) -> tuple[str, ...]:
        """The parameters that are arguments of factors of a mean field."""
        found = (each for factor in self.program.derivation.mean_field for each in factor.arguments.values())
        return tuple(name_of(each) for each in found if not each.is_number)

    def ragged(self) -> tuple[Ragged, ...]:
        """Plates whose size differs between sequences, with the latents on them."""
        chains = [each for each in self.program.derivation.posteriors if isinstance(each, Chain)]
        of_chains = {name_of(atom) for each in chains for atom in each.length.atoms(Indexed)}
        return tuple(
            Ragged(
                each.lengths, str(each.largest), str(each.sequences), each.index,
                tuple(latent.name for latent in self.model.latents if each.holds(latent)),
                int(each.lengths in of_chains),
            )
            for each in ragged_plates(self.model.variables, self.program.derivation.extents)
        )  # fmt: skip

    def beside_rows(self) -> tuple[tuple[str | int, ...], ...]:
        """The shapes beside the rows of what is computed or given for each row."""
        rows = self.program.rows
        shapes = [[axis.size for axis in each.axes] for each in self.program.derivation.definitions]
        shapes = [shape for shape in shapes if all(size.is_Atom for size in shape)]
        shapes += [list(each.sizes) for each in (*self.model.data, *self.model.known)]
        beside = [tuple(size for size in shape if size != rows) for shape in shapes if rows in shape]
        return tuple(tuple(map(plain_size, shape)) for shape in dict.fromkeys(beside) if shape)

    def patterns(self) -> tuple[str, ...]:
        """Data whose masks are grouped."""
        computed = [each.name for each in self.model.masks if each.declared is None]
        return tuple(name.removeprefix("patterns_") for name in computed if "patterns_" in name)

    def components(self) -> tuple[tuple[str, int], ...]:
        """Labels whose values have parameters of their own: (latent, outcome axis of its table)."""
        sizes = {size for each in self.model.parameters for size in each.sizes if isinstance(size, Symbol)}
        return tuple(
            (each.latent.name, list(each.probability.symbol.indices).index(each.outcome.index))
            for each in self.program.derivation.posteriors
            if isinstance(each, Table)
            and isinstance(each.latent.support, Labels)
            and each.outcome.size in sizes
        )

    def _spec(self, variable: Variable) -> str:
        kind = kind_of(variable, self.model)
        axes = ", ".join(map(str, variable.sizes))
        parts = [quoted(axes), *([quoted(kind)] if kind != "real" else [])] if axes or kind != "real" else []
        support = variable.support
        if isinstance(support, Labels):
            size = support.size
            parts += self._label_bound(size)
            parts += [f"origin={support.origin}"] if support.origin else []
        if isinstance(support, Simplex) and support.axes != 1:
            parts.append(f"simplex_axes={support.axes}")
        parts += ["missing=True"] if variable.missing else []
        parts += self._ends(variable)
        parts += (
            [f"entries={len(variable.shape)}"]
            if variable.shape and self.program.rows in variable.sizes
            else []
        )
        return f"Array({', '.join(parts)})"

    def _ends(self, variable: Variable) -> list[str]:
        """The ends of a parameter's interval, where they are numbers."""
        low, high = variable.support.bounds
        bounded = isinstance(variable.support, Interval) and variable in self.model.parameters
        if not bounded or not low.is_number or not high.is_number:
            return []
        return [f"ends=({', '.join(_number(end) for end in (low, high))})"]

    def _label_bound(self, size: Expr) -> list[str]:
        if size.is_Integer:
            return [f"labels={int(size)}"]
        named = {each.symbol for each in self.program.sized}
        shown = {
            extent.value.xreplace(_plain_entries(extent)): extent.symbol
            for extent in self.program.derivation.extents
        }
        symbol = size if size in named | {*shown.values()} else shown.get(size)
        return [f"labels={quoted(str(symbol))}"] if symbol is not None else []


def kind_of(variable: Variable, model: Model) -> str:
    if variable.name not in _bounds(model):
        return variable.support.kind
    return "extended nonnegative" if variable.support.bounds == (0, oo) else "extended"


def _bounds(model: Model) -> set[str]:
    """Data without a density and known arrays that bound something, and so may be infinite."""
    brackets = model.log_likelihood.atoms(LogIverson)
    sides = [side for each in brackets for relation in each.atoms(Relational) for side in relation.args]
    sides += [end for latent in model.latents for end in latent.support.bounds]
    names = {name_of(atom) for side in sides for atom in side.atoms(Indexed, Symbol)}
    names -= {name_of(entry) for each in model.declarations for entry in each.entries}
    return names & {each.name for each in observed(model) if not each.support.discrete and not each.missing}


def _number(end: Expr) -> str:
    return repr(float(end)) if end.is_finite else f"{'-' if end < 0 else ''}np.inf"


def plain_size(size: Expr) -> str | int:
    return int(size) if size.is_Integer else str(size)


def _plain_entries(extent: Extent) -> dict[Any, Any]:
    """pos[t] as the `max_pos` that stands for its largest value in a label's support."""
    entries = sorted(extent.value.atoms(Indexed), key=str)
    return {entry: Symbol(f"max_{name_of(entry)}", integer=True, nonnegative=True) for entry in entries}


def quoted(value: Any) -> str:
    return repr(value).replace("'", '"')
