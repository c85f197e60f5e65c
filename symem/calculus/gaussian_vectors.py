"""Vectors that are latent: a quadratic form is a Gaussian, its log-partition takes the vector's place.

The terms of a vector z at one position are gathered as -½ zᵀΛz + hᵀz, so that z is Gaussian with covariance
V = Λ⁻¹ and mean Vh, and leaves ½ hᵀVh + ½ log det V + (d/2) log 2π (Bishop 2006, section 2.3). Of a vector with
entries seen only the others are integrated out: V is then the inverse of their block of Λ, in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Add, Expr, Integer, Mul, S, Sum, log, pi

from symem.calculus.eliminated import Case, Elimination
from symem.calculus.gathering import atoms_of
from symem.calculus.quadratic import Quadratic, common_scale, form_ends, gathered_form, is_label, split_forms
from symem.calculus.separate import rejoin
from symem.derivation import Definition, GaussianVector
from symem.errors import NotDerivedError
from symem.language.matrices import (
    COORDINATE,
    ENTRY,
    MatrixEntry,
    T,
    is_matrix,
    letters,
    shape,
    transpose,
    word_of,
)
from symem.language.traces import block_inverse, block_log_det, inverse, log_det, trace, words


def eliminate_vector(state: Elimination, case: Case) -> None:
    """Integrate a vector out.

    Raises:
        NotDerivedError: a term is no quadratic form in the vector, or its precision depends on other latents.
    """
    quadratic = gathered_form(case)
    scale, quadratic = common_scale(case, quadratic)
    if case.variable.seen:
        mean, covariance, parameters, left = _unseen(state, case, quadratic, scale)
    else:
        mean, covariance, parameters, left = _whole(state, case, quadratic, scale)
    normaliser = state.normaliser(case.variable, case.axes, left)
    inline = case.depends_on_others()
    posterior = GaussianVector(
        **case.shared,
        family="MultivariateNormal",
        log_density=rejoin(case.terms),
        log_normaliser=normaliser,
        mean=mean,
        covariance=covariance,
        natural=(scale * quadratic.shift, scale * quadratic.precision),
        parameters=parameters,
        inline=inline,
    )
    state.leave(posterior, case.conditional, normaliser.value if inline else normaliser.symbol)


# -- the posterior -----------------------------------------------------------------------------------------


def _whole(
    state: Elimination, case: Case, quadratic: Quadratic, scale: Expr
) -> tuple[Expr, Expr, tuple[Definition, ...], Expr]:
    size = case.variable.shape[0]
    covariance, named = _named(
        state, case, "V", inverse(quadratic.precision), (size, size), "positive definite"
    )
    shift = quadratic.shift
    mean, means = _named_mean(state, case, _expanded(covariance * shift), size)
    height = scale * trace(transpose(shift) * mean, 1) / 2
    left = height + log_det(covariance, size) / 2 + size * (log(2 * pi) - log(scale)) / 2
    return mean, covariance / scale, (*named, *means), left


def _unseen(
    state: Elimination, case: Case, quadratic: Quadratic, scale: Expr
) -> tuple[Expr, Expr, tuple[Definition, ...], Expr]:
    """The Gaussian of the unseen entries: x stands for the seen ones, with zeros between."""
    assert case.variable.seen is not None
    size, precision = case.variable.shape[0], quadratic.precision
    value, mask = (_at(symbol, case.atom) for symbol in case.variable.seen)
    covariance, named = _named(
        state, case, "V", block_inverse(precision, mask, size), (size, size), "positive semidefinite"
    )
    lift = quadratic.shift - precision * value
    mean, means = _named_mean(state, case, value + _expanded(covariance * lift), size)
    unseen = Sum(1 - mask.xreplace({ENTRY: COORDINATE}), (COORDINATE, 0, size - 1))
    height = trace(transpose(quadratic.shift) * value, 1) - trace(transpose(value) * precision * value, 1) / 2
    spread = trace(transpose(lift) * covariance * lift, 1) / 2
    left = (
        scale * (height + spread)
        - block_log_det(precision, mask, size) / 2
        + unseen * (log(2 * pi) - log(scale)) / 2
    )
    return mean, covariance / scale, (*named, *means), left


def _at(symbol: Any, atom: Expr) -> Expr:
    """A companion of a latent at its position; a mask at the entry `ENTRY` too."""
    places = tuple(atom.indices)
    if isinstance(symbol, MatrixEntry):
        return symbol
    return symbol[places] if is_matrix(symbol) else symbol[(*places, ENTRY)]


def _named(
    state: Elimination, case: Case, stem: str, value: Expr, size: tuple[Expr, Expr], kind: str
) -> tuple[Expr, tuple[Definition, ...]]:
    """A value by name over those axes that it depends on: in Q it stays at θ⁽ᵗ⁾; a plain number needs no name."""
    if value.is_number:
        return value, ()
    axes = tuple(axis for axis in case.axes if axis.index in value.free_symbols)
    places = tuple(axis.index for axis in axes)
    name = f"{stem}_{case.variable.name}"
    if is_matrix(value):
        symbol = state.names.matrix(name, places, size, kind)
    else:
        symbol = state.names.entry(name, places, positive=True)
    return symbol, (Definition(symbol, axes, value),)


def _named_mean(
    state: Elimination, case: Case, value: Expr, size: Expr
) -> tuple[Expr, tuple[Definition, ...]]:
    """A mean by name; where it is linear in other latents, its offset and its slopes by name."""
    parts = _by_latent(case, value)
    if set(parts) <= {(S.One, None)}:
        return _named(state, case, "E", value, (size, Integer(1)), "")
    mean, named = S.Zero, list[Definition]()
    for (scalar, letter), coefficient in parts.items():
        stem = "offset" if (scalar, letter) == (S.One, None) else "slope"
        columns = Integer(1) if letter is None else shape(letter)[0]
        symbol, own = _named(state, case, stem, coefficient, (size, columns), "")
        named += own
        mean += scalar * (symbol if letter is None else symbol * letter)
    return mean, tuple(named)


def _by_latent(case: Case, value: Expr) -> dict[tuple[Expr, Expr | None], Expr]:
    """{(number, vector) of other latents: the matrix in front of them}.

    Raises:
        NotDerivedError: a latent stands elsewhere than at the end of a word, or under a sum.
    """
    others = [v for v in case.waiting if v is not case.variable and not is_label(case, v)]
    found: dict[tuple[Expr, Expr | None], Expr] = {}
    for coefficient, word in words(value):
        sequence = letters(word)
        last = next((a for v in others for a in atoms_of(sequence[-1], v) if a == sequence[-1]), None)
        scalar = Mul(*(f for f in Mul.make_args(coefficient) if any(atoms_of(f, v) for v in others)))
        matrix = coefficient / scalar * word_of(sequence[:-1] if last else sequence)
        if any(atoms_of(matrix, v) for v in others):
            raise NotDerivedError(
                f"The posterior mean of {case.atom}, {value}, is not linear in other latents."
            )
        found[scalar, last] = found.get((scalar, last), S.Zero) + matrix
    return found


def _expanded(matrix: Expr) -> Expr:
    return Add(*(coefficient * word for coefficient, word in words(matrix)))


# -- its moments -------------------------------------------------------------------------------------------


def vector_mean(factor: Expr, atom: Expr, mean: Expr, covariance: Expr) -> Expr:
    """E of a product of forms in a Gaussian vector: zᵀMz gives tr(MV) + mᵀMm.

    Raises:
        NotDerivedError: the factor is no polynomial of degree two in the vector.
    """
    coefficient, forms = split_forms(factor, atom)
    plain = Mul(*(form.xreplace({atom: mean}) for form in forms))
    ends = [form_ends(form, atom) for form in forms]
    if any(end is None for end in ends):
        raise NotDerivedError(
            f"The posterior mean of {factor} has no closed form: it is not quadratic in {atom}."
        )
    columns = [a for a, linear in ends if linear is not None]  # type: ignore[misc]
    if len(forms) == 1 and not columns:
        spread = trace(ends[0][0] * covariance, shape(atom)[0])  # type: ignore[index]
    elif len(columns) == len(forms) == 2:
        spread = trace(transpose(columns[0]) * covariance * columns[1], 1)
    elif len(columns) == len(forms) == 1:
        spread = S.Zero
    else:
        raise NotDerivedError(f"The posterior mean of {factor} needs moments of {atom} above the second.")
    return coefficient * (plain + spread)


def second_moments(atom: Expr, mean: Expr, covariance: Expr) -> Mapping[Expr, Expr]:
    """{z: m, z zᵀ: V + m mᵀ}, as a record shows them."""
    return {atom: mean, atom * T(atom): covariance + mean * transpose(mean)}
