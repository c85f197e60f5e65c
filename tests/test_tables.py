"""CSV files and frames as the arrays of a model, whichever reader is installed."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import (
    Categorical,
    DataError,
    IndexedMatrix,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
    readers,
)
from symem.language.supports import Labels
from symem.tables import read_frame, read_table

n, K, R, d, C = symbols("n K R d C", integer=True, positive=True)
i, k, r = Idx("i", n), Idx("k", K), Idx("r", R)
x, z, w, mu, s, g, u = map(IndexedBase, ["x", "z", "w", "mu", "s", "g", "u"])
sigma = symbols("sigma")
v, m, S = IndexedVector("v", d), IndexedVector("m", d), IndexedMatrix("S", d, d)

numbers = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z])
vectors = Model({z[i]: Categorical(w[k]), v[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z])
sites = Model({u[r]: Normal(0, 2), x[i]: Normal(u[g[i]], sigma)}, latent=[u], known={g: Labels(R)})


@pytest.fixture(params=["pandas", "polars"])
def frame(request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], Any]:
    made: Callable[[dict[str, Any]], Any] = pytest.importorskip(request.param).DataFrame
    return made


# frames ------------------------------------------------------------------------------------------------


def test_columns_are_found_by_declared_name_or_are_named(frame: Callable[[dict[str, Any]], Any]) -> None:
    table = frame({"x": [1.0, 2.0], "eruptions": [3, 4]})
    assert read_frame(table, numbers, {}).arrays["x"].tolist() == [1, 2]
    named = read_frame(table, numbers, {"x": "eruptions"})
    assert named.arrays["x"].tolist() == [3, 4]
    assert named.columns == {"x": ("eruptions",)}


def test_a_vector_takes_a_list_of_columns_or_all_there_are(frame: Callable[[dict[str, Any]], Any]) -> None:
    table = frame({"length": [1.0, 2.0], "width": [3.0, 4.0]})
    np.testing.assert_array_equal(read_frame(table, vectors, {}).arrays["v"], [[1, 3], [2, 4]])
    turned = read_frame(table, vectors, {"v": ["width", "length"]})
    np.testing.assert_array_equal(turned.arrays["v"], [[3, 1], [4, 2]])
    assert turned.columns == {"v": ("width", "length")}
    np.testing.assert_array_equal(
        read_frame(frame({"v2": [1.0], "v1": [2.0], "other": [9.0]}), vectors, {}).arrays["v"], [[2, 1]]
    )


def test_words_become_labels_and_keep_their_names(frame: Callable[[dict[str, Any]], Any]) -> None:
    table = frame({"x": [1.0, 2.0, 3.0], "site": ["north", "east", "north"]})
    found = read_frame(table, sites, {"g": "site"})
    assert found.arrays["g"].tolist() == [1, 0, 1]
    assert found.categories == {"g": ("east", "north")}
    again = read_frame(frame({"x": [5.0], "site": ["north"]}), sites, {"g": "site"}, found.categories)
    assert again.arrays["g"].tolist() == [1]
    with pytest.raises(DataError, match=r"'west', which was not among east, north"):
        read_frame(frame({"x": [5.0], "site": ["west"]}), sites, {"g": "site"}, found.categories)


def test_the_order_of_a_categorical_column_is_that_of_the_labels() -> None:
    pd = pytest.importorskip("pandas")
    column = pd.Categorical(["low", "high", "low"], categories=["low", "high"])
    found = read_frame(pd.DataFrame({"x": [1.0, 2, 3], "g": column}), sites, {})
    assert (found.arrays["g"].tolist(), found.categories) == ([0, 1, 0], {"g": ("low", "high")})
    pl = pytest.importorskip("polars")
    column = pl.Series(["low", "high"], dtype=pl.Enum(["low", "high"]))
    assert read_frame(pl.DataFrame({"x": [1.0, 2], "g": column}), sites, {}).arrays["g"].tolist() == [0, 1]


def test_words_that_were_given_as_an_array_are_labels_too() -> None:
    found = read_frame(None, sites, {"x": [1.0, 2.0], "g": ["b", "a"]})
    assert (found.arrays["g"].tolist(), found.categories) == ([1, 0], {"g": ("a", "b")})
    assert read_frame(None, sites, {"x": [1.0], "g": np.array([0])}).categories == {}


def test_absent_entries_are_nan(frame: Callable[[dict[str, Any]], Any]) -> None:
    gaps = Model({x[i]: Normal(0, sigma)}, missing=[x])
    assert np.isnan(read_frame(frame({"x": [1.0, None, 3.0]}), gaps, {}).arrays["x"]).tolist() == [
        False,
        True,
        False,
    ]
    pd = pytest.importorskip("pandas")
    nullable = pd.DataFrame({"x": pd.array([1, None, 3], dtype="Int64")})
    np.testing.assert_array_equal(read_frame(nullable, gaps, {}).arrays["x"], [1, np.nan, 3])


def test_what_is_no_number_and_what_is_not_there_is_named(frame: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(DataError, match=r"column x, row 1 \(counted from 0\): 'two' is not a number"):
        read_frame(frame({"x": ["1", "two"]}), numbers, {})
    with pytest.raises(DataError, match="no column 'y'; there are x"):
        read_frame(frame({"x": [1.0]}), numbers, {"x": "y"})
    with pytest.raises(DataError, match="columns a, b, but the model's data are x"):
        read_frame(frame({"a": [1.0], "b": [2.0]}), numbers, {})
    with pytest.raises(DataError, match="'q' is not an array of this model: it takes x"):
        read_frame(frame({"a": [1.0]}), numbers, {"q": "a"})


def test_dates_are_refused() -> None:
    pd = pytest.importorskip("pandas")
    with pytest.raises(DataError, match="datetime64"):
        read_frame(pd.DataFrame({"x": pd.to_datetime(["2020-01-01"])}), numbers, {})


# files -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["_polars", "_pandas", "_numpy", "the standard library"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every reader, on small files too."""
    name: str = request.param
    if name in ("_polars", "_pandas"):
        pytest.importorskip(name[1:])
    if name.startswith("_"):
        monkeypatch.setattr(readers, "_SMALL", 0)
        monkeypatch.setattr(readers, "_fast_reader", lambda: getattr(readers, name))
    return name


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x\n1.5\n2\n", [1.5, 2]),
        ("id,x\na,0.1\nb,1e-300\n", [0.1, 1e-300]),
        ("\ufeffx,y\n3,4\n5,6", [3, 5]),
        ("x,y\r\n3,4\r\n5,6\r\n", [3, 5]),
        ('"x",note\n1,"a, b"\n2,c\n', [1, 2]),
        ("x\n1\n\n2\n", [1, 2]),
        ("x,y\n 7 ,1\n8,2\n,3\n", [7, 8]),
        ("x,y\n123456789.123456789,1\n0.30000000000000004,2\n", [123456789.123456789, 0.30000000000000004]),
    ],
)
def test_every_reader_sees_the_same(text: str, wanted: list[float], reader: str, tmp_path: Path) -> None:
    (path := tmp_path / "data.csv").write_text(text, encoding="utf-8", newline="")
    assert read_table(path, numbers).arrays["x"].tolist() == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x,y\n1,2\n3\n", "line 3: 1 cells, but the header has 2"),
        ("x,y\n1,2\n3\n4,5,6\n", "line 3: 1 cells"),
        ("x\n1\ntrue\n", "column x, row 1 (counted from 0): 'true' is not a number"),
        ("x\nTrue\nFalse\n", "column x, row 0 (counted from 0): 'True' is not a number"),
        ("x,x\n1,2\n", "two columns for x"),
        ("x\n", "no rows"),
        ("a,b\n1,2\n", "columns a, b"),
    ],
)
def test_every_reader_refuses_the_same(text: str, told: str, reader: str, tmp_path: Path) -> None:
    (path := tmp_path / "data.csv").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(DataError, match=re.escape(told)):
        read_table(path, numbers)


