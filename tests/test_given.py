"""What a fit is given, arrays and options: numbers are read as they are meant, all else is refused by name; and what
comes of it can be pickled and copied.
"""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, Rational, symbols

from symem import Categorical, Model, Normal, Poisson
from symem.em import EM
from symem.errors import DataError

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu = map(IndexedBase, ["x", "z", "w", "mu"])
START = {"w": [0.5, 0.5], "mu": [-1.0, 1.0]}
NUMBERS = [-1.5, 0.25, 2.0, 3.0]


@pytest.fixture(scope="module")
def mixture() -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1)}, latent=[z]).derive()


@pytest.fixture(scope="module")
def gappy() -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1)}, latent=[z], missing=[x]).derive()


NOT_NUMBERS = {
    "dates": (np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"), "dates"),
    "spans": (np.array([1, 2], dtype="timedelta64[s]"), "spans of time"),
    "complex": (np.array([1 + 0j, 2]), "complex"),
    "text": (np.array(["1.0", "2.0"]), "text"),
    "bytes": (np.array([b"1", b"2"]), "text"),
    "listed text": (["1", 2.0], "text"),
    "date objects": ([dt.date(2020, 1, 1), 1.0], r"x\[0\] = '2020-01-01'"),
    "complex objects": (np.array([1.0, 2j], dtype=object), r"x\[1\] = '2j'"),
    "text objects": (np.array([1.0, "1.0"], dtype=object), r"x\[1\]"),
    "none": ([1.0, None], r"x\[1\] = nan"),
    "ragged": ([[1.0], [1.0, 2.0]], "differ in length"),
    "records": (np.zeros(2, dtype=[("a", float)]), "type"),
    "masked": (np.ma.masked_greater([1.0, 5.0, 2.0], 4.0), r"x\[1\] is masked.*missing=\[x\]"),
    "a masked entry in a list": ([1.0, np.ma.masked], r"x\[1\] is masked"),
}


@pytest.mark.parametrize("name", NOT_NUMBERS)
def test_what_is_no_number_is_refused(name: str, mixture: EM) -> None:
    array, words = NOT_NUMBERS[name]
    with pytest.raises(DataError, match=words):
        mixture.fit(x=array, K=2, start=START)


@pytest.mark.parametrize(
    "given",
    [
        [Fraction(-3, 2), Decimal("0.25"), 2, np.float32(3)],
        [Rational(-3, 2), Rational(1, 4), 2, 3.0],
        np.ma.array(np.array(NUMBERS), mask=np.zeros(4, dtype=bool)),
        np.array(NUMBERS, dtype=">f4"),
    ],
    ids=["python's", "sympy's", "nothing masked", "of another machine"],
)
def test_numbers_of_every_library_are_read(given: Any, mixture: EM) -> None:
    solver = mixture.solver()
    assert solver.log_likelihood(START, x=given) == solver.log_likelihood(START, x=NUMBERS)


@pytest.mark.parametrize(
    "given",
    [
        np.ma.array(np.array([*NUMBERS[:2], 1e9, *NUMBERS[2:]]), mask=np.arange(5) == 2),
        [*NUMBERS[:2], None, *NUMBERS[2:]],
    ],
)
def test_masked_entries_and_none_are_missing(given: Any, gappy: EM) -> None:
    """A missing response adds nothing to the likelihood."""
    value = gappy.solver().log_likelihood(START, x=given)
    density = np.exp(-((np.array(NUMBERS)[:, None] - START["mu"]) ** 2) / 2) / np.sqrt(2 * np.pi)
    assert value == pytest.approx(np.log(density @ START["w"]).sum(), rel=1e-12)


def test_truth_values_are_counts() -> None:
    counts = Model({z[i]: Categorical(w[k]), x[i]: Poisson(mu[z[i]])}, latent=[z]).derive().solver()
    theta = {"w": [0.5, 0.5], "mu": [0.5, 2.0]}
    assert counts.log_likelihood(theta, x=np.array([True, False])) == counts.log_likelihood(theta, x=[1, 0])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("K", value) for value in ("2", 2.5, 0, -1, None, [2], float("nan"), True)),
        *(("tol", value) for value in ("x", float("nan"), float("inf"), None, [1e-3])),
        *(("max_iter", value) for value in (2.5, -1, "9", None)),
        *(("n_init", value) for value in (0, "q", 1.5)),
        *(("seed", value) for value in (-1, "a", 0.5)),
        ("callback", 3),
        ("verbose", "yes"),
        ("start", 3),
        ("start", "random"),
        ("start", {"w": "x", "mu": [0, 1]}),
    ],
)
def test_a_wrong_option_is_named(option: str, value: Any, mixture: EM) -> None:
    words = (
        "w is not an array"
        if isinstance(value, dict)
        else "Parameters are"
        if option == "start"
        else rf"{option} ?="
    )
    with pytest.raises(DataError, match=words):
        mixture.fit(x=NUMBERS, **{"K": 2, option: value})


def test_whole_numbers_of_every_kind_are_sizes(mixture: EM) -> None:
    for size in (2, 2.0, np.int8(2), np.array(2)):
        options: dict[str, Any] = {"seed": np.int64(3), "max_iter": 1e3, "tol": 1}
        assert len(mixture.fit(x=NUMBERS, K=size, **options).parameters.mu) == 2


def test_data_may_be_named_self() -> None:
    own = IndexedBase("self")
    em = Model({z[i]: Categorical(w[k]), own[i]: Normal(mu[z[i]], 1)}, latent=[z]).derive()
    found = em.fit(self=NUMBERS, start=START)
    assert found.log_likelihood == em.solver().log_likelihood(found.parameters, self=NUMBERS)


# pickled and copied ---------------------------------------------------------------------------------------


def test_all_that_is_made_can_be_pickled_and_copied(mixture: EM) -> None:
    found = mixture.fit(x=NUMBERS, start=START)
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):
        assert type(again) is type(found)
        assert type(again.parameters) is type(found.parameters)
        np.testing.assert_array_equal(again.posterior.z, found.posterior.z)
    for twin in (pickle.loads(pickle.dumps(mixture)), copy.deepcopy(mixture)):
        assert str(twin) == str(mixture)
        assert twin.source() == mixture.source()
        np.testing.assert_array_equal(twin.fit(x=NUMBERS, start=START).history, found.history)
    model = pickle.loads(pickle.dumps(mixture.model))
    assert str(model) == str(mixture.model)


def test_a_fit_is_read_back_elsewhere(mixture: EM, tmp_path: Any) -> None:
    found = mixture.fit(x=NUMBERS, start=START)
    (tmp_path / "fit.pickle").write_bytes(pickle.dumps((found, mixture)))
    program = (
        "import pickle, sys; fit, em = pickle.load(open(sys.argv[1], 'rb'));"
        "print(fit.parameters.mu.tolist() == em.solver().fit(x=eval(sys.argv[2]), start=eval(sys.argv[3])).parameters.mu.tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "fit.pickle", str(NUMBERS), str(START)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "True\n", done.stderr
