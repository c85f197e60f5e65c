"""The runtime's table of a model, as the function that makes it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from symem.codegen.ir.program import Program
from symem.codegen.numpy.array_tables import Tables, plain_size, quoted
from symem.codegen.numpy.model_functions import ModelFunctions
from symem.codegen.numpy.predictions import of_each_row, predicted
from symem.codegen.numpy.wrapping import WIDTH, tupled

#: The functions that only some models have.
_PARTS = (
    "coefficients",
    "constant",
    "log_prior",
    "prepare",
    "check",
    "shares",
    "sums",
    "log_likelihoods",
    "paths",
)

#: Functions of the runtime that stand for those that a model has not: all statistics add up, labels are all there is.
_USUAL = {"merge": "_added", "impute": "_labels_near"}


def description(functions: ModelFunctions, names: Iterable[str]) -> str:
    """`def model()`, given the names of the functions that there are."""
    entries = _entries(functions, set(names))
    lines = [line for name, value in entries for line in _entry(name, value)]
    return "\n".join(
        [
            "def model() -> Model:",
            "    return Model(",
            *lines,
            "    )",
        ]
    )


def completed(draws: str, functions: Collection[str]) -> str:
    """The statement that makes the table, with how data arise, and those of what is predicted and the slopes of Q that are
    among the functions.
    """
    more = "".join(f", {name}={name}" for name in ("means", "slopes") if name in functions)
    value = ast.parse(f"model()._replace(draws={draws}{more})", mode="eval").body
    return "\n".join(_broken("MODEL = ", value, 0)).removesuffix(",")


def estimator_of(program: Program, made: Collection[str]) -> str:
    """The statement that makes the class with scikit-learn's conventions; `made` are latents that `means` predicts."""
    labels, means = of_each_row(program.derivation.posteriors, program.rows, made)
    told = _given(labels=labels, means=means)
    value = ast.parse(f"_estimator(SOLVER{', ' if told else ''}{told})", mode="eval").body
    return "\n".join(_broken("Estimator = ", value, 0)).removesuffix(",")


def _entries(functions: ModelFunctions, names: set[str]) -> Iterator[tuple[str, str | list[str]]]:
    program, tables = functions.program, Tables(functions.program)
    yield "parameters", _alike(tables.parameters())
    yield "data", _alike(tables.data())
    yield "plates", _plates(functions, tables)
    merge, impute = (own if own in names else usual for own, usual in _USUAL.items())
    yield "steps", f"Steps(Parameters, e_step, summarise, {merge}, m_step, {impute})"
    parts = [f"{name}={name}" for name in _PARTS if name in names]
    if parts:
        yield "parts", f"Parts({', '.join(parts)})"
    labels = _given(components=tables.components(), prototypes=_prototypes(functions))
    if labels:
        yield "labels", f"Labels({labels})"
    told: list[tuple[str, object]] = [
        ("known", tuple(functions.records.declared[name] for name in functions.m_step.known)),
        ("conditional", bool(functions.records.old)),
        ("simplexes", tuple(program.derivation.model.simplexes)),
        ("patterns", tables.patterns()),
        ("factors", tables.factors()),
    ]
    yield from ((name, quoted(value)) for name, value in told if value)
    if program.points.references:
        yield "references", _references(functions)
    if program.features is not None:
        yield "natural", _natural(program)
    if program.gathered is not None and program.features is not None:
        yield "moments", f"Moments(moments, {functions.records.latents.index(program.features.weight)})"
    counted = [each for each in program.derivation.model.weights if each.axis.size == program.rows]
    if counted:
        yield "weights", quoted(tuple(each.name for each in counted))
    if program.rises:
        yield "rises", functions.ascents.table
    if program.condensed:
        yield "condensed", quoted(program.condensed)
    known = tuple(map(predicted, program.derivation.posteriors))
    labels_from_0 = {name: (axis, 0) for name, axis in tables.components()}
    if known != tuple(labels_from_0.get(each.latent.name) for each in program.derivation.posteriors):
        yield "predicted", quoted(known)


