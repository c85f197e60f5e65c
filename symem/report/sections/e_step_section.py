"""The E-step told: what is gathered, what it is recognised as and why, its expectations, what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import assert_never

from sympy import Add, Eq, Expr, Sum, Symbol, oo

from symem.derivation import (
    CellCounts,
    Definition,
    Derivation,
    GaussianVector,
    MemberCounts,
    Posterior,
    Probabilities,
    Recognised,
    Table,
    Tabulated,
)
from symem.language.leaves import name_of
from symem.report.document import Block, Display, Lines, Prose, Section, Term, listed, said
from symem.report.line_breaking import LINE, width
from symem.report.notation.letters import anchored
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import (
    by_outcome,
    exponentiated,
    over_common_denominators,
    printed,
    pulled_out,
)
from symem.report.options import Level
from symem.report.sections import gaussian_vector_section as vectors
from symem.report.writer import Voice


def e_step(voice: Voice) -> Iterator[Section]:
    """The sections of the E-step: one for each latent, or for the counts that share a total."""
    yield Section(
        said("The E-step"),
        (said("For each latent, its posterior given the data and the current iterate @.", voice.old),),
        anchor="e-step",
    )
    for posteriors in grouped(voice):
        title = listed([voice.name(each.atom) for each in posteriors])
        latent = "The latent " if len(posteriors) == 1 else "The latents "
        anchor = f"latent-{anchored(posteriors[0].latent.name)}"
        yield Section((latent, *title), tuple(_told(posteriors, voice)), level=2, anchor=anchor)


def grouped(voice: Voice) -> Iterator[tuple[Posterior, ...]]:
    """The posteriors, those together that share a normaliser."""
    for _, group in groupby(voice.derivation.posteriors, key=lambda each: each.log_normaliser.symbol):
        yield tuple(group)


def brief_e_step(voice: Voice) -> Iterator[Block]:
    """What the E-step computes, and no more."""
    for posteriors in grouped(voice):
        first = posteriors[0]
        if isinstance(first, Table):
            written = tuple(_bayes(first, voice))
            shown = [
                voice.definition(_tidy(each), voice.now) for each in (first.log_weight, first.probability)
            ]
            yield Display(written or tuple(shown))
        else:
            squares = [lines for each in posteriors for lines in vectors.second_moments(each, voice)]
            yield Display((*voice.definitions(computed(posteriors, voice), voice.now).equations, *squares))


def arguments(posterior: Posterior) -> list[Definition]:
    """The arguments of a posterior, one as a multiple of another where that is shorter: a mean by its variance."""
    tidy = [_tidy(each) for each in posterior.parameters]
    for place, each in enumerate(posterior.parameters):
        for other in posterior.parameters[place + 1 :]:
            rest = each.value / other.value
            if (
                each.axes == other.axes
                and 1 < rest.count_ops() < each.value.count_ops() - other.value.count_ops() / 2
            ):
                tidy[place] = replace(each, value=other.symbol * _tidied(rest))
                return [*tidy[place + 1 :], *tidy[: place + 1]]
    return tidy


def computed(posteriors: Sequence[Posterior], voice: Voice) -> list[Definition]:
    """What of these posteriors the M-step uses, and what that is made of."""
    used = needed(voice.derivation)
    found = [each for p in posteriors for each in (*arguments(p), *_probability(p))]
    found += [each for p in posteriors for each in p.moments]
    return [each for each in found if name_of(each.symbol) in used]


def _probability(posterior: Posterior) -> tuple[Definition, ...]:
    return (posterior.probability,) if isinstance(posterior, Probabilities) else ()


def needed(derivation: Derivation) -> frozenset[str]:
    """The names that the statistics are made of, and what these are made of."""
    meaning = {name_of(each.symbol): each.value for each in derivation.definitions}
    waiting = [*(each.value for each in derivation.surrogate.statistics), derivation.surrogate.value]
    found: set[str] = set()
    while waiting:
        names = {str(atom) for atom in waiting.pop().atoms(Symbol)} & set(meaning) - found
        found |= names
        waiting += [meaning[name] for name in sorted(names)]
    return frozenset(found)


def _told(posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    first = posteriors[0]
    match first:
        case Table() | CellCounts():
            yield from _finite(first, voice)
        case MemberCounts():
            yield from _shares(first, posteriors, voice)
        case Recognised():
            yield from _recognised(first, voice)
        case GaussianVector():
            yield from _gaussian(first, voice)
        case _:
            assert_never(first)


def _gathered(posterior: Posterior, voice: Voice, words: str, *formulas: str) -> Prose:
    """Collect the terms …, given the labels that the posterior depends on."""
    atom = voice.name(posterior.atom)
    scope = voice.free.within(posterior.axes)
    given = [latex(Eq(label, axis.index, evaluate=False), scope) for label, axis in posterior.labels]
    start = ("Collect the terms that hold @" + (", given @" if given else "") + ". ").replace("@, @", "@")
    return said(start + words, atom, *([",\\ ".join(given)] if given else []), *formulas)


# finite ----------------------------------------------------------------------------------------------


def _finite(posterior: Tabulated, voice: Voice) -> Iterator[Block]:
    if isinstance(posterior, Table):
        yield from _terms(posterior, voice)
    else:
        words = "The total @ is known, so each cell @ has the log-weight"
        index = voice.name(posterior.outcome.index)
        yield _gathered(posterior, voice, words, latex(posterior.trials, voice.free), index)
    yield voice.definitions(by_outcome(posterior.log_weight, posterior.outcome), voice.now)
    yield (
        "It takes finitely many values, so by ",
        Term("Bayes' rule"),
        f" the weights over their sum are the posterior, a {posterior.family} law:",
    )
    yield Display(tuple(_normalised(posterior, voice)))
    yield from _moments([posterior], voice)


def _terms(posterior: Table, voice: Voice) -> Iterator[Block]:
    """The gathered terms at an outcome; when teaching, first in the latent itself."""
    atom = voice.name(posterior.atom)
    value = f"{atom} = {voice.name(posterior.outcome.index)}"
    if voice.options.level is Level.TEACHING:
        yield _gathered(posterior, voice, "With all else fixed, its log-density is, up to a constant,")
        yield Display((voice.equation(_conditional(atom), posterior.log_density, voice.now),))
        yield said("At @ this is the log-weight", value)
    else:
        words = "With all else fixed, the log-density at @ is, up to a constant,"
        yield _gathered(posterior, voice, words, value)


def _conditional(atom: str) -> str:
    return rf"\log p({atom} \mid \cdot)"


def _normalised(posterior: Tabulated, voice: Voice) -> Iterator[Lines]:
    """The probabilities written out, then by the log-normaliser."""
    yield from _bayes(posterior, voice)
    yield voice.definition(posterior.probability, voice.now)
    yield voice.definition(posterior.log_normaliser, voice.now)


def _bayes(posterior: Tabulated, voice: Voice) -> Iterator[Lines]:
    """The probabilities with the weights written out, less what cancels, if that fits a line."""
    weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
    logs = Add(*(term for term in Add.make_args(printed(weight.value)) if term.has(outcome.index)))
    weights = by_outcome(replace(weight, value=logs), outcome)
    other, lexicon = voice.now.within(weight.axes).fresh(outcome)
    symbol = probability.symbol
    if len(weights) > 1:
        symbol = symbol.subs(outcome.index, int(outcome.size) - 1)
        below = " + ".join(latex(_density(each.value), lexicon) for each in weights)
    else:
        cells = _density(logs.xreplace({outcome.index: other.index}))
        below = latex(Sum(cells, other.limits), lexicon)
    above = latex(_density(weights[-1].value), lexicon)
    left, right = letter(symbol, voice.now), rf"\frac{{\displaystyle {above}}}{{\displaystyle {below}}}"
    if width(left + right) <= LINE:
        yield (f"{left} &= {right}",)


def _density(logs: Expr) -> Expr:
    return exponentiated(printed(logs))


# counts with a known total ------------------------------------------------------------------------------


def _shares(first: MemberCounts, posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    names = [voice.name(each.atom) for each in posteriors]
    yield (
        "Collect the terms that hold ",
        *listed(names),
        ". With all else fixed their log-density is, up to a constant,",
    )
    joint = Add(*(each.log_density for each in posteriors))
    yield Display((voice.equation(_conditional(", ".join(names)), joint, voice.now),))
    words = " and their total @ is known. Counts with a known total are "
    yield (
        *said("Each count @ enters as @,", "u", r"u \log(\text{weight}) - \log u!"),
        *said(words, latex(first.trials, voice.free)),
        Term(first.family),
        ": each has a share of the total in proportion to its weight,",
    )
    shares = [share for each in posteriors for share in _probability(each)]
    yield voice.definitions(shares, voice.now)
    yield said("The log-normaliser is")
    yield voice.definitions([first.log_normaliser], voice.now)
    yield from _moments(posteriors, voice)


# families ----------------------------------------------------------------------------------------------


def _recognised(posterior: Recognised, voice: Voice) -> Iterator[Block]:
    atom = voice.name(posterior.atom)
    yield _gathered(posterior, voice, "With all else fixed, its log-density is, up to a constant,")
    yield Display((voice.equation(_conditional(atom), posterior.log_density, voice.now),))
    yield from _reason(posterior, voice)
    if posterior.parameters:
        yield voice.definitions(arguments(posterior), voice.now)
    yield said("Integrating @ out leaves the log-normaliser", atom)
    yield voice.definitions([posterior.log_normaliser], voice.now)
    yield from _moments([posterior], voice)


def _gaussian(posterior: GaussianVector, voice: Voice) -> Iterator[Block]:
    """A vector: a quadratic form, and what it is the log-density of."""
    yield _gathered(posterior, voice, "With all else fixed, its log-density is, up to a constant,")
    yield vectors.density(posterior, voice)
    yield vectors.because(posterior, voice)
    yield voice.definitions(posterior.parameters, voice.now)
    yield said("Integrating @ out leaves the log-normaliser", voice.name(posterior.atom))
    yield voice.definitions([posterior.log_normaliser], voice.now)
    yield from vectors.second_moment(posterior, voice)


def _reason(posterior: Recognised, voice: Voice) -> Iterator[Block]:
    """Why the terms are recognised: they are linear in the statistics of a family, on its support."""
    where = said(" on @", interval(posterior, voice))
    named = (f" a {posterior.words} law", *where)
    terms = [latex(each, voice.free) for each in posterior.statistics]
    if not terms:
        yield (
            *said("As a function of @", voice.name(posterior.atom)),
            " it is constant: this is",
            *named,
            ".",
        )
        return
    fixed = posterior.face.base_measure(posterior.atom, posterior.bounds)
    base = said(" (beside the fixed @)", latex(fixed, voice.free)) if fixed != 0 else ()
    many = len(terms) > 1
    yield ("It is linear in ", *listed(terms), *base, ", with the natural parameter" + ("s" if many else ""))
    scope = voice.now.within(posterior.axes)
    signs = [rf"\eta_{{{place}}}" if many else r"\eta" for place in range(1, len(terms) + 1)]
    values = zip(signs, posterior.natural, strict=True)
    yield Display(tuple(voice.equation(sign, _tidied(each), scope) for sign, each in values))
    yield (
        "in that order: this is the log-density of" if many else "This is the log-density of",
        *named,
        _with(posterior),
    )


def _with(posterior: Recognised) -> str:
    """Its arguments in words."""
    names = {value: name for name, value in posterior.arguments.items()}
    known = [names.get(each.symbol, "argument") for each in arguments(posterior)]
    if not known:
        return "."
    words = " and ".join(posterior.face.argument(name).word or name for name in known)
    return f", cut from one with {words}" if posterior.is_cut else f" with {words}"


def _tidied(value: Expr) -> Expr:
    return over_common_denominators(pulled_out(value))


def _tidy(definition: Definition) -> Definition:
    return replace(definition, value=_tidied(definition.value))


def interval(posterior: Recognised, voice: Voice) -> str:
    """Where a latent lies."""
    low, high = posterior.bounds
    if posterior.row.home.discrete:
        ends = [latex(low, voice.free), latex(low + 1, voice.free), r"\dots"]
        return r"\{" + ", ".join([*ends, *([] if high == oo else [latex(high, voice.free)])]) + r"\}"
    if (low, high) == (-oo, oo):
        return r"\mathbb{R}"
    opening, closing = "(" if low in (-oo, 0) else "[", ")" if high in (oo, 1) else "]"
    return f"{opening}{latex(low, voice.free)}, {latex(high, voice.free)}{closing}"


def _moments(posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    used = needed(voice.derivation)
    moments = [moment for each in posteriors for moment in each.moments if name_of(moment.symbol) in used]
    if moments:
        yield said("The M-step will need")
        yield voice.definitions(moments, voice.now)
