"""What the E-step hands on: definitions of parameters alone that rows, statistics or the posterior read."""

from __future__ import annotations

from dataclasses import replace

from symem.codegen.ir.instructions import reads
from symem.codegen.ir.program import Program


def handed_on(program: Program) -> Program:
    """The names among the coefficients that later functions read beside the latents."""
    read = set().union(*(reads(node) for node in program.nodes_of_chunk)) | program.reported
    own = {program.layouts[name].name for name in program.of_parameters}
    names = tuple(line.name for line in program.coefficients if line.name in own & read)
    return replace(program, handed_on=names)
