"""The references themselves: against published numbers, and against the slope of their own likelihood."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.answers import BEYOND, HERE, ZOO, Values, direction, gap, move, numbers, reference, written

#: What takes hundreds of steps to its fixed point.
SLOWLY = {"gmm_missing", "mixture_fa_own", "multivariate_regression", "mvn_missing"}


def test_files_of_numbers_have_one_row_a_line() -> None:
    paths = [*HERE.glob("zoo/*.json"), *HERE.glob("beyond/*.json")]
    texts = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    assert [name for name, text in texts.items() if text != written(json.loads(text)) + "\n"] == []


@pytest.mark.parametrize("name", ZOO)
def test_first_iterate_and_fixed_point(name: str) -> None:
    file, step = numbers(name), reference(name).em_step
    assert gap(step(file["start"], file["data"]), file["first"]) < 1e-9
    assert gap(step(file["fixed_point"], file["data"]), file["fixed_point"]) < 1e-9


@pytest.mark.parametrize("name", ZOO)
def test_log_likelihood(name: str) -> None:
    file, value = numbers(name), reference(name).log_likelihood
    for point in ("start", "fixed_point"):
        assert value(file[point], file["data"]) == pytest.approx(file[f"{point}_log_likelihood"], rel=1e-10)


def converged(name: str) -> tuple[Values, list[float]]:
    file, module = numbers(name), reference(name)
    theta, history = file["start"], []
    for _ in range(20000):
        history.append(module.log_likelihood(theta, file["data"]))
        new = module.em_step(theta, file["data"])
        if gap(new, theta) < 1e-12:
            break
        theta = new
    return theta, history


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.slow] * (each in SLOWLY)) for each in BEYOND]
)
def test_steps_climb_to_a_stationary_point_of_the_likelihood(name: str) -> None:
    """ℓ is written apart from the step, so a wrong step shows as a fall of ℓ or as a slope where it stops."""
    file, module = numbers(name), reference(name)
    theta, history = converged(name)
    assert len(history) < 20000
    assert all(new >= old - 1e-9 for old, new in itertools.pairwise(history))
    for seed in range(4):
        way = direction(theta, seed)
        ahead, behind = (move(file, theta, way, length) for length in (1e-4, -1e-4))
        slope = (
            module.log_likelihood(ahead, file["data"]) - module.log_likelihood(behind, file["data"])
        ) / 2e-4
        assert abs(slope) < 1e-4 * (1 + abs(history[-1]))


@pytest.mark.parametrize("name", BEYOND)
def test_first_step_raises_the_likelihood(name: str) -> None:
    file, module = numbers(name), reference(name)
    start, data = file["start"], file["data"]
    assert module.log_likelihood(module.em_step(start, data), data) > module.log_likelihood(start, data)
