"""Models as estimators of scikit-learn: its own checks, and that they agree with the fit they are made of."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, MatrixSymbol, ZeroMatrix, symbols
from sympy.matrices import Identity

from symem import (
    EM,
    Bernoulli,
    Categorical,
    DataError,
    IndexedMatrix,
    IndexedVector,
    Model,
    ModelError,
    MultivariateNormal,
    Normal,
    Poisson,
    diag,
)

pytestmark = pytest.mark.skipif(find_spec("sklearn") is None, reason="there is no scikit-learn here")

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
#: A model of one number a row reads one column of those that the checks give.
SEEN: dict[str, dict[str, Any]] = {"normals": {"columns": 0}}
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
    found = check_estimator(made(name, **SEEN.get(name, {})), on_fail=None, on_skip=None)
    failed = {each["check_name"]: each["exception"] for each in found if each["status"] == "failed"}
    assert failed == {}
    assert sum(each["status"] == "passed" for each in found) >= 45


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


def test_rows_count_as_often_as_their_weight_says() -> None:
    X, rng = two_clouds(), np.random.default_rng(1)
    weights = rng.integers(0, 4, len(X))
    weighted = made("full").fit(X, sample_weight=weights)
    repeated = made("full").fit(rng.permutation(np.repeat(X, weights, axis=0)))
    np.testing.assert_array_equal(weighted.m_, repeated.m_)
    np.testing.assert_allclose(
        weighted.score(X, sample_weight=weights), repeated.score(np.repeat(X, weights, axis=0))
    )
    c = IndexedBase("c")
    laws = {**label, x[i]: Normal(mu[z[i]], s[z[i]])}
    em = Model(laws, latent=[z], weights={i: c[i]}).derive()
    start, values, real = {"w": [0.5, 0.5], "mu": [-4.0, 4.0], "s": [1.0, 1.0]}, X[:, 0], rng.random(len(X))
    fit = em.fit(x=values, c=real, start=start)
    found = em.estimator(K=2, random_state=0, tol=1e-10).fit(values, sample_weight=real)
    np.testing.assert_allclose(np.sort(found.mu_), np.sort(fit.parameters.mu), rtol=1e-6)
    np.testing.assert_allclose(found.score(values, sample_weight=real) * real.sum(), fit.log_likelihood)
    without = made("normals", tol=1e-10).fit(values, sample_weight=real)
    np.testing.assert_allclose(np.sort(without.mu_), np.sort(found.mu_), rtol=1e-6)
    np.testing.assert_allclose(without.fit_.log_likelihood, fit.log_likelihood)
    assert without.fit_.n_rows == pytest.approx(real.sum())


@pytest.mark.parametrize(
    "seed", [0, np.random.RandomState, np.random.default_rng], ids=["int", "state", "generator"]
)
def test_whatever_is_random_may_be_given(seed: Any) -> None:
    values = two_clouds()[:, 0]
    first, second = (
        made("normals", random_state=seed(3) if callable(seed) else seed).fit(values) for _ in range(2)
    )
    np.testing.assert_array_equal(first.mu_, second.mu_)
    np.testing.assert_array_equal(first.sample(5)[0], second.sample(5)[0])


def test_several_arrays_stand_side_by_side() -> None:
    pandas = pytest.importorskip("pandas")
    y = IndexedBase("y")
    both = Model({**label, x[i]: Normal(mu[z[i]], 1), y[i]: Poisson(s[z[i]])}, latent=[z]).derive()
    rng = np.random.default_rng(0)
    hidden = rng.random(300) < 0.4
    table = np.column_stack([rng.normal(np.where(hidden, -3, 3)), rng.poisson(np.where(hidden, 2, 20))])
    found = both.estimator(K=2, random_state=0).fit(table)
    assert found.predict(table).shape == (300,)
    np.testing.assert_allclose(np.sort(found.s_), [2, 20], rtol=0.1)
    frame = pandas.DataFrame({"count": table[:, 1], "other": 0.0, "value": table[:, 0]})
    named = both.estimator(K=2, random_state=0, columns={"x": "value", "y": "count"}).fit(frame)
    np.testing.assert_allclose(np.sort(named.s_), np.sort(found.s_), rtol=1e-3)
    np.testing.assert_array_equal(named.feature_names_in_, ["count", "other", "value"])
    with pytest.raises(ValueError, match="feature names should match"):
        named.predict(frame.rename(columns={"other": "more"}))
    called = frame.rename(columns={"count": "y", "value": "x"})[["y", "x"]]
    other = both.estimator(K=2, random_state=0).fit(called)
    np.testing.assert_allclose(np.sort(other.s_), np.sort(found.s_), rtol=1e-3)
    counts = other.sample(20)[0][:, 0]
    np.testing.assert_array_equal(counts, np.rint(counts))
    assert np.isnan(named.sample(4)[0][:, 1]).all()
    with pytest.raises(DataError, match=r"X has no column 'x': it has y, value. Say which by columns=…\."):
        other.fit(called.rename(columns={"x": "value"}))
    rows, labels = found.sample(4)
    assert rows.shape == (4, 2)
    assert labels.shape == (4,)


def test_a_module_alone_has_the_estimator(tmp_path: Path) -> None:
    derived("normals").write(tmp_path / "normals.py", verify=False)
    script = (
        "import sys, pickle, numpy as np, normals\n"
        "values = np.r_[np.arange(20.0), 100 + np.arange(20.0)]\n"
        "found = normals.Estimator(K=2, random_state=0).fit(values)\n"
        "again = pickle.loads(pickle.dumps(found))\n"
        "print(sorted(again.mu_.round(3).tolist()), again.get_params()['K'], repr(again), again.sample(3)[0].shape)\n"
        "try:\n    normals.Estimator().score(values)\nexcept normals.NotFittedError as refused:\n    print(refused)\n"
        "assert not {'symem', 'sympy', 'sklearn'} & set(sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [
        "[9.5, 109.5] 2 Estimator(K=2, random_state=0) (3, 1)",
        "This Estimator instance is not fitted yet: call fit first.",
    ]


def test_what_cannot_be_an_estimator_is_refused() -> None:
    with pytest.raises(ModelError, match="X='q' is not all data of the model: it has x"):
        derived("normals").estimator(X="q", K=2)
    with pytest.raises(ModelError, match="'q' is no label of the rows; there are z"):
        derived("normals").estimator(label="q", K=2)
    with pytest.raises(TypeError, match="has no parameter 'k'"):
        derived("normals").estimator(k=2)
