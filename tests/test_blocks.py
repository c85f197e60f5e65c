"""Data that come in blocks: the same estimate as from all at once, and what is wrong with a block is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, MatrixSymbol, sqrt, symbols

from symem import (
    EM,
    Categorical,
    DataError,
    Gamma,
    IndexedMatrix,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
    Poisson,
)

n, K, d, V = symbols("n K d V", integer=True, positive=True)
i, k, c = Idx("i", n), Idx("k", K), Idx("c", V)
x, z, w, mu, s, B = map(IndexedBase, ["x", "z", "w", "mu", "s", "B"])
v, m, S = IndexedVector("v", d), IndexedVector("m", d), IndexedMatrix("S", d, d)
centre, spread = MatrixSymbol("centre", d, 1), MatrixSymbol("spread", d, d)
weight = IndexedBase("weight")

label = {z[i]: Categorical(w[k])}


def made(model: Model) -> EM:
    return model.derive()


@pytest.fixture(scope="module")
def normals() -> EM:
    return made(Model({**label, x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z]))


def blocks_of(length: int, **arrays: Any) -> Callable[[], Iterator[dict[str, Any]]]:
    count = len(next(iter(arrays.values())))
    return lambda: (
        {name: array[first : first + length] for name, array in arrays.items()}
        for first in range(0, count, length)
    )


def test_the_estimate_is_that_of_all_rows_at_once(normals: EM) -> None:
    rng = np.random.default_rng(0)
    rows = np.sort(np.concatenate([rng.normal(-1, 1, 700), rng.normal(3, 0.5, 1300)]))
    start = {"w": [0.5, 0.5], "mu": [-2.0, 2.0], "s": [1.0, 1.0]}
    whole = normals.fit(x=rows, start=start)
    for length in (1999, 300):
        fit = normals.fit(blocks_of(length, x=rows), start=start)
        for one, other in zip(fit.parameters, whole.parameters, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)
        assert fit.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-13)
        assert (fit.n_iter, fit.n_rows, fit.converged) == (whole.n_iter, 2000, True)
    # sorted rows: a start from the first block alone would see one component
    drawn = normals.fit(blocks_of(300, x=rows), K=2, seed=0)
    assert drawn.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-9)
    with pytest.raises(DataError, match="whose data came in blocks, has no rows of its own"):
        drawn.posterior_of()
    np.testing.assert_allclose(drawn.posterior_of(x=rows[:5]).z.sum(axis=-1), 1)


def test_entries_may_be_missing_by_other_patterns_in_each_block() -> None:
    rng = np.random.default_rng(1)
    rows = rng.multivariate_normal([1.0, -1.0, 0.0], [[2, 1, 0], [1, 2, 1], [0, 1, 2]], 400)
    rows[:200, 0][rng.random(200) < 0.4] = np.nan
    rows[200:, 2][rng.random(200) < 0.4] = np.nan
    em = made(Model({v[i]: MultivariateNormal(centre, spread)}, missing=[v]))
    whole, parts = em.fit(v=rows, seed=0), em.fit(blocks_of(100, v=rows), seed=0)
    np.testing.assert_allclose(parts.parameters.centre, whole.parameters.centre, rtol=1e-6)
    np.testing.assert_allclose(parts.parameters.spread, whole.parameters.spread, rtol=1e-5)


def test_rows_may_count_several_times_and_arrays_be_blocks() -> None:
    rng = np.random.default_rng(2)
    counts, times = rng.poisson(np.where(rng.random(300) < 0.4, 2, 11)), rng.integers(0, 4, 300)
    start = {"w": [0.5, 0.5], "mu": [1.0, 9.0]}
    law = {**label, x[i]: Poisson(mu[z[i]])}
    em = made(Model(law, latent=[z], weights={i: weight[i]}))
    whole = em.fit(x=counts, weight=times, start=start)
    parts = em.fit(blocks_of(70, x=counts, weight=times), start=start)
    np.testing.assert_allclose(parts.parameters.mu, whole.parameters.mu, rtol=1e-10)
    assert parts.n_rows == whole.n_rows == times.sum()
    plain = made(Model(law, latent=[z]))
    arrays = plain.fit(lambda: iter(np.split(counts, 3)), start=start)
    np.testing.assert_allclose(
        arrays.parameters.mu, plain.fit(x=counts, start=start).parameters.mu, rtol=1e-10
    )


def test_sizes_that_values_show_are_those_of_all_blocks() -> None:
    em = made(Model({**label, x[i]: Categorical(B[z[i], c])}, latent=[z]))
    letters = np.array([0, 1, 0, 1, 2, 3, 2, 0, 3, 3])
    fit = em.fit(blocks_of(4, x=letters), K=1, V=4, seed=0)
    np.testing.assert_allclose(fit.parameters.B[0], np.bincount(letters) / 10)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_blocks_may_be_frames(kind: str, normals: EM) -> None:
    frame = pytest.importorskip(kind).DataFrame
    rows = np.random.default_rng(3).normal(0, [1.0, 4.0], (200, 2)).ravel()
    start = {"w": [0.5, 0.5], "mu": [0.0, 0.5], "s": [1.0, 3.0]}
    parts = normals.fit(
        lambda: (frame({"value": part}) for part in np.split(rows, 4)), x="value", start=start
    )
    assert parts.log_likelihood == pytest.approx(normals.fit(x=rows, start=start).log_likelihood, rel=1e-12)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (lambda: iter([]), "gives no block"),
        (lambda: [{"x": [1.0, 2.0]}, {"x": [1.0, np.nan]}], r"Block 1 \(counted from 0\): x\[1\] = nan"),
        (
            lambda: [{"x": [1.0, 2.0]}, {"y": [1.0]}],
            r"Block 1 \(counted from 0\): 'y' is not an array of this model",
        ),
        (lambda: [{"x": [1.0, 2.0]}, {}], r"Block 1 \(counted from 0\): x is missing"),
    ],
)
def test_what_is_wrong_with_a_block_is_named(source: Callable[[], Any], told: str, normals: EM) -> None:
    with pytest.raises(DataError, match=told):
        normals.fit(source, K=2, seed=0)


def test_an_iterator_that_is_used_up_and_data_without_rows_are_refused(normals: EM) -> None:
    used_up = iter([{"x": np.arange(4.0)}])
    with pytest.raises(DataError, match="anew"):
        normals.fit(lambda: used_up, K=2, seed=0)
    vectors = made(Model({**label, v[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z]))
    with pytest.raises(DataError, match=r"Block 1 \(counted from 0\) says that d is 3, but the first says 2"):
        vectors.fit(lambda: [{"v": np.eye(2)}, {"v": np.eye(3)}], K=1, seed=0)
    a, y = symbols("a y", positive=True)
    alone = made(Model({y: Poisson(a)}, missing=[y]))
    with pytest.raises(DataError, match="no rows that could come in blocks"):
        alone.fit(lambda: [{"y": 1.0}])


@pytest.mark.filterwarnings("ignore:EM has not converged")
def test_starts_are_drawn_on_the_same_rows_as_in_memory(normals: EM) -> None:
    rows = np.random.default_rng(4).normal(0, [1.0, 4.0], (12_000, 2)).T.ravel()
    whole = normals.fit(x=rows, K=2, seed=0, max_iter=0)
    parts = normals.fit(blocks_of(7000, x=rows), K=2, seed=0, max_iter=0)
    for one, other in zip(whole.parameters, parts.parameters, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_a_log_likelihood_that_is_lost_in_its_constants_is_named() -> None:
    u, nu, centre_of = IndexedBase("u"), symbols("nu"), symbols("m")
    laws = {u[i]: Gamma(nu / 2, 2 / nu), x[i]: Normal(centre_of, sqrt(1 / u[i]))}
    em = made(Model(laws, latent=[u], known=[nu]))
    with pytest.warns(em.solver().LostDigitsWarning, match="log-likelihood .* has lost its digits from"):
        fit = em.fit(blocks_of(2, x=[0.5, -1.0, 0.3, 0.1]), nu=1e12, start={"m": 0.0})
    assert not fit.converged


def test_blocks_may_be_parts_of_a_memory_map_or_row_groups_of_a_parquet_file(
    tmp_path: Path, normals: EM
) -> None:
    rows = np.random.default_rng(3).normal(0, [1.0, 4.0], (200, 2)).ravel()
    start = {"w": [0.5, 0.5], "mu": [0.0, 0.5], "s": [1.0, 3.0]}
    whole = normals.fit(x=rows, start=start).log_likelihood
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    assert normals.fit(lambda: np.array_split(mapped, 3), start=start).log_likelihood == pytest.approx(
        whole, rel=1e-12
    )
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pytest.importorskip("pyarrow").table({"x": rows})
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=150)
    file = parquet.ParquetFile(tmp_path / "rows.parquet")
    groups = normals.fit(lambda: (each.to_pandas() for each in file.iter_batches(150)), start=start)
    assert groups.log_likelihood == pytest.approx(whole, rel=1e-12)
    file.close()
