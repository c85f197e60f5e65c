"""Data that lie on the workers of a dask cluster: θ goes out, what the parts find comes back through a tree.

What a worker computes is a task of what it was given, so that the scheduler has it done again elsewhere where a worker is
lost. Needs the optional extra symem[dask], on the workers too; models need not be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from dask import delayed
from distributed import default_client

from symem.blockwise import BlockReader, Source, is_dask, read_blocks, reader_of
from symem.errors import DataError
from symem.language.model import Model

#: So many answers are put together by one task.
_BRANCHES = 8


def read_parts(
    frame: Any, model: Model, given: Mapping[str, Any], module: Any, client: Any
) -> tuple[Any, BlockReader, Mapping[str, Any]]:
    """What a solver takes as the source of data, how blocks are read, and what all of them share.

    Args:
        frame: a Dask frame, or a source of blocks, of which each worker reads its share; None where `given` has Dask arrays.
        model: whose arrays are wanted.
        given: columns by declared name, arrays, sizes.
        module: the emitted module, which is sent to the workers.
        client: of `dask.distributed`; without one, that which is current, and else blocks are read here, one by one.

    Raises:
        DataError: the arrays are not cut along their rows as one another.
    """
    reader, others = reader_of(model, given)
    arrays = {name: each for name, each in others.items() if is_dask(each)}
    shared = {name: each for name, each in others.items() if name not in arrays}
    if client is None and (client := _current()) is None:
        parts = _partitions(frame, arrays)
        reader, source = read_blocks(lambda: _read_here(parts), reader)
        return source, reader, shared
    blocks = _every_block(frame, client) if callable(frame) else _partitions(frame, arrays)
    workers = Workers(client, module, reader, client.compute(blocks))
    return workers, workers.reader, shared


def _current() -> Any:
    try:
        return default_client()
    except ValueError:
        return None


def _read_here(parts: list[Any]) -> Iterator[Any]:
    for part in parts:
        yield from part.compute().values()


def _every_block(source: Source, client: Any) -> list[Any]:
    """Tasks that read a source, each its share of the blocks: as many as there are threads."""
    number = max(1, sum(client.nthreads().values()))
    return [delayed(_share, pure=False)(source, first, number) for first in range(number)]


def _share(source: Source, first: int, step: int) -> dict[int, Any]:
    """Every so-manyth block of a source, by its number."""
    return {first + step * place: block for place, block in enumerate(islice(source(), first, None, step))}


def _partitions(frame: Any, arrays: Mapping[str, Any]) -> list[Any]:
    """Tasks that give a partition of a frame, or of arrays that are cut as one another."""
    blocks = _side_by_side(arrays) if frame is None else frame.to_delayed()
    return [delayed(_alone, pure=False)(number, block) for number, block in enumerate(blocks)]


def _alone(number: int, block: Any) -> dict[int, Any]:
    """A block by its number; nothing where it has no rows."""
    first = next(iter(block.values())) if isinstance(block, dict) else block
    return {number: block} if len(first) else {}


def _side_by_side(arrays: Mapping[str, Any]) -> list[Any]:
    """The blocks of arrays that are cut along their rows."""
    (first, leading), *_ = arrays.items()
    for name, array in arrays.items():
        if str(array.chunks[0]) != str(leading.chunks[0]):
            raise DataError(
                f"{name} and {first} are cut into parts of other lengths: {name}.rechunk({{0: {first}.chunks[0]}}) puts it right."
            )
    whole = (array.rechunk(dict.fromkeys(range(1, array.ndim), -1)) for array in arrays.values())
    parts = zip(*(array.to_delayed().ravel() for array in whole), strict=True)
    return [delayed(_named, pure=False)([*arrays], *blocks) for blocks in parts]


def _named(names: list[str], *arrays: Any) -> dict[str, Any]:
    return dict(zip(names, arrays, strict=True))


class Workers:
    """The parts of some data on the workers of a cluster, as a solver asks them."""

    def __init__(self, client: Any, module: Any, reader: BlockReader, blocks: list[Any]) -> None:
        self._client, self._module, self._blocks = client, module, blocks
        if reader.has_labels:
            words = client.gather(self._each(_words, blocks, self._sent(reader)))
            reader = reader.knowing(each for part in words for each in part)
        self.reader = reader
        self._sent_module, self._sent_reader = self._sent(module), self._sent(reader)
        self._shared: tuple[Any, ...] = ()
        self._parts: list[Any] = []

    def begin(self, shared: Mapping[str, Any], theta: Any) -> None:
        """Make the parts, of what all share and the start if there is one."""
        self._shared = (shared, _packed(theta))
        self.settle(None)

    def settle(self, known: Mapping[str, Any] | None) -> None:
        """Tell every part what a look at all of them showed."""
        facts = self._sent((*self._shared, known))
        self._parts = self._each(Held, self._blocks, self._sent_module, self._sent_reader, facts)

    def ask(self, what: str, about: Any) -> Any:
        """What all parts answer, put together: by tasks of a few each, and these again."""
        found = self._each(_answer, self._parts, what, self._sent(_packed(about)))
        while len(found) > 1:
            few = [found[at : at + _BRANCHES] for at in range(0, len(found), _BRANCHES)]
            found = self._each(_together, few, what, self._sent_module)
        try:
            return _unpacked(self._module, found[0].result())
        except DataError as error:
            raise self._module.DataError(str(error)) from None

    def _each(self, function: Any, over: list[Any], *others: Any) -> list[Any]:
        return [self._client.submit(function, each, *others, pure=False) for each in over]

    def _sent(self, value: Any) -> Any:
        """A task that gives the value, so that it goes to each worker once, and again where a worker is lost."""
        return self._client.submit(_same, value, pure=False)


class Held:
    """Blocks on a worker with what computes there; it is pickled as what it was made of."""

    def __init__(
        self, blocks: Mapping[int, Any], module: Any, reader: BlockReader, facts: tuple[Any, ...]
    ) -> None:
        self._made_of = (blocks, module, reader, facts)

    def __reduce__(self) -> tuple[Any, ...]:
        return Held, self._made_of

    @cached_property
    def _part(self) -> Any:
        blocks, module, reader, (shared, theta, known) = self._made_of
        arrays = {number: reader.arrays(block) for number, block in blocks.items()}
        return module.Part(module.MODEL, arrays, shared, _unpacked(module, theta), known)

    def answer(self, what: str, about: Any) -> Any:
        """What is asked of the blocks."""
        return _packed(self._part.answer(what, _unpacked(self._made_of[1], about)))


class Packed(NamedTuple):
    """A record of a module without its class, which not every process has."""

    name: str
    values: tuple[Any, ...]


def _packed(value: Any) -> Any:
    return Packed(type(value).__name__, tuple(value)) if hasattr(value, "_fields") else value


def _unpacked(module: Any, value: Any) -> Any:
    return getattr(module, value.name)(*value.values) if isinstance(value, Packed) else value


# what workers run ------------------------------------------------------------------------------------------


def _same(value: Any) -> Any:
    return value


def _words(blocks: Mapping[int, Any], reader: BlockReader) -> list[Any]:
    return [reader.words(block) for block in blocks.values()]


def _answer(held: Held, what: str, about: Any) -> Any:
    try:
        return held.answer(what, about)
    except DataError as error:
        raise DataError(str(error)) from None  # that of the module cannot travel


def _together(answers: list[Any], what: str, module: Any) -> Any:
    found, *others = (_unpacked(module, each) for each in answers)
    for each in others:
        found = module.Part.together(module.MODEL, what, found, each)
    return _packed(found)
