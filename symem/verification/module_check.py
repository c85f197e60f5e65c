"""A first look at an emitted module: V0 at one θ on a few drawn data, quick enough to be asked before every use.

It says only that the module computes what the formulas say; whether these are right, the ladder says.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from symem.budget import OutOfTimeError, within
from symem.derivation import Derivation
from symem.errors import DataError
from symem.evaluation.situation import situation
from symem.verification.emitted import Asked, ModuleFailsError, ModuleRefusesError
from symem.verification.formulas import Formulas
from symem.verification.ground import Finding, Ground, Theta
from symem.verification.ladder import LADDER
from symem.verification.oracle import Oracle
from symem.verification.records import Rung
from symem.verification.sampling import draw
from symem.verification.sizes import default_sizes, hidden_sizes

#: Processor seconds that it may take.
SECONDS = 2.0
#: A module that is wrong is wrong by more, and rounding costs less, whatever θ is.
_WRONG = 1e-6


def first_look(derivation: Derivation, module: Any) -> Rung:
    """V0, each function asked once: failed, passed, or open where no data could be drawn in time."""
    name, identity = LADDER[0].name, LADDER[0].identity
    try:
        with within(SECONDS), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ground = _ground(derivation, module)
            found = list(Asked(ground, ground.points[0], module).differences())
    except ModuleRefusesError as reason:
        return Rung(name, identity, None, detail=str(reason))
    except ModuleFailsError as reason:
        found = [Finding(np.inf, str(reason))]
    except (DataError, OutOfTimeError) as reason:
        return Rung(name, identity, None, detail=str(reason))
    except Exception as reason:  # noqa: BLE001  what cannot be looked at says nothing of the module
        return Rung(name, identity, None, detail=f"could not be computed: {type(reason).__name__}: {reason}")
    worst = max(found, key=lambda each: each.number or 0.0)
    gap = worst.number or 0.0
    return Rung(name, identity, bool(gap <= _WRONG), gap, _WRONG, 1, worst.detail if gap > _WRONG else "")


def _ground(derivation: Derivation, module: Any) -> Ground:
    """A few data, and the parameters behind them."""
    model = derivation.model

    def log_likelihood(arrays: Mapping[str, Any], theta: Theta) -> float:
        return Formulas(derivation, arrays, Oracle(model, arrays)).at(theta).log_likelihood

    drawn = draw(model, np.random.default_rng(0), default_sizes(model), log_likelihood)
    hidden = hidden_sizes(model, drawn.data, drawn.theta, {})
    arrays = situation(model, drawn.data, {**hidden, **drawn.theta})
    return Ground(derivation, arrays, drawn.data, (drawn.theta,), module)
