"""Modes of log-densities: the function that is climbed, kept beside the model, and the call that climbs it."""

from __future__ import annotations

from itertools import count

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.nodes import Peak
from symem.codegen.ir.shared_values import shared
from symem.codegen.numpy.function_text import Function
from symem.codegen.numpy.speller import ATOM, Speller
from symem.codegen.numpy.wrapping import fitted, tupled


def peak(spell: Speller, node: Peak) -> tuple[str, int]:
    """The call, by the name of the function, of which the text is kept."""
    name = f"log_density_of_{node.name}"
    spell.helpers.add("_modes")
    spell.equations[name] = _function(name, spell, node)
    given = "".join(f", {spell(each)}" for each in node.given)
    return (
        f"_modes({name}, {len(node.letters)}, {tupled(map(spell, node.sizes))}{given})[{node.component}]",
        ATOM,
    )


def _function(name: str, spell: Speller, node: Peak) -> str:
    """The function that gives the log-density, its slopes and its bends."""
    dimensions = len(node.letters)
    named, parts = shared(Names(), "part", node.formulas)
    numbers = count(len(named) + 1)
    texts = [*named, *((f"term_{number}", part) for number, part in enumerate(parts))]
    lines = [
        f"{tupled(node.letters) if dimensions == 1 else ', '.join(node.letters)} = place",
        *(
            [f"{tupled(node.as_given) if len(node.as_given) == 1 else ', '.join(node.as_given)} = given"]
            if node.as_given
            else []
        ),
        *(
            line
            for each, part in texts
            for line in fitted(f"{each} = ", spell.aligned(part, node.axes), lambda: f"part_{next(numbers)}")
        ),
    ]
    terms = [f"term_{number}" for number in range(len(parts))]
    slopes, bends = terms[1 : 1 + dimensions], terms[1 + dimensions :]
    lines.append(f"return {terms[0]}, [{', '.join(slopes)}], [{', '.join(bends)}]")
    given = [("place", "list[Any]"), ("given", "tuple[Any, ...]")]
    sentence = (
        f"The log-density of {node.name} in coordinates without ends, its slopes, and its bends row by row."
    )
    return str(Function(name, given, "tuple[Any, list[Any], list[Any]]", sentence, lines))
