"""An iteration told in numbers: the E-step row by row, the statistics, the updates, and what the fit looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from sympy import Integer

from symem.derivation import Ascent, Definition, Update
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix
from symem.language.model import Role
from symem.language.plates import LinearSolution
from symem.report.document import Block, Display, Exercise, Lines, Prose, Section, Table, listed, said
from symem.report.iteration import Worked
from symem.report.line_breaking import LINE, width
from symem.report.notation.digits import as_matrix, breadth, in_formula, in_numbers, single
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import direct
from symem.report.sections.along_section import along
from symem.report.sections.columns import LONGEST, Column, Rows, rows
from symem.report.sections.e_step_section import computed, grouped
from symem.report.sections.em_step_figure import em_step_figure
from symem.report.sections.estimates import (
    MOST_PLACES,
    entries,
    entry_line,
    matrix_values,
    parameters_table,
)
from symem.report.sections.fit_section import fit
from symem.report.sections.m_step_section import gathered
from symem.report.sections.matrix_section import with_held
from symem.report.sections.put_in import put_in
from symem.report.sections.row_tables import MOST_COLUMNS, row_table
from symem.report.writer import COUNTED, Voice

WIDEST_HEAD = 22.0
NUMBER = 6.0


def worked(found: Worked, voice: Voice) -> Iterator[Section]:
    """The sections with the reader's numbers."""
    task = said("Compute one iteration with the data given, from the start @.", voice.at(voice.pack.start))
    blocks = (Exercise(task, tuple(_iteration(found, voice))),)
    yield Section(said("One iteration in numbers"), blocks, anchor="numbers")
    if voice.options.fitted is None:
        yield fit(found, voice)


def _iteration(found: Worked, voice: Voice) -> Iterator[Block]:
    start = voice.at(voice.pack.start)
    told = said("The formulas above at the start @, with the data given.", start)
    scalars = list(_scalars(found, voice))
    here = (" Here ", *listed(scalars), ".") if scalars else ()
    cut = " Of long vectors the first entries are shown." if _is_long(found) else ""
    yield (*told, *here, f" Numbers are rounded for print only.{cut} {COUNTED}")
    yield from em_step_figure(found, voice)
    yield from _matrices(list(_constants(found, voice)))
    yield from along(found, voice)
    for each in rows(found, voice.free):
        yield from _rowwise(each, voice)
    yield from _single(found, voice)
    yield from _statistics(found, voice)
    lines = tuple(line for update in voice.derivation.updates for line in _substituted(update, found, voice))
    if lines:
        yield said("The M-step then gives")
        yield Display(lines)
    yield from _parameters(found, voice)


def _is_long(found: Worked) -> bool:
    """Whether the rows hold vectors longer than a table is wide."""
    rows = [
        v for v in found.derivation.model.variables.values() if v.shape and v.sizes and v.role in _IN_ROWS
    ]
    return any(found.size(size) > LONGEST for each in rows for size in each.shape)


_IN_ROWS = (Role.DATA, Role.KNOWN, Role.LATENT)


# what is there once -----------------------------------------------------------------------------------


def _scalars(found: Worked, voice: Voice) -> Iterator[str]:
    """Data, constants and sizes that are single numbers: n = 5."""
    for variable in voice.model.variables.values():
        if variable.role in (Role.DATA, Role.KNOWN, Role.SIZE) and not variable.sizes:
            value = found.arrays.get(variable.name)
            if value is not None and np.ndim(value) == 0:
                yield f"{voice.name(variable.symbol)} = {in_formula(float(value))}"


def _constants(found: Worked, voice: Voice) -> Iterator[tuple[str, Any]]:
    """Data and constants that are one vector or one matrix."""
    for variable in voice.model.variables.values():
        if variable.role in (Role.DATA, Role.KNOWN) and variable.shape and not variable.sizes:
            yield voice.name(variable.symbol), as_matrix(found.given[variable.name])


def _matrices(named: Sequence[tuple[str, Any]]) -> Iterator[Display]:
    """Names with their matrices, as many in a line as fit."""
    lines: list[str] = []
    used = LINE
    for name, matrix in named:
        told, wide = f"{name} &= {in_numbers(matrix)}", width(name) + 4 + breadth(matrix)
        if used + wide > LINE:
            lines.append(told)
            used = wide
        else:
            lines[-1] += rf",\qquad {told.replace('&= ', '= ', 1)}"
            used += wide + 4
    if lines:
        yield Display(tuple((line,) for line in lines))


def _single(found: Worked, voice: Voice) -> Iterator[Block]:
    """What the E-step computes of latents without a plate."""
    definitions = [
        each for posteriors in grouped(voice) for each in computed(posteriors, voice) if not each.axes
    ]
    yield from _matrices(
        [(voice.name(each.symbol), _value(each, found)) for each in definitions if is_matrix(each.symbol)]
    )
    definitions = [each for each in definitions if not is_matrix(each.symbol)]
    if definitions:
        lines = [_line(each, found, voice) for each in definitions]
        yield Table(
            (("E-step",), ("formula",), ("value",)), tuple(lines), caption=("The E-step.",), align="llr"
        )


def _value(definition: Definition, found: Worked) -> Any:
    """The matrix that a definition gives."""
    return as_matrix(found.arrays[name_of(definition.symbol)])


def _line(definition: Definition, found: Worked, voice: Voice) -> tuple[Prose, ...]:
    formula = latex(definition.value, voice.start)
    shown = said("@", formula) if width(formula) <= LINE / 2 else ()
    return said("@", voice.name(definition.symbol)), shown, (single(found.number(definition.value)),)


