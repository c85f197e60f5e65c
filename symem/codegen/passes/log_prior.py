"""The log-prior that MAP-EM adds to its objective, with the factorisations it reads."""

from __future__ import annotations

from dataclasses import replace

from symem.codegen.ir.program import Program
from symem.codegen.lowering.entrywise import EntryDerivation, of_prior
from symem.codegen.passes.inference import assigned


def with_prior(program: Program) -> Program:
    """The log-prior of the parameters, None where it is constant."""
    derivation = program.derivation
    prior = derivation.log_prior if isinstance(derivation, EntryDerivation) else program.prior
    node = program.lower(prior) if prior != 0 else None
    lines = tuple(assigned(program, each) for each in of_prior(derivation))
    return replace(program, log_prior=node, of_prior=lines)
