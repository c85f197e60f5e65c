"""Rows that stand for many: statistics, log-likelihood and fits are those of all rows, and rows that differ stay."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, sqrt, symbols

from symem import EM, Categorical, Model, Normal, Poisson, Uniform
from tests.derived import solver
from tests.models import BY_NAME, DERIVED, Row

n, K, G = symbols("n K G", integer=True, positive=True)
i, k, g = Idx("i", n), Idx("k", K), Idx("g", G)
x, z, w, lam, c, y, a, h = map(IndexedBase, ["x", "z", "w", "lam", "c", "y", "a", "h"])
mu, s2a, s2e = symbols("mu s2a s2e")
COUNTS: dict[Any, Any] = {z[i]: Categorical(w[k]), x[i]: Poisson(lam[z[i]])}
pytestmark = pytest.mark.filterwarnings("ignore:EM has not converged")
START = {"w": [0.5, 0.5], "lam": [1.0, 4.0]}


def by_all(module: Any, **data: Any) -> Any:
    """The fit by all rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Stock, "may_be_few", lambda *_: False)
        return module.fit(**data)


def agree(one: Any, other: Any, rtol: float = 1e-12) -> None:
    """Two records of arrays, up to a share of the largest entry of each."""
    for p, q in zip(one, other, strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=rtol * (np.max(np.abs(q)) + 1e-300))


@pytest.fixture(scope="module")
def counted() -> EM:
    return Model(COUNTS, latent=[z]).derive()


@pytest.fixture(scope="module")
def counts() -> Any:
    rng = np.random.default_rng(0)
    return rng.poisson(np.where(rng.random(50_000) < 0.4, 1.3, 6.0)).astype(float)


def e_steps(row: Row) -> Iterator[tuple[Any, Any]]:
    """The statistics of rows that count, and of a table of the fewest; each beside those of all rows."""
    module = solver(row.name)
    model = module.MODEL
    theta = module._as_parameters(model, row.theta(row.file["start"]))
    data, slots = module._uncut(model, row.data, theta), module._counted_slots(model)
    arrays = held(module, data)
    if not arrays:
        return
    often = np.random.default_rng(1).integers(1, 4, len(next(iter(arrays.values()))))
    size = model.plates.rows or model.plates.counted
    table = module._Table(dict(arrays), often.astype(float))
    data[size] = int(often.sum())
    few = module._standing_for(model, data, table)
    repeated = {
        name: np.repeat(np.asarray(each), often, axis=slots[name]) if name in slots else each
        for name, each in row.data.items()
    }
    whole = module._prepare(model, {**repeated, **({size: few[size]} if size in repeated else {})}, theta)
    stock = module._Stock(model)
    stock.take(held(module, whole))
    stock._merged()
    fewest = module._standing_for(model, whole, stock._parts[0])
    with np.errstate(all="ignore"):
        right = module._e_step(model, theta, whole)
        for each in (few, fewest):
            yield module._e_step(model, theta, each), right


def held(module: Any, data: Any) -> Any:
    """The arrays whose rows may count more than once."""
    return module._counted_arrays(module.MODEL, data if module.MODEL.plates.rows is None else data.given)


KINDS = (
    "poisson_mixture_hasselblad", "gmm_mv_full", "mvn_missing", "factor_analysis_mean", "lmm_random_slope",
    "random_intercept_ids", "random_effects_dyestuff", "dawid_skene", "ibm_model1", "lca_missing_items",
)  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_rows_that_count_are_as_many_rows(name: str) -> None:
    found = list(e_steps(BY_NAME[name]))
    assert len(found) == 2
    for few, right in found:
        agree(few, right)


@pytest.mark.slow
def test_rows_that_count_are_as_many_rows_in_every_model() -> None:
    for row in DERIVED:
        for few, right in e_steps(row):
            agree(few, right, 1e-10)


def test_a_fit_of_counts_is_that_of_all_rows(counted: EM, counts: Any) -> None:
    module = counted.solver()
    fit, whole = module.fit(x=counts, start=START), by_all(module, x=counts, start=START)
    agree(fit.parameters, whole.parameters, 1e-10)
    assert fit.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-13)
    assert (fit.n_rows, fit.n_iter) == (whole.n_rows, whole.n_iter) == (50_000, fit.n_iter)