def test_words_of_a_file_are_labels(reader: str, tmp_path: Path) -> None:
    (path := tmp_path / "data.csv").write_text("x,g\n1,east\n2,west\n3,east\n")
    found = read_table(path, sites)
    assert (found.arrays["g"].tolist(), found.categories) == ([0, 1, 0], {"g": ("east", "west")})
    assert read_table(path, sites, {"g": ("west", "east")}).arrays["g"].tolist() == [1, 0, 1]


def test_a_frame_is_fitted_as_its_arrays_are(frame: Callable[[dict[str, Any]], Any]) -> None:
    em = sites.derive()
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(4), 5)
    values = rng.normal(np.array([-3.0, 0.0, 1.0, 4.0])[codes], 0.5)
    words = np.array(["d", "a", "c", "b"])[codes]
    fit = em.fit(frame({"value": values, "site": words}), x="value", g="site", start={"sigma": 1.0})
    assert fit.categories == {"g": ("a", "b", "c", "d")}
    same = em.fit(x=values, g=np.searchsorted(fit.categories["g"], words), R=4, start={"sigma": 1.0})
    assert fit.log_likelihood == same.log_likelihood
    assert em.fit(x=values, g=words.tolist(), start={"sigma": 1.0}).categories == fit.categories


def test_a_fit_reads_other_frames_as_it_read_its_own(
    frame: Callable[[dict[str, Any]], Any], tmp_path: Path
) -> None:
    em = numbers.derive()
    values = np.random.default_rng(0).normal(0, [1.0, 5.0], (50, 2)).ravel()
    start = {"w": [0.5, 0.5], "mu": [0.0, 0.1], "s": [1.0, 4.0]}
    fit = em.fit(frame({"value": values}), x="value", start=start)
    others = frame({"value": [0.0, 10.0], "name": ["a", "b"]})
    np.testing.assert_array_equal(fit.predict(others), fit.predict(x=[0.0, 10.0]))
    np.testing.assert_allclose(fit.score_samples(others).sum(), fit.log_likelihood_of(x=[0.0, 10.0]))
    again = em.load(fit.save(tmp_path / "fit.json"))
    np.testing.assert_array_equal(again.posterior_of(others, x="value").z, fit.posterior_of(others).z)
    copied = pickle.loads(pickle.dumps(fit))
    np.testing.assert_array_equal(copied.predict(others), fit.predict(others))
    np.testing.assert_array_equal(fit.sample(n=5, seed=1)["x"], em.sample(fit.parameters, n=5, seed=1)["x"])
    alone = em.solver().fit(x=values, start=start)
    with pytest.raises(DataError, match="A module alone reads no frames"):
        alone.predict(others)
    np.testing.assert_array_equal(
        alone.sample(n=5, seed=1)["x"], em.sample(alone.parameters, n=5, seed=1)["x"]
    )


def test_words_that_a_fit_has_not_seen_are_named(frame: Callable[[dict[str, Any]], Any]) -> None:
    em = sites.derive()
    fit = em.fit(frame({"x": [1.0, 2.0, 4.0], "g": ["a", "b", "a"]}), start={"sigma": 1.0})
    same = fit.log_likelihood_of(frame({"x": [1.0, 2.0], "g": ["b", "b"]}), R=2)
    assert same == fit.log_likelihood_of(x=[1.0, 2.0], g=["b", "b"], R=2)
    with pytest.raises(DataError, match="column g holds 'c', which was not among a, b"):
        fit.log_likelihood_of(frame({"x": [1.0], "g": ["c"]}), R=2)
