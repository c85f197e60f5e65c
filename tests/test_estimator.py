"""Models as estimators of scikit-learn: its own checks, and that they agree with the fit they are made of."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, MatrixSymbol, ZeroMatrix, symbols
from sympy.matrices import Identity

from symem import (
    EM,
    Bernoulli,
    Categorical,
    IndexedMatrix,
    IndexedVector,
    Model,
    ModelError,
    MultivariateNormal,
    Normal,
    Poisson,
    diag,
)

pytest.importorskip("sklearn")

n, K, J, d, r = symbols("n K J d r", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, z, w, mu, s, p = map(IndexedBase, ["x", "z", "w", "mu", "s", "p"])
v, m, S, f = IndexedVector("v", d), IndexedVector("m", d), IndexedMatrix("S", d, d), IndexedVector("f", r)
L, centre, psi = MatrixSymbol("L", d, r), MatrixSymbol("centre", d, 1), MatrixSymbol("psi", d, 1)
t = symbols("t")
label = {z[i]: Categorical(w[k])}

MODELS: dict[str, tuple[Model, dict[str, Any]]] = {
    "normals": (Model({**label, x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z]), {"K": 2}),
    "full": (Model({**label, v[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z]), {"K": 2}),
    "factors": (
        Model(
            {
                f[i]: MultivariateNormal(ZeroMatrix(r, 1), Identity(r)),
                v[i]: MultivariateNormal(centre + L * f[i], diag(psi)),
            },
            latent=[f],
        ),
        {"r": 1},
    ),
    "items": (Model({**label, x[i, j]: Bernoulli(p[z[i], j])}, latent=[z]), {"K": 2, "binarize": 0.0}),
}
_DERIVED: dict[str, EM] = {}


def derived(name: str) -> EM:
    if name not in _DERIVED:
        _DERIVED[name] = MODELS[name][0].derive()
    return _DERIVED[name]


def made(name: str, **given: Any) -> Any:
    return derived(name).estimator(**{**MODELS[name][1], "random_state": 0, **given})


@pytest.mark.parametrize("name", list(MODELS))
@pytest.mark.filterwarnings("ignore")
def test_it_passes_the_checks_of_scikit_learn(name: str) -> None:
    check_estimator = pytest.importorskip("sklearn.utils.estimator_checks").check_estimator
    found = check_estimator(made(name), on_fail=None, on_skip=None)
    failed = {each["check_name"]: each["exception"] for each in found if each["status"] == "failed"}
    assert failed == {}
    assert sum(each["status"] == "passed" for each in found) >= (1 if name == "normals" else 40)


def two_clouds() -> Any:
    rng = np.random.default_rng(0)
    return rng.normal(np.where(rng.random(200) < 0.3, -4.0, 4.0)[:, None], [1.0, 2.0, 0.5])


def test_it_says_what_the_fit_says() -> None:
    X = two_clouds()
    estimator = made("full", tol=1e-10, max_iter=500).fit(X)
    fit = estimator.fit_
    np.testing.assert_array_equal(estimator.m_, fit.parameters.m)
    np.testing.assert_allclose(estimator.score(X) * 200, fit.log_likelihood)
    np.testing.assert_allclose(estimator.bic(X), fit.bic)
    np.testing.assert_allclose(estimator.aic(X), fit.aic)
    np.testing.assert_allclose(estimator.predict_proba(X), fit.posterior.z)
    np.testing.assert_array_equal(estimator.predict(X), fit.posterior.z.argmax(axis=1))
    rows, labels = estimator.sample(5000)
    assert rows.shape == (5000, 3)
    np.testing.assert_allclose(np.bincount(labels) / 5000, estimator.w_, atol=0.03)
    np.testing.assert_allclose(rows.mean(0), X.mean(0), atol=0.5)


def test_it_lives_in_pipelines_and_searches_and_is_pickled() -> None:
    clone = pytest.importorskip("sklearn.base").clone
    GridSearchCV = pytest.importorskip("sklearn.model_selection").GridSearchCV
    make_pipeline = pytest.importorskip("sklearn.pipeline").make_pipeline
    StandardScaler = pytest.importorskip("sklearn.preprocessing").StandardScaler
    X = two_clouds()
    search = GridSearchCV(made("full", n_init=2), {"K": [1, 2]}, cv=3).fit(X)
    assert search.best_params_ == {"K": 2}
    assert clone(made("full", K=3)).get_params()["K"] == 3
    pipe = make_pipeline(StandardScaler(), made("factors")).fit(X)
    means = pipe.transform(X)
    assert means.shape == (200, 1)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pipe)).transform(X), means)


def test_one_number_a_row_may_come_as_a_column() -> None:
    values = two_clouds()[:, 0]
    estimator = made("normals").fit(values)
    np.testing.assert_array_equal(estimator.mu_, made("normals").fit(values[:, None]).mu_)
    assert estimator.sample(7)[0].shape == (7, 1)
    with pytest.raises(ValueError, match="x is one number a row, but X has 3 columns"):
        made("normals").fit(two_clouds())


def test_what_cannot_be_an_estimator_is_refused() -> None:
    y = IndexedBase("y")
    both = Model({**label, x[i]: Normal(mu[z[i]], 1), y[i]: Poisson(s[z[i]])}, latent=[z]).derive()
    with pytest.raises(ModelError, match="one array of data, X=; the model has x, y"):
        both.estimator(K=2)
    with pytest.raises(ModelError, match="'q' is no label of the rows of x; there are z"):
        derived("normals").estimator(label="q", K=2)
    with pytest.raises(TypeError, match="has no parameter 'k'"):
        derived("normals").estimator(k=2)
