"""Centred statistics in the record: exact values, the identities they stand for, and how parts are pooled."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Idx, Indexed, IndexedBase, S, Sum, Symbol, sqrt, symbols

from symem import Categorical, GaussianInverse, LogNormal, Model, Normal
from symem.algebra.about_zero import AboutZero
from symem.derivation import Derivation, Moments
from symem.language.leaves import name_of
from tests.derived import em

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, y, z, w, mu, s2, t = map(IndexedBase, ["x", "y", "z", "w", "mu", "s2", "t"])

Exact = Mapping[str, Any]


def exact(expr: Expr, known: Exact, places: Mapping[Symbol, int]) -> Fraction:
    """An expression of sums, products and powers in exact numbers."""
    if expr.is_Rational:
        return Fraction(int(expr.p), int(expr.q))
    if isinstance(expr, Sum):
        (index, low, high), *outer = reversed(expr.limits)
        inner = Sum(expr.function, *reversed(outer)) if outer else expr.function
        ends = int(exact(low, known, places)), int(exact(high, known, places))
        return sum(
            (exact(inner, known, {**places, index: at}) for at in range(ends[0], ends[1] + 1)), Fraction(0)
        )
    if isinstance(expr, Indexed):
        at = tuple(int(exact(slot, known, places)) for slot in expr.indices)
        return Fraction(known[name_of(expr)][at])
    if isinstance(expr, Symbol):
        return Fraction(places[expr] if expr in places else known[expr.name])
    parts = [exact(part, known, places) for part in expr.args]
    if expr.is_Add:
        return sum(parts, Fraction(0))
    if expr.is_Mul:
        found = Fraction(1)
        for part in parts:
            found *= part
        return found
    assert expr.is_Pow
    return parts[0] ** int(parts[1])


def evaluated(derivation: Derivation, known: Exact) -> dict[str, Any]:
    """The statistics one after the other."""
    found = dict(known)
    for definition in derivation.surrogate.statistics:
        shape = tuple(int(exact(axis.size, found, {})) for axis in definition.axes)
        values = {
            at: exact(
                definition.value,
                found,
                dict(zip((axis.index for axis in definition.axes), at, strict=True)),
            )
            for at in np.ndindex(*shape)
        }
        found[name_of(definition.symbol)] = values if shape else values[()]
    return found


def array(rows: list[list[Any]]) -> dict[tuple[int, ...], Fraction]:
    return {(a, b): Fraction(value) for a, row in enumerate(rows) for b, value in enumerate(row)}


def vector(values: list[Any]) -> dict[tuple[int, ...], Fraction]:
    return {(a,): Fraction(value) for a, value in enumerate(values)}


SHARES = array([["1/3", "2/3"], ["1/5", "4/5"], ["1/2", "1/2"], [1, 0]])
FAR = [10**20 + 1, 10**20 - 2, 10**20 + 5, 10**20]


def test_a_mixture_of_normals_has_totals_means_and_scatters() -> None:
    found = evaluated(em("gmm1d_own_var").derivation, {"n": 4, "K": 2, "gamma_z": SHARES, "y": vector(FAR)})
    for component in range(2):
        weights = [SHARES[row, component] for row in range(4)]
        total = sum(weights)
        mean = sum(g * v for g, v in zip(weights, FAR, strict=True)) / total
        assert found["N"][component,] == total
        assert found["m"][component,] == mean
        assert found["V"][component,] == sum(g * (v - mean) ** 2 for g, v in zip(weights, FAR, strict=True))


def test_a_shared_variance_has_the_scatter_within_components() -> None:
    found = evaluated(
        em("gmm1d_shared_var").derivation, {"n": 4, "K": 2, "gamma_z": SHARES, "x": vector(FAR)}
    )
    within = sum(
        SHARES[row, component] * (FAR[row] - found["m"][component,]) ** 2
        for row in range(4)
        for component in range(2)
    )
    assert found["V"] == within


def _inverse_gaussian() -> Derivation:
    stated = {z[i]: Categorical(w[k]), x[i]: GaussianInverse(mu[z[i]], t[z[i]])}
    return Model(stated, latent=[z]).derive().derivation


def test_reciprocals_have_their_divergence_from_the_mean() -> None:
    """Σ γ / x = V + N / m with V = Σ γ (x - m)² / (x m²) (Tweedie 1957)."""
    data = [3, 5, 7, 11]
    found = evaluated(_inverse_gaussian(), {"n": 4, "K": 2, "gamma_z": SHARES, "x": vector(data)})
    for component in range(2):
        plain = sum(SHARES[row, component] / data[row] for row in range(4))
        total, mean = found["N"][component,], found["m"][component,]
        assert found["V"][component,] == plain - total / mean


def test_the_square_may_be_of_any_function() -> None:
    stated = {z[i]: Categorical(w[k]), x[i]: LogNormal(mu[z[i]], sqrt(s2[z[i]]))}
    derivation = Model(stated, latent=[z]).derive().derivation
    (moments,) = derivation.surrogate.moments
    assert [str(function) for function in moments.functions] == ["log(x[i])"]
    assert len(moments.scatters) == 1


@pytest.mark.parametrize(
    "name", ["gmm1d_own_var", "gmm1d_shared_var", "student_t_known_nu", "gmm_mv_diag", "gmm_mv_spherical"]
)
def test_a_scatter_is_the_sum_about_zero_less_its_excess(name: str) -> None:
    derivation = em(name).derivation
    for moments in derivation.surrogate.moments:
        for scatter in moments.scatters:
            told = AboutZero((moments,))(scatter.definition.symbol + scatter.excess)
            assert (told - scatter.raw).expand().doit() == 0


def test_parts_of_the_data_are_pooled_exactly() -> None:
    """N = Σ N_c, m = Σ N_c p_c / N, C = Σ (C_c + between_c) (Chan, Golub & LeVeque 1983)."""
    derivation = em("gmm1d_own_var").derivation
    (moments,) = derivation.surrogate.moments
    parts = [
        evaluated(
            derivation,
            {
                "n": 2,
                "K": 2,
                "gamma_z": {(a - start, c): g for (a, c), g in SHARES.items() if start <= a < start + 2},
                "y": vector(FAR[start : start + 2]),
            },
        )
        for start in (0, 2)
    ]
    whole = evaluated(derivation, {"n": 4, "K": 2, "gamma_z": SHARES, "y": vector(FAR)})
    (scatter,) = moments.scatters
    index = scatter.definition.axes[0].index
    for component in range(2):
        pooled = sum(
            part["V"][component,]
            + exact(
                scatter.between,
                {**part, name_of(moments.parts[0]): part["m"], "m": whole["m"]},
                {index: component},
            )
            for part in parts
        )
        assert pooled == whole["V"][component,]


def test_squares_are_never_negative() -> None:
    """Every scatter is a sum of squares by its form, so certificates need no more than that it does not vanish."""
    for name in ("gmm1d_own_var", "gmm1d_shared_var", "random_effects_dyestuff", "lognormal_mixture"):
        found = em(name)
        scatters = {s.definition.symbol for m in found.derivation.surrogate.moments for s in m.scatters}
        conditions = {c for each in found.certificates for c in each.conditions if c.has(*scatters)}
        assert {condition.rel_op for condition in conditions} == {">"}
        assert all(condition.lhs in scatters and condition.rhs == 0 for condition in conditions)


def _functions(moments: Moments) -> set[str]:
    return {str(function) for function in moments.functions}


def test_what_a_latent_adds_is_its_posterior_variance() -> None:
    derivation = em("random_effects_dyestuff").derivation
    (moments,) = derivation.surrogate.moments
    (scatter,) = moments.scatters
    g, trial = (axis.index for axis in moments.summed)
    a, v, m = IndexedBase("E_a", real=True)[g], IndexedBase("V_a", real=True)[g], Symbol("m", real=True)
    square = (IndexedBase("y")[g, trial] - a - m) ** 2 + v
    assert {str(each) for each in scatter.definition.value.function.expand().args} == {
        str(each) for each in square.expand().args
    }


def test_sensors_have_a_scatter_about_the_common_mean_and_squares_about_the_truth() -> None:
    m, tau2 = symbols("m tau2")
    stated = {t[i]: Normal(m, sqrt(tau2)), y[i, j]: Normal(t[i], sqrt(s2[j]))}
    found = Model(stated, latent=[t]).derive()
    (moments,) = found.derivation.surrogate.moments
    assert _functions(moments) == {"E_t[i]"}
    assert "⟨(y_ij - t_i)²⟩" in str(found)
    assert all(
        len(certificate.conditions) == 1
        for certificate in found.certificates
        if "s2" in str(certificate.parameter)
    )


def test_without_a_second_moment_nothing_is_centred() -> None:
    assert em("bernoulli_singh").derivation.surrogate.moments == ()
    assert em("poisson_mixture_hasselblad").derivation.surrogate.moments == ()
    assert AboutZero(())(S.One) == 1
