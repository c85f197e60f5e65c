"""The ladder of identities that a right EM satisfies and a wrong one does not.

Monotone likelihood alone misses most wrong E- and M-steps. Each rung is an identity at random θ⁽ᵗ⁾ that are
no fixed points, with ℓ and Q computed by the oracle from the declared model, apart from the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symem.errors import UnknownSymbolError
from symem.verification.ascent import STEPS, fixed_point_is_maximum, likelihood_never_falls, update_maximises
from symem.verification.enumeration import TooLargeError
from symem.verification.ground import GAIN, IDENTITY, ROUNDING, SLOPE, Finding, Ground
from symem.verification.identities import (
    emitted_equals_formulas,
    fisher_identity,
    free_energy_equals_likelihood,
)
from symem.verification.records import Rung


@dataclass(frozen=True)
class Check:
    """One rung: its identity, how to find the largest violation, and what rounding may cost."""

    name: str
    identity: str
    violation: Callable[[Ground], Finding]
    tolerance: float

    def __call__(self, ground: Ground) -> Rung:
        found = self._found(ground)
        if found.number is None:
            return Rung(self.name, self.identity, None, detail=found.detail)
        passed = bool(found.number <= self.tolerance)
        note = found.detail if not passed else _partial(ground) if self.name in {"V3", "V5"} else ""
        return Rung(self.name, self.identity, passed, found.number, self.tolerance, len(ground.points), note)

    def _found(self, ground: Ground) -> Finding:
        try:
            with np.errstate(all="ignore"):
                return self.violation(ground)
        except TooLargeError as reason:
            return Finding(None, f"out of reach of brute force: {reason}")
        except (UnknownSymbolError, np.linalg.LinAlgError, ValueError, ArithmeticError) as reason:
            return Finding(np.inf, str(reason))


def _partial(ground: Ground) -> str:
    return (
        f"held where they are, for want of an update: {', '.join(sorted(ground.fixed))}"
        if ground.fixed
        else ""
    )


#: The ladder, from the bottom.
LADDER = (
    Check("V0", "the emitted functions equal the symbolic formulas", emitted_equals_formulas, IDENTITY),
    Check(
        "V1",
        "posteriors are normalised, Q + H = ℓ, and ℓ is that of the declared model",
        free_energy_equals_likelihood,
        IDENTITY,
    ),
    Check("V2", "∂Q(θ|θ)/∂θ = ∂ℓ/∂θ", fisher_identity, SLOPE),
    Check("V3", "∂Q/∂θ = 0 at the update, and no feasible move from it raises Q", update_maximises, SLOPE),
    Check("V4", f"ℓ never falls in {STEPS} steps", likelihood_never_falls, ROUNDING),
    Check(
        "V5",
        "a fixed point is a maximum of ℓ: a direct maximiser finds no better",
        fixed_point_is_maximum,
        GAIN,
    ),
)


def open_rungs(reason: str) -> tuple[Rung, ...]:
    """The ladder where there is nothing to stand on."""
    return tuple(Rung(check.name, check.identity, None, detail=reason) for check in LADDER)


def climb(ground: Ground, *names: str) -> tuple[Rung, ...]:
    """The rungs of these names, by default all; one that brute force cannot reach is open and says why."""
    return tuple(check(ground) for check in LADDER if not names or check.name in names)
