"""Peppered moths with a class known only as insularia or typica (Givens & Hoeting, problem 4.1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values


def phenotypes(theta: Values) -> Any:
    c, i, t = theta["p"]
    return np.array([c * c + 2 * c * i + 2 * c * t, i * i + 2 * i * t, t * t, (i + t) ** 2])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(data["n"] @ np.log(phenotypes(theta)))


def em_step(theta: Values, data: Values) -> Values:
    c, i, t = theta["p"]
    carbonaria, insularia, typica, unsure = data["n"] / phenotypes(theta)
    cc, ci, ct = carbonaria * c * c, carbonaria * 2 * c * i, carbonaria * 2 * c * t
    ii, it = (insularia + unsure) * i * i, (insularia + unsure) * 2 * i * t
    tt = (typica + unsure) * t * t
    return {"p": np.array([2 * cc + ci + ct, ci + 2 * ii + it, ct + it + 2 * tt]) / (2 * data["n"].sum())}
