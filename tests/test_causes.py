"""Latents that act together: ORs, ANDs, noisy-ors. Values are sums over all configurations of the latents of a row."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Eq, Idx, IndexedBase, Product, log, symbols

from symem import (
    EM,
    Bernoulli,
    Binary,
    Binomial,
    Categorical,
    Model,
    Normal,
    NotDerivedError,
    Poisson,
    Positive,
)
from symem.evaluation.arithmetic import Arithmetic, evaluate

Array = Any
n, J, K = symbols("n J K", integer=True, positive=True)
i, j, k = Idx("i", n), Idx("j", J), Idx("k", K)
y, x, z, c, p, q, e, mu, w = map(IndexedBase, ["y", "x", "z", "c", "p", "q", "e", "mu", "w"])
b, s, leak = symbols("b s leak")
P, Q, E = np.array([0.3, 0.6, 0.45]), np.array([0.8, 0.5, 0.0]), np.array([1, 0, 1])
YES, NORMAL = np.array([1, 0, 1, 1, 0]), np.array([2.3, -0.4, 0.1, 1.9, 3.0])

own = {z[i, j]: Bernoulli(p[j])}
some, every = 1 - Product(1 - z[i, j], j), Product(z[i, j], j)


def enumerated(density: Callable[[int, Array], float], prior: Array = P) -> tuple[float, Array]:
    """ℓ and E z of each row, the density of a row given its configuration being as stated."""
    configurations = np.array(list(product([0, 1], repeat=len(P))))
    rows = np.broadcast_to(prior, (5, len(P)))
    weights = np.array(
        [
            [np.prod(np.where(at, own, 1 - own)) * density(row, at) for at in configurations]
            for row, own in enumerate(rows)
        ]
    )
    return np.log(weights.sum(1)).sum(), weights @ configurations / weights.sum(1, keepdims=True)


def close(found: object, wanted: object) -> None:
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(wanted, float), rtol=1e-9, atol=1e-12)


def found(em: EM, **arrays: Any) -> tuple[float, dict[str, Array]]:
    """ℓ and everything that the E-step, the statistics and the updates define, by the formulas."""
    derivation, given = em.derivation, {"n": 5, "J": 3, "p": P, **arrays}
    with np.errstate(divide="ignore"):  # a chance may be 0
        values = evaluate((*derivation.definitions, *derivation.surrogate.statistics), given)
    value = Arithmetic(values).number(derivation.log_likelihood)
    return value, evaluate((each.definition for each in derivation.updates), values)


def yes(probability: float, row: int) -> float:
    return probability if YES[row] else 1 - probability


GATES: dict[str, tuple[Callable[[], Model], dict[str, Array], Callable[[int, Array], float]]] = {
    "an OR that was seen": (
        lambda: Model(own, latent=[z], given=[Eq(y[i], some)]),
        {"y": YES},
        lambda row, at: float(YES[row] == at.any()),
    ),
    "an OR by its probability": (
        lambda: Model({**own, y[i]: Bernoulli(some)}, latent=[z]),
        {"y": YES},
        lambda row, at: float(YES[row] == at.any()),
    ),
    "an AND by its probability": (
        lambda: Model({**own, y[i]: Bernoulli(every)}, latent=[z]),
        {"y": YES},
        lambda row, at: float(YES[row] == at.all()),
    ),
    "an OR seen with errors": (
        lambda: Model({**own, y[i]: Bernoulli(leak * (1 - some) + b * some)}, latent=[z], known=[leak, b]),
        {"y": YES, "leak": 0.1, "b": 0.95},
        lambda row, at: yes(0.95 if at.any() else 0.1, row),
    ),
    "noisy-or": (
        lambda: Model({**own, y[i]: Bernoulli(1 - Product((1 - q[j]) ** z[i, j], j))}, latent=[z], known=[q]),
        {"y": YES, "q": Q},
        lambda row, at: yes(1 - np.prod((1 - Q) ** at), row),
    ),
    "noisy-or with a leak": (
        lambda: Model(
            {**own, y[i]: Bernoulli(1 - (1 - leak) * Product(1 - q[j] * z[i, j], j))},
            latent=[z],
            known=[leak, q],
        ),
        {"y": YES, "q": Q, "leak": 0.2},
        lambda row, at: yes(1 - 0.8 * np.prod(1 - Q * at), row),
    ),
    "a known choice of causes": (
        lambda: Model(
            {**own, y[i]: Poisson(leak + b * Product(1 - e[j] * z[i, j], j))},
            latent=[z],
            known={leak: Positive(), b: Positive(), e: Binary()},
        ),
        {"y": YES, "e": E, "leak": 0.5, "b": 2.0},
        lambda row, at: scipy.stats.poisson.pmf(YES[row], 0.5 + 2 * np.prod(1 - E * at)),
    ),
    "an AND that moves a mean": (
        lambda: Model({**own, y[i]: Normal(b * every, s)}, latent=[z]),
        {"y": NORMAL, "b": 2.5, "s": 0.8},
        lambda row, at: scipy.stats.norm.pdf(NORMAL[row], 2.5 * at.all(), 0.8),
    ),
}


@pytest.mark.parametrize("name", GATES)
def test_what_acts_together_is_summed_out_as_its_configurations_are(name: str) -> None:
    model, arrays, density = GATES[name]
    value, means = enumerated(density)
    own_value, values = found(model().derive(), **arrays)
    close(own_value, value)
    close(values["gamma_z"][..., 1], means)
    close(values["gamma_z"].sum(-1), 1)
    close(values["p"], means.mean(0))


def test_an_and_that_moves_a_mean_weighs_rows_by_the_event() -> None:
    model, arrays, _density = GATES["an AND that moves a mean"]
    _, values = found(model().derive(), **arrays)
    mass = P.prod() * scipy.stats.norm.pdf(NORMAL, 2.5, 0.8)
    event = mass / (mass + (1 - P.prod()) * scipy.stats.norm.pdf(NORMAL, 0, 0.8))
    mean = event @ NORMAL / event.sum()
    close(values["b"], mean)
    close(values["s"] ** 2, (event @ (NORMAL - mean) ** 2 + (1 - event) @ NORMAL**2) / 5)


@pytest.mark.parametrize("name", ["an AND that moves a mean", "noisy-or with a leak"])
def test_the_told_steps_hold_in_numbers(name: str) -> None:
    model, arrays, _density = GATES[name]
    em = model().derive()
    given = {"n": 5, "J": 3, "p": P, "z": np.array([[1, 1, 1]] * 2 + [[1, 0, 1]] * 3), **arrays}
    with np.errstate(divide="ignore"):  # a chance may be 0
        values = evaluate(em.derivation.definitions, given)
    told = [
        step
        for step in em.steps
        if step.law.name in ("acting together", "mean of a product", "shares of causes")
    ]
    assert len(told) == 3
    for step in told:
        sizes = tuple({"n": 5, "J": 3}.get(str(axis.size), 2) for axis in step.axes)
        places = tuple(axis.index for axis in step.axes)
        with np.errstate(divide="ignore"):  # a chance may be 0
            one, other = (Arithmetic(values).table(side, places, sizes) for side in (step.before, step.after))
        close(one, other)


def test_a_label_beside_what_acts_together() -> None:
    """mu of a component moves those rows only in which all take part."""
    laws = {c[i]: Categorical(w[k]), **own, y[i]: Normal(mu[c[i]] * every, s)}
    _, values = found(
        Model(laws, latent=[z, c]).derive(),
        y=NORMAL,
        K=2,
        w=np.array([0.4, 0.6]),
        mu=np.array([2.0, -1.0]),
        s=0.8,
    )
    mass = (
        np.stack([0.4 * scipy.stats.norm.pdf(NORMAL, 2, 0.8), 0.6 * scipy.stats.norm.pdf(NORMAL, -1, 0.8)])
        * P.prod()
    )
    mass /= mass.sum(0) + (1 - P.prod()) * scipy.stats.norm.pdf(NORMAL, 0, 0.8)
    close(values["mu"], mass @ NORMAL / mass.sum(1))


def test_a_cause_of_a_cause() -> None:
    """Where what each latent does is a latent of its own, the chances q have an update."""
    laws = {**own, c[i, j]: Bernoulli(q[j] * z[i, j])}
    model = Model(laws, latent=[z, c], given=[Eq(y[i], 1 - Product(1 - c[i, j], j))])
    chances = np.array([0.8, 0.5, 0.3])
    value, values = found(model.derive(), y=YES, q=chances)
    _, fired = enumerated(lambda row, at: float(YES[row] == at.any()), P * chances)
    there = fired + (1 - fired) * P * (1 - chances) / (1 - P * chances)
    close(value, enumerated(lambda row, at: float(YES[row] == at.any()), P * chances)[0])
    close(values["p"], there.mean(0))
    close(values["q"], fired.sum(0) / there.sum(0))


def test_rows_count_as_often_as_they_are_weighed() -> None:
    model = Model({**own, y[i]: Bernoulli(some)}, latent=[z], weights={i: w[i]})
    counts = np.array([1.0, 2.0, 0.5, 3.0, 1.0])
    _, values = found(model.derive(), y=YES, w=counts)
    _, means = enumerated(lambda row, at: float(YES[row] == at.any()))
    close(values["p"], counts @ means / counts.sum())


def test_a_module_keeps_its_digits_where_every_cause_is_all_but_impossible() -> None:
    """Each latent has evidence of its own, of some e^-80 against it, and one of them must be."""
    laws = {**own, x[i, j]: Normal(mu[z[i, j]], 1), y[i]: Bernoulli(some)}
    solver = Model(laws, latent=[z], known=[mu]).derive().solver()
    far = np.array([[-80.0, -81, -80.5], [0, 0.5, 1], [1e4, -1e4, 0], [0, 0, 0], [-90, -90, -90]])
    theta = {"p": P}
    shares = np.asarray(solver.posterior(theta, x=far, y=YES, mu=np.array([0.0, 1.0])).z)[..., 1]
    odds = np.log(P / (1 - P)) + far - 0.5
    first = np.exp(odds[0] - np.logaddexp.reduce(odds[0]))
    close(shares[0], first)
    close(shares[2], [1, 0, 1 / (1 + np.exp(-odds[2, 2]))])
    close(shares[4], np.zeros(3))
    rare = np.full(3, 1e-12)
    value = solver.log_likelihood({"p": rare}, x=np.zeros((1, 3)), y=np.array([1]), mu=np.array([0.0, 0.0]))
    np.testing.assert_allclose(value, np.log(3e-12) + 3 * scipy.stats.norm.logpdf(0), rtol=1e-11)


@pytest.mark.parametrize("far", [30, 10**4])
def test_a_noisy_or_keeps_its_digits_beside_far_evidence(far: int) -> None:
    """Each cause has a datum of its own that speaks for it or against it by up to e^(far)."""
    laws = {
        **own,
        x[i, j]: Normal(mu[0] * z[i, j], 1),
        y[i]: Bernoulli(1 - Product((1 - q[j]) ** z[i, j], j)),
    }
    solver = Model(laws, latent=[z], known=[q, mu]).derive().solver()
    data = far * np.array([[1, 0, 0.5], [-1, 2, 0], [0, 0, 0], [1, 1, 1], [-2, -1, -1]])
    given = {"x": data, "y": YES, "q": np.array([0.8, 0.5, 0.2]), "mu": np.array([1.0])}
    configurations = np.array(list(product([0, 1], repeat=3)))
    with np.errstate(divide="ignore"):
        chances = np.log(
            [[yes(1 - np.prod((1 - given["q"]) ** at), row) for at in configurations] for row in range(5)]
        )
    logs = chances + configurations @ np.log(P / (1 - P)) + (data - 0.5) @ configurations.T
    shares = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None]) @ configurations
    np.testing.assert_allclose(np.asarray(solver.posterior({"p": P}, **given).z)[..., 1], shares, atol=1e-9)
    found_value = solver.log_likelihood({"p": P}, **given)
    alone = np.log(1 - P).sum() * 5 + scipy.stats.norm.logpdf(data).sum()
    np.testing.assert_allclose(found_value, alone + np.logaddexp.reduce(logs, axis=1).sum(), rtol=1e-12)


def test_the_log_likelihood_reads_as_products() -> None:
    em = GATES["an OR that was seen"][0]().derive()
    assert not em.log_likelihood.atoms(log) - {
        each for each in em.log_likelihood.args[0].atoms(log) if each.has(Product)
    }


REFUSED = {
    "a chance that is to be estimated": (
        Bernoulli(1 - Product((1 - q[j]) ** z[i, j], j)),
        r"c\[i, j\]: Bernoulli\(1 - \(1 - q\[j\]\)\*\*z\[i, j\]\)",
    ),
    "counts of an uncertain product": (
        Binomial(4, 1 - Product(b ** z[i, j], j)),
        "write one latent for what stands",
    ),
    "two products": (Normal(every + Product(1 - z[i, j], j), 1), "one product of theirs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_function_of_one_product_is_refused(name: str) -> None:
    law, words = REFUSED[name]
    with pytest.raises(NotDerivedError, match=words):
        Model({**own, y[i]: law}, latent=[z], known=[b] if "counts" in name else []).derive()


@pytest.mark.slow
@pytest.mark.parametrize("name", GATES)
def test_the_ladder_passes(name: str) -> None:
    report = GATES[name][0]().derive().verify()
    assert report.passed, str(report)


@pytest.mark.slow
@pytest.mark.parametrize("rows", ["many", "one"])
def test_the_ladder_passes_beside_a_label_and_without_rows(rows: str) -> None:
    """At seed 0 a component has next to no weight: as a part of Q its mean moves far, in ℓ it does not."""
    Y = symbols("Y")
    beside = {c[i]: Categorical(w[k]), **own, y[i]: Normal(mu[c[i]] * every, s)}
    alone = {z[j]: Bernoulli(p[j]), Y: Bernoulli(1 - Product((1 - q[j]) ** z[j], j))}
    model = Model(beside, latent=[z, c]) if rows == "many" else Model(alone, latent=[z], known=[q])
    report = model.derive().verify(seed=0)
    assert report.passed, str(report)