# row by row -------------------------------------------------------------------------------------------


def _rowwise(each: Rows, voice: Voice) -> Iterator[Block]:
    """One table, or two where there are many columns: the posterior, and what each row adds up to."""
    shown = tuple(column for column in each.shares if width(column.head) <= WIDEST_HEAD)
    posterior = tuple(column for column in each.posterior if width(column.head) <= WIDEST_HEAD)
    whole = (*each.data, *posterior, *shown)
    words = "The E-step at @, row by row" + (", and what each row adds to the statistics." if shown else ".")
    e_step = said(words, voice.at(voice.pack.start))
    if len(whole) <= MOST_COLUMNS and sum(map(_wide, whole)) <= 1.2 * LINE:
        yield row_table(each.axis, whole, e_step, voice)
        return
    caption = said("The E-step at @, row by row.", voice.at(voice.pack.start))
    yield row_table(each.axis, (*each.data, *posterior)[:MOST_COLUMNS], caption, voice)
    for part in _pages(shown):
        yield row_table(each.axis, part, ("What each row adds to the statistics.",), voice)


def _pages(columns: Sequence[Column]) -> Iterator[tuple[Column, ...]]:
    """As many columns together as fit a line."""
    part: list[Column] = []
    for column in columns:
        if part and (len(part) == MOST_COLUMNS or sum(map(_wide, (*part, column))) > LINE):
            yield tuple(part)
            part = []
        part.append(column)
    if part:
        yield tuple(part)


def _wide(column: Column) -> float:
    return max(width(column.head), NUMBER) + 2


# statistics and parameters ------------------------------------------------------------------------------


def _statistics(found: Worked, voice: Voice) -> Iterator[Block]:
    """The statistics in numbers, long arrays cut short."""
    matrices = [each for each in voice.derivation.surrogate.statistics if is_matrix(each.symbol)]
    listed_entries = [
        entry
        for statistic in voice.derivation.surrogate.statistics
        if statistic not in matrices
        for entry in entries(statistic.symbol, np.asarray(found.arrays[name_of(statistic.symbol)]))
    ]
    lines = [entry_line(place, values, voice) for place, *values in listed_entries]
    if lines:
        header = (("statistic",), ("value",))
        yield Table(header, tuple(lines), caption=("The expected sufficient statistics.",), align="lr")
    if matrices:
        yield (
            "The expected sufficient statistics that are vectors or matrices:"
            if lines
            else "The expected sufficient statistics:",
        )
        yield from _matrices([pair for each in matrices for pair in _placed(each, found, voice)])


def _placed(definition: Definition, found: Worked, voice: Voice) -> Iterator[tuple[str, Any]]:
    """A matrix at its first places."""
    array = np.asarray(found.arrays[name_of(definition.symbol)])
    sizes = [found.size(axis.size) for axis in definition.axes]
    for place in list(product(*map(range, sizes)))[:MOST_PLACES]:
        at = {axis.index: Integer(k) for axis, k in zip(definition.axes, place, strict=True)}
        yield letter(definition.symbol.xreplace(at), voice.free), as_matrix(array, place)


def _parameters(found: Worked, voice: Voice) -> Iterator[Block]:
    """Numbers side by side; of vectors and matrices the start and the end, as the step itself stands above."""
    columns = (
        (said("@", voice.at(voice.pack.start)), found.old),
        (said("@", voice.at(voice.pack.first)), found.new),
        ((f"after {len(found.history) - 1}",), found.fitted),
    )
    caption = said("The parameters before and after the step, and at the end of the fit.")
    numbers = parameters_table(columns, caption, voice, matrices=False)
    if numbers.rows:
        yield numbers
    ends = ((voice.start, found.old), (voice.marked(str(len(found.history) - 1)), found.fitted))
    named = [pair for scope, values in ends for pair in matrix_values(values, voice, scope)]
    if named:
        yield said("Vectors and matrices at the start, and at the end of the fit:")
        yield from _matrices(named)


def _substituted(update: Update, found: Worked, voice: Voice) -> Iterator[Lines]:
    """The first entries of an update with the numbers put in, where that fits a line."""
    if isinstance(update, Ascent):
        return
    if is_matrix(update.parameter):
        if not direct(update).has(LinearSolution):
            yield from _matrix_result(update, found, voice)
        return
    for each in put_in(update, found, voice):
        line, short = f"{each.left} &= {each.formula} = {each.told}", f"{each.left} &= {each.told}"
        yield from ((one,) for one in [one for one in (line, short) if width(one) <= LINE][:1])


def _matrix_result(update: Update, found: Worked, voice: Voice) -> Iterator[Lines]:
    """The first vectors or matrices of an update: the formula and what it gives."""
    sizes = [found.size(axis.size) for axis in update.definition.axes]
    array = found.new[name_of(update.parameter)]
    scope = with_held(voice.first, update, voice, voice.pack.start)
    for place in list(product(*map(range, sizes)))[:2]:
        at = {axis.index: Integer(k) for axis, k in zip(update.definition.axes, place, strict=True)}
        atom, result = update.parameter.xreplace(at), as_matrix(array, place)
        formula = latex(gathered(update).xreplace(at), scope)
        left = letter(atom, voice.first)
        told, wide = in_numbers(result), width(left + formula)
        if wide + breadth(result) <= 0.85 * LINE:
            yield (rf"{left} &= {formula} \approx {told}",)
        elif wide <= LINE:
            yield (f"{left} &= {formula}", rf"&\approx {told}")
        else:
            yield (rf"{left} &\approx {told}",)
