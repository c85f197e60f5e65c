"""Hamilton's (1989) growth of US output: regressions in deviations from the mean of a regime, beside statsmodels on his data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_chains import derived

FILE = Path(__file__).parent / "chains" / "hamilton_growth.json"


def test_likelihood_and_maximum_of_growth_beside_statsmodels() -> None:
    """Its likelihood at given parameters, the first regime being drawn from the stationary law; EM ends no lower than its maximum."""
    regimes = pytest.importorskip("statsmodels.tsa.regime_switching.markov_autoregression")
    growth = np.array(json.loads(FILE.read_text())["growth"])
    peer = regimes.MarkovAutoregression(growth, k_regimes=2, order=1, switching_ar=False)
    stay, back = 0.75, 0.1
    theta: dict[str, Any] = {
        "pi": np.array([back, 1 - stay]) / (1 - stay + back),
        "A": np.array([[stay, 1 - stay], [back, 1 - back]]),
        "mu": np.array([-0.36, 1.16]),
        "phi": np.array([0.2]),
        "s": 0.8,
    }
    em = derived("deviations")
    said = [stay, back, *theta["mu"], theta["s"] ** 2, theta["phi"][0]]
    assert em.solver().log_likelihood(theta, y=growth) == pytest.approx(peer.loglike(said), abs=1e-9)
    fit = em.fit(y=growth, start=theta, tol=1e-9, max_iter=2000)
    assert fit.converged
    assert fit.log_likelihood >= peer.fit(said, disp=False).llf - 1e-6
