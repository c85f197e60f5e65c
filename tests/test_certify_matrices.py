"""Certificates of matrices: wrong updates of vectors and matrices are never proved; what is proved can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sympy import Expr, Indexed, Symbol, symbols

from symem.calculus.certify import certified
from symem.calculus.checker import Checker
from symem.calculus.probes import against, probed
from symem.calculus.vanishing import with_inverses_cancelled
from symem.derivation import Claim, Derivation, Status, Update
from symem.language.matrices import MatrixArray, MatrixEntry, T, transpose
from symem.language.traces import inverse, trace, words
from tests.derived import em


def derivation(name: str) -> Derivation:
    found: Derivation = em(name).derivation
    return found


def name_of(symbol: Expr) -> str:
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


def claims(whole: Derivation, parameter: str) -> dict[str, Claim]:
    update = next(u for u in whole.updates if name_of(u.parameter) == parameter)
    return {claim.name: claim for claim in certified(Checker(whole), update).claims}


def claims_as_derived(name: str) -> dict[str, dict[str, Claim]]:
    """Those of every update of that row."""
    found = derivation(name).certificates
    return {name_of(each.parameter): {claim.name: claim for claim in each.claims} for each in found}


def with_update(name: str, parameter: str, change: Callable[[Update], Expr]) -> Derivation:
    """The derivation with another value for one update."""
    whole = derivation(name)

    def changed(update: Update) -> Update:
        if name_of(update.parameter) != parameter:
            return update
        value = change(update)
        return replace(update, definition=replace(update.definition, value=value), nested=value)

    return replace(whole, updates=tuple(map(changed, whole.updates)))


def first_word_alone(update: Update) -> Expr:
    """The update without all its words but one: a mean without the factors' part, say."""
    coefficient, word = max(words(update.value), key=lambda part: part[1].count_ops() == 0)
    return coefficient * word


def about_zero(name: str, update: Update) -> Expr:
    """S/N for C/N, where S = C + N m mᵀ."""
    mean = statistics(name)["m"]
    return update.value + mean * transpose(mean)


def statistics(name: str) -> dict[str, Expr]:
    """The statistics' symbols by name."""
    return {name_of(each.symbol): each.symbol for each in derivation(name).surrogate.statistics}


def loadings_about_zero(name: str) -> Expr:
    """S_xz S_zz⁻¹ for C_xz C_zz⁻¹."""
    of, n = statistics(name), Symbol("n", integer=True, positive=True)
    cross = transpose(of["C_z_x"]) + n * of["m_x"] * transpose(of["m_z"])
    return cross * inverse(of["C_z"] + n * of["m_z"] * transpose(of["m_z"]))


def without_variances(update: Update) -> Expr:
    """A mean of squares about the mean for the mean square about it, which has the posterior variances too."""
    coefficient, word = words(update.value)[0]
    scatter = next(s for s in derivation("mvn_missing").surrogate.statistics if s.symbol == word)
    squares, *limits = scatter.value.args
    return coefficient * scatter.value.func(next(each for each in squares.args if each.is_Mul), *limits)


WRONG: dict[str, tuple[str, str, Callable[[Update], Expr]]] = {
    "a scatter about zero": ("gmm_mv_full", "Sigma", lambda u: about_zero("gmm_mv_full", u)),
    "a scatter that is one half": ("gmm_mv_full", "Sigma", lambda u: u.value / 2),
    "a scatter divided by n": (
        "gmm_mv_full",
        "Sigma",
        lambda u: u.value * statistics("gmm_mv_full")["N"] / Symbol("n", positive=True),
    ),
    "a mean not divided": ("gmm_mv_full", "mu", lambda u: u.value * statistics("gmm_mv_full")["N"]),
    "loadings twice": ("factor_analysis_mean", "W", lambda u: 2 * u.value),
    "loadings not centred": (
        "factor_analysis_mean",
        "W",
        lambda _: loadings_about_zero("factor_analysis_mean"),
    ),
    "a mean without its factors": ("factor_analysis_mean", "mu", first_word_alone),
    "uniquenesses twice": ("factor_analysis_mean", "psi", lambda u: 2 * u.value),
    "a scatter of what was seen": ("mvn_missing", "Sigma", without_variances),
    "coefficients by half": ("lmm_random_slope", "beta", lambda u: u.value / 2),
    "a transposed regression": ("multivariate_regression", "B", lambda u: u.value + u.value),
}


UNPROVED = {Status.OPEN, Status.REFUTED}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_update_is_not_proved_stationary(wrong: str) -> None:
    name, parameter, change = WRONG[wrong]
    assert claims_as_derived(name)[parameter]["stationarity"].status is Status.PROVED
    assert claims(with_update(name, parameter, change), parameter)["stationarity"].status in UNPROVED


def test_the_old_mean_in_a_scatter_is_caught() -> None:
    whole = derivation("gmm_mv_full")
    nested = [replace(u, definition=replace(u.definition, value=u.nested)) for u in whole.updates]
    early = sorted(nested, key=lambda u: name_of(u.parameter) == "mu")
    assert claims(replace(whole, updates=tuple(early)), "Sigma")["stationarity"].status in UNPROVED
    assert claims(replace(whole, updates=tuple(nested)), "Sigma")["stationarity"].status is Status.PROVED


def test_a_conditional_maximiser_is_one_given_the_others() -> None:
    found = claims(derivation("common_mean_vector"), "mu")
    assert {claim.status for claim in found.values()} == {Status.PROVED}


# -- what the proofs stand on -------------------------------------------------------------------------------

d, m = symbols("d m", integer=True, positive=True)
P = MatrixArray("P", d, d, "positive definite")()
A, B = MatrixArray("A", d, m)(), MatrixArray("B", d, d, "symmetric")()
x, y = MatrixArray("x", d, 1)(), MatrixArray("y", d, 1)()


def test_an_inverse_of_a_sum_cancels() -> None:
    whole = B - x * T(x)
    value = trace(transpose(y) * inverse(whole) * (B - x * T(x)) * y, 1) - trace(T(y) * y, 1)
    assert with_inverses_cancelled(value) == 0
    other = trace(transpose(y) * inverse(whole) * (B + x * T(x)) * y, 1) - trace(T(y) * y, 1)
    assert with_inverses_cancelled(other) != 0


def test_a_form_against_every_vector_is_a_square() -> None:
    form = against(x * T(x) - x * T(y) - y * T(x) + y * T(y))
    assert {atom for atom in form.atoms(MatrixEntry) if str(atom) == "_h"}
    assert form.factor().is_Pow


def test_only_what_is_linear_in_a_definite_matrix_is_probed() -> None:
    form, other, cross = (trace(T(a) * P * b, 1) for a, b in ((x, x), (y, y), (x, y)))
    assert probed(form - 2 * cross + other) is not None
    assert probed(form * other - cross**2) is None


def test_two_definite_matrices_are_probed_apart() -> None:
    pair = MatrixArray("R", d, d, "positive definite")
    first, second = (trace(T(x) * pair[place] * x, 1) for place in (0, 1))
    found = probed(first - second)
    assert found is not None
    assert found != 0
