"""A module that draws data and nothing else, of a model whose parameters need not have updates."""

from __future__ import annotations

from symem.codegen.numpy.array_tables import Tables, quoted
from symem.codegen.numpy.draw_function import Drawing
from symem.codegen.numpy.fields_read import Records
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.runtime_text import from_scipy, runtime, special_functions
from symem.codegen.passes.placing import placed
from symem.codegen.passes.stating import stated
from symem.derivation import Derivation

_SAMPLE = '''def sample(theta, /, *, seed=None, latents=False, **given):
    """Data drawn by the declared laws, by name."""
    return _drawn_data(MODEL, theta, seed, given, latents=latents)'''


def draws_alone(derivation: Derivation) -> str:
    """Its source: `MODEL`, `sample` and `SAMPLERS` as an emitted module has them."""
    program = placed(stated(derivation, whole=False))
    model, lines = program.derivation.model, Lines(program)
    drawing, tables = Drawing(program, lines, Records(program)), Tables(program)
    record = ["class Parameters(NamedTuple):", *(f"    {each.name}: Any" for each in model.parameters)]
    own = ["\n".join(record), *special_functions(lines.spell.helpers)]
    own += [str(drawing.function)] if drawing.function is not None else []
    imports = [
        "from __future__ import annotations",
        "from typing import Any, NamedTuple",
        "import numpy as np",
    ]
    imports += [f"from scipy.special import {', '.join(names)}"] if (names := from_scipy(own)) else []
    told = [
        f"{{{', '.join(tables.parameters())}}}",
        f"{{{', '.join(tables.data())}}}",
        f"Plates((), None, (), shown_sizes={quoted(tables.shown_sizes())})",
        "Steps(Parameters, *[None] * 5)",
        f"simplexes={quoted(tuple(model.simplexes))}",
        f"draws={drawing.told}",
    ]
    return "\n\n\n".join(
        ["\n".join(imports), *own, runtime(), f"MODEL = Model({', '.join(told)})", _SAMPLE, ""]
    )