def _alike(entries: list[str]) -> list[str]:
    """The entries of a table, those of the same value together where three or more follow one another."""
    found: list[str] = []
    for value, group in groupby(entries, key=lambda entry: entry.partition(": ")[2]):
        same = list(group)
        names = ", ".join(entry.partition(": ")[0] for entry in same)
        found += same if len(same) < 3 else [f"**dict.fromkeys(({names}), {value})"]
    return found


def _plates(functions: ModelFunctions, tables: Tables) -> str | list[str]:
    rows, counted = functions.program.rows, functions.program.counted
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
        counted=None if rows is not None or counted is None else str(counted),
        places=tables.places(),
        nodes=tables.nodes(),
        ragged=tables.ragged(),
    )
    return f"Plates({', '.join([*told, *([more] if more else [])])})"


def _given(**values: object) -> str:
    """Arguments by name, those that say something."""
    return ", ".join(f"{name}={quoted(value)}" for name, value in values.items() if value not in ((), None))


def _entry(name: str, value: str | list[str]) -> list[str]:
    """One line, or one for each entry of a table."""
    if isinstance(value, str):
        return _call(f"        {name}={value},")
    if len(value) == 1 and value[0].startswith("**"):
        return _call(f"        {name}={value[0][2:]},")
    flat = f"        {name}={{{', '.join(value)}}},"
    if len(flat) <= WIDTH:
        return [flat]
    return [f"        {name}={{", *(line for each in value for line in _row(each)), "        },"]


def _row(entry: str) -> list[str]:
    """An entry of a table on a line; of those that several names share, a name on each where they are long."""
    line = f"            {entry},"
    if len(line) <= WIDTH or not entry.startswith("**"):
        return [line]
    return _broken("**", ast.parse(entry[2:], mode="eval").body, 12)


def _call(line: str) -> list[str]:
    """A named value on one line, or a part of it on each."""
    tree = ast.parse(f"f({line.strip()})", mode="eval").body
    assert isinstance(tree, ast.Call)
    (keyword,) = tree.keywords
    return [line] if len(line) <= WIDTH else _broken(f"{keyword.arg}=", keyword.value, 8)


def _broken(start: str, value: ast.expr, indent: int) -> list[str]:
    """A call or a tuple on one line, or what stands in its brackets on a line each."""
    line = f"{' ' * indent}{start}{ast.unparse(value)},".replace("'", '"')
    if len(line) <= WIDTH or not isinstance(value, ast.Call | ast.Tuple):
        return [line]
    parts = [("", each) for each in (value.args if isinstance(value, ast.Call) else value.elts)]
    parts += [(f"{each.arg}=", each.value) for each in value.keywords] if isinstance(value, ast.Call) else []
    inner = [one for before, each in parts for one in _broken(before, each, indent + 4)]
    head = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
    return [f"{' ' * indent}{start}{head}(", *inner, f"{' ' * indent}),"]


def _prototypes(functions: ModelFunctions) -> tuple[str | int, tuple[str, ...]] | None:
    found = functions.starts.labelled
    if found is None:
        return None
    return (int(found.size) if found.size.isdigit() else found.size, found.arrays)


def _natural(program: Program) -> str:
    assert program.features is not None
    labels = tuple(plain_size(program.index_sizes[axis]) for axis in program.features.labels)
    chosen = ", exact_form=True" if program.direct is not None else ""
    features = tuple(" ".join(names) or "1" for names in program.features.monomials)
    return f"NaturalForm({quoted(labels)}, {quoted(features)}, log_joint_expanded{chosen})"


def _references(functions: ModelFunctions) -> str:
    """The points from which data are measured."""
    return tupled(map(functions.reference, functions.program.points.references))
