"""Where the passes begin: the derivation with one size for every index, in entries."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Indexed, S, factor

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.program import Order, Program
from symem.codegen.lowering.complete_density import with_stated_densities
from symem.codegen.lowering.constants import with_folded_constants
from symem.codegen.lowering.distinct_indices import distinct
from symem.codegen.lowering.entrywise import in_entries
from symem.codegen.lowering.row_plate import cut, row_size, used_sizes
from symem.codegen.lowering.scanned_chains import with_scans
from symem.derivation import Ascent, Climbed, Definition, Derivation
from symem.errors import NotDerivedError
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix


def stated(derivation: Derivation, *, plain: bool = False, whole: bool = True) -> Program:
    """A program of which nothing is computed yet; `whole`: every parameter must have an update."""
    if whole:
        _refuse_open_blocks(derivation)
    derivation = _without_climbed_scores(derivation)
    derivation, indices = distinct(with_scans(with_folded_constants(with_stated_densities(derivation))))
    prior = indices.expr(derivation.model.log_prior, {})
    entries = in_entries(derivation, indices.sizes, prior)
    entries, rows = (entries, row_size(entries)) if plain else cut(entries)
    return Program(
        derivation=entries,
        names=Names(plain=plain),
        index_sizes=indices.sizes,
        rank=Order(entries, indices.sizes),
        rows=rows,
        sized=used_sizes(entries),
        prior=prior,
        plain=plain,
    )


def _without_climbed_scores(derivation: Derivation) -> Derivation:
    """The scores that statistics give; of what is climbed, what they are beside the slopes of its part, which the runtime has."""
    climbed = {each.parameter: each.within for each in derivation.updates if isinstance(each, Ascent)}
    known = {each.name for each in derivation.model.parameters}
    known |= {name_of(each.symbol) for each in derivation.surrogate.statistics}
    scores = (
        replace(each, definition=_beside(each.definition, climbed[each.parameter], each.parameter, known))
        if each.parameter in climbed
        else each
        for each in derivation.scores
    )
    return replace(derivation, scores=tuple(scores))


def _beside(slope: Definition, part: Climbed, parameter: Expr, known: set[str]) -> Definition:
    """The slope of Q less that of its part, in which others are at their own updates; 0 where both are sums over rows."""
    place = part.parameters.index(parameter)
    chart = part.charts[place].kind if part.charts else ""
    names = {name_of(leaf) for leaf in slope.value.atoms(Indexed)}
    if names - known or chart == "power" or is_matrix(slope.value):
        return replace(slope, value=S.Zero)
    own = part.slopes[place]
    to = dict(zip((axis.index for axis in own.axes), (axis.index for axis in slope.axes), strict=True))
    stretched = {"log": parameter, "logit": parameter * (1 - parameter)}.get(chart, S.One)
    of_part = own.value.xreplace(to) / stretched
    return replace(slope, value=factor(slope.value - of_part))


def _refuse_open_blocks(derivation: Derivation) -> None:
    if derivation.not_derived:
        block = derivation.not_derived[0]
        names = ", ".join(str(each) for each in block.parameters)
        raise NotDerivedError(
            f"No solver can be emitted for {names}. {block.reason or f'In the way: {block.term}.'}"
        )
    updated = {name_of(update.parameter) for update in derivation.updates}
    missing = [each.name for each in derivation.model.parameters if each.name not in updated]
    if missing:
        raise NotDerivedError(
            f"No solver can be emitted: the derivation has no update for {', '.join(missing)}."
        )
