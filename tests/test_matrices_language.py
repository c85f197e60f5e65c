"""Vectors and matrices as users write them: read, valued against SciPy's densities, and given back as written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import (
    Expr,
    Identity,
    Idx,
    IndexedBase,
    MatrixExpr,
    MatrixSymbol,
    Product,
    Rational,
    Sum,
    Trace,
    ZeroMatrix,
    det,
    exp,
    log,
    pi,
    sqrt,
    symbols,
)
from sympy import stats as sympy_stats

from symem import (
    Cases,
    Categorical,
    Dirichlet,
    Gamma,
    IndexedMatrix,
    IndexedVector,
    InverseWishart,
    Labels,
    Model,
    MultivariateNormal,
    MultivariateT,
    Normal,
    OneHot,
    Positive,
    PositiveDefinite,
    Reals,
    Simplex,
    Wishart,
    diag,
)
from symem.language.matrices import MatrixArray, MatrixEntry, T
from symem.language.plates import index_symbol
from tests.evaluate import Evaluator

SIZES = {"n": 4, "d": 3, "m": 2, "K": 2, "p": 2, "G": 3, "J": 2, "q": 2}
n, d, m, K, p, G, J, q = symbols(" ".join(SIZES), integer=True, positive=True)
i, k, g, j = Idx("i", n), Idx("k", K), Idx("g", G), Idx("j", J)
z, w, u, y, sigma = map(IndexedBase, ["z", "w", "u", "y", "sigma"])
x, mu, v = IndexedVector("x", d), IndexedVector("mu", d), IndexedVector("v", d)
f, b, X_row = IndexedVector("f", m), IndexedVector("b", p), IndexedVector("X", p)
Sigma, L = IndexedMatrix("Sigma", d, d), IndexedMatrix("L", d, m)
c, psi, W, S = (
    MatrixSymbol("c", d, 1),
    MatrixSymbol("psi", d, 1),
    MatrixSymbol("W", d, m),
    MatrixSymbol("S", d, d),
)
beta, D = MatrixSymbol("beta", p, 1), MatrixSymbol("D", p, p)
s, t, nu, kappa, e = symbols("s t nu kappa e")
label = {z[i]: Categorical(w[k])}
factor = {f[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m))}

Arrays = Mapping[str, Any]


def drawn(seed: int = 0) -> dict[str, Any]:
    """An array for every letter of this file, of the sizes above."""
    rng = np.random.default_rng(seed)
    size = SIZES

    def normal(*names: str) -> Any:
        return rng.normal(size=[size[name] for name in names])

    def definite(*names: str) -> Any:
        root = normal(*names, names[-1])
        return root @ np.swapaxes(root, -1, -2) + 0.5 * np.eye(size[names[-1]])

    def positive(*names: str) -> Any:
        return rng.uniform(0.5, 2.0, [size[name] for name in names])

    return {
        **size,
        "z": rng.integers(0, 2, 4), "w": np.array([0.3, 0.7]), "u": positive("n"), "y": normal("n"),
        "sigma": positive("K"), "x": normal("n", "d"), "mu": normal("K", "d"), "v": positive("K", "d"),
        "f": normal("n", "m"), "Sigma": definite("K", "d"), "L": normal("K", "d", "m"), "c": normal("d"),
        "psi": positive("d"), "W": normal("d", "m"), "S": definite("d"), "beta": normal("p"),
        "D": definite("p"), "X": normal("n", "p"), "s": 0.8, "t": 1.7, "nu": 5.0, "kappa": 0.6, "e": 0.4,
        "b": normal("p"), "bg": normal("G", "p"), "Y": normal("G", "J"), "XG": normal("G", "J", "p"),
        "yv": normal("n"), "bk": normal("K", "p"), "c0": normal("d"), "V": definite("d"), "a0": 1.5,
    }  # fmt: skip


def normal(value: Any, mean: Any, covariance: Any) -> float:
    return float(scipy.stats.multivariate_normal.logpdf(value, mean, covariance))


def over(a: Arrays, term: Callable[[int], float]) -> float:
    return sum(term(row) for row in range(a["n"]))


def labels(a: Arrays) -> float:
    return float(np.log(a["w"][a["z"]]).sum())


@dataclass(frozen=True)
class Case:
    """A statement, and its complete-data log-likelihood by SciPy."""

    model: Callable[[], Model]
    value: Callable[[Arrays], float]
    prior: Callable[[Arrays], float] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)


off = x[i] - mu[k]
by_cell = log(w[k]) - off.T * Sigma[k].I * off / 2 - log(det(Sigma[k])) / 2 - d * log(2 * pi) / 2
density = w[k] * exp(-off.T * Sigma[k].I * off / 2) * det(2 * pi * Sigma[k]) ** Rational(-1, 2)
mixture_parameters = {w: Simplex(), mu: Reals(), Sigma: PositiveDefinite()}
X, Y = MatrixSymbol("X", n, p), MatrixSymbol("yv", n, 1)
weight = MatrixSymbol("b", p, 1)
bg, XG, YG = IndexedVector("bg", p), IndexedMatrix("XG", J, p), IndexedVector("Y", J)
XGv = IndexedVector("XG", p)
noise = x[i] - c - W * f[i]


def full(a: Arrays) -> float:
    return labels(a) + over(a, lambda r: normal(a["x"][r], a["mu"][a["z"][r]], a["Sigma"][a["z"][r]]))


def factors(a: Arrays) -> float:
    of_f = over(a, lambda r: normal(a["f"][r], np.zeros(2), np.eye(2)))
    return of_f + over(a, lambda r: normal(a["x"][r], a["c"] + a["W"] @ a["f"][r], np.diag(a["psi"])))


def regression(a: Arrays) -> float:
    of_b = normal(a["b"], np.zeros(2), np.eye(2) / a["s"])
    return of_b + normal(a["yv"], a["X"] @ a["b"], np.eye(4) / a["t"])


def effects(a: Arrays) -> float:
    of_b = sum(normal(row, np.zeros(2), a["D"]) for row in a["bg"])
    fit = np.einsum("gjp,gp->gj", a["XG"], a["beta"] + a["bg"])
    return of_b + float(scipy.stats.norm.logpdf(a["Y"], fit, a["s"]).sum())


def normal_inverse_wishart(a: Arrays) -> float:
    of_w = float(scipy.stats.dirichlet.logpdf(a["w"], np.full(2, a["a0"])))
    of_mu = sum(normal(a["mu"][r], a["c0"], a["Sigma"][r] / a["kappa"]) for r in range(2))
    return of_w + of_mu + float(sum(scipy.stats.invwishart.logpdf(S, a["nu"], a["V"]) for S in a["Sigma"]))


c0, V, a0 = MatrixSymbol("c0", d, 1), MatrixSymbol("V", d, d), symbols("a0")
mixture = {**label, x[i]: MultivariateNormal(mu[z[i]], Sigma[z[i]])}

CASES: dict[str, Case] = {
    "full": Case(lambda: Model(mixture, latent=[z]), full),
    "by precision": Case(
        lambda: Model({**label, x[i]: MultivariateNormal(mu[z[i]], precision=Sigma[z[i]])}, latent=[z]),
        lambda a: full({**a, "Sigma": np.linalg.inv(a["Sigma"])}),
    ),
    "diagonal": Case(
        lambda: Model({**label, x[i]: MultivariateNormal(mu[z[i]], diag(v[z[i]]))}, latent=[z]),
        lambda a: full({**a, "Sigma": np.array([np.diag(row) for row in a["v"]])}),
    ),
    "spreads on a diagonal": Case(
        lambda: Model({**label, x[i]: MultivariateNormal(mu[z[i]], 2 * diag(v[z[i]]) ** 2)}, latent=[z]),
        lambda a: full({**a, "Sigma": np.array([2 * np.diag(row**2) for row in a["v"]])}),
    ),
    "spherical": Case(
        lambda: Model(
            {**label, x[i]: MultivariateNormal(mu[z[i]], sigma[z[i]] ** 2 * Identity(d))}, latent=[z]
        ),
        lambda a: full({**a, "Sigma": np.array([r**2 * np.eye(3) for r in a["sigma"]])}),
    ),
    "low rank": Case(
        lambda: Model({**label, x[i]: MultivariateNormal(mu[z[i]], W * W.T + s * Identity(d))}, latent=[z]),
        lambda a: full({**a, "Sigma": np.array([a["W"] @ a["W"].T + a["s"] * np.eye(3)] * 2)}),
    ),
    "two matrices added": Case(
        lambda: Model({**label, x[i]: MultivariateNormal(mu[z[i]], t * S + L[z[i]] * L[z[i]].T)}, latent=[z]),
        lambda a: full({**a, "Sigma": a["t"] * a["S"] + a["L"] @ np.swapaxes(a["L"], 1, 2)}),
    ),
    "factors": Case(
        lambda: Model({**factor, x[i]: MultivariateNormal(c + W * f[i], diag(psi))}, latent=[f]), factors
    ),
    "scale of a t": Case(
        lambda: Model(
            {u[i]: Gamma(nu / 2, 2 / nu), x[i]: MultivariateNormal(c, S / u[i])}, latent=[u], known=[nu]
        ),
        lambda a: over(
            a,
            lambda r: (
                scipy.stats.gamma.logpdf(a["u"][r], a["nu"] / 2, scale=2 / a["nu"])
                + normal(a["x"][r], a["c"], a["S"] / a["u"][r])
            ),
        ),
    ),
    "t": Case(
        lambda: Model({**label, x[i]: MultivariateT(mu[z[i]], Sigma[z[i]], nu)}, latent=[z]),
        lambda a: (
            labels(a)
            + over(
                a,
                lambda r: scipy.stats.multivariate_t.logpdf(
                    a["x"][r], a["mu"][a["z"][r]], a["Sigma"][a["z"][r]], a["nu"]
                ),
            )
        ),
    ),
    "branches": Case(
        lambda: Model(
            {
                z[i]: Categorical(w[Idx("k", 2)]),
                x[i]: Cases(z[i], {0: MultivariateNormal(c, S), 1: MultivariateT(c, S, nu)}),
            },
            latent=[z],
            known=[nu],
        ),
        lambda a: (
            labels(a)
            + over(
                a,
                lambda r: (
                    normal(a["x"][r], a["c"], a["S"])
                    if a["z"][r] == 0
                    else scipy.stats.multivariate_t.logpdf(a["x"][r], a["c"], a["S"], a["nu"])
                ),
            )
        ),
    ),
    "regressions": Case(
        lambda: Model({**label, y[i]: Normal(X_row[i].T * b[z[i]], sigma[z[i]])}, latent=[z], known=[X_row]),
        lambda a: (
            labels(a)
            + over(
                a,
                lambda r: scipy.stats.norm.logpdf(
                    a["y"][r], a["X"][r] @ a["b"][a["z"][r]], a["sigma"][a["z"][r]]
                ),
            )
        ),
        renamed={"b": "bk"},
    ),
    "weights of a regression": Case(
        lambda: Model(
            {
                weight: MultivariateNormal(ZeroMatrix(p, 1), precision=s * Identity(p)),
                Y: MultivariateNormal(X * weight, Identity(n) / t),
            },
            latent=[weight],
            known=[X],
        ),
        regression,
    ),
    "effects of groups by design": Case(
        lambda: Model(
            {
                bg[g]: MultivariateNormal(ZeroMatrix(p, 1), D),
                YG[g]: MultivariateNormal(XG[g] * (beta + bg[g]), s**2 * Identity(J)),
            },
            latent=[bg],
            known=[XG],
        ),
        effects,
    ),
    "effects of groups by entry": Case(
        lambda: Model(
            {
                bg[g]: MultivariateNormal(ZeroMatrix(p, 1), D),
                IndexedBase("Y")[g, j]: Normal(XGv[g, j].T * (beta + bg[g]), s),
            },
            latent=[bg],
            known=[XGv],
        ),
        effects,
    ),
    "priors": Case(
        lambda: Model(
            mixture,
            latent=[z],
            prior={
                w: Dirichlet(a0),
                mu[k]: MultivariateNormal(c0, Sigma[k] / kappa),
                Sigma[k]: InverseWishart(nu, V),
            },
        ),
        full,
        normal_inverse_wishart,
    ),
    "prior of a precision": Case(
        lambda: Model(
            {**label, x[i]: MultivariateNormal(mu[z[i]], precision=S)},
            latent=[z],
            prior={S: Wishart(nu, V), mu: MultivariateNormal(c0, V)},
        ),
        lambda a: full({**a, "Sigma": np.array([np.linalg.inv(a["S"])] * 2)}),
        lambda a: (
            float(scipy.stats.wishart.logpdf(a["S"], a["nu"], a["V"]))
            + sum(normal(row, a["c0"], a["V"]) for row in a["mu"])
        ),
    ),
    "log-likelihood by cells": Case(
        lambda: Model.from_likelihood(
            log_likelihood=Sum(z[i, k] * by_cell, k, i), latent={z: OneHot()}, parameters=mixture_parameters
        ),
        full,
    ),
    "likelihood by cells": Case(
        lambda: Model.from_likelihood(
            Product(density ** z[i, k], (k, 0, K - 1), (i, 0, n - 1)),
            latent={z: OneHot()},
            parameters=mixture_parameters,
        ),
        full,
    ),
    "log-likelihood by label": Case(
        lambda: Model.from_likelihood(
            log_likelihood=Sum(by_cell.subs(k, z[i]), i), latent={z: Labels(K)}, parameters=mixture_parameters
        ),
        full,
    ),
    "traces": Case(
        lambda: Model.from_likelihood(
            log_likelihood=Sum(
                log(w[z[i]])
                - Trace(S * (x[i] - mu[z[i]]) * (x[i] - mu[z[i]]).T) / 2
                + log(det(S / (2 * pi))) / 2,
                i,
            ),
            latent={z: Labels(K)},
            parameters={w: Simplex(), mu: Reals(), S: PositiveDefinite()},
        ),
        lambda a: full({**a, "Sigma": np.array([np.linalg.inv(a["S"])] * 2)}),
    ),
    "factors by likelihood, entries of a diagonal": Case(
        lambda: Model.from_likelihood(
            log_likelihood=Sum(
                -f[i].T * f[i] / 2
                - noise.T * diag(psi).I * noise / 2
                - Sum(log(psi[j, 0]), (j, 0, d - 1)) / 2
                - (d + m) * log(2 * pi) / 2,
                i,
            ),
            latent={f: Reals()},
            parameters={c: Reals(), W: Reals(), psi: Positive()},
        ),
        factors,
    ),
    "weights by likelihood": Case(
        lambda: Model.from_likelihood(
            exp(-t * (Y - X * weight).T * (Y - X * weight) / 2)
            * sqrt(t / (2 * pi)) ** n
            * exp(-s * weight.T * weight / 2)
            * sqrt(s / (2 * pi)) ** p,
            latent={weight: Reals()},
            parameters={s: Positive(), t: Positive()},
        ),
        regression,
    ),
}


def value(model: Model, expr: Expr, arrays: Arrays) -> float:
    return float(Evaluator(dict(arrays))(expr))


@pytest.mark.parametrize("name", CASES)
def test_a_statement_has_the_density_that_scipy_gives(name: str) -> None:
    case = CASES[name]
    model = case.model()
    arrays = drawn()
    arrays |= {own: arrays[other] for own, other in case.renamed.items()}
    assert value(model, model.log_likelihood, arrays) == pytest.approx(case.value(arrays), rel=1e-11)
    if case.prior:
        assert value(model, model.log_prior, arrays) == pytest.approx(case.prior(arrays), rel=1e-11)


ONE_HOT = {"log-likelihood by cells", "likelihood by cells"}


@pytest.mark.parametrize("name", [name for name in CASES if name not in ONE_HOT])
def test_declared_undoes_internal(name: str) -> None:
    model = CASES[name].model()
    for inside in (model.log_likelihood, model.log_prior):
        assert model.internal(model.declared(inside)) == inside


# roles, shapes and supports ------------------------------------------------------------------------------


def test_what_was_understood_is_shown() -> None:
    shown = str(Model({**factor, x[i]: MultivariateNormal(c + W * f[i], diag(psi))}, latent=[f]))
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in shown.splitlines()}
    assert rows["x"] == "data n R^d"
    assert rows["f"] == "latent n R^m"
    assert rows["W"] == "parameter single R^(d × m)"
    assert rows["psi"] == "parameter d Positive"
    assert "positive definite d × d" in str(Model(mixture, latent=[z]))


@pytest.mark.parametrize("name", CASES)
def test_arrays_have_the_axes_that_sizes_and_shape_say(name: str) -> None:
    arrays = drawn()
    arrays |= {own: arrays[other] for own, other in CASES[name].renamed.items()}
    for variable in CASES[name].model().variables.values():
        axes = (*variable.sizes, *variable.shape)
        if variable.name in arrays and not isinstance(variable.support, (Labels, OneHot)):
            found = tuple(
                int(axis.subs({size: SIZES[str(size)] for size in axis.free_symbols})) for axis in axes
            )
            assert np.shape(arrays[variable.name]) == found


def test_a_covariance_is_positive_definite_by_its_place() -> None:
    low_rank = Model({**label, x[i]: MultivariateNormal(c, W * W.T + s * S.I + diag(psi) / t)}, latent=[z])
    supports = {variable.name: type(variable.support) for variable in low_rank.parameters}
    assert supports == {
        "w": Simplex, "c": Reals, "W": Reals, "s": Positive, "S": PositiveDefinite, "psi": Positive, "t": Positive
    }  # fmt: skip


def test_dimensions_are_sizes() -> None:
    sizes = {
        variable.name
        for variable in Model({**factor, x[i]: MultivariateNormal(W * f[i], S)}, latent=[f]).sizes
    }
    assert sizes == {"n", "d", "m"}


def test_hyper_parameters_have_the_support_of_their_place() -> None:
    known = {variable.name: variable for variable in CASES["priors"].model().known}
    assert isinstance(known["V"].support, PositiveDefinite)
    assert isinstance(known["kappa"].support, Positive)
    assert known["c0"].shape == (known["c0"].symbol.dimensions[0],)


def test_single_matrices_are_one_letter() -> None:
    variables = CASES["weights of a regression"].model().variables
    assert isinstance(variables["X"].symbol, MatrixEntry)
    assert [str(size) for size in variables["X"].shape] == ["n", "p"]
    assert [str(size) for size in variables["yv"].shape] == ["n"]


# missing entries -----------------------------------------------------------------------------------------


def test_missing_entries_of_a_vector() -> None:
    model = Model({x[i]: MultivariateNormal(c, S)}, missing=[x])
    (latent,), (mask,) = model.latents, model.masks
    assert (latent.name, mask.name) == ("x_missing", "observed_x")
    assert [str(size) for size in (*latent.sizes, *latent.shape)] == ["n", "d"]
    assert [str(size) for size in mask.sizes] == ["n", "d"]
    assert not mask.shape
    assert latent.seen == (model.variables["x"].symbol, mask.symbol)
    assert not model.log_likelihood.has(model.variables["x"].symbol)
    arrays = drawn()
    expected = over(arrays, lambda r: normal(arrays["x"][r], arrays["c"], arrays["S"]))
    whole = {**arrays, "x_missing": arrays["x"]}
    assert value(model, model.log_likelihood, whole) == pytest.approx(expected, rel=1e-12)


def test_missing_responses_of_a_single_vector() -> None:
    model = Model({Y: MultivariateNormal(X * weight, Identity(n) / t)}, known=[X], missing=[Y])
    assert isinstance(model.latents[0].symbol, MatrixEntry)
    assert [str(size) for size in model.masks[0].sizes] == ["n"]


# the way out ---------------------------------------------------------------------------------------------


def test_letters_of_a_derivation_come_back_as_matrices() -> None:
    model = Model(mixture, latent=[z])
    size, cell = model.variables["d"].symbol, index_symbol("k")
    S_1, S_2 = MatrixArray("S_1", size, 1)[cell], MatrixArray("S_2", size, size, "symmetric")[cell]
    S_0 = IndexedBase("S_0")[cell]
    shown = model.declared((S_2 - S_1 * T(S_1) / S_0) / S_0)
    assert isinstance(shown, MatrixExpr)
    assert shown.shape == (d, d)
    assert str(shown) == "(-S_1[k]*S_1[k].T/S_0[k] + S_2[k])/S_0[k]"
    assert str(model.declared(S_2 + 3)) == "3*I + S_2[k]"
    total = model.declared(Sum(S_1 * T(S_1), (cell, 0, model.variables["K"].symbol - 1)))
    assert total.shape == (d, d)
    assert str(total) == "Sum(S_1[k]*S_1[k].T, (k, 0, K - 1))"


def test_updates_are_matrix_expressions_in_the_users_symbols() -> None:
    em = Model(mixture, latent=[z]).derive()
    assert em.updates[Sigma].shape == (d, d)
    assert em.updates[mu].shape == (d, 1)
    assert em.updates[mu[k]] == em.updates[mu]
    assert str(em.updates[mu]) == "m[k]"
    assert em.explicit(mu).has(x[i])
    assert not em.explicit(mu).has(IndexedVector("m", d))


def test_entries_of_a_diagonal_are_numbers_of_the_vector() -> None:
    em = Model({**factor, x[i]: MultivariateNormal(c + W * f[i], diag(psi))}, latent=[f]).derive()
    assert list(map(str, em.updates)) == ["W", "c", "psi"]
    assert em.updates[psi].is_commutative
    assert em.posterior[f].arguments[0].shape == (m, 1)
    assert em.posterior[f].arguments[1].shape == (m, m)


def test_laws_of_sympy_stats_are_taken() -> None:
    own, A, B = mu[z[i]], MatrixSymbol("A", d, d), MatrixSymbol("B", d, d)
    ours = Model({**label, x[i]: MultivariateNormal(own, A)}, latent=[z], prior={A: Wishart(nu, B)})
    theirs = Model(
        {**label, x[i]: sympy_stats.MultivariateNormal("law", own, A)},
        latent=[z],
        prior={A: sympy_stats.Wishart("prior", nu, B)},
    )
    assert theirs.log_likelihood == ours.log_likelihood
    assert theirs.log_prior == ours.log_prior


def test_an_index_may_be_called_as_the_entries_of_a_diagonal_are() -> None:
    row = Idx("a", n)
    model = Model(
        {z[row]: Categorical(w[k]), x[row]: MultivariateNormal(mu[z[row]], diag(v[z[row]]))}, latent=[z]
    )
    arrays = drawn()
    assert value(model, model.log_likelihood, arrays) == pytest.approx(
        CASES["diagonal"].value(arrays), rel=1e-12
    )
    assert model.internal(model.declared(model.log_likelihood)) == model.log_likelihood
