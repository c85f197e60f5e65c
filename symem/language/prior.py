"""A prior on parameters as a log-density in internal symbols (MAP-EM: Dempster, Laird & Rubin 1977, section 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from sympy import Add, Basic, Expr, Idx, Indexed, Symbol, log, loggamma

from symem.errors import ModelError, PlateError, ShapeError, SupportError
from symem.language.demands import narrower, spread
from symem.language.families import symmetric_dirichlet
from symem.language.family import Distribution
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix, is_positive_definite
from symem.language.plates import Axis, index_symbol, total
from symem.language.ranges import own_range
from symem.language.reading import Reader, Shape
from symem.language.shapes import entry_symbol, internal, origin_of, range_size
from symem.language.support import Support
from symem.language.supports import Positive, Reals
from symem.language.survey import Survey
from symem.language.symbol_names import check_name, names_in, stated_name
from symem.language.traces import LogDet
from symem.language.vectors import OF_MATRICES, OF_VECTORS


def demanded(prior: Mapping[Any, Distribution]) -> dict[str, Support]:
    """What the laws of priors ask of their hyper-parameters: a shape is positive, a scale matrix positive definite.

    Raises:
        SupportError: a number lies where the law has no density.
    """
    found: dict[str, Support] = {}
    for key, law in prior.items():
        for argument, support in _asked(law):
            if argument.is_number and not is_matrix(argument) and not support.admits(argument):
                raise SupportError(
                    f"prior={{{key}: {law}}}: {argument} must lie in {support}. What is no density, an improper prior, is "
                    f"stated by its logarithm, log_prior=…."
                )
            for name, wanted in spread(argument, support):
                found[name] = narrower(found.get(name), wanted)
    return found


def _asked(law: Distribution) -> Iterator[tuple[Expr, Support]]:
    """Each argument with where it must lie; all weights of a Dirichlet are asked the same."""
    supports = list(law.family.parameters.values())
    yield from zip_longest(law.arguments, supports[: len(law.arguments)], fillvalue=supports[-1])


def admit_constants(
    prior: Mapping[Any, Distribution], reader: Reader, survey: Survey, supports: Mapping[str, Support]
) -> None:
    """Let the hyper-parameters of priors into the reader: known arrays, positive ones if they are of numbers, and numbers."""
    for distribution in prior.values():
        for argument in distribution.arguments:
            for entry in sorted(argument.atoms(Indexed), key=str):
                _admit_array(entry, reader, survey, supports)
            for name in sorted(names_in(argument) - set(reader.symbols)):
                check_name(name)
                survey.declared[name] = next(s for s in argument.free_symbols if str(s) == name)
                reader.symbols[name] = Symbol(name, **supports.get(name, Reals()).assumptions)
                reader.shapes[name] = Shape((), ())


def _admit_array(entry: Indexed, reader: Reader, survey: Survey, supports: Mapping[str, Support]) -> None:
    name = stated_name(entry)
    if name in reader.symbols:
        return
    check_name(name)
    survey.take(entry, {index: own_range(index) for index in entry.atoms(Idx)})
    for size in sorted(survey.size_names - set(reader.symbols)):
        reader.symbols[size], reader.shapes[size] = Symbol(size, integer=True, positive=True), Shape((), ())
    slots = survey.slots[name]
    if not all(slot.range for slot in slots):
        raise PlateError(f"The constant {entry} of a prior: index it by an Idx for every slot.")
    reader.symbols[name] = internal(name, survey.declared[name], supports.get(name, Positive()))
    sizes = tuple(range_size(slot.range, reader) for slot in slots if slot.range)
    reader.shapes[name] = Shape(sizes, tuple(origin_of(slot, {}) for slot in slots))


def log_prior_density(key: Any, distribution: Distribution, reader: Reader) -> Expr:
    """The log-density of the parameters that `key` names: an array, an entry `mu[k]`, a scalar or a tuple.

    Raises:
        ModelError: a Dirichlet for a scalar, another law for a tuple, or as many weights as do not fit.
        PlateError: an argument holds an index that the parameter has not.
    """
    if isinstance(key, tuple):
        return _over_scalars(key, distribution, reader)
    name = stated_name(key)
    axes = _axes(key, name, reader)
    env: dict[Basic, Expr] = {}
    if isinstance(key, Indexed):
        origins = reader.shapes[name].origins
        env = {p: axis.index + o for p, axis, o in zip(key.indices, axes, origins, strict=False)}
    symbol = entry_symbol(reader.symbols[name], tuple(axis.size for axis in axes))
    value = symbol[tuple(a.index for a in axes)] if axes else symbol
    if is_matrix(value) != (distribution.name in OF_VECTORS | OF_MATRICES):
        raise ShapeError(
            f"prior={{{key}: {distribution}}}: write MultivariateNormal for a vector, Wishart or InverseWishart for a "
            f"positive definite matrix, and other laws for numbers."
        )
    if distribution.name in OF_MATRICES and not is_positive_definite(value):
        raise SupportError(f"prior={{{key}: {distribution}}}: {name} is not positive definite in the model.")
    if distribution.name == "Dirichlet":
        return _dirichlet(value, distribution, axes, env, reader)
    arguments = [reader.read(argument, env) for argument in distribution.arguments]
    density = distribution.family.log_density(value, *arguments)
    whole = density.xreplace({each: reader.log_det(*each.args) for each in density.atoms(LogDet)})
    return total(whole, axes)


def _axes(key: Any, name: str, reader: Reader) -> tuple[Axis, ...]:
    sizes = reader.shapes[name].sizes
    places = list(key.indices) if isinstance(key, Indexed) else [None] * len(sizes)
    if isinstance(key, MatrixEntry) and not isinstance(reader.symbols[name], MatrixArray):
        places += [None]
    if len(places) != len(sizes) or not all(place is None or isinstance(place, Idx) for place in places):
        raise PlateError(
            f"prior={{{key}: …}}: index {name} by one plain Idx for each of its {len(sizes)} slots."
        )
    taken: list[str] = []
    for place, size in zip(places, sizes, strict=True):
        taken.append(
            reader.label(str(place.label)) if isinstance(place, Idx) else _index_name(size, taken, reader)
        )
    return tuple(Axis(index_symbol(label), size) for label, size in zip(taken, sizes, strict=True))


def _index_name(size: Expr, taken: list[str], reader: Reader) -> str:
    """An index already in use for that size, or the first free letter."""
    candidates = [label for label, (span, _) in sorted(reader.spans.items()) if span.size == size]
    letters = [letter for letter in "klmrsuv" if letter not in reader.symbols]
    return next(label for label in (*candidates, *letters) if label not in taken)


def _dirichlet(
    value: Expr, distribution: Distribution, axes: tuple[Axis, ...], env: dict[Basic, Expr], reader: Reader
) -> Expr:
    if not axes:
        raise ModelError(f"{value} is a scalar: give Dirichlet to an array, or to a tuple of scalars.")
    alpha, cell = distribution.arguments, axes[-1]
    if len(alpha) > 1:
        raise ModelError(
            f"Dirichlet over the array {value}: write Dirichlet(a) or Dirichlet(a[k]), not single entries."
        )
    own = sorted(alpha[0].atoms(Idx) - set(env), key=str)
    if len(own) > 1:
        raise PlateError(
            f"Dirichlet({alpha[0]}) holds {len(own)} indices beside those of {value}; one is the cell's."
        )
    if own:
        env = env | {own[0]: cell.index + own_range(own[0]).lower}
    weight = reader.read(alpha[0], env)
    if weight.has(cell.index):
        constant = loggamma(total(weight, (cell,))) - total(loggamma(weight), (cell,))
    else:
        constant = symmetric_dirichlet(weight, cell.size)
    return total(constant + total((weight - 1) * log(value), (cell,)), axes[:-1])


def _over_scalars(key: tuple[Any, ...], distribution: Distribution, reader: Reader) -> Expr:
    if distribution.name != "Dirichlet":
        raise ModelError(f"The prior of the tuple {key} must be a Dirichlet, not {distribution.name}.")
    weights = [reader.read(argument) for argument in distribution.arguments]
    weights = weights * len(key) if len(weights) == 1 else weights
    if len(weights) != len(key):
        raise ModelError(f"Dirichlet with {len(weights)} weights for {len(key)} scalars {key}.")
    values = [reader.read(entry) for entry in key]
    constant = loggamma(Add(*weights)) - Add(*(loggamma(weight) for weight in weights))
    return constant + Add(*((weight - 1) * log(value) for weight, value in zip(weights, values, strict=True)))
