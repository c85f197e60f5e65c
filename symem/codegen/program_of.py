"""From a derivation to its program, on one page: it alone knows the order of the passes.

Each pass takes a frozen program and gives it back with what it has found. What a pass reads must have been found by
one before it; why each stands where it does is said beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symem.codegen.ir.program import Program
from symem.codegen.passes.ascending import ascending
from symem.codegen.passes.cancelling import told_apart
from symem.codegen.passes.condensing import condensed
from symem.codegen.passes.handing_on import handed_on
from symem.codegen.passes.hoisting import hoisted
from symem.codegen.passes.inference import inferred
from symem.codegen.passes.log_prior import with_prior
from symem.codegen.passes.maximisation import maximised
from symem.codegen.passes.placing import placed
from symem.codegen.passes.referring import referred
from symem.codegen.passes.row_counts import with_counts
from symem.codegen.passes.row_sums import summed
from symem.codegen.passes.scheduling import scheduled
from symem.codegen.passes.slopes_of_q import sloped
from symem.codegen.passes.stating import stated
from symem.codegen.passes.summarising import summarised
from symem.derivation import Derivation

PASSES: Sequence[Callable[[Program], Program]] = (
    # Every name has its place before a formula that reads it is turned into arrays.
    placed,
    # Log weights are multiplied out about points of the data, so these come before the features.
    referred,
    # The log weights of the E-step decide which features there are.
    inferred,
    # Statistics that are moments of those features come with the same matrix product.
    summarised,
    # What is climbed reads statistics too, by the names they have in their record.
    ascending,
    # Only when statistics and log-likelihood stand is it known which statements of the E-step are read.
    summed,
    # Sums over rows are what rows that count more than once change, so all of them must stand.
    with_counts,
    # Whether a few rows may stand for all is seen from what E-step and statistics compute.
    condensed,
    # Where a value is computed depends on what it reads, so all formulas of rows must stand.
    hoisted,
    # Values are shared within the place in which they are computed.
    scheduled,
    # The M-step reads statistics, by the names they have been given.
    maximised,
    # So do the slopes of Q, which may read sizes that the M-step does not.
    sloped,
    # Differences stand in the lines of the M-step.
    told_apart,
    # The prior reads parameters alone.
    with_prior,
    # What functions return is what later ones read.
    handed_on,
)


def program_of(derivation: Derivation, *, plain: bool = False) -> Program:
    """The program of one derivation; `plain`: its formulas as they are, for all rows at once.

    Raises
    ------
        NotDerivedError: a block of parameters has no closed form, or a function has no reading in arrays.
    """
    program = stated(derivation, plain=plain)
    for each in PASSES:
        program = each(program)
    return program
