"""Probabilistic latent semantic analysis, Dirichlet(1 + e) smoothing (Hofmann 1999; Asuncion et al. 2009)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    th, ph = theta["th"], theta["ph"]
    log_prior = data["e"] * (np.log(th).sum() + np.log(ph).sum())
    return float((data["n"] * np.log(th @ ph)).sum() + log_prior)


def em_step(theta: Values, data: Values) -> Values:
    th, ph = theta["th"], theta["ph"]
    ratio = data["n"] / (th @ ph)
    topics = th * (ratio @ ph.T) + data["e"]
    words = ph * (th.T @ ratio) + data["e"]
    return {"th": topics / topics.sum(1, keepdims=True), "ph": words / words.sum(1, keepdims=True)}
