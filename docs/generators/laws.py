"""The laws of a derivation, from the tables by which the engine works, each with a step that an example takes by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from generators.models import MODELS
from symem.calculus import maxima
from symem.calculus.laws import LAWS
from symem.calculus.maximisers import ENDED, MATRICES, NUMBERS, TOGETHER, Law
from symem.derivation import Rule, Step
from symem.em import derive
from symem.files import load_file
from symem.report.extracts import Extracts, formula_of_law

ROOT = Path(__file__).parents[2]
#: Where steps are looked for, in this order: examples, then models that are stated for the pages alone.
EXAMPLES = (
    "old_faithful",
    "linkage",
    "exponential_censored",
    "pet",
    "student_t",
    "gaussian_mixture_full",
    "random_effects",
    "factor_analysis",
    "wavelet_tree",
    "missing_normal",
    "rasch",
    "blocks",
)

#: The tables of the M-step by the words with which a page asks for one.
TABLES = {"numbers": NUMBERS, "ends": ENDED, "matrices": MATRICES, "together": TOGETHER}


def laws(asked: str) -> str:
    """What each of these laws says, and a step by it: names separated by semicolons, a table, or all others."""
    head = "## Further laws\n\n" if asked == "others" and _names(asked) else ""
    told = (
        _formulas(group) if bare else _paragraphs(group) for bare, group in groupby(_rows(asked), _is_bare)
    )
    return head + "\n\n".join(told)


def _is_bare(law: Rule) -> bool:
    """Whether a law is its formula, and no sentence."""
    return not law.sentence


def _formulas(laws: Iterable[Rule]) -> str:
    """Laws that are formulas, in a table."""
    rows = list(laws)
    lines = (f"| {law.name} | ${formula_of_law(law)}$ |" for law in rows)
    sources = "; ".join(dict.fromkeys(law.source for law in rows))
    return "\n".join(["| law | formula |", "| --- | --- |", *lines, "", f"{{.source}}\nSource: {sources}."])


def _paragraphs(laws: Iterable[Rule]) -> str:
    return "\n\n".join(part for law in laws for part in _told(law))


def _rows(asked: str) -> list[Rule]:
    return [LAWS[name] for name in _names(asked)]


def _names(asked: str) -> list[str]:
    """`others` are the laws that no page of the theory asks for."""
    if asked == "others":
        pages = (path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "theory").glob("*.md"))
        told = {
            name for page in pages for line in _ASKED.findall(page) if line != asked for name in _names(line)
        }
        return [name for name in LAWS if name not in told]
    if asked in TABLES:
        return [law.name for law in TABLES[asked]]
    return [name.strip() for name in asked.split(";")]


_ASKED = re.compile(r"^```\{laws\} (.*)$", re.MULTILINE)


def _told(law: Rule) -> Iterator[str]:
    """Its sentence as an example reads it, its lines there, and for a law of the M-step its form and its maximum."""
    shown = _first_step(law.name)
    head = f"**{law.name[0].upper()}{law.name[1:]}.** "
    if isinstance(law, Law):
        yield f"{head}An equation of the form {law.form}."
        head = ""
    if shown:
        name, extracts, step = shown
        lines = extracts.lines(step)
        yield f"{head}{extracts.sentence(step)}{':' if lines else '.'}"
        if lines:
            yield lines
    else:
        name = ""
        yield f"{head}{law.sentence}"
    if isinstance(law, Law):
        yield f"It is the maximum, because {_why(law)}."
    yield f"{{.source}}\n{f'As in {name}. ' if name else ''}Source: {law.source}."


def _why(law: Law[Any, Any, Any]) -> str:
    return "; or ".join(each.sentence.replace("{names}", "the matrices").rstrip(".") for each in law.maxima)


# a step by it ---------------------------------------------------------------------------------------------


@cache
def _derived() -> dict[str, Extracts]:
    files = {f"`examples/{name}.py`": load_file(str(ROOT / "examples" / f"{name}.py")) for name in EXAMPLES}
    found = {name: derive(file.model, approximate=file.approximate) for name, file in files.items()}
    found |= {name: derive(model) for name, model in MODELS.items()}
    return {name: Extracts(em.derivation.informed) for name, em in found.items()}


def _first_step(law: str) -> tuple[str, Extracts, Step] | None:
    steps = ((name, each, step) for name, each in _derived().items() for step in each.derivation.steps)
    return next(((name, each, step) for name, each, step in steps if step.law.name == law), None)


# why a stationary point is a maximum ----------------------------------------------------------------------


def arguments_for_a_maximum(_: str) -> str:
    """Every argument that a certificate may give."""
    found = [each for each in vars(maxima).values() if isinstance(each, maxima.Maximum)]
    return "\n".join(
        f"- {each.sentence.replace('{names}', 'the matrices')}{_unique(each)}." for each in found
    )


def _unique(each: maxima.Maximum[Any]) -> str:
    return " (and no other value is as good)" if each.unique else ""
