"""The E-step told: what is gathered, what it is recognised as, what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from sympy import Add, Eq, Expr, Sum, oo

from symem.derivation import Definition, Posterior
from symem.output.layout import LINE, width
from symem.output.notation import latex, letter
from symem.output.reading import by_outcome, exponentiated, over_common_denominators, printed, pulled_out
from symem.output.story import Block, Display, Lines, Prose, Section, listed, said
from symem.output.voice import Voice


def e_step(voice: Voice) -> Iterator[Section]:
    """The sections of the E-step: one for each latent, or for the counts that share a total."""
    yield Section(
        said("The E-step"),
        (said("The posterior of what is latent, at the current iterate @:", voice.old),),
    )
    for _, group in groupby(voice.derivation.posteriors, key=lambda each: each.log_normaliser.symbol):
        posteriors = tuple(group)
        title = listed([voice.name(each.atom) for each in posteriors])
        latent = "The latent " if len(posteriors) == 1 else "The latents "
        yield Section((latent, *title), tuple(_told(posteriors, voice)), level=2)


def _told(posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    first = posteriors[0]
    if first.log_weight is not None:
        yield from _finite(first, voice)
    elif first.trials is not None:
        yield from _shares(posteriors, voice)
    else:
        yield from _recognised(first, voice)


def _gathered(posterior: Posterior, voice: Voice, words: str, *formulas: str) -> Prose:
    """Collect the terms …, given the labels that the posterior depends on."""
    atom = voice.name(posterior.atom)
    scope = voice.free.within(posterior.axes)
    given = [latex(Eq(label, axis.index, evaluate=False), scope) for label, axis in posterior.labels]
    start = ("Collect the terms that hold @" + (", given @" if given else "") + ". ").replace("@, @", "@")
    return said(start + words, atom, *([",\\ ".join(given)] if given else []), *formulas)


# finite ----------------------------------------------------------------------------------------------


def _finite(posterior: Posterior, voice: Voice) -> Iterator[Block]:
    weight, outcome = posterior.log_weight, posterior.outcome
    assert weight is not None
    assert outcome is not None
    index = voice.name(outcome.index)
    if posterior.trials is None:
        value = f"{voice.name(posterior.atom)} = {index}"
        yield _gathered(
            posterior, voice, "With all else fixed, the log-density at @ is, up to a constant,", value
        )
    else:
        words = "The total @ is known, so each cell @ has the log-weight"
        yield _gathered(posterior, voice, words, latex(posterior.trials, voice.free), index)
    yield voice.definitions(by_outcome(weight, outcome), voice.now)
    yield (*said("Normalised over @ by Bayes' rule, this is a ", index), law(posterior.family), ",")
    equations = [voice.definition(posterior.log_normaliser, voice.now)]
    if posterior.probability is not None:
        equations.append(voice.definition(posterior.probability, voice.now))
    yield Display((*equations, *_bayes(posterior, voice)))
    yield from _moments([posterior], voice)


def _bayes(posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """The probabilities with the weights written out, less what cancels, if that fits a line."""
    weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
    if weight is None or probability is None or outcome is None:
        return
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


def _shares(posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    first = posteriors[0]
    assert first.trials is not None
    names = listed([voice.name(each.atom) for each in posteriors])
    total = latex(first.trials, voice.free)
    yield (
        "The counts ",
        *names,
        *said(" share the known total @, in the proportions of their weights,", total),
    )
    shares = [each.probability for each in posteriors if each.probability is not None]
    yield voice.definitions([first.log_normaliser, *shares], voice.now)
    yield from _moments(posteriors, voice)


# families ----------------------------------------------------------------------------------------------


def _recognised(posterior: Posterior, voice: Voice) -> Iterator[Block]:
    atom = voice.name(posterior.atom)
    left = rf"\log p({atom} \mid \cdot)"
    yield _gathered(posterior, voice, "With all else fixed, its log-density is, up to a constant,")
    yield Display((voice.equation(left, posterior.log_density, voice.now),))
    end = " with" if posterior.parameters else "."
    yield ("This is a ", law(posterior.family), *_where(posterior, voice), end)
    if posterior.parameters:
        yield voice.definitions([_tidy(each) for each in posterior.parameters], voice.now)
    yield said("Its normaliser, which stays behind when @ is integrated out, is", atom)
    yield voice.definitions([posterior.log_normaliser], voice.now)
    yield from _moments([posterior], voice)


def _tidy(definition: Definition) -> Definition:
    return replace(definition, value=over_common_denominators(pulled_out(definition.value)))


def _where(posterior: Posterior, voice: Voice) -> Prose:
    """The interval of a truncated law."""
    if posterior.bounds is None or posterior.family in _UNBOUNDED:
        return ()
    low, high = (latex(end, voice.free) for end in posterior.bounds)
    opening, closing = "(" if posterior.bounds[0] == -oo else "[", ")" if posterior.bounds[1] == oo else "]"
    return said(" on @", f"{opening}{low}, {high}{closing}")


def law(family: str) -> str:
    """A family in words.

    >>> law("TruncatedNormal"), law("GammaInverse"), law("Beta")
    ('truncated Normal law', 'inverse Gamma law', 'Beta law')
    """
    name = family.removesuffix("Inverse").removeprefix("Truncated")
    kind = (
        "truncated " if family.startswith("Truncated") else "inverse " if family.endswith("Inverse") else ""
    )
    return f"{kind}{name} law"


_UNBOUNDED = frozenset({"Normal", "Gamma", "Beta", "GammaInverse", "LogNormal", "Poisson"})


def _moments(posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    moments = [moment for each in posteriors for moment in each.moments]
    if moments:
        yield said("The expectations that the M-step will need are")
        yield voice.definitions(moments, voice.now)
