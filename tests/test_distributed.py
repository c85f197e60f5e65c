"""Data on the workers of a cluster: the estimate of memory, also where a worker is lost; bytes that do not grow with n."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, MatrixSymbol, symbols

from symem import EM, Categorical, DataError, IndexedVector, Model, MultivariateNormal, Normal

n, K, d, V = symbols("n K d V", integer=True, positive=True)
i, k, c = Idx("i", n), Idx("k", K), Idx("c", V)
x, z, w, mu, s, B, g, weight = map(IndexedBase, ["x", "z", "w", "mu", "s", "B", "g", "weight"])
label = {z[i]: Categorical(w[k])}


def peer() -> Any:
    """Dask, loaded where a test needs it."""
    return pytest.importorskip("tests.cluster")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two processes on this machine."""
    with (
        peer().distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as both,
        peer().distributed.Client(both, set_as_default=False) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def weighted() -> EM:
    law = {**label, x[i]: Normal(mu[z[i]], s[z[i]])}
    return Model(law, latent=[z], weights={i: weight[i]}).derive()


def overlapping(count: int) -> dict[str, Any]:
    """Rows that take EM many iterations, with how often each counts."""
    rng = np.random.default_rng(0)
    rows = np.where(rng.random(count) < 0.4, rng.normal(0, 1, count), rng.normal(4.0, 1.0, count))
    return {"x": rows, "weight": rng.integers(0, 4, count)}


START = {"w": [0.5, 0.5], "mu": [0.0, 3.0], "s": [1.0, 1.0]}


def cut(data: dict[str, Any], length: int) -> dict[str, Any]:
    return {name: peer().arrays.from_array(each, chunks=length) for name, each in data.items()}


def agree(one: Any, other: Any, rtol: float) -> None:
    for a, b in zip(one.parameters, other.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol)


def test_arrays_give_the_estimate_of_memory_though_a_worker_is_lost(client: Any, weighted: EM) -> None:
    data = overlapping(3000)
    whole = weighted.fit(**data, start=START, tol=1e-6)
    calm = weighted.fit(**cut(data, 1000), start=START, tol=1e-6, client=client)
    assert 6 < calm.n_iter == whole.n_iter < 30
    assert calm.n_rows == whole.n_rows == data["weight"].sum()
    agree(calm, whole, 1e-10)
    lost: list[int] = []

    def lose(iteration: int, _theta: Any, _value: float) -> None:
        if iteration == 4:
            lost.append(min(client.run(os.getpid).values()))
            os.kill(lost[0], signal.SIGKILL)

    stormy = weighted.fit(**cut(data, 1000), start=START, tol=1e-6, client=client, callback=lose)
    assert lost
    assert stormy.converged
    agree(stormy, calm, 1e-12)
    assert stormy.log_likelihood == pytest.approx(calm.log_likelihood, rel=1e-13)


def test_bytes_in_an_iteration_do_not_grow_with_the_rows(client: Any, weighted: EM) -> None:
    client.wait_for_workers(2)
    client.run(peer().count_bytes)
    peer().count_bytes()
    moved = []
    for count in (2_000, 400_000):
        passed: list[int] = []

        def tell(_iteration: int, _theta: Any, _value: float, passed: list[int] = passed) -> bool:
            passed.append(peer().bytes_written() + sum(client.run(peer().bytes_written).values()))
            return len(passed) == 8

        parts = cut(overlapping(count), count // 4)
        weighted.fit(**parts, start=START, client=client, tol=0, callback=tell)
        moved.append(float(np.median(np.diff(passed))))
    assert 0 < moved[1] < 1.3 * moved[0] < 400_000 * 8 / 10


def test_frames_have_their_words_and_missing_entries_from_all_partitions(client: Any) -> None:
    rng = np.random.default_rng(1)
    letters = np.sort(rng.choice(["north", "east", "west"], 600, p=[0.5, 0.3, 0.2])).astype(object)
    values = rng.normal(0, 1, 600) + 3 * (rng.random(600) < 0.5)
    values[rng.random(600) < 0.1] = np.nan
    frame = peer().pd.DataFrame({"site": letters, "value": values})
    law = {**label, g[i]: Categorical(B[z[i], c]), x[i]: Normal(mu[z[i]], 1)}
    em = Model(law, latent=[z], missing=[x]).derive()
    columns = {"x": "value", "g": "site"}
    whole = em.fit(frame, **columns, K=2, seed=0)  # type: ignore[arg-type]
    # sorted words: no partition has all of them
    with client.as_current():
        parts = em.fit(peer().frames.from_pandas(frame, npartitions=5), **columns, K=2, seed=0)  # type: ignore[arg-type]
    blocks = em.fit(lambda: (frame[at : at + 120] for at in range(0, 600, 120)), **columns, K=2, seed=0)  # type: ignore[arg-type]
    assert parts.categories == blocks.categories == whole.categories == {"g": ("east", "north", "west")}
    agree(parts, whole, 1e-8)
    agree(blocks, whole, 1e-8)
    assert parts.posterior_of(frame[:3]).z.shape == (3, 2)


def test_each_worker_reads_its_share_of_a_source_with_other_patterns_in_each_block(client: Any) -> None:
    rng = np.random.default_rng(2)
    v, centre, spread = IndexedVector("v", d), MatrixSymbol("centre", d, 1), MatrixSymbol("spread", d, d)
    rows = rng.multivariate_normal([1.0, -1.0], [[2, 1], [1, 2]], 300)
    rows[:100, 0][rng.random(100) < 0.4] = np.nan
    rows[200:, 1][rng.random(100) < 0.4] = np.nan
    em = Model({v[i]: MultivariateNormal(centre, spread)}, missing=[v]).derive()
    whole, parts = em.fit(v=rows, seed=0), em.fit(lambda: np.split(rows, 5), seed=0, client=client)
    agree(parts, whole, 1e-6)


def test_what_is_wrong_on_a_worker_is_named(client: Any, weighted: EM) -> None:
    data = overlapping(100)
    data["x"][70] = np.inf
    with pytest.raises(DataError, match=r"Block 1 .*: x\[20\] = inf"):
        weighted.fit(**cut(data, 50), start=START, client=client)
    with pytest.raises(DataError, match="cut into parts of other lengths"):
        weighted.fit(
            x=peer().arrays.ones(100, chunks=50),
            weight=peer().arrays.ones(100, chunks=20),
            start=START,
            client=client,
        )


def test_without_a_cluster_partitions_are_read_one_by_one(weighted: EM) -> None:
    data = overlapping(300)
    agree(weighted.fit(**cut(data, 70), start=START), weighted.fit(**data, start=START), 1e-10)
