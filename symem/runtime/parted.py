"""Data whose rows are held elsewhere, in parts: what is asked of a part, and how answers are put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from symem.runtime.blocks import (
    _checked_block,
    _joined,
    _plate_of_rows,
    _rows_of,
    _Seen,
    _seen_in,
    _seen_together,
    _settle,
)
from symem.runtime.chunks import _taken_out
from symem.runtime.collapse import _collapsed
from symem.runtime.description import Cut, Data, Elsewhere, Model
from symem.runtime.em_steps import _masses, _of_rows
from symem.runtime.loop import DataError


class Pool(Protocol):
    """Where the parts are, each a `Part` of some blocks."""

    def begin(self, shared: Mapping[str, Any], theta: Any) -> None:
        """Make the parts, of what all share and the start if there is one."""

    def settle(self, known: Mapping[str, Any]) -> None:
        """Tell every part what a look at all of them showed."""

    def ask(self, what: str, about: Any) -> Any:
        """What all parts answer, put together."""


class Parted(Elsewhere):
    """What all rows share, and the way to the parts."""

    def __init__(self, model: Model, pool: Pool, shared: Mapping[str, Any], theta: Any) -> None:
        super().__init__()
        _plate_of_rows(model)
        pool.begin(shared, theta)
        seen: _Seen | None = pool.ask("seen", None)
        if seen is None:
            raise DataError("The data have no rows.")
        _settle(self, model, seen)
        numbers = sorted(seen.rows)
        before = np.cumsum([0, *(seen.rows[each] for each in numbers)]).tolist()
        self._firsts = dict(zip(numbers, before, strict=False))
        pool.settle(dict(self))
        self._pool = pool
        self.constant = self.ask("constant", None)

    def ask(self, what: str, about: Any) -> Any:
        """What all parts answer, put together."""
        return self._pool.ask(what, about)

    def taken(self, chosen: Any) -> dict[str, Any]:
        """These rows of every array, by their numbers in ascending order."""
        found = self.ask("taken", (chosen, self._firsts))
        return _joined(self.slots, [found[number] for number in sorted(found)])


class Part:
    """Some blocks of rows by their numbers, where they are held.

    `shared` is what all rows share, theta the start if there is one; `known` the sizes, patterns and points of all
    parts, once these have been looked at.
    """

    def __init__(
        self,
        model: Model,
        blocks: Mapping[int, Any],
        shared: Mapping[str, Any],
        theta: Any,
        known: Mapping[str, Any] | None = None,
    ) -> None:
        shown = {} if known is None else {name: known[name] for name in model.plates.shown_sizes}
        self._model, self._blocks, self._shared = model, blocks, {**shared, **shown}
        self._theta, self._known = theta, known

    def answer(self, what: str, about: Any) -> Any:
        """What is asked, of all blocks; None where there are none."""
        found = None
        with np.errstate(all="ignore"):
            for number in self._blocks:
                found = self.together(self._model, what, found, _ASKED[what](self, number, about))
        return found

    @staticmethod
    def together(model: Model, what: str, a: Any, b: Any) -> Any:
        """Two answers put together; None is that of no rows."""
        if a is None or b is None:
            return b if a is None else a
        return _TOGETHER[what](model, a, b)

    def seen(self, number: int, _about: Any) -> _Seen:
        """What a first look at a block shows."""
        return _seen_in(self._model, self._checked(number), number)

    def expected(self, number: int, theta: Any) -> Any:
        """The expected statistics at these parameters."""
        return _of_rows(self._model, theta, self._few[number])

    def masses(self, number: int, theta: Any) -> Any:
        """How many rows the outcomes of labels hold at these parameters."""
        return _masses(self._model, theta, self._few[number])

    def constant(self, number: int, _about: Any) -> float:
        """The size of the constants in the log-likelihoods."""
        return self._few[number].constant

    def taken(self, number: int, about: tuple[Any, Mapping[int, int]]) -> dict[int, dict[str, Any]]:
        """Those of the chosen rows that are here, given the number of the first row of each block."""
        chosen, data = about[0] - about[1][number], self._held[number]
        here = chosen[(chosen >= 0) & (chosen < data[str(self._model.plates.rows)])]
        return {number: _rows_of(data.slots, data.given, here)}

    def _checked(self, number: int) -> Data:
        return _checked_block(
            self._model, number, self._blocks[number], self._shared, self._theta, self._known
        )

    @cached_property
    def _held(self) -> dict[int, Data]:
        """The blocks, measured from the points that all share."""
        found = {number: self._checked(number) for number in self._blocks}
        for data in found.values():
            data.update({each.point: (self._known or {})[each.point] for each in self._model.references})
        return {number: _taken_out(self._model, data) for number, data in found.items()}

    @cached_property
    def _few(self) -> dict[int, Cut]:
        """The blocks by rows that stand for many, where that pays, with their chunks."""
        return {number: _collapsed(self._model, data) for number, data in self._held.items()}


_ASKED: Mapping[str, Callable[[Part, int, Any], Any]] = {
    "seen": Part.seen,
    "expected": Part.expected,
    "masses": Part.masses,
    "constant": Part.constant,
    "taken": Part.taken,
}
_TOGETHER: Mapping[str, Callable[[Model, Any, Any], Any]] = {
    "seen": _seen_together,
    "expected": lambda model, a, b: model.steps.merge(a, b),
    "masses": lambda _, a, b: {name: {at: mass + b[name][at] for at, mass in a[name].items()} for name in a},
    "constant": lambda _, a, b: a + b,
    "taken": lambda _, a, b: {**a, **b},
}
