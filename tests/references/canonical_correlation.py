"""Two sets of measurements that share their factors (Bach & Jordan 2005)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, log_multinormal


def log_likelihood(theta: Values, data: Values) -> float:
    W, P, Q = np.vstack([theta["A"], theta["B"]]), theta["P"], theta["Q"]
    noise = np.block([[P, np.zeros((len(P), len(Q)))], [np.zeros((len(Q), len(P))), Q]])
    return float(log_multinormal(np.hstack([data["x"], data["y"]]), 0.0, W @ W.T + noise).sum())


def em_step(theta: Values, data: Values) -> Values:
    x, y, A, B = data["x"], data["y"], theta["A"], theta["B"]
    by_x, by_y = np.linalg.solve(theta["P"], A), np.linalg.solve(theta["Q"], B)
    variance = np.linalg.inv(np.eye(A.shape[1]) + A.T @ by_x + B.T @ by_y)
    z = (x @ by_x + y @ by_y) @ variance
    second = z.T @ z + len(x) * variance
    A, B = (np.linalg.solve(second, z.T @ each).T for each in (x, y))
    P, Q = ((s.T @ s - C @ z.T @ s) / len(x) for s, C in ((x, A), (y, B)))
    return {"A": A, "B": B, "P": (P + P.T) / 2, "Q": (Q + Q.T) / 2}
