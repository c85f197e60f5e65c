"""The runtime's table of a model, as the function that makes it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from symem.codegen.ir.program import Program
from symem.codegen.numpy.array_tables import Tables, plain_size, quoted
from symem.codegen.numpy.model_functions import ModelFunctions
from symem.codegen.numpy.wrapping import WIDTH

#: The functions that only some models have.
_PARTS = ("coefficients", "constant", "log_prior", "prepare", "check", "points", "shares")


def description(functions: ModelFunctions, names: Iterable[str]) -> str:
    """`def model()`, given the names of the functions that there are."""
    entries = _entries(functions, set(names))
    lines = [line for name, value in entries for line in _entry(name, value)]
    return "\n".join(
        [
            "def model() -> Model:",
            '    """What the runtime knows of this model."""',
            "    return Model(",
            *lines,
            "    )",
        ]
    )


def _entries(functions: ModelFunctions, names: set[str]) -> Iterator[tuple[str, str | list[str]]]:
    program, tables = functions.program, Tables(functions.program)
    yield "parameters", tables.parameters()
    yield "data", tables.data()
    yield "plates", _plates(functions, tables)
    yield "steps", "Steps(Parameters, e_step, summarise, merge, m_step, show, impute)"
    parts = [f"{name}={name}" for name in _PARTS if name in names]
    if parts:
        yield "parts", f"Parts({', '.join(parts)})"
    labels = _given(components=tables.components(), prototypes=_prototypes(functions))
    if labels:
        yield "labels", f"Labels({labels})"
    told: list[tuple[str, object]] = [
        ("known", tuple(functions.bodies.declared[name] for name in functions.bodies.known)),
        ("conditional", bool(functions.bodies.old)),
        ("simplexes", tuple(program.derivation.model.simplexes)),
        ("patterns", tables.patterns()),
    ]
    yield from ((name, quoted(value)) for name, value in told if value)
    if program.features is not None:
        yield "natural", _natural(program)
    if program.gathered is not None:
        yield "moments", f"Moments(moments, {functions.bodies.latents.index(_weights(program))})"
    if program.collapsed is not None:
        yield "sums", "Sums(sums, e_step_of_sums)"
    elif program.sums_of_data:
        yield "sums", "Sums(sums)"


def _plates(functions: ModelFunctions, tables: Tables) -> str | list[str]:
    rows = functions.program.rows
    scale = tables.scale()
    told = [
        quoted(tables.sizes()),
        quoted(None if rows is None else str(rows)),
        quoted(tuple(functions.shown_rows())),
    ]
    more = _given(
        tables=() if rows is None else tables.beside_rows(),
        scale=None if scale == str(rows) else scale,
        shown_sizes=tables.shown_sizes(),
    )
    return f"Plates({', '.join([*told, *([more] if more else [])])})"


def _given(**values: object) -> str:
    """Arguments by name, those that say something."""
    return ", ".join(f"{name}={quoted(value)}" for name, value in values.items() if value not in ((), None))


def _entry(name: str, value: str | list[str]) -> list[str]:
    """One line, or one for each entry of a table."""
    if isinstance(value, str):
        return _call(f"        {name}={value},")
    flat = f"        {name}={{{', '.join(value)}}},"
    if len(flat) <= WIDTH:
        return [flat]
    return [f"        {name}={{", *(f"            {each}," for each in value), "        },"]


def _call(line: str) -> list[str]:
    """A call on one line, or an argument on each."""
    if len(line) <= WIDTH:
        return [line]
    tree = ast.parse(f"f({line.strip()})", mode="eval").body
    assert isinstance(tree, ast.Call)
    (keyword,) = tree.keywords
    call = keyword.value
    assert isinstance(call, ast.Call)
    items = [ast.unparse(each) for each in call.args]
    items += [f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords]
    lines = [f"            {each},".replace("'", '"') for each in items]
    return [f"        {keyword.arg}={ast.unparse(call.func)}(", *lines, "        ),"]


def _prototypes(functions: ModelFunctions) -> tuple[str | int, tuple[str, ...]] | None:
    found = functions.starts.labelled
    if found is None:
        return None
    return (int(found.size) if found.size.isdigit() else found.size, found.arrays)


def _weights(program: Program) -> str:
    assert program.features is not None
    return program.features.weight


def _natural(program: Program) -> str:
    assert program.features is not None
    labels = tuple(plain_size(program.index_sizes[axis]) for axis in program.features.labels)
    chosen = ", exact_form=True" if program.direct is not None else ""
    width = "width" if program.features.has_entries else len(program.features.features)
    return f"NaturalForm({quoted(labels)}, {width}, features, natural_form{chosen})"
