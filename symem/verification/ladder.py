"""The ladder of identities that a right EM satisfies and a wrong one does not.

Monotone likelihood alone misses most wrong E- and M-steps. Each rung is an identity at random θ⁽ᵗ⁾ that are
no fixed points, with ℓ and Q computed by the oracle from the declared model, apart from the engine.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from symem.budget import OutOfTimeError, within
from symem.errors import UnknownSymbolError
from symem.language.leaves import name_of
from symem.verification.ascent import STEPS, fixed_point_is_maximum, likelihood_never_falls, update_maximises
from symem.verification.emitted import emitted_equals_formulas
from symem.verification.enumeration import TooLargeError
from symem.verification.ground import GAIN, IDENTITY, ROUNDING, SLOPE, Finding, Ground
from symem.verification.identities import fisher_identity, free_energy_equals_likelihood
from symem.verification.information_rung import information_is_that_of_the_model
from symem.verification.records import BLOCKING, Rung

#: Seconds that a rung may take.
SECONDS = 10.0
#: How much of the stated error of an approximation an identity may show.
_OF_ERROR = 10.0


@dataclass(frozen=True)
class Check:
    """One rung: its identity, how to find violations, what rounding may cost, and whether it is one of the declared model, from
    which approximations differ.
    """

    name: str
    identity: str
    violations: Callable[[Ground], Iterator[Finding]]
    tolerance: float
    of_model: bool = True

    def __call__(self, *grounds: Ground, seconds: float = SECONDS) -> Rung:
        """A violation fails; else what could not be computed is open, and so is what nothing was found of."""
        worst, detail, asked = 0.0, "", False
        identity = _of_factors(self) if any(g.derivation.mean_field for g in grounds) else self.identity
        gap: Finding | None = None
        for found in self._found(grounds, seconds):
            asked = asked or found.number is not None
            if found.number is None:
                gap = gap or found
            elif not found.number <= worst:
                worst, detail = found.number, found.detail
        allowed = self.tolerance
        if self.of_model:
            allowed += _OF_ERROR * max((ground.error for ground in grounds), default=0.0)
        passed = bool(worst <= allowed)
        if not asked and gap is None:
            gap = Finding(None, "on these data there was nothing to ask" if grounds else "")
        if passed and gap is not None:
            return Rung(self.name, identity, None, detail=gap.detail)
        note = detail if not passed else _partial(grounds[0], self.name)
        count = sum(len(ground.points) for ground in grounds)
        return Rung(self.name, identity, passed, worst, allowed, count, note)

    def _found(self, grounds: tuple[Ground, ...], seconds: float) -> Iterator[Finding]:
        """What is found on each ground in the time there is; an error inside is told, never raised."""
        try:
            with within(seconds), np.errstate(all="ignore"):
                for ground in grounds:
                    yield from self.violations(ground)
        except TooLargeError as reason:
            yield Finding(None, f"out of reach of brute force: {reason}")
        except OutOfTimeError as reason:
            yield Finding(None, str(reason))
        except (UnknownSymbolError, np.linalg.LinAlgError, ValueError, ArithmeticError) as reason:
            yield Finding(np.inf, str(reason))
        except Exception as reason:  # noqa: BLE001  what the ladder itself cannot do says nothing of the derivation
            yield Finding(None, f"could not be computed: {type(reason).__name__}: {reason}")


def _of_factors(check: Check) -> str:
    """The identity where a free energy is raised."""
    if check.name == "V1":
        return "posteriors are normalised, Q + H = F, F is the mean of log p - log q over draws of the factors, and F ≤ ℓ where ℓ is known"
    return check.identity.replace("ℓ", "F")


def _partial(ground: Ground, name: str) -> str:
    """Of what a rung does not say what it says."""
    if name not in {"V3", "V5"}:
        return ""
    told = []
    if ground.fixed:
        told.append(f"held where they are, for want of an update: {', '.join(sorted(ground.fixed))}")
    if name == "V3" and ground.derivation.one_step:
        names = ", ".join(dict.fromkeys(map(name_of, ground.derivation.one_step)))
        told.append(f"the step of {names} does not lower Q, and ∂Q/∂θ = 0 where such steps end")
    return "; ".join(told)


#: The ladder, from the bottom.
LADDER = (
    Check(
        "V0",
        "the emitted functions equal the symbolic formulas",
        emitted_equals_formulas,
        IDENTITY,
        of_model=False,
    ),
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
    Check(
        "V6",
        "score and information are the slopes of ℓ, and -∂²Q/∂θ² less what is missing is -∂²ℓ/∂θ²",
        information_is_that_of_the_model,
        SLOPE,
    ),
)


def open_rungs(reason: str) -> tuple[Rung, ...]:
    """The ladder where there is nothing to stand on."""
    return tuple(Rung(check.name, check.identity, None, detail=reason) for check in LADDER)


def climb(ground: Ground, *names: str, seconds: float = SECONDS) -> tuple[Rung, ...]:
    """The rungs of these names, by default all; one that cannot be reached, in that time, is open and says why.

    Identities that block emission are asked for at other sizes too. What a module warns of is a matter of the data that were
    drawn for it, and is not told.
    """
    checks = [check for check in LADDER if not names or check.name in names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return tuple(
            check(ground, *(ground.others if check.name in BLOCKING else ()), seconds=seconds)
            for check in checks
        )
