"""The score: by Fisher's identity it is ∂Q(θ | θ⁽ᵗ⁾)/∂θ at θ = θ⁽ᵗ⁾ (Dempster, Laird & Rubin 1977, section 3)."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Indexed, IndexedBase, Symbol, factor_terms

from symem.algebra.matrix_words import gathered_words
from symem.algebra.squares import completed, merged_sums, squares
from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.fresh_names import Names
from symem.calculus.separate import separate
from symem.derivation import Definition, Derivation, Score
from symem.language.leaves import name_of
from symem.language.matrices import MatrixArray, MatrixEntry, is_matrix


def with_scores(derivation: Derivation, names: Names) -> Derivation:
    """The derivation with ∂Q/∂θ of every parameter that has an update, in its statistics."""
    terms, found = separate(derivation.surrogate.value), []
    for update in derivation.updates:
        axes = update.definition.axes
        slope = _told(equation(derivative(terms, Unknown(update.parameter, axes))))
        value = names.apart(slope, {axis.index for axis in axes})
        found.append(Score(update.parameter, Definition(_named(update.parameter), axes, value)))
    return replace(derivation, scores=tuple(found))


def _told(slope: Expr) -> Expr:
    """A slope as one writes it: squares completed, in which digits are kept, and common factors in front."""
    if is_matrix(slope):
        return gathered_words(completed(slope))
    return factor_terms(completed(squares(merged_sums(slope))))


def _named(parameter: Expr) -> Expr:
    """A letter for the slope, at the places of the parameter."""
    name = f"slope_{name_of(parameter)}"
    if isinstance(parameter, MatrixEntry):
        kind = "symmetric" if parameter.is_symmetric_letter else ""
        return MatrixArray(name, *parameter.dimensions, kind)[tuple(parameter.indices)]
    return (
        IndexedBase(name, real=True)[parameter.indices]
        if isinstance(parameter, Indexed)
        else Symbol(name, real=True)
    )
