"""Chains of labels beside hmmlearn and statsmodels in one run: the same first iterate, the same likelihood at convergence."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from sympy import IndexedBase

from symem import Categorical, Model, Normal
from tests.test_chains import ONE, c, derived, mu, r, t, y, z

Array = np.ndarray[Any, np.dtype[Any]]
Theta = dict[str, Array]

rng = np.random.default_rng(5)
CHAIN = {"pi": np.array([0.6, 0.4]), "A": np.array([[0.8, 0.2], [0.3, 0.7]])}
LABELS = np.repeat([0, 1, 0, 1], 30)


def mixture() -> Any:
    C, sigma = IndexedBase("C"), IndexedBase("sigma")
    emission = {c[t]: Categorical(C[z[t], r]), y[t]: Normal(mu[z[t], c[t]], sigma[z[t], c[t]])}
    return Model({**ONE, **emission}, latent=[c, z]).derive(budget=float("inf"))


def gaussian_peer(hmm: Any, theta: Theta) -> Any:
    peer = hmm.GaussianHMM(2, "diag", covars_prior=0, covars_weight=0, means_weight=0, min_covar=0)
    peer.means_, peer.covars_ = theta["mu"][:, None], theta["sigma"][:, None] ** 2
    return peer


def categorical_peer(hmm: Any, theta: Theta) -> Any:
    peer = hmm.CategoricalHMM(2, n_features=3)
    peer.emissionprob_ = theta["B"]
    return peer


def poisson_peer(hmm: Any, theta: Theta) -> Any:
    peer = hmm.PoissonHMM(2, lambdas_prior=0, lambdas_weight=0)
    peer.lambdas_ = theta["lam"][:, None]
    return peer


def mixture_peer(hmm: Any, theta: Theta) -> Any:
    """Its spreads are about the old means: of the first iterate they are not compared."""
    peer = hmm.GMMHMM(2, 2, covariance_type="diag", min_covar=0)
    peer.weights_, peer.means_ = theta["C"], theta["mu"][..., None]
    peer.covars_ = theta["sigma"][..., None] ** 2
    return peer


#: The algorithm, one sequence of data, a start, the peer, and what it calls the parameters.
PEERS: Mapping[str, tuple[Callable[[], Any], Array, Theta, Callable[[Any, Theta], Any], dict[str, Any]]] = {
    "gaussian": (
        lambda: derived("one sequence"),
        rng.normal(2.0 * LABELS, 1.0 + LABELS),
        {"mu": np.array([0.5, 1.5]), "sigma": np.array([1.2, 1.5])},
        gaussian_peer,
        {"mu": lambda p: p.means_[:, 0], "sigma": lambda p: np.sqrt(p.covars_.ravel())},
    ),
    "categorical": (
        lambda: derived("categorical"),
        np.where(rng.random(120) < 0.3, 2, LABELS),
        {"B": np.array([[0.6, 0.2, 0.2], [0.2, 0.5, 0.3]])},
        categorical_peer,
        {"B": lambda p: p.emissionprob_},
    ),
    "poisson": (
        lambda: derived("poisson"),
        rng.poisson(2 + 4 * LABELS),
        {"lam": np.array([2.5, 5.0])},
        poisson_peer,
        {"lam": lambda p: p.lambdas_[:, 0]},
    ),
    "mixture": (
        mixture,
        rng.normal(4.0 * LABELS + 2.0 * rng.integers(0, 2, 120), 0.7),
        {
            "C": np.array([[0.5, 0.5], [0.4, 0.6]]),
            "mu": np.array([[0.0, 1.5], [4.0, 6.5]]),
            "sigma": np.array([[1.0, 0.8], [0.9, 1.1]]),
        },
        mixture_peer,
        {
            "C": lambda p: p.weights_,
            "mu": lambda p: p.means_[..., 0],
        },
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, id=n, marks=[] if n == "poisson" else [pytest.mark.slow]) for n in PEERS]
)
def test_first_iterate_and_maximum_are_those_of_hmmlearn(name: str) -> None:
    hmm = pytest.importorskip("hmmlearn.hmm")
    derive, rows, own, peer_of, read = PEERS[name]
    em, theta = derive(), {**CHAIN, **own}
    data = rows[None] if name == "categorical" else rows
    peer = peer_of(hmm, theta)
    peer.init_params, peer.monitor_.tol, peer.monitor_.n_iter = "", -np.inf, np.inf
    peer.startprob_, peer.transmat_ = theta["pi"], theta["A"]
    assert em.solver().log_likelihood(theta, y=data) == pytest.approx(peer.score(rows[:, None]), rel=1e-12)
    first = em.solver().em_step(theta, y=data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.n_iter = 1
        peer.fit(rows[:, None])
        for each, found in {"pi": lambda p: p.startprob_, "A": lambda p: p.transmat_, **read}.items():
            np.testing.assert_allclose(getattr(first, each), found(peer), atol=1e-9)
        peer.n_iter = 1500
        peer.fit(rows[:, None])
    fit = em.fit(y=data, start=theta, tol=1e-13, max_iter=5000)
    assert fit.log_likelihood == pytest.approx(peer.score(rows[:, None]), rel=1e-9)
