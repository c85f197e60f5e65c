"""How far each update is established: a mark where it is told, and the argument in a section of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from sympy import Expr, true

from symem.derivation import Certificate, Claim, Status
from symem.language.leaves import name_of, places_of
from symem.report.document import (
    Anchor,
    Block,
    Display,
    Exercise,
    Items,
    Lines,
    Mark,
    Maths,
    Part,
    Prose,
    Section,
    Term,
    listed,
    said,
)
from symem.report.line_breaking import LINE, broken, width
from symem.report.notation.letters import anchored
from symem.report.notation.notation import latex
from symem.report.writer import Voice

WEAKER = tuple(Status)  # a later one says less


def anchor(parameter: Expr) -> str:
    """Where the certificate of a parameter stands.

    >>> from sympy import Indexed, Symbol
    >>> anchor(Indexed("mu", Symbol("k"))), anchor(Symbol("s2_e"))
    ('certificate-mu', 'certificate-s2-e')
    """
    numbers = [str(slot) for slot in places_of(parameter) if slot.is_Integer]
    return "-".join(["certificate", anchored(name_of(parameter)), *numbers])


def marks(parameters: Sequence[Expr], voice: Voice) -> Iterator[Block]:
    """Stationarity proved, second order proved, …, and under which conditions the updates exist."""
    found = [each for each in voice.derivation.certificates if each.parameter in parameters]
    yield from _established(found, voice, anchor)


def summary(voice: Voice) -> Iterator[Block]:
    """The same of all parameters, where no certificates follow."""
    yield from _established(voice.derivation.certificates, voice, lambda _parameter: "")


def _established(
    found: Sequence[Certificate], voice: Voice, place_of: Callable[[Expr], str]
) -> Iterator[Block]:
    parts: list[Part] = []
    for place, claims in enumerate(_claims(found)):
        weakest = max(claims, key=lambda pair: WEAKER.index(pair[1].status))
        name = weakest[1].name if place else weakest[1].name.capitalize()
        parts += [
            "; " if place else "",
            f"{name} ",
            Mark(weakest[1].status, weakest[1].points or None, place_of(weakest[0].parameter)),
        ]
    short, long = _conditions(found, voice)
    ending = said(". Needed: @.", r",\quad ".join(short)) if short else (".",)
    if parts:
        yield (*parts, *ending)
    if long:
        yield ("Needed is also" if short else "Needed is",)
        yield Display(long)


def _conditions(found: Sequence[Certificate], voice: Voice) -> tuple[list[str], tuple[Lines, ...]]:
    """Conditions that stand in a line of text, and those that need lines of their own."""
    conditions = list(dict.fromkeys(condition for each in found for condition in open_conditions(each)))
    short = [each for each in conditions if width(latex(each, voice.free)) <= LINE / 2]
    long = [each for each in conditions if each not in short]
    signs = {"Unequality": r"\neq", "StrictGreaterThan": ">", "GreaterThan": r"\geq"}
    lines = tuple(
        tuple(
            broken(
                "", each.args[0], voice.free, tail=f" {signs.get(type(each).__name__, '>')} {each.args[1]}"
            )
        )
        for each in long
    )
    return [latex(each, voice.free) for each in short], lines


def _claims(certificates: Sequence[Certificate]) -> Iterator[list[tuple[Certificate, Claim]]]:
    """The claims of the same name, of all parameters."""
    names = dict.fromkeys(claim.name for each in certificates for claim in each.claims)
    for name in names:
        yield [(each, claim) for each in certificates for claim in each.claims if claim.name == name]


def open_conditions(certificate: Certificate) -> Iterator[Expr]:
    """Its conditions, as they print; signs that hold by what a symbol is assumed to be are conditions all the same."""
    yield from (each for each in map(bare, certificate.conditions) if each != true)


def bare(condition: Expr) -> Expr:
    """A condition of the form f > 0 without a common number: 2 a + 2 b > 0 as a + b > 0."""
    left, right = condition.args
    if right != 0:
        return condition
    return condition.func(left.primitive()[1], right, evaluate=False)


def certificates(voice: Voice) -> Section | None:
    """The arguments, parameter by parameter."""
    alike = groupby(voice.derivation.certificates, key=lambda each: _arguments(each, voice))
    blocks = [block for _, group in alike for block in _certificate(tuple(group), voice)]
    if not blocks:
        return None
    start = (
        "What holds at each update, and how that was established: by an argument that covers all sizes and data "
        "(proved), by numbers at random points (checked), or not at all (open)."
    )
    found = {claim.status for each in voice.derivation.certificates for claim in each.claims}
    more = "".join(sentence for status, sentence in _BESIDES.items() if status in found)
    more += _OF_APPROXIMATION if voice.derivation.approximated else ""
    more += _OF_FACTORS if voice.derivation.mean_field else ""
    task = said(
        "Say of each update whether it is the maximum, whether it lies where it may, and when it exists."
    )
    return Section(("Certificates",), (Exercise(task, ((start + more,), *blocks)),), anchor="certificates")


_OF_APPROXIMATION = " All of it is about Q as the quadrature gives it."
_OF_FACTORS = " All of it is about Q as the mean field gives it, whose maximum raises the free energy."

_BESIDES = {
    Status.UNDER: " An argument that leans on a sign which data or a prior can break is proved under conditions.",
    Status.REFUTED: " What numbers contradict is refuted, and its update is not used.",
}


def _arguments(certificate: Certificate, voice: Voice) -> tuple[Prose, ...]:
    """What is claimed, how far it is established, and why."""
    return tuple(
        (
            Term(claim.name.capitalize()),
            " ",
            Mark(claim.status, claim.points or None),
            *((": ", *with_names(claim.argument, voice)) if claim.argument else ()),
            ".",
        )
        for claim in certificate.claims
    )


def _certificate(alike: Sequence[Certificate], voice: Voice) -> Iterator[Block]:
    """The argument, once for all parameters for which it is the same."""
    names = listed([voice.name(each.parameter) for each in alike])
    several = len(alike) > 1
    anchors = [Anchor(anchor(each.parameter)) for each in alike]
    yield (*anchors, "The updates of " if several else "The update of ", *names, ":")
    short, long = _conditions(alike, voice)
    exists = "They exist if" if several else "It exists if"
    conditions = (said(f"{exists} @.", r",\ ".join(short)),) if short else ()
    yield Items((*_arguments(alike[0], voice), *conditions))
    if long:
        yield (exists,)
        yield Display(long)


def with_names(words: str, voice: Voice) -> Prose:
    """A sentence of the records in which parameters, written as in SymPy, become formulas."""
    names = {str(update.parameter): voice.name(update.parameter) for update in voice.derivation.updates}
    names |= {str(p): voice.name(p) for block in voice.derivation.not_derived for p in block.parameters}
    names |= {
        v.name: voice.name(v.symbol.label)
        for v in voice.model.parameters
        if v.shape and v.sizes and len(v.name) > 1
    }
    pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pieces = re.split(rf"(?<![\w])({pattern})(?![\w\[])", words) if names else [words]
    return tuple(Maths(names[piece]) if piece in names else piece for piece in pieces)
