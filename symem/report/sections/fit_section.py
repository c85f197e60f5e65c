"""The fit that an iteration begins: how the objective rises, the fitted density, the posterior of each row."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Symbol

from symem.derivation import Probabilities
from symem.report.document import Block, Figure, Section, Table, said
from symem.report.figures.plots import Plot, ascent, density, shares, single_datum
from symem.report.iteration import Worked
from symem.report.notation.digits import in_formula, single
from symem.report.writer import Voice


def fit(found: Worked, voice: Voice) -> Section:
    """The section."""
    return Section(said("The fit"), tuple(_fit(found, voice)), anchor="fit")


def _fit(found: Worked, voice: Voice) -> Iterator[Block]:
    history, name = found.history, voice.objective(voice.old)
    last = in_formula(history[-1], 6)
    steps = len(history) - 1
    if steps:
        settled = "has settled" if found.converged else "has not settled yet"
        words = f"This step takes @ from @ to @. After {steps} iterations it is @ and {settled}."
        yield said(words, _plain_objective(voice), *(in_formula(each, 6) for each in history[:2]), last)
    yield from _figure(
        ascent(found, name), "The objective at each iterate; it never falls.", _table_of(found, voice)
    )
    datum, label = single_datum(found), _label(found, voice)
    at = voice.name(datum.symbol[_index(voice)]) if datum is not None and datum.sizes else "x"
    yield from _figure(
        density(found, at, label), "The fitted density over a histogram of the data; components dashed."
    )
    posterior = next((p for p in found.derivation.posteriors if isinstance(p, Probabilities)), None)
    if posterior is not None and posterior.axes:
        gamma, row = voice.name(posterior.probability.symbol), voice.name(posterior.axes[0].index)
        caption = "The posterior of the label of each row, at the start."
        yield from _figure(shares(found, gamma, row, label), caption)


def _plain_objective(voice: Voice) -> str:
    return rf"\ell + \log p({voice.theta})" if voice.model.log_prior != 0 else r"\ell"


def _label(found: Worked, voice: Voice) -> str:
    labelled = [p for p in found.derivation.posteriors if isinstance(p, Probabilities)]
    return voice.name(labelled[0].atom) if labelled else ""


def _index(voice: Voice) -> Symbol:
    axes = [axis for p in voice.derivation.posteriors for axis in p.axes]
    return axes[0].index


def _figure(plot: Plot | None, caption: str, instead: Table | None = None) -> Iterator[Figure]:
    if plot is not None:
        yield Figure(plot.svg, (caption,), plot.words, instead)


def _table_of(found: Worked, voice: Voice) -> Table:
    """A few iterates as numbers."""
    steps = len(found.history) - 1
    kept = sorted({0, 1, 2, 3, 5, 10, 20, 50, 100, 200, steps} & set(range(steps + 1)))
    lines = tuple(((str(t),), (single(found.history[t], 8),)) for t in kept)
    return Table((("iteration",), said("@", voice.objective(voice.old))), lines, align="rr")
