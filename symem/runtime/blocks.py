"""Data that come in blocks of rows, anew in every pass: only one block is held at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from symem.runtime.chunks import _prepare
from symem.runtime.description import Data, Model
from symem.runtime.loop import DataError
from symem.runtime.wording import _counted_place, _Words

#: What gives the blocks, each a dict of arrays by declared name, whenever it is called.
Source = Callable[[], Iterable[Mapping[str, Any]]]

#: Rows from which a start is drawn.
_MOST_FOR_A_START = 20_000


class _Blocks(Data):
    """Sizes and what all rows share, as in `Data`, and a way to the blocks; a first pass counts the rows."""

    #: The rows, each as often as it counts.
    count: float = 0

    def __init__(self, model: Model, source: Source, shared: Mapping[str, Any], theta: Any) -> None:
        super().__init__()
        if model.plates.rows is None:
            raise DataError(
                "The data of this model have no rows that could come in blocks: give all data at once."
            )
        if not callable(source):
            raise DataError(
                f"The source of the data is a function that gives its blocks anew in every pass, not {type(source).__name__}."
            )
        self._model, self._source, self._shared, self._theta = model, source, dict(shared), theta
        self._rows = model.plates.rows
        self._last: Mapping[str, Any] = {}
        #: Some rows of every block, as data of their own.
        self.some = self._counted()

    def blocks(self) -> Iterator[Data]:
        """The blocks, each checked and cut into chunks."""
        rows, seen = self._rows, 0
        for number, given in enumerate(self._source()):
            self._last = {**self._shared, **self._as_mapping(given, number)}
            try:
                block = _prepare(self._model, self._last, self._theta, self)
            except DataError as error:
                raise DataError(_Words(f"{_counted_place('Block', number)}: ", str(error))) from None
            seen += block[rows]
            yield block
        if seen != self.get(rows, seen):
            raise DataError(
                f"The source gave {seen} rows after {self[rows]}: it must give all anew in every pass."
            )

    def _as_mapping(self, block: Any, number: int) -> Mapping[str, Any]:
        if not isinstance(block, Mapping):
            names = ", ".join(self._model.data)
            raise DataError(
                f"{_counted_place('Block', number)} is a {type(block).__name__}: give a dict of arrays, by the names {names}."
            )
        return block

    def _counted(self) -> Data:
        """A pass that counts the rows, compares the sizes, and takes some rows of every block."""
        model, rng, rows, parts = self._model, np.random.default_rng(0), 0, []
        for number, block in enumerate(self.blocks()):
            self._compare(block, number)
            chosen = np.sort(rng.permutation(block[self._rows])[: _MOST_FOR_A_START // 8])
            parts.append(_rows_of(model, self._last, chosen))
            rows += block[self._rows]
            self.count += _count(model, block)
        if not parts:
            raise DataError("The source gives no block: it must give them anew whenever it is called.")
        whole = {
            name: np.concatenate([part[name] for part in parts], _slot(model, name)) for name in parts[0]
        }
        length = next(iter(whole.values())).shape[_slot(model, next(iter(whole)))]
        kept = np.sort(rng.permutation(length)[:_MOST_FOR_A_START])
        some = _prepare(model, {**self._shared, **_rows_of(model, whole, kept)}, self._theta)
        self.update({name: value for name, value in some.items() if name not in some.given})
        self[self._rows] = rows
        self.scale = rows if isinstance(model.plates.scale, str | None) else some.scale
        return some

    def _compare(self, block: Data, number: int) -> None:
        """The sizes of a block with those of the blocks before it; of sizes that values show, the largest counts."""
        plates = self._model.plates
        for name in {
            each for spec in self._model.data.values() for each in spec.shape if isinstance(each, str)
        }:
            if name != plates.rows and self.setdefault(name, block[name]) != block[name]:
                raise DataError(
                    f"{_counted_place('Block', number)} says that {name} is {block[name]}, but the first says {self[name]}."
                )
        for name in plates.shown_sizes:
            self._shared[name] = max(self._shared.get(name, 0), block[name])


def _slot(model: Model, name: str) -> int:
    """The dimension of an array along which its rows lie."""
    return model.data[name].shape.index(model.plates.rows)


def _rows_of(model: Model, arrays: Mapping[str, Any], chosen: Any) -> dict[str, Any]:
    """These rows of every array that has some."""
    having = (name for name in arrays if name in model.data and model.plates.rows in model.data[name].shape)
    return {name: np.take(np.asarray(arrays[name]), chosen, _slot(model, name)) for name in having}


def _count(model: Model, data: Data) -> float:
    """The rows, each as often as it counts."""
    if isinstance(data, _Blocks):
        return data.count
    counts = [data.given[name] for name in model.weights if name in data.given]
    return float(np.sum(np.prod(counts, axis=0))) if counts else data.scale
