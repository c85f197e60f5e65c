"""The M-step's part of a mean field: each factor's arguments at once, by the table, all else held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, expand

from symem.algebra.squares import about_numbers, as_squares
from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.mean_field import Field
from symem.calculus.means_of_factors import Mean
from symem.calculus.separate import Term
from symem.calculus.statistics import Named
from symem.derivation import Ascent, Definition, Factor, OfFactor, Update
from symem.language.leaves import places_of
from symem.language.plates import Axis

#: The name of the law that gives the arguments of a factor.
LAW = "factor"


def coefficients(factor: Mean, terms: Sequence[Term], explicit: Callable[[Expr], Expr]) -> tuple[Expr, ...]:
    """The expected coefficients of the functions of a factor, all other letters explicit: what stands before its letters in Q, where
    those of the entropy have their coefficients in log q taken away.
    """
    unknowns = [Unknown(each.symbol, each.axes) for each in factor.letters]
    slopes = (explicit(equation(derivative(terms, unknown))) for unknown in unknowns)
    return tuple(expand(slope + own) for slope, own in zip(slopes, factor.natural, strict=True))


@dataclass(frozen=True)
class Factored:
    """Q without the letters of factors, and for these updates and records."""

    named: Named
    updates: tuple[OfFactor, ...] = ()
    factors: tuple[Factor, ...] = ()


def without_letters(field: Field | None, named: Named, collapse: Callable[[Expr], Expr]) -> Factored:
    """Q in the arguments of the factors, and the best of each of them given the others, one after another."""
    if field is None:
        return Factored(named)
    plain = field.explicit(named.terms)
    updates: list[OfFactor] = []
    records = []
    for number, factor in enumerate(field.factors):
        natural = tuple(collapse(each) for each in coefficients(factor, named.terms, field.at_values))
        updates += _of(factor, natural, plain, number - len(field.factors))
        records.append(factor.record(natural))
    return Factored(replace(named, terms=plain), tuple(updates), tuple(records))


def _of(factor: Mean, natural: Sequence[Expr], plain: Sequence[Term], block: int) -> Iterator[OfFactor]:
    arguments, best = factor.arguments, factor.best(natural)
    together = tuple(arguments[name] for name in best)
    for name, found in best.items():
        parameter = arguments[name]
        sizes = next(
            v.sizes for v in factor.variables if v.name == str(getattr(parameter, "base", parameter))
        )
        axes = tuple(Axis(place, size) for place, size in zip(places_of(parameter), sizes, strict=True))
        value = found if factor.beside else as_squares(found)
        yield OfFactor(
            definition=Definition(parameter, axes, value),
            equation=equation(derivative(plain, Unknown(parameter, axes))),
            nested=value,
            block=block,
            law=LAW,
            together=together,
            beside=factor.beside,
        )


def beside_factors(blocks: Sequence[Sequence[Update]], factors: Sequence[Update]) -> tuple[Update, ...]:
    """All updates in their order: those of factors after what a formula gives, which breaks their ties at a start, and before what
    is climbed, which comes last.
    """
    if not factors:
        return tuple(update for block in blocks for update in block)
    climbed = [block for block in blocks if any(isinstance(update, Ascent) for update in block)]
    first = [_centred(update) for block in blocks if block not in climbed for update in block]
    return (*first, *factors, *(update for block in climbed for update in block))


def _centred(update: Update) -> Update:
    """An update with squares about a parameter that was updated before it: in these no digit is lost."""
    value = about_numbers(update.nested)
    if value == update.nested:
        return update
    return replace(update, definition=replace(update.definition, value=value), nested=value)
