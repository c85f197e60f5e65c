"""Roots that no formula gives: the equation as a function of its own, and the call that solves it."""

from __future__ import annotations

from itertools import count

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.nodes import Root
from symem.codegen.ir.shared_values import shared
from symem.codegen.numpy.speller import ATOM, Speller
from symem.codegen.numpy.wrapping import fitted


def root(spell: Speller, node: Root) -> tuple[str, int]:
    """The call, by the name of the equation, of which the function is kept."""
    spell.helpers.add("_falling_root")
    name = f"equation_of_{node.of}"
    text = _equation(name, spell, node)
    spell.equations[name] = text
    given = ", ".join(spell.aligned(each, node.axes) for each in node.given)
    return f"_falling_root({name}, {given})", ATOM


def steepness(spell: Speller, node: Root) -> str:
    """How steeply an equation falls at its root, which is the first that it is given here."""
    spell.helpers.add("_steepness")
    given = ", ".join(spell.aligned(each, node.axes) for each in node.given)
    return f"_steepness(equation_of_{node.of}, {given})"


def _equation(name: str, spell: Speller, node: Root) -> str:
    """The function that gives the left side of the equation, and its slope."""
    letters = ["u", *(f"c_{number}" for number in range(len(node.given)))]
    named, (value, slope) = shared(Names(), "part", (node.function, node.slope))
    numbers = count(len(named) + 1)
    values = [*named, ("value", value), ("slope", slope)]
    lines = [
        f'"""What vanishes where u is the new {node.of}, and its slope."""',
        *(
            line
            for each, part in values
            for line in fitted(f"{each} = ", spell(part), lambda: f"part_{next(numbers)}")
        ),
        "return value, slope",
    ]
    typed = ", ".join(f"{letter}: Any" for letter in letters)
    return "\n".join([f"def {name}({typed}, /) -> tuple[Any, Any]:", *(f"    {line}" for line in lines)])
