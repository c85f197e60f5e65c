"""Rows that come in blocks, as frames, dicts of arrays or arrays: each block as arrays, words as labels of all blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symem.language.model import Model
from symem.language.supports import Labels
from symem.tables import Categories, names_columns, read_frame

#: What gives the blocks anew whenever it is called.
Source = Callable[[], Iterable[Any]]


def is_dask(value: Any) -> bool:
    """Whether it is a collection of dask: an array or a frame in parts."""
    return hasattr(value, "__dask_graph__") and hasattr(value, "to_delayed")


@dataclass(frozen=True)
class BlockReader:
    """How a block is read: the columns of a frame by declared name, and what labels mean."""

    model: Model
    columns: Mapping[str, Any] = field(default_factory=dict)
    categories: Categories = field(default_factory=dict)

    @property
    def has_labels(self) -> bool:
        """Whether words may stand in the blocks."""
        return any(isinstance(each.support, Labels) for each in (*self.model.data, *self.model.known))

    def arrays(self, block: Any) -> Mapping[str, Any]:
        """The block as arrays by declared name."""
        if isinstance(block, np.ndarray) and len(self.model.data) == 1:
            return {self.model.data[0].name: block}
        frame, columns = (None, block) if isinstance(block, Mapping) else (block, self.columns)
        return read_frame(frame, self.model, columns, self.categories).arrays

    def words(self, block: Any) -> Categories:
        """What the labels of this block stand for, by its words alone."""
        if isinstance(block, np.ndarray):
            return {}
        frame, columns = (None, block) if isinstance(block, Mapping) else (block, self.columns)
        return read_frame(frame, self.model, columns).categories

    def knowing(self, words: Iterable[Categories]) -> BlockReader:
        """The reader that reads the words of all blocks, given those of each."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for block in words:
            for name, each in block.items():
                found.setdefault(name, []).append(each)
        return replace(self, categories={name: _united(each) for name, each in found.items()})


def reader_of(model: Model, given: Mapping[str, Any]) -> tuple[BlockReader, dict[str, Any]]:
    """A reader of the columns that are named among what is given, and the rest, which all blocks share."""
    named = {name: value for name, value in given.items() if names_columns(value)}
    return BlockReader(model, named), {name: each for name, each in given.items() if name not in named}


def read_blocks(source: Source, reader: BlockReader) -> tuple[BlockReader, Callable[[], Iterator[Any]]]:
    """A source whose blocks are dicts of arrays, and the reader that knows its words: a pass where the first block has any."""
    first = next(iter(source()), None) if reader.has_labels else None
    if first is not None and reader.words(first):
        reader = reader.knowing(map(reader.words, source()))
    return reader, lambda: map(reader.arrays, source())


def _united(words: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The words of all blocks: in the order that all of them have, or in that of the alphabet."""
    if all(each == words[0] for each in words):
        return words[0]
    every = {word for each in words for word in each}
    return tuple(sorted(every, key=lambda word: (str(type(word)), word)))
