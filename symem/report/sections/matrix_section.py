"""What is told of vectors and matrices beside numbers: Ψ = diag(ψ), and what a conditional update holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symem.derivation import Conditional, OfFactor, Update
from symem.language.leaves import name_of
from symem.language.model import Variable
from symem.report.document import Prose, said
from symem.report.notation.letters import index_names
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import Latex, latex
from symem.report.writer import Voice

# the model --------------------------------------------------------------------------------------------


def remarks(variable: Variable, voice: Voice) -> Prose:
    """What a reader must know of a variable's letters."""
    partly = {name_of(v.seen[0]) for v in voice.model.variables.values() if v.seen is not None}
    if variable.name in partly:
        indices = index_names(variable.sizes, voice.free.axes)
        seen = voice.name(variable.symbol[indices] if indices else variable.symbol)
        return said("; @ has 0 where it is missing", seen)
    if variable.name in voice.free.diagonals:
        return said(", the diagonal of @", _diagonal(variable, voice))
    words = dict.fromkeys(("symmetric", variable.support.words))
    return (f", {' and '.join(words)}",) if variable.support.of_matrices else ()


def _diagonal(variable: Variable, voice: Voice) -> str:
    """Ψ = diag(ψ_1, …, ψ_d), at the plates before the last slot."""
    *plates, size = (latex(each, voice.free) for each in variable.sizes)
    slots = [axis.index.name for axis in voice.free.axes if latex(axis.size, voice.free) in plates][
        : len(plates)
    ]
    markup, label = Latex(voice.free).markup, voice.free.label(variable.name)
    first, last = (markup.letter(label, [*slots, end], "") for end in ("1", size))
    whole = markup.letter(voice.free.diagonals[variable.name].in_bold(), slots, "")
    return rf"{whole} = \operatorname{{diag}}({first}, \dots, {last})"


# the M-step -------------------------------------------------------------------------------------------


def scope_of(update: Update, voice: Voice) -> Lexicon:
    """New parameters at t + 1; of a conditional update, those that come later still at t."""
    new = voice.new.within(update.definition.axes)
    return with_held(new, update, voice, voice.pack.now)


def with_held(lexicon: Lexicon, update: Update, voice: Voice, mark: str) -> Lexicon:
    """A lexicon in which the parameters that a conditional update holds carry another mark."""
    marks = dict.fromkeys(held_by(update, voice.derivation.updates), mark)
    return replace(lexicon, marks={**lexicon.marks, **marks})


def held_by(update: Update, updates: Sequence[Update]) -> frozenset[str]:
    """The names of the parameters that a conditional update still finds at their old values; of factors any does."""
    place = next(p for p, each in enumerate(updates) if each is update)
    later = [
        each for each in updates[place + 1 :] if isinstance(update, Conditional) or isinstance(each, OfFactor)
    ]
    return frozenset(name_of(each.parameter) for each in later) - {name_of(update.parameter)}
