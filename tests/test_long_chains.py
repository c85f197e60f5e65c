"""Long chains against recursions that are written out here: likelihood, EM step, slopes and standard errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.test_chains import derived as derived_chain
from tests.test_sequences import derived as derived_sequences

Array = np.ndarray[Any, np.dtype[Any]]


def forward(theta: dict[str, Any], rows: Array) -> tuple[Array, Array]:
    """log p(rows up to t, label of t), and the log densities, a place at a time."""
    sigma = np.broadcast_to(theta["sigma"], np.shape(theta["mu"]))
    weight = -np.log(sigma) - (rows[:, None] - theta["mu"]) ** 2 / (2 * sigma**2) - np.log(2 * np.pi) / 2
    messages = [np.log(theta["pi"]) + weight[0]]
    for own in weight[1:]:
        messages.append(own + np.logaddexp.reduce(messages[-1][:, None] + np.log(theta["A"]), axis=0))
    return np.array(messages), weight


def log_likelihood(theta: dict[str, Any], rows: Array) -> float:
    return float(np.logaddexp.reduce(forward(theta, rows)[0][-1]))


def em_step(theta: dict[str, Any], rows: Array) -> dict[str, Any]:
    """One step of Baum and Welch, with log β from the end to the beginning."""
    ahead, weight = forward(theta, rows)
    step = np.log(theta["A"])
    behind = [np.zeros(len(step))]
    for own in weight[:0:-1]:
        behind.insert(0, np.logaddexp.reduce(step + own + behind[0], axis=1))
    after = np.array(behind)
    total = np.logaddexp.reduce(ahead[-1])
    gamma = np.exp(ahead + after - total)
    pairs = np.exp(ahead[:-1, :, None] + step + (weight + after)[1:, None] - total).sum(axis=0)
    mean = gamma.T @ rows / gamma.sum(axis=0)
    spread = np.einsum("tk,tk->k", gamma, (rows[:, None] - mean) ** 2) / gamma.sum(axis=0)
    return {
        "pi": gamma[0],
        "A": pairs / pairs.sum(axis=1, keepdims=True),
        "mu": mean,
        "sigma": np.sqrt(spread),
    }


THETA = {
    "pi": np.array([0.5, 0.3, 0.2]),
    "A": np.array([[0.9, 0.07, 0.03], [0.1, 0.8, 0.1], [0.02, 0.08, 0.9]]),
    "mu": np.array([-1.0, 0.5, 2.0]),
    "sigma": np.array([0.7, 1.0, 1.6]),
}


@pytest.mark.parametrize("places", [300, 4000], ids="T={}".format)
def test_likelihood_and_step_of_a_long_chain(places: int) -> None:
    rows = np.random.default_rng(0).normal(np.repeat([-1.0, 2.0, 0.5, 2.0], places // 4), 1.0)
    solver = derived_chain("one sequence").solver(verify=False)
    assert solver.log_likelihood(THETA, y=rows) == pytest.approx(log_likelihood(THETA, rows), rel=1e-13)
    found, wanted = solver.em_step(THETA, y=rows), em_step(THETA, rows)
    for name, value in wanted.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-9, atol=1e-13)


def test_a_transition_that_cannot_be_is_never_taken() -> None:
    """A chain that only moves on: zeros of the start stay, also where EM could rise without them."""
    rows = np.random.default_rng(1).normal(np.repeat([0.0, 3.0, 0.0], 20), 1.0)
    start = {**THETA, "pi": [1.0, 0.0, 0.0], "A": [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]}
    em = derived_chain("one sequence")
    fit = em.fit(y=rows, start=start)
    assert np.max(np.tril(fit.parameters.A, -1)) < 1e-200
    assert fit.parameters.A[0, 2] < 1e-200
    assert np.min(np.diff(fit.decode())) == 0


@pytest.mark.parametrize("name", ["one sequence", "many sequences"])
def test_what_cannot_be_is_not_taken_however_far_data_are(name: str) -> None:
    """An outlier at 60 standard deviations costs less than no way back: floors of log 0 would take it."""
    rows = np.array([0.2, 60.0, -0.3, 0.5, 61.0, 59.0, 60.5, 1.0, 60.0])
    theta = {
        "pi": np.array([1.0, 0.0]),
        "A": np.array([[0.9, 0.1], [0.0, 1.0]]),
        "mu": np.array([0.0, 60.0]),
        "sigma": np.array([1.0, 1.2]),
    }
    data = rows if name == "one sequence" else np.stack([rows, rows[::-1]])
    with np.errstate(divide="ignore"):
        wanted = sum(log_likelihood(theta, each) for each in np.atleast_2d(data))
        found = derived_chain(name).solver(verify=False).log_likelihood(theta, y=data)
        assert found == pytest.approx(wanted, rel=1e-13)
        step = em_step(theta, rows)
    solver = derived_chain("one sequence").solver(verify=False)
    for each, value in step.items():
        np.testing.assert_allclose(getattr(solver.em_step(theta, y=rows), each), value, rtol=1e-9, atol=1e-13)
    assert solver.em_step(theta, y=rows).A[1, 0] == 0.0
    assert np.min(np.diff(solver.decode(theta, y=rows))) == 0
    whole = solver.log_likelihood({**theta, "A": np.eye(2)}, y=np.array([0.0, 60.0, 60.0]))
    assert whole == pytest.approx(log_normal([0.0, 60.0, 60.0]), rel=1e-13)


def log_normal(rows: list[float]) -> float:
    return float(sum(-(row**2) / 2 - np.log(2 * np.pi) / 2 for row in rows))


def test_slopes_and_standard_errors_are_those_of_the_likelihood() -> None:
    """By differences of the recursion, in coordinates without the sums to one."""
    rng = np.random.default_rng(2)
    truth = {"pi": [0.6, 0.4], "A": [[0.85, 0.15], [0.3, 0.7]], "mu": [0.0, 2.0], "s": 0.8}
    em = derived_sequences("gaussian")
    data = em.sample(truth, T=rng.integers(8, 20, 30), seed=3)["y"]
    fit = em.fit(y=data, start=truth, tol=1e-14)
    theta = fit.parameters

    def value(free: Array) -> float:
        first, stay, back, low, high, sigma = free
        at = {"pi": np.array([first, 1 - first]), "A": np.array([[stay, 1 - stay], [back, 1 - back]])}
        at |= {"mu": np.array([low, high]), "sigma": sigma}
        return sum(log_likelihood(at, each) for each in data)

    point = np.array([theta.pi[0], theta.A[0, 0], theta.A[1, 0], *theta.mu, theta.s])
    move = 1e-4 * np.eye(6)
    hessian = np.array(
        [
            [
                value(point + a + b) - value(point + a - b) - value(point - a + b) + value(point - a - b)
                for b in move
            ]
            for a in move
        ]
    ) / (4 * 1e-8)
    wanted = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    errors = fit.standard_errors
    found = [errors.pi[0], errors.A[0, 0], errors.A[1, 0], *errors.mu, errors.s]
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    away = {**truth, "mu": [0.3, 1.5]}
    slopes = em.solver().score(away, y=data).sum(axis=0)
    inside = np.array([0.6, 0.85, 0.3, 0.3, 1.5, 0.8])
    numeric = [(value(inside + a) - value(inside - a)) / 2e-4 for a in move]
    by_entry = dict(zip(("pi", "pi2", "A00", "A01", "A10", "A11", "mu0", "mu1", "s"), slopes, strict=True))
    free = [
        by_entry["pi"] - by_entry["pi2"],
        by_entry["A00"] - by_entry["A01"],
        by_entry["A10"] - by_entry["A11"],
    ]
    np.testing.assert_allclose([*free, by_entry["mu0"], by_entry["mu1"], by_entry["s"]], numeric, rtol=1e-5)


def test_sequences_of_several_lengths_beside_hmmlearn() -> None:
    """The same first iterate and likelihood, its priors and floors put aside."""
    hmm = pytest.importorskip("hmmlearn.hmm")
    rng = np.random.default_rng(0)
    data = [rng.normal(2.0 * rng.integers(0, 2, length), 1.0) for length in (1, 30, 12, 7)]
    peer = hmm.GaussianHMM(
        2,
        "tied",
        n_iter=1,
        tol=-np.inf,
        init_params="",
        covars_prior=0,
        covars_weight=0,
        means_weight=0,
        min_covar=0,
    )
    start = {"pi": np.array([0.6, 0.4]), "A": np.array([[0.8, 0.2], [0.3, 0.7]]), "mu": np.array([0.0, 1.5])}
    peer.startprob_, peer.transmat_, peer.means_ = start["pi"], start["A"], start["mu"][:, None]
    peer.covars_ = np.ones((1, 1))
    rows, lengths = np.concatenate(data)[:, None], [len(each) for each in data]
    solver = derived_sequences("gaussian").solver()
    theta = {**start, "s": 1.0}
    assert solver.log_likelihood(theta, y=data) == pytest.approx(peer.score(rows, lengths), rel=1e-12)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer.fit(rows, lengths)
    found = solver.em_step(theta, y=data)
    np.testing.assert_allclose(found.pi, peer.startprob_, atol=1e-12)
    np.testing.assert_allclose(found.A, peer.transmat_, atol=1e-12)
    np.testing.assert_allclose(found.mu, peer.means_[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.s**2, peer.covars_.ravel()[0], atol=1e-12)
