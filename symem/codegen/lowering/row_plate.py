"""The row plate: the outermost data plate over which the E-step falls apart and its statistics add up.

Along it data can be cut into chunks, streamed, and merged. A plate qualifies if no parameter lives on it and every
latent does, every quantity of the E-step has exactly one index on it and never sums over it, and every statistic is
a sum over it, or over other plates alone: what is on another plate must not be counted once a chunk.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr, Indexed, Mul, Sum, Symbol

from symem.codegen.lowering.parted_statistics import parted
from symem.derivation import Definition, Derivation, Posterior
from symem.language.leaves import name_of
from symem.language.model import Model, Variable


def observed(model: Model) -> tuple[Variable, ...]:
    """Everything that comes with the data."""
    return (*model.data, *model.known, *model.masks)


def used_sizes(derivation: Derivation) -> tuple[Variable, ...]:
    """The sizes that some slot has or some formula names."""
    model = derivation.model
    updates = [each.definition for each in (*derivation.updates, *derivation.scores)]
    definitions = (*derivation.definitions, *derivation.surrogate.statistics, *updates)
    named = {symbol for each in definitions for symbol in each.value.free_symbols}
    named |= derivation.log_likelihood.free_symbols | model.log_prior.free_symbols
    named |= {symbol for v in model.variables.values() for size in v.sizes for symbol in size.free_symbols}
    named |= {symbol for each in definitions for axis in each.axes for symbol in axis.size.free_symbols}
    return tuple(size for size in model.sizes if size.symbol in named)


def row_size(derivation: Derivation) -> Expr | None:
    """The size of the row plate, or None if the data cannot be cut."""
    return next((size for size in _candidates(derivation) if _Rows(derivation, size).qualifies()), None)


def cut(derivation: Derivation) -> tuple[Derivation, Expr | None]:
    """The size of the row plate, with statistics that mix rows and other plates taken apart along it."""
    for size in _candidates(derivation):
        found = parted(derivation, _Rows(derivation, size).is_of_rows)
        if _Rows(found, size).qualifies():
            return found, size
    return derivation, None


def _candidates(derivation: Derivation) -> Iterable[Expr]:
    model = derivation.model
    firsts = [variable.sizes[0] for variable in (*model.latents, *observed(model)) if variable.sizes]
    return dict.fromkeys(size for size in firsts if isinstance(size, Symbol))


def _bases(value: Expr) -> set[str]:
    return {name_of(entry) for entry in value.atoms(Indexed)}


class _Rows:
    def __init__(self, derivation: Derivation, size: Expr) -> None:
        self.derivation = derivation
        self.size = size
        arrays = [each for each in observed(derivation.model) if size in each.sizes]
        self.slots = {each.name: each.sizes.index(size) for each in arrays}
        self.shown = bool(arrays)
        self.twice = any(each.sizes.count(size) > 1 for each in arrays)
        for definition in derivation.definitions:
            places = self._places(definition)
            if places:
                self.slots[name_of(definition.symbol)] = list(definition.symbol.indices).index(places[0])

    def qualifies(self) -> bool:
        model, surrogate = self.derivation.model, self.derivation.surrogate
        if not self.shown or self.twice or any(self.size in each.sizes for each in model.parameters):
            return False
        told = (each.definition for each in (*self.derivation.updates, *self.derivation.scores))
        if any(self.slots.keys() & _bases(each.value) for each in told):
            return False
        statistics = all(
            not self._places(each) and self._adds_up(each.value) and not self._mixes(each.value)
            for each in surrogate.statistics
        )
        return (
            statistics
            and all(map(self._has_rows, self.derivation.posteriors))
            and self._adds_up(self.derivation.log_likelihood)
            and all(map(self._is_row, self.derivation.definitions))
        )

    def _places(self, definition: Definition) -> list[Symbol]:
        return [axis.index for axis in definition.axes if axis.size == self.size]

    def _is_row(self, definition: Definition) -> bool:
        places = self._places(definition)
        if not places:
            return not self._sums(definition.value) and not self.slots.keys() & _bases(definition.value)
        return (
            len(places) == 1 and self._stays(definition.value, places[0]) and not self._sums(definition.value)
        )

    def _sums(self, value: Expr) -> list[Symbol]:
        return [limit[0] for each in value.atoms(Sum) for limit in each.limits if limit[2] == self.size - 1]

    def _stays(self, value: Expr, index: Symbol) -> bool:
        """Whether the value reads every row array at that index, and uses the index for nothing else."""
        for entry in value.atoms(Indexed):
            slot = self.slots.get(name_of(entry))
            if slot is not None and entry.indices[slot] != index:
                return False
        return not _outside_slots(value, index, self.slots)

    def _adds_up(self, value: Expr) -> bool:
        return all(self._term_adds_up(term) for term in Add.make_args(value))

    def _has_rows(self, posterior: Posterior) -> bool:
        return any(axis.size == self.size for axis in posterior.axes)

    def _mixes(self, value: Expr) -> bool:
        """Whether some terms are sums over rows, or as often as there are rows, and some are not."""
        return len(set(map(self.is_of_rows, Add.make_args(value)))) > 1

    def is_of_rows(self, term: Expr) -> bool:
        """Whether a term is a sum over rows, or as often there as there are rows."""
        return bool(self._sums(term)) or self.size in term.free_symbols

    def _term_adds_up(self, term: Expr) -> bool:
        summed = [factor for factor in Mul.make_args(term) if self._sums(factor)]
        rest = [factor for factor in Mul.make_args(term) if not self._sums(factor)]
        if any(name_of(entry) in self.slots for factor in rest for entry in factor.atoms(Indexed)):
            return False
        if not summed:
            return True
        if len(summed) > 1 or not isinstance(summed[0], Sum):
            return False
        own = [limit[0] for limit in summed[0].limits if limit[2] == self.size - 1]
        inner = summed[0].function
        return len(own) == 1 and not self._sums(inner) and self._stays(inner, own[0])


def _outside_slots(value: Expr, index: Symbol, slots: Iterable[str]) -> bool:
    """Whether an index is used as a number, or in an array that is not cut along it."""
    if value == index:
        return True
    if isinstance(value, Indexed) and name_of(value) in slots:
        return any(_outside_slots(place, index, slots) for place in value.indices if place != index)
    return any(_outside_slots(part, index, slots) for part in value.args)
