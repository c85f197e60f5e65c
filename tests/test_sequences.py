"""Sequences of several lengths: stated by `Idx("t", T[j])`, given as lists, as rows that say whose they are, or padded."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sympy import Idx, IndexedBase, Sum, log, symbols

from symem import Bernoulli, Categorical, DataError, Labels, Model, Normal, Poisson, Simplex
from symem.__main__ import main
from symem.em import EM
from symem.report.figures.sequence_charts import along_chart, sequence_chart
from symem.report.figures.shown import Shown
from symem.runtime.messages import _forward_backward

J, K, M, V, s, p0 = symbols("J K M V s p0", positive=True)
J, K, M, V = symbols("J K M V", integer=True, positive=True)
T = IndexedBase("T", integer=True, positive=True)
j, k, r, v = Idx("j", J), Idx("k", K), Idx("r", M), Idx("v", V)
t, t1, k1 = Idx("t", T[j]), Idx("t", (1, T[j])), Idx("k", (1, K))
y, z, c, u, pi, A, B, w, mu, sigma, lam, phi, a = map(
    IndexedBase, ["y", "z", "c", "u", "pi", "A", "B", "w", "mu", "sigma", "lam", "phi", "a"]
)
CHAIN = {z[j, 0]: Categorical(pi[k]), z[j, t]: Categorical(A[z[j, t - 1], k])}
STATED: Mapping[str, Callable[[], Model]] = {
    "gaussian": lambda: Model({**CHAIN, y[j, t]: Normal(mu[z[j, t]], s)}, latent=[z]),
    "categorical": lambda: Model({**CHAIN, y[j, t]: Categorical(B[z[j, t], v])}, latent=[z]),
    "places from 1": lambda: Model(
        {
            z[j, 1]: Categorical(pi[k1]),
            z[j, t1]: Categorical(A[z[j, t1 - 1], k1]),
            y[j, t1]: Poisson(lam[z[j, t1]]),
        },
        latent=[z],
    ),
    "binary states": lambda: Model(
        {z[j, 0]: Bernoulli(p0), z[j, t]: Bernoulli(a[z[j, t - 1]]), y[j, t]: Normal(mu[z[j, t]], s)},
        latent=[z],
    ),
    "autoregression": lambda: Model(
        {**CHAIN, y[j, t]: Normal(mu[z[j, t]] + phi[z[j, t]] * y[j, t - 1], s)}, latent=[z], known=[T]
    ),
    "missing": lambda: Model({**CHAIN, y[j, t]: Normal(mu[z[j, t]], s)}, latent=[z], missing=[y]),
    "mixture of chains": lambda: Model(
        {
            c[j]: Categorical(w[r]),
            z[j, 0]: Categorical(pi[k]),
            z[j, t]: Categorical(A[c[j], z[j, t - 1], k]),
            y[j, t]: Poisson(lam[z[j, t]]),
        },
        latent=[c, z],
    ),
    "transitions by a category": lambda: Model(
        {
            z[j, 0]: Categorical(pi[k]),
            z[j, t]: Categorical(A[c[j, t], z[j, t - 1], k]),
            y[j, t]: Normal(mu[z[j, t]], s),
        },
        latent=[z],
        known={c: Labels(M)},
    ),
    "a law at the ends": lambda: Model(
        {**CHAIN, y[j, t]: Poisson(lam[z[j, t]]), c[j]: Bernoulli(a[z[j, T[j] - 1]])}, latent=[z]
    ),
    "labels partly seen": lambda: Model({**CHAIN, y[j, t]: Normal(mu[z[j, t]], s)}, missing=[z]),
    "likelihood": lambda: Model.from_likelihood(
        log_likelihood=Sum(
            log(pi[z[j, 0]])
            + Sum(log(A[z[j, t - 1], z[j, t]]), (t, 1, T[j] - 1))
            + Sum(log(B[z[j, t], y[j, t]]), (t, 0, T[j] - 1)),
            j,
        ),
        latent={z: Labels(K)},
        parameters={pi: Simplex(), A: Simplex(), B: Simplex()},
        data={y: Labels(V)},
    ),
}
THETA = {"pi": [0.6, 0.4], "A": [[0.9, 0.1], [0.2, 0.8]], "mu": [0.0, 3.0], "s": 1.0}
LENGTHS = [6, 1, 4]


@cache
def derived(name: str) -> EM:
    return STATED[name]().derive(budget=float("inf"))


def sequences(seed: int = 0, lengths: list[int] = LENGTHS) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(3.0 * rng.integers(0, 2, length), 1.0) for length in lengths]


@cache
def one_sequence() -> EM:
    n = symbols("n", integer=True, positive=True)
    i = Idx("i", n)
    stated = {z[0]: Categorical(pi[k]), z[i]: Categorical(A[z[i - 1], k]), y[i]: Normal(mu[z[i]], s)}
    return Model(stated, latent=[z]).derive(budget=float("inf"))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(STATED))
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60).rungs}
    assert not derived(name).derivation.not_derived
    assert [n for n in ("V0", "V1", "V2", "V3", "V4") if rungs[n].passed is not True] == []


def test_each_sequence_ends_where_it_ends() -> None:
    """All is what the sequences one by one give, by the module of one sequence."""
    many, one, data = derived("gaussian").solver(), one_sequence().solver(), sequences()
    alone = [one.log_likelihood(THETA, y=each) for each in data]
    np.testing.assert_allclose(many.score_samples(THETA, y=data), alone, rtol=1e-13)
    assert many.log_likelihood(THETA, y=data) == pytest.approx(sum(alone), rel=1e-13)
    posterior = many.posterior(THETA, y=data).z
    for row, each in zip(posterior, data, strict=True):
        np.testing.assert_allclose(row[: len(each)], one.posterior(THETA, y=each).z, atol=1e-13)
        assert not np.any(row[len(each) :])
    for path, each in zip(many.decode(THETA, y=data), data, strict=True):
        np.testing.assert_array_equal(path, one.decode(THETA, y=each))
    assert [len(each) for each in many.predict(THETA, y=data)] == LENGTHS


def test_ways_to_give_them_are_the_same() -> None:
    solver, data = derived("gaussian").solver(), sequences()
    wanted = solver.log_likelihood(THETA, y=data)
    padded = np.full((3, 8), np.nan)
    for row, each in zip(padded, data, strict=True):
        row[: len(each)] = each
    flat, owner = np.concatenate(data), np.repeat(["b", "c", "a"], LENGTHS)
    mixed = np.argsort(owner, kind="stable")
    ways: list[dict[str, Any]] = [
        {"y": [each.tolist() for each in data]},
        {"y": data, "T": LENGTHS},
        {"y": padded, "T": LENGTHS},
        {"y": flat, "j": owner},
        {"y": flat[mixed], "j": owner[mixed]},
    ]
    for way in ways:
        assert solver.log_likelihood(THETA, **way) == pytest.approx(wanted, rel=1e-14)
    whole = np.ones((2, 3))
    assert solver.log_likelihood(THETA, y=whole) == solver.log_likelihood(THETA, y=whole, T=[3, 3])


def test_messages_stop_at_ends_also_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weight, lengths = rng.normal(size=(90, 3, 2)) * 3, np.array([90, 37])
    last = rng.normal(size=(3, 2))
    for step in (rng.normal(size=(3, 3)), rng.normal(size=(89, 3, 3, 2))):
        for blocks in (1, 6):
            monkeypatch.setattr("symem.runtime.messages._blocks_along", lambda *_, n=blocks: n)
            found = _forward_backward(weight.copy(), step, None, last, lengths)
            for chain, length in enumerate(lengths):
                own = step if step.ndim == 2 else step[: length - 1, ..., chain : chain + 1]
                kept = weight[:length, :, chain : chain + 1].copy()
                alone = _forward_backward(kept, own, None, last[:, chain : chain + 1])
                np.testing.assert_allclose(found[0][:length, :, chain], alone[0][..., 0], atol=1e-12)
                np.testing.assert_allclose(found[1][chain], alone[1][0], rtol=1e-12)
                np.testing.assert_allclose(found[4][: length - 1, :, chain], alone[4][..., 0], rtol=1e-9)
                assert not np.any(found[0][length:, :, chain])
                assert not np.any(found[4][length - 1 :, :, chain])


def test_blocks_of_sequences_need_not_be_equally_long() -> None:
    em, data = derived("gaussian"), sequences(1, [9, 3, 5, 12])

    def source() -> Iterator[dict[str, Any]]:
        yield {"y": data[:2]}
        yield {"y": data[2:]}

    held, streamed = em.fit(y=data, start=THETA), em.fit(source, start=THETA)
    assert streamed.log_likelihood == pytest.approx(held.log_likelihood, rel=1e-10)
    assert held.n_rows == streamed.n_rows == 29


def test_columns_say_whose_row_each_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pandas = pytest.importorskip("pandas")
    em, data = derived("gaussian"), sequences(2, [20, 11, 14])
    owner = np.repeat(["Ann", "Bob", "Al"], [20, 11, 14])
    frame = pandas.DataFrame({"patient": owner, "value": np.concatenate(data)})
    wanted = em.fit(y=data, start=THETA)
    found = em.fit(frame, y="value", j="patient", start=THETA)
    assert found.log_likelihood == pytest.approx(wanted.log_likelihood, rel=1e-13)
    assert [len(each) for each in found.decode(frame)] == [20, 11, 14]
    table, saved = tmp_path / "long.csv", tmp_path / "fit.json"
    frame.set_axis(["j", "y"], axis=1).to_csv(table, index=False)
    wanted.save(saved)
    stated = tmp_path / "model.py"
    stated.write_text(_FILE)
    assert main(["predict", str(stated), str(table), "--parameters", str(saved)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["j"] for row in rows] == owner.tolist()
    assert [int(row["z"]) for row in rows] == np.concatenate(wanted.predict()).tolist()
    assert main(["sample", str(stated), "--parameters", str(saved), "--set", "T=3,2", "--seed", "1"]) == 0
    assert [row["j"] for row in csv.DictReader(capsys.readouterr().out.splitlines())] == list("00011")


_FILE = """
from sympy import Idx, IndexedBase, symbols
from symem import Categorical, Model, Normal
J, K = symbols("J K", integer=True, positive=True)
T = IndexedBase("T", integer=True, positive=True)
s = symbols("s", positive=True)
j, k = Idx("j", J), Idx("k", K)
t = Idx("t", T[j])
y, z, pi, A, mu = map(IndexedBase, ["y", "z", "pi", "A", "mu"])
model = Model(
    {z[j, 0]: Categorical(pi[k]), z[j, t]: Categorical(A[z[j, t - 1], k]), y[j, t]: Normal(mu[z[j, t]], s)},
    latent=[z],
)
"""


def test_words_of_sequences_become_labels() -> None:
    em = derived("categorical")
    words = [list("abcaa"), list("ab"), list("cbc")]
    by_words = em.fit(y=words, K=2, seed=0)
    by_numbers = em.fit(y=[["abc".index(each) for each in row] for row in words], K=2, V=3, seed=0)
    assert by_words.log_likelihood == pytest.approx(by_numbers.log_likelihood, rel=1e-12)


def test_draws_are_lists_as_fit_takes_them() -> None:
    em = derived("gaussian")
    drawn = em.sample(THETA, T=[5, 3], seed=0, latents=True)
    assert [each.shape for each in drawn["y"]] == [each.shape for each in drawn["z"]] == [(5,), (3,)]
    assert np.isfinite(em.solver().log_likelihood(THETA, y=drawn["y"]))


def test_reports_say_where_each_sequence_ends() -> None:
    text = str(derived("gaussian"))
    assert "α_jtk = exp(η_jtk) Σ_l α[j,t-1,l] A_lk, t = 2, …, T_j" in text
    assert "β[j,T_j,k] = 1" in text
    told = derived("gaussian").markdown()
    assert r"\sum_{j=1}^{J} \sum_{t=2}^{T_{j}} \log A_{z_{j,t-1},z_{jt}}" in told
    assert r"S_{1kl} &= \sum_{j=1}^{J} \sum_{t=1}^{T_{j} - 1} \xi_{jtkl}" in told
    assert r"t = 1, \dots, T_{j}" in told


@pytest.mark.parametrize("given", ["lists", "columns"])
def test_pictures_follow_the_first_sequence(given: str) -> None:
    data = sequences(3, [12, 7])
    columns = {"y": np.concatenate(data), "j": np.repeat(["b", "a"], [12, 7])}
    shown = Shown(derived("gaussian").solver().SOLVER, THETA, {"y": data} if given == "lists" else columns)
    assert shown.sequence is not None
    np.testing.assert_array_equal(shown.sequence.values, data[0])
    np.testing.assert_array_equal(shown.sequence.path, one_sequence().solver().decode(THETA, y=data[0]))
    chart, beliefs = sequence_chart(shown), along_chart(shown)
    assert chart is not None
    assert beliefs is not None
    line, *dots = cast("Any", chart.marks)
    np.testing.assert_array_equal(line.y, data[0])
    assert sum(len(each.x) for each in dots) == 12
    np.testing.assert_allclose(cast("Any", beliefs.marks[-1]).high, 1.0)


REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "one array": ({"y": [1.0, 2.0]}, r"y is one array: give a list of arrays, one a sequence, or .* j=\[…\]"),
    "longer than it is": ({"y": [[1.0, 2.0], [1.0]], "T": [2, 2]}, r"T\[1\] = 2.* and here there are 1"),
    "no whole number": ({"y": [[1.0, 2.0], [1.0]], "T": [1.5, 1]}, r"T\[0\] = 1.5"),
    "too few": ({"y": [[1.0, 2.0], [1.0]], "T": [2]}, "T has the shape .* but there are 2 sequences"),
    "none at all": ({"y": [[1.0], []]}, r"T\[1\] = 0, but a sequence has .* 1 or more"),
    "whose rows": ({"y": [1.0, 2.0], "j": [0]}, "y has 2 rows, but j says of 1 whose they are"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_no_such_data_is_refused(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        derived("gaussian").solver().log_likelihood(THETA, **given)


def test_samples_of_the_model_have_the_lengths_of_the_data() -> None:
    em, data = derived("gaussian"), sequences(5, [9, 4, 7])
    found = em.fit(y=data, start=THETA).bootstrap(2, seed=0, by="model")
    assert np.all(np.isfinite(found.mu))


def test_sequences_of_several_lengths_are_no_rows_of_an_estimator() -> None:
    with pytest.raises(DataError, match="the sequences of this model of several"):
        derived("gaussian").solver().Estimator(K=2)


def test_reports_state_and_work_out_sequences() -> None:
    """The whole document, with an iteration on lists and with a fit; data that are lists are verified on too."""
    em, data = derived("gaussian"), sequences(4, [5, 3, 4])
    text = em.markdown(data={"y": data}, start=THETA)
    assert r"z_{jt} \mid z_{j,t-1} &\sim" in text
    assert r"t = 2, \dots, T_{j} \\" in text
    assert "^{(t)}" not in text
    fit = em.fit(y=data, start=THETA)
    assert "log-likelihood" in em.markdown(fit=fit)
    rungs = {each.name: each for each in em.verify(data={"y": data}, theta=THETA, seconds=30).rungs}
    assert [rungs[name].passed for name in ("V0", "V1", "V2", "V3")] == [True] * 4
