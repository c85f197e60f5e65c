"""The entries of an update with the numbers of an iteration put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from sympy import Expr, Indexed, Integer, Sum, Symbol

from symem.derivation import Update
from symem.language.leaves import labels_in, name_of, places_of
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.plates import LinearSolution
from symem.report.iteration import Worked
from symem.report.notation.digits import in_formula
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import direct, over_common_denominators
from symem.report.sections.columns import FEW
from symem.report.sections.matrix_section import held_by, with_held
from symem.report.sections.substituted import substituted
from symem.report.writer import Voice


@dataclass(frozen=True)
class Filled:
    """An entry of an update: its letter, its formula, the formula in numbers, the result; all in LaTeX."""

    left: str
    formula: str
    numbers: str
    result: str

    @property
    def told(self) -> str:
        """The numbers and what they give."""
        return self.numbers if self.numbers == self.result else rf"{self.numbers} \approx {self.result}"


def put_in(update: Update, found: Worked, voice: Voice, most: int = 2) -> Iterator[Filled]:
    """The first entries of an update; none of a matrix, or where a sum over rows is left."""
    value = direct(update)
    if is_matrix(update.parameter) or value.has(LinearSolution, MatrixEntry) or not value.is_commutative:
        return
    if not all(_is_short(each, found) for each in value.atoms(Sum)):
        return
    held = held_by(update, voice.derivation.updates)
    scope = with_held(voice.first, update, voice, voice.pack.start)
    sizes = [found.size(axis.size) for axis in update.definition.axes]
    for place in islice(product(*map(range, sizes)), most):
        at = {axis.index: Integer(k) for axis, k in zip(update.definition.axes, place, strict=True)}
        here = over_common_denominators(value.xreplace(at))
        atom = update.parameter.xreplace(at)
        terms = _term_by_term(here, found)
        numbers = {entry: _number(entry, found, held) for entry in _named(terms, found)}
        result = in_formula(_number(atom, found))
        left = letter(atom, voice.first)
        yield Filled(left, latex(here, scope), substituted(terms, numbers, scope), result)


def _is_short(total: Sum, found: Worked) -> bool:
    """Whether a sum is over a few numbers that are known, as over labels, and not over rows."""
    return all(low == 0 and found.size(high + 1) <= FEW for _, low, high in total.limits)


def _term_by_term(value: Expr, found: Worked) -> Expr:
    """A formula with its short sums written out."""
    whole = {
        each: each.xreplace(
            {size: Integer(found.size(size)) for _, _, high in each.limits for size in high.free_symbols}
        ).doit()
        for each in value.atoms(Sum)
    }
    return value.xreplace(whole)


def _named(value: Expr, found: Worked) -> Iterator[Expr]:
    """The entries that a formula uses."""
    slots = labels_in(value)
    for atom in value.atoms(Indexed, Symbol):
        if not atom.is_Dummy and atom not in slots and name_of(atom) in {**found.arrays, **found.new}:
            yield atom


def _number(entry: Expr, found: Worked, held: frozenset[str] = frozenset()) -> float:
    """An entry's number; a parameter in an update is one updated before, unless it is held."""
    name = name_of(entry)
    array = found.new[name] if name in found.new and name not in held else found.arrays[name]
    return float(np.asarray(array)[tuple(int(slot) for slot in places_of(entry))])
