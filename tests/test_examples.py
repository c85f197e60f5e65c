"""Every example is short, says where its model comes from, runs, and gives the update that its source prints."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import IndexedBase, Symbol, exp, pi, sqrt

from symem import Model, Simplex, maximise
from tests.answers import gap
from tests.derived import em, named, once, solver
from tests.evaluate import Evaluator, situation
from tests.models import MODELS, Row, example

FOLDER = Path(__file__).parents[1] / "examples"
FILES = sorted(path.stem for path in FOLDER.glob("*.py"))
ROWS = [row for row in MODELS if row.example]
#: The two general statements: they have no data.
GENERAL = {"maximum_entropy", "free_energy"}
#: Those whose latents look back: they are held to sums over all labelings (`tests/test_trees.py`) and to published numbers.
COUPLED = {"wavelet_tree", "earthquakes", "nile"}
#: Those that are approximations: they are held to integrals of SciPy and to published fits (`tests/test_quadrature_kinds.py`),
#: or to coordinate ascent by hand (`tests/test_mean_field.py`).
APPROXIMATE = {"rasch", "topics", "blocks"}


def test_every_example_has_a_row() -> None:
    assert {row.example for row in ROWS} == set(FILES) - GENERAL - COUPLED - APPROXIMATE


@pytest.mark.parametrize("name", FILES)
def test_shape(name: str) -> None:
    lines = (FOLDER / f"{name}.py").read_text().splitlines()
    assert len(lines) < 40
    assert lines[0].startswith('"""')
    assert lines[2].startswith("Source: ")
    assert 'if __name__ == "__main__":' in lines


@pytest.mark.parametrize("name", FILES)
def test_runs_as_a_script(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its model is that of its row, whose derivation is at hand."""
    for found in [em(row.name) for row in ROWS if row.example == name]:
        monkeypatch.setattr(Model, "derive", lambda _, found=found: found)
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert " = " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "published", "height"),
    [
        ("earthquakes", {"lam": [13.134, 19.713, 29.710]}, -328.5275),
        ("nile", {"q": 1468.4, "r": 15099.8}, -641.5398),
    ],
)
def test_chains_end_at_the_published_maximum(name: str, published: dict[str, Any], height: float) -> None:
    """Zucchini & MacDonald 2009, chapter 4; Durbin & Koopman 2012, section 2.10 (1469.1 and 15099 with a diffuse start)."""
    shown = example(name)
    fit = once(shown.model).fit(**shown.data, start=shown.start, accelerate="auto")
    assert fit.log_likelihood == pytest.approx(height, abs=2e-4)
    for parameter, expected in published.items():
        np.testing.assert_allclose(getattr(fit.parameters, parameter), expected, rtol=2e-4)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.example)
def test_textbook_covers_every_parameter(row: Row) -> None:
    """That the derived updates equal these is for `test_zoo` and, with vectors, for `test_printed`."""
    entries = [*(row.textbook_updates or {}), *(line.symbol for line in row.printed)]
    names = {str(getattr(entry, "base", entry)) for entry in entries}
    parameters = {variable.name for variable in row.model().parameters}
    assert parameters <= names
    assert row.printed or names == parameters


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.example)
def test_own_data_climb(row: Row) -> None:
    """The example's own data and start: ten steps of the emitted module, each at least as likely as the last."""
    module, chosen = solver(row.name), example(row.example or "")
    arrays = {name: np.asarray(value) for name, value in chosen.data.items()}
    theta, values = chosen.start, []
    for _ in range(10):
        value = module.log_posterior if row.prior else module.log_likelihood
        values.append(value(theta, **arrays))
        theta = module.em_step(theta, **arrays)
    assert np.diff(values).min() > -1e-9 * abs(values[0])


def test_first_update_and_limit_of_do_and_batzoglou() -> None:
    """Nature Biotechnology 26:897, figure 1b, as printed."""
    chosen, module = example("two_coins"), solver("coin_do_batzoglou")
    step = module.em_step(chosen.start, **chosen.data)
    assert np.round(step.th, 2) == pytest.approx([0.71, 0.58])
    limit = em("coin_do_batzoglou").fit(**chosen.data, start=chosen.start, tol=1e-12).parameters
    assert np.round(limit.th, 2) == pytest.approx([0.80, 0.52])


def test_update_of_one_missing_exponential() -> None:
    """Givens & Hoeting, example 4.1: theta becomes 2 theta / (5 theta + 1) at y1 = 5, exactly."""
    y1, theta = Symbol("y1"), Symbol("theta")
    explicit = em("exp_missing").explicit(theta)
    found = explicit.subs({symbol: Symbol(symbol.name) for symbol in explicit.free_symbols})
    assert (found - 2 * theta / (y1 * theta + 1)).together() == 0


def test_maximum_entropy() -> None:
    chosen = example("maximum_entropy")
    (value,) = maximise(chosen.entropy, {chosen.p: Simplex()}).values()
    assert value.subs(dict.fromkeys(value.free_symbols, 7)) * 7 == 1


def bell(x: Any, t: Any) -> Any:
    return exp(-((x - t) ** 2)) / sqrt(pi)


def decay(x: Any, t: Any) -> Any:
    return t * exp(-t * x)


DENSITIES = (bell, decay)


def test_free_energy_of_any_mixture_is_its_log_likelihood() -> None:
    """Q(θ|θ) + H(q) = ℓ(θ), shown for two densities put in place of f; and the M-step of F is that of Q."""
    chosen = example("free_energy")
    derivation = chosen.model.derive().derivation
    theta = {"w": np.array([0.3, 0.7]), "th": np.array([0.5, 2.0])}
    x = np.array([0.1, 0.4, 1.9, 2.5])
    for density in DENSITIES:
        run = Evaluator(situation(chosen.model, {"x": x}, theta))
        for each in (*derivation.definitions, *derivation.surrogate.statistics):
            run.define(each.symbol, each.axes, each.value.replace(chosen.f, density))
        surrogate = derivation.surrogate
        energy = surrogate.value + surrogate.constant + surrogate.entropy
        plain = [[density(a, b) for b in theta["th"]] for a in x]
        expected = np.log(np.array(plain, dtype=float) @ theta["w"]).sum()
        assert run(energy.replace(chosen.f, density)) == pytest.approx(expected, rel=1e-12)
    (update,) = derivation.updates
    assert str(update.parameter.base) == "w"
    assert {str(p.base) for block in derivation.not_derived for p in block.parameters} == {"th"}


def test_limits_of_old_faithful() -> None:
    """The mixtools vignette: λ .36085, .63915; μ 54.61, 80.09; ℓ −1034.002."""
    chosen = example("old_faithful")
    fit = em("gmm1d_faithful").fit(**chosen.data, start=chosen.start, tol=1e-12)
    assert fit.log_likelihood == pytest.approx(-1034.0017, abs=1e-3)
    limit = named(fit.parameters)
    assert gap({"w": limit["w"]}, {"w": np.array([0.36089, 0.63911])}) < 1e-4
    assert limit["mu"] == pytest.approx([54.6149, 80.0911], abs=1e-3)


def test_example_symbols_are_plain() -> None:
    """The examples use the symbols a user would: no assumptions but those of sizes."""
    assert example("old_faithful").mu == IndexedBase("mu")