def test_starts_are_those_of_all_rows(counted: EM, counts: Any) -> None:
    module = counted.solver()
    fit, whole = (
        run(x=counts, K=2, seed=1, max_iter=3) for run in (module.fit, lambda **k: by_all(module, **k))
    )
    agree(fit.parameters, whole.parameters)


def test_posteriors_come_in_the_order_of_the_rows(counted: EM, counts: Any) -> None:
    fit = counted.fit(x=counts, start=START)
    np.testing.assert_allclose(fit.posterior.z[:50], fit.posterior_of(x=counts[:50]).z, rtol=1e-12)
    assert fit.predict().shape == fit.score_samples().shape == counts.shape


def test_weights_multiply_counts(counts: Any) -> None:
    module = Model(COUNTS, latent=[z], weights={i: c[i]}).derive().solver()
    data = {"x": counts, "c": np.random.default_rng(2).integers(0, 4, len(counts)).astype(float)}
    fit, whole = module.fit(**data, start=START), by_all(module, **data, start=START)
    agree(fit.parameters, whole.parameters, 1e-10)
    assert fit.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-13)


def test_groups_of_rows_are_their_means_and_scatters() -> None:
    declared = {a[g]: Normal(0, sqrt(s2a)), y[i]: Normal(mu + a[h[i]], sqrt(s2e))}
    module = Model(declared, latent=[a], known=[h]).derive().solver()
    rng = np.random.default_rng(3)
    data: dict[str, Any] = {
        "h": rng.integers(0, 40, 3000),
        "G": 40,
        "start": {"mu": 0.0, "s2a": 1.0, "s2e": 1.0},
    }
    steps: dict[str, Any] = {"tol": -1, "max_iter": 20}
    for offset in (0.0, 1e4, 2.0**20):
        data["y"] = offset + rng.normal(size=40)[data["h"]] + rng.normal(size=3000)
        fit, whole = module.fit(**data, **steps), by_all(module, **data, **steps)
        agree(fit.parameters, whole.parameters, 1e-12 if offset == 0 else 1e-10)
        few = module._collapsed(
            module.MODEL, module._uncut(module.MODEL, {k: v for k, v in data.items() if k != "start"}, None)
        )
        assert (few.counts is None) == (offset > 1e5)


def test_blocks_of_counts_are_read_once(counted: EM, counts: Any) -> None:
    passes = []

    def source() -> Iterator[dict[str, Any]]:
        passes.append(1)
        yield from ({"x": each} for each in np.split(counts, 5))

    fit = counted.solver().fit(source, start=START)
    agree(fit.parameters, counted.fit(x=counts, start=START).parameters)
    assert len(passes) <= 2  # a look at them, and rows for a start beside the end
    assert fit.n_rows == len(counts)


def test_rows_that_differ_stay(counted: EM) -> None:
    module = counted.solver()
    data = module._uncut(module.MODEL, {"x": np.arange(5000.0), "K": 2}, None)
    assert module._collapsed(module.MODEL, data).counts is None


def test_a_row_that_cannot_be_is_named_by_its_place() -> None:
    low, high = IndexedBase("low"), IndexedBase("high")
    ranges = {z[i]: Categorical(w[k]), x[i]: Uniform(low[z[i]], high[z[i]])}
    module = Model(ranges, latent=[z], known=[low, high]).derive().solver()
    values = np.tile([0.5, 2.5], 2000)
    values[1234] = 1.5
    with pytest.raises(module.DataError, match=r"Row 1234 .* is impossible"):
        module.fit(x=values, low=[0.0, 2.0], high=[1.0, 3.0], start={"w": [0.5, 0.5]})


def test_a_fit_of_counts_takes_little_memory(counted: EM) -> None:
    values = np.random.default_rng(4).poisson(3.0, 400_000).astype(float)
    tracemalloc.start()
    counted.fit(x=values, start=START, tol=-1, max_iter=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * len(values)


def test_rows_that_are_given_counts_may_be_the_same(counted: EM, counts: Any) -> None:
    module = counted.solver()
    often = np.random.default_rng(5).uniform(0.5, 3.0, len(counts))
    settings = {"tol": -1, "max_iter": 5, "seed": 0, "n_init": 1}
    fit = module.SOLVER.fit_counted(often, settings=settings, x=counts, K=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module._Stock, "may_be_few", lambda *_: False)
        whole = module.SOLVER.fit_counted(often, settings=settings, x=counts, K=2)
    agree(fit.parameters, whole.parameters)
    assert fit.n_rows == pytest.approx(np.sum(often))
