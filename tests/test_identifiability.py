"""Label switching, rotations, sums that alone are identified, likelihoods without a maximum: proved ones hold in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, exp, symbols

from symem import (
    EM,
    Bernoulli,
    Categorical,
    Dirichlet,
    Model,
    Normal,
    Poisson,
)
from symem.calculus.exchangeable import exchanges
from symem.calculus.identifiable import identifiable
from symem.calculus.unbounded import unbounded
from symem.verification import rank_of_scores
from tests.derived import em
from tests.models import BY_NAME, DERIVED, Row, in_turn, slow_but_for

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j, t = Idx("i", n), Idx("k", K), Idx("j", J), Idx("t", n)
x, y, z, u, w, mu, A, al, means = map(IndexedBase, ["x", "y", "z", "u", "w", "mu", "A", "al", "means"])
a, p, q, s = symbols("a p q s")

NORMAL = {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}


@pytest.mark.filterwarnings("ignore")
@slow_but_for(
    in_turn(DERIVED, 1), {"gmm1d_faithful", "bernoulli_singh", "coin_do_batzoglou", "map_beta_coins"}
)
def test_what_may_be_exchanged_leaves_the_likelihood(row: Row) -> None:
    """ℓ of the module at a point and at the one where two values have changed places."""
    solver: Any = em(row.name).solver()
    theta = row.theta(row.file["start"])
    for found in exchanges(em(row.name).model):
        other = dict(theta)
        for name in found.arrays:
            sizes = em(row.name).model.variables[name].sizes
            value = np.array(theta[name], dtype=float)
            for axis, size in enumerate(sizes):
                if size == found.size and _is_of(name, axis, em(row.name).model, found.latents):
                    value = np.flip(value, axis=axis)
            other[name] = value
        if found.swaps and all(one.is_Symbol for one, _ in found.swaps):
            for one, of in [*found.swaps, *((b, a) for a, b in found.swaps if b.is_Symbol)]:
                other[str(one)] = float(of.subs({each: float(theta[str(each)]) for each in of.free_symbols}))
        one, two = (solver.log_likelihood(point, **row.data) for point in (theta, other))
        assert one == pytest.approx(two, rel=1e-9)


def _is_of(name: str, axis: int, model: Any, labels: tuple[str, ...]) -> bool:
    """Whether labels stand at a slot of an array."""
    entries = (
        e
        for e in model.log_likelihood.atoms(
            type(model.variables[name].symbol[(0,) * len(model.variables[name].sizes)])
        )
    )
    return any(
        str(getattr(e.base, "label", e.base)) == name and str(e.indices[axis]).partition("[")[0] in labels
        for e in entries
    )


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (lambda: Model(NORMAL, latent=[z]), [("K", ("w", "mu"), ())]),
        (
            lambda: Model(NORMAL, latent=[z], prior={w: Dirichlet(2), mu[k]: Normal(0, a)}),
            [("K", ("w", "mu"), ())],
        ),
        (lambda: Model(NORMAL, latent=[z], prior={w: Dirichlet(al[k])}), [("K", ("w", "mu"), ("al",))]),
        (lambda: Model(NORMAL, latent=[z], known=[mu]), []),
        (lambda: Model(NORMAL, missing=[z]), []),
        (lambda: Model({**NORMAL, x[i]: Normal(mu[z[i]] + a * z[i], s)}, latent=[z]), []),
        (lambda: Model({z[i]: Bernoulli(p), x[i]: Normal(means[z[i]], s)}, latent=[z]), [("2", (), ())]),
        (
            lambda: Model(
                {z[0]: Categorical(w[k]), z[t]: Categorical(A[z[t - 1], k]), x[t]: Normal(mu[z[t]], s)},
                latent=[z],
            ),
            [("K", ("w", "A", "mu"), ())],
        ),
    ],
    ids=[
        "mixture",
        "priors alike",
        "priors by label",
        "known",
        "seen labels",
        "a label as a number",
        "Bernoulli",
        "chain",
    ],
)
def test_labels_change_places_where_only_parameters_tell_them_apart(model: Any, told: list[Any]) -> None:
    found = exchanges(model())
    assert [(str(each.size), each.arrays, each.broken_by) for each in found] == told


def test_a_prior_that_tells_two_values_apart_is_named() -> None:
    (same,), (told,) = exchanges(em("bernoulli_singh").model), exchanges(em("singh_map").model)
    assert [set(map(str, pair)) for pair in same.swaps] == [{"p", "q"}, {"w", "1 - w"}]
    assert (same.broken_by, told.broken_by) == ((), ("p", "q"))


def test_a_component_of_one_row_takes_the_likelihood_to_infinity() -> None:
    """Of the entry that is named: ℓ at the value that is named rises by log 10 for each tenth of the spread."""
    solver: Any = em("gmm1d_faithful").solver()
    (found,) = unbounded(em("gmm1d_faithful").model)
    assert tuple(map(str, (found.spread, found.location, found.at))) == ("sigma[z[i]]", "mu[z[i]]", "x[i]")
    data = BY_NAME["gmm1d_faithful"].data
    at = {"w": [0.1, 0.9], "mu": [float(np.max(data["x"]) + 7), 70.0]}
    rows = {**data, "x": np.append(data["x"], at["mu"][0])}
    told = [solver.log_likelihood({**at, "sigma": [spread, 14.0]}, **rows) for spread in (1e-6, 1e-7, 1e-8)]
    assert np.diff(told) == pytest.approx(np.log(10), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "spreads"),
    [
        ("gmm1d_shared_var", []),
        ("gmm_mv_full", ["Sigma"]),
        ("gmm_mv_map", []),
        ("t_mixture", ["Sigma"]),
        ("lognormal_mixture", ["s2"]),
        ("poisson_mixture_hasselblad", []),
        ("gmm_mv_spherical", ["s2"]),
    ],
)
def test_spreads_without_a_bound(name: str, spreads: list[str]) -> None:
    assert [each.name for each in unbounded(em(name).model)] == spreads


def test_a_residual_that_cannot_be_0_is_bounded() -> None:
    """One mean for several values of a row leaves something over; a known one does too."""
    one_mean = Model({z[i]: Categorical(w[k]), y[i, j]: Normal(mu[z[i]], al[z[i]])}, latent=[z])
    known = Model({z[i]: Categorical(w[k]), x[i]: Normal(0, al[z[i]])}, latent=[z])
    assert (unbounded(one_mean), unbounded(known)) == ((), ())


def test_of_singhs_coins_the_mixture_alone_is_told() -> None:
    found = em("bernoulli_singh").identifiability()
    assert found.rank is not None
    (one,) = found.rank.entangled
    assert (found.rank.rank, found.rank.free, one.directions, one.arrays) == (1, 3, 2, ("w", "p", "q"))
    assert [each.equals(p * symbols("w") + q * (1 - symbols("w"))) for each in one.forms] == [True]
    assert "(checked)" in str(found)


def test_factors_are_told_up_to_a_rotation() -> None:
    found = em("factor_analysis_mean").identifiability(points=1).rank
    assert found is not None
    (one,) = found.entangled
    assert (found.free - found.rank, one.rotations, one.turns, one.directions) == (1, ("W",), 1, 1)


@pytest.mark.slow
def test_three_factors_turn_in_three_directions() -> None:
    found = em("factor_analysis_mean").identifiability(points=1, sizes={"m": 3, "d": 8}).rank
    assert found is not None
    assert (found.free - found.rank, found.entangled[0].turns) == (3, 3)


def test_a_sum_within_an_exponential_is_proved_and_seen() -> None:
    algorithm = Model({z[i]: Categorical(w[k]), x[i]: Poisson(exp(mu[z[i]] + a))}, latent=[z]).derive()
    found = algorithm.identifiability(points=1)
    assert [each.forms for each in found.unidentified] == [(a + mu[k],)]
    assert found.rank is not None
    assert (found.rank.free - found.rank.rank, found.rank.entangled[0].forms) == (1, (a + mu[k],))
    assert "only a + mu[k] (proved)" in str(found)


def test_a_spread_in_two_parts_is_told_by_its_square() -> None:
    algorithm = Model({u[i]: Normal(0, s), y[i]: Normal(u[i], a)}, latent=[u]).derive()
    found = algorithm.identifiability(points=2).rank
    assert found is not None
    assert (found.rank, found.entangled[0].forms) == (1, (a**2 + s**2,))


def test_scores_that_are_all_there_have_full_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a spoilt one is seen: of a column that repeats another the rank is one less."""
    whole: EM = em("random_effects_dyestuff")
    found = whole.identifiability(points=1).rank
    assert found is not None
    assert (found.rank, found.free, found.entangled) == (3, 3, ())
    samples = rank_of_scores._samples

    def spoilt(*given: Any) -> Any:
        for each in samples(*given):
            yield np.array([each[0], 2 * each[0], each[2]])

    monkeypatch.setattr(rank_of_scores, "_samples", spoilt)
    found = whole.identifiability(points=1).rank
    assert found is not None
    assert (found.rank, len(found.entangled)) == (2, 1)


def test_a_summary_tells_what_is_proved() -> None:
    row = BY_NAME["gmm1d_faithful"]
    fit = em("gmm1d_faithful").fit(**row.data, start=row.theta(row.file["fixed_point"]))
    told = fit.summary()
    assert "labels           the values of z may be permuted, and w, mu and sigma with them" in told
    assert "unbounded        ℓ has no maximum" in told
    assert identifiable(em("gmm1d_faithful").derivation).rank is None


def test_a_report_tells_it_where_it_is_asked() -> None:
    algorithm = em("bernoulli_singh")
    plain, told = (
        algorithm.markdown(),
        algorithm.markdown(identifiability=algorithm.identifiability(points=1)),
    )
    assert "Identifiability" not in plain
    assert r"change places, if so do $p \leftrightarrow q$ and $w \leftrightarrow 1 - w$" in told
    assert "what is told of them is $p w + q (1 - w)$" in told
    told = em("t_mixture").latex(identifiability=em("t_mixture").identifiability(points=0))
    assert r"$\boldsymbol{\mu}_{z_{i}} = \mathbf{x}_{i}$" in told
