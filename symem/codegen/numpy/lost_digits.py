"""What a module's users are told about digits: which data it centres, and which they should move near 0 themselves."""

from __future__ import annotations

from symem.codegen.ir.program import Program
from symem.derivation import Tabulated
from symem.language.supports import Positive, PositiveDefinite, Reals


def digits_of(program: Program) -> tuple[str, ...]:
    """The notes of a program with vectors or matrices; none where nothing is lost."""
    model = program.derivation.model
    spreads = [
        each.name for each in model.parameters if isinstance(each.support, Positive | PositiveDefinite)
    ]
    if not spreads or not any(each.shape for each in model.variables.values()):
        return ()
    return (*_uncentred(program), *_of_labels(program, ", ".join(spreads)))


def _uncentred(program: Program) -> tuple[str, ...]:
    """Real data that no parameter moves with: a regression's response, data of mean 0."""
    moved = program.translation.data if program.translation is not None else ()
    data = [each for each in program.derivation.model.data if isinstance(each.support, Reals)]
    names = ", ".join(each.name for each in data if each.name not in moved)
    what = "used as given; far from 0 it may cost spreads a share of 2e-16 (mean/sd)^2"
    return (f"{names}: {what}.",) if names else ()


def _of_labels(program: Program, spreads: str) -> tuple[str, ...]:
    """A spread that components share is a difference of sums about one centre."""
    labels = any(isinstance(each, Tabulated) for each in program.derivation.posteriors)
    if not labels or program.translation is None or program.apart is not None:
        return ()
    what = "components many standard deviations apart may cost a share of 2e-16 (distance/sd)^2"
    return (f"{spreads}: {what}.",)
