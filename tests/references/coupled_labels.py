"""Two labels a row, the second given the first (two-level latent classes, Vermunt 2003)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    top = np.log(theta["w"]) + np.log(theta["B"][:, data["c"]].T)
    bottom = log_normal(data["x"][:, None], theta["m"], theta["s2"])
    return top[:, :, None] + np.log(theta["A"]) + bottom[:, None, :]


def log_likelihood(theta: Values, data: Values) -> float:
    joint = log_joint(theta, data)
    return float(normalise(joint.reshape(len(joint), -1))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    joint = log_joint(theta, data)
    r = normalise(joint.reshape(len(joint), -1))[0].reshape(joint.shape)
    z, u, x = r.sum(2), r.sum(1), data["x"]
    A, B = r.sum(0), z.T @ np.eye(theta["B"].shape[1])[data["c"]]
    m = u.T @ x / u.sum(0)
    return {
        "w": z.mean(0),
        "A": A / A.sum(1, keepdims=True),
        "B": B / B.sum(1, keepdims=True),
        "m": m,
        "s2": (u * (x[:, None] - m) ** 2).sum() / len(x),
    }
