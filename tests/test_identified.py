"""Parameters of which a product or a sum alone is identified are named: in a warning, the report, on a page, in refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import Expr, Idx, IndexedBase, symbols

from symem import Bernoulli, Categorical, Gamma, Model, Normal, Poisson
from symem.calculus.laws import LAWS
from symem.em import EM

n, K = symbols("n K", integer=True, positive=True)
a, b, m, s = symbols("a b m s")
i, k = Idx("i", n), Idx("k", K)
w, x, y, z, p, q, mu, sigma = map(IndexedBase, ["w", "x", "y", "z", "p", "q", "mu", "sigma"])

COUNTS = np.array([0, 3, 1, 2, 5, 4, 0, 1, 7])


def mixture(law: Any, **more: Any) -> Model:
    return Model({z[i]: Categorical(w[k]), y[i]: law}, latent=[z], **more)


def sentences(em: EM) -> list[str]:
    """What its derivation says of parameters that are identified together only."""
    return [each.reason for each in em.derivation.steps if each.law is LAWS["identified together"]]


def derived(law: Any, **more: Any) -> tuple[EM, list[str]]:
    """The algorithm, and those sentences of it."""
    em = mixture(law, **more).derive()
    return em, sentences(em)


@pytest.mark.parametrize(
    ("law", "kind", "form"),
    [
        (Poisson(p[z[i]] * q[z[i]]), "product", p[k] * q[k]),
        (Poisson(p[z[i]] / q[z[i]]), "ratio", p[k] / q[k]),
        (Poisson(p[z[i]] * a * b), "product", a * b * p[k]),
        (Normal(mu[z[i]] * a, s), "product", a * mu[k]),
        (Normal(mu[z[i]] + a, s), "sum", a + mu[k]),
        (Normal(p[z[i]] - q[z[i]], s), "difference", p[k] - q[k]),
        (Gamma(a, p[z[i]] * q[z[i]]), "product", p[k] * q[k]),
        (Poisson(p[z[i]] ** 2 * a), "product", a * p[k] ** 2),
    ],
    ids=[
        "product",
        "ratio",
        "three",
        "one scale",
        "one shift",
        "difference",
        "scale of a Gamma law",
        "a square",
    ],
)
def test_what_alone_is_identified_is_named(law: Any, kind: str, form: Expr) -> None:
    em, told = derived(law)
    assert len(told) == 1
    assert f"in the {kind} {form} alone" in told[0]
    (found,) = em.derivation.unidentified
    assert em.model.declared(found.forms[0]) == form


def test_a_factor_of_several_is_named() -> None:
    law = {z[i]: Categorical(w[k]), x[i]: Poisson(p[z[i]] * a), y[i]: Poisson(q[z[i]] * a)}
    (told,) = sentences(Model(law, latent=[z]).derive())
    assert "in the products a*p[k], a*q[k] alone" in told


def test_it_stands_on_the_page_and_in_the_report() -> None:
    em, _ = derived(Poisson(p[z[i]] * q[z[i]]))
    assert "Q holds p_k, q_k in the product p_k q_k alone" in " ".join(str(em).split())
    assert "no more of them is identified" in em.latex()


def test_the_likelihood_is_the_same_along_it() -> None:
    """An oracle apart from ∂Q: the likelihood of the data at (c p, q / c)."""
    em, _ = derived(Poisson(p[z[i]] * q[z[i]]))
    theta = {"w": np.array([0.3, 0.7]), "p": np.array([0.5, 2.0]), "q": np.array([2.0, 1.5])}
    moved = {**theta, "p": theta["p"] * [3.0, 0.2], "q": theta["q"] / [3.0, 0.2]}
    solver = em.solver()
    assert solver.log_likelihood(moved, y=COUNTS) == pytest.approx(solver.log_likelihood(theta, y=COUNTS))
    step, other = solver.em_step(theta, y=COUNTS), solver.em_step(moved, y=COUNTS)
    np.testing.assert_allclose(step.p * step.q, other.p * other.q)
    assert not np.allclose(step.p, other.p)


@pytest.mark.parametrize(
    ("law", "more"),
    [
        (Normal(m, sigma[z[i]]), {}),
        (Normal(mu[z[i]] * a, s), {"prior": {a: Normal(0, 1)}}),
        (Normal(mu[z[i]] * a, s), {"known": [a]}),
    ],
    ids=["a common mean", "a prior tells them apart", "one is known"],
)
def test_nothing_is_said_of_what_is_identified(law: Any, more: dict[str, Any]) -> None:
    em, told = derived(law, **more)
    assert told == []
    assert em.derivation.unidentified == ()


def test_a_refusal_says_what_to_write_instead() -> None:
    em, told = derived(Bernoulli(p[z[i]] * q[z[i]]))
    assert told == []
    (block,) = em.derivation.not_derived
    assert block.reason.endswith("; only the product p[k]*q[k] is identified: write one parameter for it.")
