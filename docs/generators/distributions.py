"""Distributions and supports, from the rows and the classes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass

from sympy import Add, Dummy, Symbol

from symem.language import matrix_supports, parents, supports
from symem.language.exponential_face import ExponentialFace, ShapedFace
from symem.language.family import Family
from symem.language.plates import LogIverson
from symem.language.support import Support
from symem.report.extracts import formula_of


def rows_of(module: str) -> list[Family]:
    """The rows of the table that a module holds, in their order."""
    return [row for row in vars(import_module(module)).values() if isinstance(row, Family)]


def distributions(module: str) -> str:
    """A section for each row of a module."""
    return "\n\n".join(map(_section, rows_of(module)))


def _section(row: Family) -> str:
    density = row.log_density(Symbol("x"), *row.letters)
    inside = Add(*(part for part in Add.make_args(density) if not isinstance(part, LogIverson)))
    places = [("x", row.support(*row.letters)), *row.parameters.items()]
    told = ", ".join(
        rf"{formula_of(Symbol(name), row.parameters)} \in {_set(support, row)}" for name, support in places
    )
    return "\n".join(
        [
            f"### {row.name}",
            "",
            f"`{row.name}({', '.join(row.parameters)})` with ${told}$",
            "",
            "$$",
            rf"\log p(x) = {_spaced(formula_of(inside, row.parameters))}",
            "$$",
            "",
            _as_posterior(row),
        ]
    )


def _spaced(formula: str) -> str:
    """Words of several letters apart from what they are multiplied by."""
    before = re.sub(r"(?<=[\w}]) ?(?=\\mathrm)", r"\\, ", formula)
    return re.sub(r"(\\mathrm\{\w+\}) (?=\w)", r"\1\\, ", before)


def _set(support: Support, row: Family) -> str:
    return support.in_latex(lambda end: formula_of(end, row.parameters))


def _as_posterior(row: Family) -> str:
    first = _first_face(row)
    match first:
        case ExponentialFace() if not first.statistics(Dummy("u", positive=True)):
            return "As a posterior: yes, of a latent between two ends whose log-density is constant."
        case ExponentialFace():
            cut = ", also cut by ends that are known" if isinstance(row.face, tuple) else ""
            return f"As a posterior: yes, of a latent whose log-density is linear in ${_listed(first)}${cut}."
        case ShapedFace():
            return "As a posterior: yes, at a known shape."
        case None if row.home.finite:
            return "As a posterior: yes, of any latent with these values."
        case _:
            return "As a posterior: no; of data, or as a prior of a parameter."


def _first_face(row: Family) -> ExponentialFace | ShapedFace | None:
    """The face of the whole law."""
    return row.face[0] if isinstance(row.face, tuple) else row.face


def _listed(face: ExponentialFace) -> str:
    return ", ".join(formula_of(each) for each in face.statistics(Dummy("u", positive=True))) or "1"


# the table of conjugate laws ------------------------------------------------------------------------------


def conjugacy(_: str) -> str:
    """What a posterior is recognised by: statistics, its arguments in η, and the log-partition."""
    families = import_module("symem.language.families").FAMILIES.values()
    faces = ((row, _first_face(row)) for row in families)
    rows = [_recognised(row, face) for row, face in faces if isinstance(face, ExponentialFace)]
    head = ["| law of $u$ | $T(u)$ | arguments at $\\eta$ | $A$ |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])


def _recognised(row: Family, face: ExponentialFace) -> str:
    eta = tuple(
        Symbol(f"eta_{place + 1}") for place in range(len(face.statistics(Dummy("u", positive=True))))
    )
    bounds, names = row.support(*row.letters).bounds, [each.name for each in eta]
    arguments = face.arguments(eta, bounds)
    letters = {name: Symbol(face.argument(name).letter or name, positive=True) for name in arguments}
    told = [
        f"{formula_of(letters[name], names)} = {formula_of(value, names)}"
        for name, value in arguments.items()
    ]
    partition = formula_of(face.log_partition(letters, bounds), names)
    return f"| {row.name} | ${_listed(face)}$ | {_formulas(told)} | {_formulas([partition])} |"


def _formulas(each: list[str]) -> str:
    return ", ".join(f"${formula}$" for formula in each).replace("|", r"\vert ")


# supports -------------------------------------------------------------------------------------------------


def table_of_supports(_: str) -> str:
    """A row for each set that a symbol can live in."""
    head = ["| support | the set | what it is |", "| --- | --- | --- |"]
    return "\n".join([*head, *map(_support, _supports())])


def _supports() -> Iterator[type[Support]]:
    modules = (supports, parents, matrix_supports)
    found = dict.fromkeys(each for module in modules for each in vars(module).values() if isclass(each))
    yield from (each for each in found if issubclass(each, Support) and each is not Support)


def _support(kind: type[Support]) -> str:
    made = kind(Symbol("K")) if issubclass(kind, supports.Labels) else kind()
    numbers = not (made.of_matrices or kind in (supports.Simplex, supports.OneHot))
    shown = f"${made.in_latex(formula_of)}$" if numbers else ""
    words = (kind.__doc__ or "").partition("\n")[0]
    return f"| `{kind.__name__}` | {shown} | {words} |"
