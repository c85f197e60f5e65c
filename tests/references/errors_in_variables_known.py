"""A line in a covariate that was measured with a known error, its own at each point (Fuller 1987, section 1.2)."""

from __future__ import annotations

from tests.references import Values, log_normal


def log_likelihood(theta: Values, data: Values) -> float:
    x, y, b1, t2 = data["x"], data["y"], theta["b1"], theta["t2"]
    middle = theta["b0"] + b1 * theta["m"]
    var_x, cov, var_y = t2 + data["v"], b1 * t2, b1**2 * t2 + theta["s2"]
    line = middle + cov / var_x * (x - theta["m"])
    return float((log_normal(x, theta["m"], var_x) + log_normal(y, line, var_y - cov**2 / var_x)).sum())


def em_step(theta: Values, data: Values) -> Values:
    x, y, b1, s2 = data["x"], data["y"], theta["b1"], theta["s2"]
    noise = data["v"]
    v = 1 / (1 / theta["t2"] + 1 / noise + b1**2 / s2)
    xi = v * (theta["m"] / theta["t2"] + x / noise + b1 * (y - theta["b0"]) / s2)
    m, second = xi.mean(), (xi**2 + v).mean()
    slope = ((xi * y).mean() - m * y.mean()) / (second - m**2)
    b0 = y.mean() - slope * m
    about_line = (y - b0 - slope * xi) ** 2 + slope**2 * v
    return {"m": m, "t2": second - m**2, "b0": b0, "b1": slope, "s2": about_line.mean()}
