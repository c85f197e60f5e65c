"""Sizes at which a model is checked: small, and of labels and vectors different from one another."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Indexed, Symbol

from symem.language.leaves import name_of
from symem.language.matrices import T, Whole, letters, shape
from symem.language.parents import Parents
from symem.language.plates import LogIverson
from symem.language.supports import Labels, Simplex
from symem.language.traces import Tr

LABEL_SIZES = (2, 3, 4)
_PLATE_SIZES = {1: (24,), 2: (7, 5), 3: (5, 4, 3)}
_PLATES_OF_VECTORS = {1: (36,), 2: (9, 5)}
_DATA_WIDTHS, _OTHER_WIDTHS = (3, 4, 5), (2, 4, 3)
#: Rows and columns of matrices that reach a subspace, and chains short enough that states do not grow beyond measure.
_RANKS, _SHORT_CHAINS = (3, 2), {1: (3,), 2: (3, 2)}
#: Shares of a whole that are integrated over.
_SHARES = (2,)
#: How long chains of states are, which are integrated together, and of labels, which are summed one after another; and how many of
#: them there are.
_CHAINS_OF_STATES, _CHAINS_OF_LABELS = {1: (6,), 2: (4, 3)}, {1: (24,), 2: (8, 6)}
_PLATES_OF_CHAINS = {1: (5,), 2: (3, 2)}


def default_sizes(model: Any) -> dict[str, int]:
    """Small sizes; those of labels and of vectors differ from one another, so that a swapped index shows."""
    data, others = _widths(model)
    shares = share_sizes(model)
    labels = [name for name in label_sizes(model) if name not in (*data, *others, *shares)]
    plates = [each.name for each in model.sizes if each.name not in (*labels, *data, *others, *shares)]
    labels += [extent.symbol.name for extent in model.extents]
    along = chain_sizes(model)
    chains = [name for name in plates if name in along]
    reach = _reach(model) if len(plates) == 1 and chains else 0
    lengths = _CHAINS_OF_LABELS if _is_of_labels(model) else _CHAINS_OF_STATES
    lengths = _SHORT_CHAINS if _is_tied(model) else lengths
    known = _PLATES_OF_CHAINS if along else _PLATES_OF_VECTORS if data or others else {}
    plates = [name for name in plates if name not in chains]
    choice = {**_PLATE_SIZES, **known}.get(len(plates), (3,) * len(plates))
    places = tuple(size + 2 * reach for size in lengths[min(2, len(plates) + len(chains))]) if chains else ()
    chosen: list[tuple[list[str], tuple[int, ...]]] = [(labels, LABEL_SIZES), (data, _DATA_WIDTHS)]
    chosen += [(others, _OTHER_WIDTHS), (plates, choice), (chains, places), (shares, _SHARES)]
    found = {
        name: size
        for names, sizes in chosen
        for name, size in zip(names, itertools.cycle(sizes), strict=False)
    }
    return found | _ranks(model)


def _ranks(model: Any) -> dict[str, int]:
    """The sizes of matrices G of which GᵀG is inverted: more rows than columns."""
    grams = (letters(whole.args[0]) for whole in model.log_likelihood.atoms(Whole))
    tall = [shape(gram[1]) for gram in grams if len(gram) == 2 and gram[0] == T(gram[1])]
    return {
        size.name: _RANKS[place]
        for sides in tall
        for place, size in enumerate(sides)
        if isinstance(size, Symbol)
    }


def _is_tied(model: Any) -> bool:
    """Whether states move without noise in some directions."""
    return any(each.has(Tr) for each in model.log_likelihood.atoms(LogIverson))


def other_sizes(model: Any) -> dict[str, int]:
    """Of labels and of plates, sizes that differ from the default ones: few rows, of more outcomes."""
    default, labels = default_sizes(model), set(label_sizes(model))
    data, others = _widths(model)
    short = bool(chain_sizes(model))
    return {
        name: size + 1 if name in labels else size if short else max(2, size // 2)
        for name, size in default.items()
        if name not in (*data, *others, *share_sizes(model))
    }


def hidden_sizes(
    model: Any, data: Mapping[str, Any], theta: Mapping[str, Any] | None, sizes: Mapping[str, int]
) -> dict[str, int]:
    """Of the sizes that neither data nor theta show, those asked for, and small defaults."""
    shown = {
        size.name
        for each in model.variables.values()
        if each.name in data or each.name in (theta or {})
        for size in (*each.sizes, *each.shape)
        if isinstance(size, Symbol)
    }
    return {
        name: size
        for name, size in {**default_sizes(model), **sizes}.items()
        if name not in shown and name not in data
    }


def label_sizes(model: Any) -> list[str]:
    """Sizes that labels or parameters show: they are no plates of the data."""
    shown = [size for variable in model.parameters for size in variable.sizes]
    supports = (each.support for each in model.variables.values())
    shown += [each.size for each in supports if isinstance(each, Labels) and not isinstance(each, Parents)]
    return _in_turn(model, shown)


def share_sizes(model: Any) -> list[str]:
    """How many shares there are of wholes that are latent."""
    return _in_turn(model, [each.sizes[-1] for each in model.latents if isinstance(each.support, Simplex)])


def chain_sizes(model: Any) -> set[str]:
    """The sizes along which latents stand beside their neighbours, or beside their parents."""
    latents = {each.name: each for each in model.latents}
    entries = (each for each in model.log_likelihood.atoms(Indexed) if name_of(each) in latents)
    trees = {str(v.support.size) for v in model.variables.values() if isinstance(v.support, Parents)}
    return trees | {
        str(size)
        for entry in entries
        for place, size in zip(entry.indices, latents[name_of(entry)].sizes, strict=False)
        if place.is_Add and place.as_coeff_Add()[0] != 0
    }


def _is_of_labels(model: Any) -> bool:
    """Whether all latents that stand beside neighbours are labels."""
    latents = {each.name: each for each in model.latents}
    return all(
        latents[name_of(entry)].support.finite
        for entry in model.log_likelihood.atoms(Indexed)
        if name_of(entry) in latents and any(place.is_Add for place in entry.indices)
    )


def _reach(model: Any) -> int:
    """How far data look back: those of the first places are conditioned on."""
    data = {each.name for each in model.data}
    entries = (each for each in model.log_likelihood.atoms(Indexed) if name_of(each) in data)
    ahead = (place.as_coeff_Add()[0] for entry in entries for place in entry.indices if place.is_Add)
    return max((int(each) for each in ahead if each.is_Integer), default=0)


def _widths(model: Any) -> tuple[list[str], list[str]]:
    """How long the vectors of the data are, and the other vectors, rows and columns."""
    data = _in_turn(model, [size for each in model.data if each.sizes for size in each.shape])
    shaped = (*model.parameters, *model.latents, *(each for each in model.known if each.sizes))
    others = _in_turn(model, [size for each in shaped for size in each.shape])
    return data, [name for name in others if name not in data]


def _in_turn(model: Any, sizes: Sequence[Any]) -> list[str]:
    names = {symbol.name for size in sizes for symbol in size.free_symbols}
    return [each.name for each in model.sizes if each.name in names]
