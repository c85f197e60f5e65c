"""`slopes`: ∂Q/∂θ, the score where the statistics are those of the same parameters."""

from __future__ import annotations

from symem.codegen.ir.instructions import Assign, Entry
from symem.codegen.ir.nodes import Load
from symem.codegen.ir.program import Program
from symem.codegen.numpy.fields_read import Records, names_in
from symem.codegen.numpy.function_text import DATA, THETA, Function
from symem.codegen.numpy.lines import Given, Lines


def slopes_function(program: Program, lines: Lines, records: Records) -> Function | None:
    """The function, None where the record has no slopes."""
    if not program.slopes:
        return None
    nodes = [each.node for each in program.slopes]
    nodes += [size for each in program.slopes if isinstance(each, Entry) for size in each.fresh or ()]
    fields = [each.name for each in program.derivation.model.parameters]
    axes = {each.name: each.axes for each in program.slopes if isinstance(each, Assign)}
    names = [program.slope_names[f"slope_{field}"] for field in fields]
    values = tuple(
        (Load(axes.get(name, ()), name, axes.get(name, ()), frozenset()), axes.get(name, ()))
        for name in names
    )

    def told(texts: list[str]) -> list[str]:
        return [f"{field}={text}" for field, text in zip(fields, texts, strict=True)]

    end = Given(values, lambda texts: f"return Parameters({', '.join(told(texts))})")
    kept, end = lines.compact(program.slopes, end)
    body = records.reading(names_in(nodes), "data")
    body += [text for line in kept for text in lines.update(line)]
    body += lines.returned(told(lines.texts(end)), "Parameters")
    sentence = "The slopes of Q in every parameter: the score, where the statistics are those at theta."
    given = [THETA, ("s", "Statistics"), DATA]
    return Function("slopes", given, "Parameters", sentence, body, quiet=True)
