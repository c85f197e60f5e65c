"""The ladder on derivations of the engine and on their emitted modules."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, Rational, Sum, exp, log, symbols

from symem import (
    Bernoulli,
    Binary,
    Cases,
    Gamma,
    Model,
    Normal,
    Poisson,
    Positive,
    Uniform,
    UnitInterval,
)
from symem.derivation import Status
from symem.errors import DataError, VerificationError
from symem.runtime.loop import BoundaryWarning
from symem.verification import Rung, TooLargeError, Verification, numeric_second_order, prepare, verify
from symem.verification.ground import Finding
from symem.verification.ladder import Check, climb
from symem.verification.sampling import draw
from symem.verification.sizes import default_sizes
from tests.derived import em
from tests.models import BY_NAME, DERIVED, FEW, Row, in_turn, slow_but_for

#: Of the few, those whose likelihood brute force reaches slowly.
SLOWLY = {"dawid_skene", "t_mixture", "lca_missing_items", "ordered_probit"}
#: Totals so large that their compositions cannot be listed, and a sequence of so many places that its paths cannot.
OUT_OF_REACH = {"rabbit_coat", "hmm_categorical"}


@slow_but_for(in_turn([row for row in DERIVED if not row.of], 3), {row.name for row in FEW[::2]} - SLOWLY)
def test_what_blocks_emission_holds_on_the_data_of_the_table(row: Row) -> None:
    theta = row.theta(row.file["start"]) if row.file.get("start") else None
    ground, note = prepare(em(row.name), row.data, theta=theta, seed=1)
    found = Verification(climb(ground, "V0", "V1", "V2", "V3"), note)
    if row.name in OUT_OF_REACH:
        assert not found.failed
        assert all("out of reach" in rung.detail for rung in found.open)
        found = verify(em(row.name), seed=1)
    assert all(rung.passed for rung in found.rungs), str(found)


@pytest.mark.parametrize(
    "name",
    [
        "gmm1d_own_var",
        "random_effects_dyestuff",
        "map_beta_coins",
        "exp_censored_nan",
        "mvn_missing",
        "common_mean_vector",
        "evidence_linreg",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("zip", "gmm_mv_tied", "ppca_mean", "lmm_random_slope")
        ),
    ],
)
def test_the_whole_ladder_on_data_drawn_from_the_model(name: str) -> None:
    found = verify(em(name), seed=2)
    assert not found.failed, str(found)
    assert "drawn from the declared distributions" in found.data


@pytest.mark.parametrize(
    "name",
    [
        "peppered_moths", "ibm_model1", "exp_right_censored", "hurdle_exponential", "bivariate_poisson",
        "scale_inverse_gamma", "misclassified", "gmm_missing", "known_loading",
    ],
)  # fmt: skip
def test_data_drawn_are_such_as_the_likelihood_admits(name: str) -> None:
    model = em(name).model
    drawn = draw(model, np.random.default_rng(5), default_sizes(model))
    assert set(drawn.data) == {each.name for each in (*model.data, *model.known)}
    ground, _note = prepare(em(name), seed=5)
    assert all(np.isfinite(ground.oracle.log_posterior(point)) for point in ground.points)


n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, z = map(IndexedBase, ["x", "z"])
p, q, r = symbols("p q r")


def test_a_likelihood_tells_the_support_of_its_data() -> None:
    density = z[i] * (log(r) + x[i] * log(p) + (1 - x[i]) * log(1 - p)) + (1 - z[i]) * (
        log(1 - r) + x[i] * log(q) + (1 - x[i]) * log(1 - q)
    )
    unit = UnitInterval()
    model = Model.from_likelihood(
        log_likelihood=Sum(density, (i, 0, n - 1)),
        latent={z: Binary()},
        parameters={p: unit, q: unit, r: unit},
    )
    drawn = draw(model, np.random.default_rng(0), {"n": 200})
    assert "x: Binary" in drawn.note
    share = drawn.theta["r"] * drawn.theta["p"] + (1 - drawn.theta["r"]) * drawn.theta["q"]
    assert drawn.data["x"].mean() == pytest.approx(float(share), abs=0.1)


def test_a_likelihood_that_is_no_density_of_its_data_is_checked_on_arbitrary_data() -> None:
    rate = symbols("rate")
    model = Model.from_likelihood(
        log_likelihood=Sum(z[i] * log(rate) + 2 * x[i] * log(rate) - rate * x[i], (i, 0, n - 1)),
        latent={z: Binary()},
        parameters={rate: Positive()},
    )
    assert "arbitrary data" in draw(model, np.random.default_rng(0), {"n": 4}).note


def test_a_large_plate_is_thinned() -> None:
    row = BY_NAME["gmm1d_faithful"]
    ground, note = prepare(em(row.name), row.data, theta=row.theta(row.file["start"]))
    assert ground.data["x"].shape == (40,)
    assert "40 positions of n drawn from 272" in note


def test_data_of_two_sizes_are_refused() -> None:
    data = BY_NAME["normal_known_noise"].data
    name = next(each for each, value in data.items() if np.ndim(value))
    with pytest.raises(DataError, match="entries where"):
        verify(em("normal_known_noise"), {**data, name: data[name][:3]})


def test_missing_data_are_named() -> None:
    with pytest.raises(DataError, match="No values for y"):
        verify(em("gmm1d_own_var"), {})


def test_without_data_that_could_be_drawn_every_rung_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise DataError("No data: give verify(data={…}).")

    monkeypatch.setattr("symem.verification.verifying.draw", refuse)
    found = verify(em("gmm1d_own_var"))
    assert len(found.open) == len(found.rungs) == 7
    assert found.verdict == "open"
    assert not found.passed
    assert found.blocks_emission
    assert "give verify(data" in str(found)


def test_nothing_is_written_where_nothing_could_be_verified(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def crash(*_arguments: Any) -> Any:
        raise KeyError("an error of the ladder itself")

    monkeypatch.setattr("symem.verification.verifying.draw", crash)
    with pytest.raises(VerificationError, match="nothing could be verified: give verify=False"):
        em("gmm1d_own_var").write(tmp_path / "a.py")
    assert not (tmp_path / "a.py").exists()
    assert em("gmm1d_own_var").write(tmp_path / "a.py", verify=False).exists()


def test_a_rung_that_takes_too_long_is_open_and_says_so() -> None:
    found = verify(em("gmm1d_own_var"), seconds=0.0)
    assert found.verdict == "open"
    assert "out of reach in 0 s" in str(found)


def test_data_on_which_an_update_is_infinite_do_not_speak_against_it() -> None:
    """log(Σx/Σe) of a Poisson rate is -∞ where all counts are 0, and its certificate says so."""
    n = symbols("n", integer=True, positive=True)
    i, b = Idx("i", n), symbols("b")
    u, x, e = map(IndexedBase, ["u", "x", "e"])
    laws = {u[i]: Gamma(2, Rational(1, 2)), x[i]: Poisson(u[i] * e[i] * exp(b))}
    algorithm = Model(laws, latent=[u], known=[e]).derive()
    found = {rung.name: rung.passed for rung in algorithm.verify().rungs}
    assert found["V3"] is True
    zeros = verify(algorithm.derivation, {"x": np.zeros(3), "e": np.ones(3)})
    assert {rung.name: rung.passed for rung in zeros.rungs}["V3"] is None


def test_an_error_of_the_ladder_itself_leaves_a_rung_open(monkeypatch: pytest.MonkeyPatch) -> None:
    ground, note = prepare(em("gmm1d_own_var"))

    def crash(*_arguments: Any) -> Any:
        raise TypeError("no such luck")

    monkeypatch.setattr("symem.verification.oracle.Oracle.at", crash)
    found = Verification(climb(ground), note)
    assert found["V1"].passed is None
    assert "TypeError: no such luck" in found["V1"].detail
    assert not found.passed


@pytest.mark.parametrize("scale", [1e-6, 300.0, 1e7])
def test_data_of_any_scale_are_verified_at_theirs(scale: float) -> None:
    rng = np.random.default_rng(3)
    data = {"y": scale * np.concatenate([rng.normal(3, 1, 12), rng.normal(-1, 0.3, 12)])}
    found = verify(em("gmm1d_own_var"), data, sizes={"K": 2})
    assert found.passed, str(found)
    ground, _note = prepare(em("gmm1d_own_var"), data, sizes={"K": 2})
    values = [ground.oracle.log_likelihood(theta) for theta in ground.points]
    best = 24 * (np.log(1 / scale) - 2)
    assert min(values) > best - 60


a, b, m, s, w = symbols("a b m s w")


def test_known_ends_are_drawn_in_order() -> None:
    laws = {z[i]: Bernoulli(w), x[i]: Cases(z[i], {1: Uniform(a, b), 0: Normal(m, s)})}
    derived = Model(laws, latent=[z], known=[a, b]).derive()
    drawn = [draw(derived.model, np.random.default_rng(seed), {"n": 6}).data for seed in range(12)]
    assert all(each["a"] < each["b"] for each in drawn)
    assert verify(derived).passed


def test_a_line_on_which_one_row_is_left_or_none_does_not_speak_against_its_update() -> None:
    """Outliers between 0 and 100 put the rows so far from the line that weights of 1e-114 and 1e-149 are all it has."""
    c = IndexedBase("c")
    line = Normal(a + b * c[i], s)
    laws = {z[i]: Bernoulli(w), x[i]: Cases(z[i], {0: line, 1: Uniform(0, 100)})}
    derived = Model(laws, latent=[z], known=[c]).derive()
    assert all(verify(derived, seed=seed).passed for seed in (1, 3, 7))


def test_what_is_drawn_has_a_density() -> None:
    """Sums that a total makes impossible: of m carbonaria among nU moths that none is known to be."""
    model = em("peppered_moths_unknown").model
    for seed in range(5):
        data = draw(model, np.random.default_rng(seed), default_sizes(model)).data
        assert data["mCC"] + data["mCI"] + data["mCT"] == 0


def test_what_brute_force_cannot_reach_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    ground, note = prepare(em("gmm1d_own_var"), seed=4)

    def out_of_reach(*_arguments: Any) -> Any:
        raise TooLargeError("9 coupled continuous latents")

    monkeypatch.setattr("symem.verification.beliefs.Group.belief", out_of_reach)
    found = Verification(climb(ground), note)
    assert {rung.name for rung in found.open} >= {"V1", "V2", "V3", "V4", "V5"}
    assert "out of reach of brute force: 9 coupled" in found["V1"].detail


def test_the_second_order_condition_by_numbers() -> None:
    row = BY_NAME["gmm1d_own_var"]
    ground, _note = prepare(em(row.name), row.data, theta=row.theta(row.file["start"]))
    claim = numeric_second_order(ground)
    assert claim.status is Status.CHECKED
    assert "3 points" in claim.argument


def test_the_report_says_how_well_each_identity_held() -> None:
    rungs = (
        Rung("V1", "Q + H = ℓ", True, 3e-16, 1e-9, 3),
        Rung("V3", "∂Q/∂θ = 0", False, 0.2, 1e-6, 3, "∂Q/∂mu[0] does not vanish"),
        Rung("V5", "a fixed point", None, detail="out of reach"),
    )
    found = Verification(rungs, "some data")
    shown = str(found).splitlines()
    assert shown[0] == "Checked on some data."
    assert shown[1].startswith("V1  passed  Q + H = ℓ  3.0e-16 ≤ 1e-09")
    assert shown[2].startswith("V3  FAILED")
    assert shown[3].endswith("(out of reach)")
    assert not found.passed
    assert found.blocks_emission
    assert found["V3"] in found.failed
    assert [rung.name for rung in found.open] == ["V5"]


def test_a_failing_fourth_rung_does_not_block() -> None:
    found = Verification((Rung("V4", "ℓ never falls", False, 1.0, 0.0, 1),))
    assert not found.blocks_emission
    assert not found.passed


def test_open_is_not_passed() -> None:
    found = Verification((Rung("V0", "…", True, 0.0, 1e-9, 1), Rung("V2", "…", None, detail="too large")))
    assert (found.verdict, found.passed, found.blocks_emission) == ("open", False, False)
    assert str(found).endswith("Not passed: V2 open.")


def test_sizes_of_labels_and_plates_differ() -> None:
    sizes = default_sizes(BY_NAME["dawid_skene"].model())
    assert len(set(sizes.values())) > 1


def test_what_a_module_warns_of_on_drawn_data_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def warned(_ground: Any) -> Iterator[Finding]:
        warnings.warn("no maximum", BoundaryWarning, stacklevel=2)
        yield Finding(0.0)

    monkeypatch.setattr(
        "symem.verification.ladder.LADDER", (Check("V", "of a module that warns", warned, 0.0),)
    )
    (rung,) = climb(prepare(em("normal_known_noise"))[0])
    assert rung.passed
