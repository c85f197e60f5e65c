"""A fit, that which an iteration begins or one that was given: its numbers, how the objective rises, the fitted density,
the posterior of each row.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sympy import Integer, Symbol

from symem.derivation import Probabilities
from symem.language.traces import Element
from symem.report.document import Block, Figure, Items, Prose, Section, Table, said
from symem.report.figures.plots import Plot, ascent, density, shares, single_datum
from symem.report.figures.scatter import pairs, scatter
from symem.report.fitted import Fitted
from symem.report.iteration import Worked
from symem.report.notation.digits import fixed, in_formula, single
from symem.report.notation.notation import latex
from symem.report.sections.estimates import parameters_table
from symem.report.writer import COUNTED, Voice
from symem.runtime.results import Fit

#: Entries of an array of estimates that are shown.
MOST_ESTIMATES = 20


def fit(found: Worked, voice: Voice) -> Section:
    """The section."""
    return Section(said("The fit"), tuple(_fit(found, voice)), anchor="fit")


def this_fit(found: Fitted, voice: Voice) -> Section:
    """The section on a fit that was given: what was asked, how it ended, the estimate, and what it looks like."""
    return Section(said("The fit"), tuple(_told(found, voice)), anchor="fit")


def _told(found: Fitted, voice: Voice) -> Iterator[Block]:
    fit = found.fit
    data = found.source or "the data given"
    starts = (
        "the start given" if fit.settings.get("seed") is None and len(fit.restarts) == 1 else _starts(fit)
    )
    yield said(
        f"EM ran on {data} from {starts}, to a tolerance of {fit.settings['tol']:g}, with at most "
        f"{fit.settings['max_iter']} iterations. It ended after {fit.n_iter} of them: {fit.message}."
    )
    yield (
        Items(tuple((f"Warning: {each}",) for each in fit.warnings))
        if fit.warnings
        else said("It gave no warnings.")
    )
    yield Table(
        (("",), ("value",)), tuple(_facts(found, voice)), caption=("The fit in numbers.",), align="lr"
    )
    for name, words in fit.categories.items():
        named = ", ".join(f"{number} is {word}" for number, word in enumerate(words, _first(found, name)))
        yield (f"The labels of {name}: {named}.",)
    columns = ((("estimate",), found.fitted),)
    yield (COUNTED,)
    yield parameters_table(columns, ("The estimate.",), voice, most=MOST_ESTIMATES)
    yield from _figures(found, voice, "at the estimate")


def _starts(fit: Fit) -> str:
    near = sum(abs(each - fit.objective) <= 1e-6 * (1 + abs(fit.objective)) for each in fit.restarts)
    seed = fit.settings.get("seed")
    seeded = "" if seed is None else f" by seed {seed}"
    count = len(fit.restarts)
    return (
        f"a random start{seeded}"
        if count == 1
        else f"{count} random starts{seeded}, of which {near} led here"
    )


def _first(found: Fitted, name: str) -> int:
    """What labels count from in print."""
    return max(1, int(getattr(found.derivation.model.variables[name].support, "first", 0)))


def _facts(found: Fitted, voice: Voice) -> Iterator[tuple[Prose, ...]]:
    """The log-likelihood and what is made of it."""
    fit = found.fit
    yield ("log-likelihood",), (fixed(fit.log_likelihood, 4),)
    if voice.model.log_prior != 0:
        yield ("log-posterior",), (fixed(fit.objective, 4),)
    yield ("rows",), (f"{fit.n_rows:.10g}",)
    yield ("free parameters",), (str(fit.n_parameters),)
    yield ("AIC",), (fixed(fit.aic, 2),)
    yield ("BIC",), (fixed(fit.bic, 2),)


def _fit(found: Worked, voice: Voice) -> Iterator[Block]:
    history = found.history
    last = in_formula(history[-1], 6)
    steps = len(history) - 1
    if steps:
        settled = "has settled" if found.fit.converged else "has not settled yet"
        words = f"This step takes @ from @ to @. After {steps} iterations it is @ and {settled}."
        yield said(words, _plain_objective(voice), *(in_formula(each, 6) for each in history[:2]), last)
    yield from _figures(found, voice, "at the start")


def _figures(found: Fitted, voice: Voice, where: str) -> Iterator[Figure]:
    name = voice.objective(voice.old)
    yield from _figure(
        ascent(found, name), f"The objective at each iterate{_monotone(found)}.", _table_of(found, voice)
    )
    datum, label = single_datum(found), _label(found, voice)
    at = voice.name(datum.symbol[_index(voice)]) if datum is not None and datum.sizes else "x"
    yield from _figure(
        density(found, at, label), "The fitted density over a histogram of the data; components dashed."
    )
    yield from _figure(
        scatter(found, _entry_names(found, voice), label),
        "The data, each row in the ink of its most probable label." if label else "The data.",
    )
    posterior = next((p for p in found.derivation.posteriors if isinstance(p, Probabilities)), None)
    if posterior is not None and posterior.axes:
        gamma, row = voice.name(posterior.probability.symbol), voice.name(posterior.axes[0].index)
        caption = f"The posterior of the label of each row, {where}."
        yield from _figure(shares(found, gamma, row, label), caption)


def _monotone(found: Fitted) -> str:
    """What is said of an objective that never falls by more than rounding."""
    history = np.array(found.history)
    rises = bool(np.all(np.diff(history) >= -1e-9 * (1 + np.abs(history[1:]))))
    return "; it never falls" if rises else ""


def _entry_names(found: Fitted, voice: Voice) -> tuple[str, str]:
    """The two numbers of a row in print."""
    seen = pairs(found)
    if seen is None:
        return "", ""
    symbol, index = seen[0].symbol, _index(voice)
    if seen[0].shape:
        entries = [Element(symbol[index], Integer(entry), Integer(0)) for entry in range(2)]
    else:
        entries = [symbol[index, entry] for entry in range(2)]
    first, second = (latex(entry, voice.free) for entry in entries)
    return first, second


def _plain_objective(voice: Voice) -> str:
    return rf"\ell + \log p({voice.theta})" if voice.model.log_prior != 0 else r"\ell"


def _label(found: Fitted, voice: Voice) -> str:
    labelled = [p for p in found.derivation.posteriors if isinstance(p, Probabilities)]
    return voice.name(labelled[0].atom) if labelled else ""


def _index(voice: Voice) -> Symbol:
    axes = [axis for p in voice.derivation.posteriors for axis in p.axes]
    return axes[0].index


def _figure(plot: Plot | None, caption: str, instead: Table | None = None) -> Iterator[Figure]:
    if plot is not None:
        yield Figure(plot.svg, (caption,), plot.words, instead)


def _table_of(found: Fitted, voice: Voice) -> Table:
    """A few iterates as numbers."""
    steps = len(found.history) - 1
    tens = {factor * 10**power for power in range(1, 6) for factor in (1, 2, 5)}
    kept = sorted(({0, 1, 2, 3, 5, steps} | tens) & set(range(steps + 1)))
    lines = tuple(((str(t),), (single(found.history[t], 8),)) for t in kept)
    return Table((("iteration",), said("@", voice.objective(voice.old))), lines, align="rr")
