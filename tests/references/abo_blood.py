"""ABO blood groups: gene counting (Lange, Mathematical and Statistical Methods for Genetic Analysis, ch. 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values


def phenotypes(theta: Values) -> Any:
    a, b, o = theta["p"]
    return np.array([a * a + 2 * a * o, b * b + 2 * b * o, 2 * a * b, o * o])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(data["n"] @ np.log(phenotypes(theta)))


def em_step(theta: Values, data: Values) -> Values:
    a, b, o = theta["p"]
    of_a, of_b, ab, oo = data["n"] / np.array([a + 2 * o, b + 2 * o, 1, 1])
    aa, ao, bb, bo = of_a * a, of_a * 2 * o, of_b * b, of_b * 2 * o
    return {"p": np.array([2 * aa + ao + ab, 2 * bb + bo + ab, ao + bo + 2 * oo]) / (2 * data["n"].sum())}
