"""The laws of a derivation, from the tables by which the engine works, each with a step that an example takes by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from sympy import Expr

from generators.models import MODELS
from symem.calculus import maxima
from symem.calculus.laws import LAWS
from symem.calculus.maximisers import ENDED, MATRICES, NUMBERS, TOGETHER, Law
from symem.derivation import Relation, Rule, Step
from symem.em import derive
from symem.files import load_file
from symem.language.model import Model
from symem.report.line_breaking import LINE, width
from symem.report.media.markdown import MarkdownMedium
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import latex
from symem.report.notation.printed_form import printed
from symem.report.sentence import formula, mathematics, sentence
from symem.report.writer import Voice

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
    "missing_normal",
)
MEDIUM = MarkdownMedium()
#: Laws that say something of themselves, without a line before and a line after.
ALONE = {Relation.MAXIMISER, Relation.CLIMBS}
#: How the line after stands to the line before.
SIGNS = {
    Relation.EQUAL: "= ",
    Relation.AT_THE_UPDATE: "= ",
    Relation.VANISHES: "= ",
}


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
    """Laws that are formulas, in a table; the letter X is the parameter."""
    rows = list(laws)
    lines = (f"| {law.name} | ${mathematics(law.formula.replace('{parameter}', '𝐗'))}$ |" for law in rows)
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
        name, voice, step = shown
        told = MEDIUM.prose(sentence((step,), voice)).strip().rstrip(":.,")
        lines = _lines(step, voice)
        yield f"{head}{told}{':' if lines else '.'}"
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
def _voices() -> dict[str, Voice]:
    models: dict[str, Model] = {
        f"`examples/{name}.py`": load_file(str(ROOT / "examples" / f"{name}.py")).model for name in EXAMPLES
    }
    return {name: Voice(derive(model).derivation) for name, model in {**models, **MODELS}.items()}


def _first_step(law: str) -> tuple[str, Voice, Step] | None:
    steps = ((name, voice, step) for name, voice in _voices().items() for step in voice.derivation.steps)
    return next(((name, voice, step) for name, voice, step in steps if step.law.name == law), None)


def _lines(step: Step, voice: Voice) -> str:
    """The line before and the line after, or the formula that the law itself says."""
    if step.law.formula:
        return MEDIUM.block(formula(step, voice))
    if step.law.relation in ALONE:
        return ""
    lexicon = (voice.now if step.stage == "E-step" else voice.free).within(step.axes)
    before, after = (_tex(each, lexicon) for each in (step.before, step.after))
    sign = SIGNS.get(step.law.relation, r"\;\longrightarrow\; ")
    apart = r" \\" if width(before) + width(after) > LINE / 2 else ""
    lines = before if before == after else f"& {before}{apart}\n{'& ' if apart else ''}{sign}{after}"
    return f"$$\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n$$"


def _tex(expr: Expr, lexicon: Lexicon) -> str:
    return latex(printed(expr), lexicon).replace("|", r"\vert ")


# why a stationary point is a maximum ----------------------------------------------------------------------


def arguments_for_a_maximum(_: str) -> str:
    """Every argument that a certificate may give."""
    found = [each for each in vars(maxima).values() if isinstance(each, maxima.Maximum)]
    return "\n".join(
        f"- {each.sentence.replace('{names}', 'the matrices')}{_unique(each)}." for each in found
    )


def _unique(each: maxima.Maximum[Any]) -> str:
    return " (and no other value is as good)" if each.unique else ""
