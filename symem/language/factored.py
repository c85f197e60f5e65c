"""A model in which factors of a mean field stand for some latents: their arguments are parameters, its likelihood a free energy."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import replace

from sympy import Expr

from symem.language.model import Model
from symem.language.reading import Shape
from symem.language.variables import Role, Variable


def with_factors(
    model: Model, latents: Iterable[str], arguments: Iterable[Variable], free_energy: Expr
) -> Model:
    """The model whose log-likelihood is E[log p(x, z)] + H over the factors of `latents`, a function of all else, in internal symbols."""
    made, gone = copy(model), set(latents)
    made.__dict__.pop("_translation", None)
    kept = {n: replace(v, role=Role.FACTOR) if n in gone else v for n, v in model.variables.items()}
    new = {each.name: each for each in arguments}
    shapes = {n: Shape(v.sizes, tuple(0 for _ in v.sizes)) for n, v in new.items()}
    made.variables, made.log_likelihood, made.stated = kept | new, free_energy, model
    reader = model._reader  # noqa: SLF001  of the same model
    made._reader = replace(  # noqa: SLF001
        reader,
        symbols=reader.symbols | {n: v.symbol for n, v in new.items()},
        shapes=reader.shapes | shapes,
    )
    return made
