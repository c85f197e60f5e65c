"""The score: by Fisher's identity it is ∂Q(θ | θ⁽ᵗ⁾)/∂θ at θ = θ⁽ᵗ⁾ (Dempster, Laird & Rubin 1977, section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sympy import Add, Expr, IndexedBase, Mul, Sum, Symbol, factor_terms, fraction

from symem.algebra.about_zero import AboutZero, multiplied_out
from symem.algebra.matrix_words import gathered_forms, gathered_words
from symem.algebra.rewriting import bottom_up, inlined
from symem.algebra.squares import completed, merged_sums, squares
from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.fresh_names import Names
from symem.calculus.separate import Term, rejoin, rename_apart, separate
from symem.derivation import Definition, Derivation, Score
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix
from symem.language.plates import Axis


def with_scores(derivation: Derivation, names: Names) -> Derivation:
    """The derivation with ∂Q/∂θ of every parameter that has an update, in its statistics, and row by row."""
    terms, found = separate(derivation.surrogate.value), []
    for update in derivation.updates:
        axes = update.definition.axes
        slope = told_slope(equation(derivative(terms, Unknown(update.parameter, axes))))
        value = names.apart(slope, {axis.index for axis in axes})
        found.append(Score(update.parameter, Definition(_named("slope", update.parameter), axes, value)))
    return replace(derivation, scores=_by_rows(derivation, found))


def told_slope(slope: Expr) -> Expr:
    """A slope as one writes it: squares completed, in which digits are kept, and common factors in front."""
    if is_matrix(slope):
        return gathered_words(completed(slope))
    return factor_terms(completed(bottom_up(squares(merged_sums(slope)), _over_denominators)))


def told_form(value: Expr) -> Expr:
    """A number so, forms that differ in an end being one: h'(x - m) for h'x - h'm."""
    return bottom_up(gathered_forms(told_slope(value)), _counted)


def _counted(expr: Expr) -> Expr:
    """Σ_i c as n c."""
    if not isinstance(expr, Sum) or expr.function.free_symbols & {limit[0] for limit in expr.limits}:
        return expr
    return Mul(expr.function, *(high + 1 for _index, _low, high in expr.limits))


def _over_denominators(expr: Expr) -> Expr:
    """a/c + b/c as (a + b)/c."""
    if not expr.is_Add or is_matrix(expr):
        return expr
    above: dict[Expr, list[Expr]] = {}
    for number, below in map(fraction, expr.args):
        sign = below.as_coeff_Mul()[0]
        above.setdefault(below / sign, []).append(number / sign)
    return Add(*(Add(*parts) / below for below, parts in above.items()))


def _named(stem: str, parameter: Expr, *places: Symbol) -> Expr:
    """A letter for what belongs to a parameter, at its places, after others."""
    name, own = f"{stem}_{name_of(parameter)}", (*places, *places_of(parameter))
    if isinstance(parameter, MatrixEntry):
        kind = "symmetric" if parameter.is_symmetric_letter else ""
        return MatrixArray(name, *parameter.dimensions, kind)[own]
    return IndexedBase(name, real=True)[own] if own else Symbol(name, real=True)


# row by row ---------------------------------------------------------------------------------------------


def _by_rows(derivation: Derivation, scores: Sequence[Score]) -> tuple[Score, ...]:
    """What each row adds to every slope, over the first plate over whose rows all but the log-prior is summed."""
    firsts = [each.axes[0] for each in derivation.posteriors if each.axes]
    for axis in {each.size: each for each in firsts}.values():
        found = [_by_row(derivation, score, axis) for score in scores]
        if all(each.row is not None for each in found):
            return tuple(found)
    return tuple(scores)


def _by_row(derivation: Derivation, score: Score, plate: Axis) -> Score:
    """The summands of a slope over a plate."""
    surrogate = derivation.surrogate
    plain = multiplied_out(
        inlined(AboutZero(surrogate.moments)(score.definition.value), surrogate.statistics)
    )
    taken = {axis.index for axis in score.definition.axes}
    terms = [rename_apart(term, taken) for term in separate(plain)]
    axis = next((each for term in terms for each in term.axes if each.size == plate.size), plate)
    rows, beside = list[Term](), list[Term]()
    for term in terms:
        one = _summand(term, axis)
        (beside if one is None else rows).append(term if one is None else one)
    rest = rejoin(beside)
    if (rest != 0 and derivation.model.log_prior == 0) or axis.index in taken | rest.free_symbols:
        return score
    value = told_slope(rejoin(_placed_apart(rows, axis)))
    own = Definition(_named("score", score.parameter, axis.index), (axis, *score.definition.axes), value)
    return replace(score, row=own, beside=rest)


def _summand(term: Term, axis: Axis) -> Term | None:
    """What a row adds to a term: of a sum over rows its summand, of a number times their number that number."""
    own = next((each for each in term.axes if each.size == axis.size), None)
    if own is not None:
        rest = tuple(each for each in term.axes if each != own)
        return Term(term.factor.xreplace({own.index: axis.index}), rest)
    share = term.factor / axis.size
    return (
        Term(share, term.axes) if axis.size in term.factor.free_symbols and not share.has(axis.size) else None
    )


def _placed_apart(terms: Sequence[Term], axis: Axis) -> Iterator[Term]:
    """Terms none of whose sums is over the letter of the row."""
    return (rename_apart(term, {axis.index}) for term in terms)
