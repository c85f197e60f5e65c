"""What pictures in a report call what they show: the letters of the report, counted from 1."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Indexed, Integer, Symbol

from symem.derivation import Chain, GaussianChain, Posterior, Probabilities
from symem.language.model import Role, Variable
from symem.language.traces import Element
from symem.report.figures.shown import Names
from symem.report.notation.notation import latex
from symem.report.writer import Voice


class Letters(Names):
    """Names in the letters of a voice."""

    first_row = 1

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.iteration = f"iteration ${voice.pack.counter}$" if voice.pack.counter else Names.iteration
        self.objective = f"${voice.objective(voice.old)}$"
        axes = [axis for each in voice.derivation.posteriors for axis in each.axes]
        self.index = axes[0].index if axes else Symbol("i")
        self.row = f"${voice.name(self.index)}$"
        chains = [
            each.along.index
            for each in voice.derivation.posteriors
            if isinstance(each, Chain | GaussianChain)
        ]
        self.place = f"${voice.name(chains[0])}$" if chains else Names.place

    def number(self, name: str) -> str:
        return self.entry(name, ())

    def entry(self, name: str, place: tuple[int, ...]) -> str:
        """In print: x_{i2} of an entry of the rows, μ_1 of a parameter."""
        variable = self.voice.model.variables.get(name)
        return super().entry(name, place) if variable is None else f"${self._letter(variable, place)}$"

    def _letter(self, variable: Variable, place: tuple[int, ...]) -> str:
        slots: list[Expr] = list(map(Integer, place))
        if variable.role is not Role.PARAMETER and variable.sizes:
            slots = [self.index, *slots]
        own, rest = slots[: len(variable.sizes)], slots[len(variable.sizes) :]
        if len(own) < len(variable.sizes):
            return self.voice.name(variable.symbol.label)
        if not variable.shape:
            return latex(Indexed(variable.symbol, *own) if own else variable.symbol, self.voice.free)
        atom = variable.symbol[tuple(own)] if own else variable.symbol
        if not rest:
            return self.voice.name(variable.symbol.label if own else variable.symbol)
        return latex(Element(atom, rest[0], rest[1] if len(rest) > 1 else Integer(0)), self.voice.free)

    def outcome(self, name: str, place: int, word: Any) -> str:
        posterior = self._posterior(name)
        if posterior is None:
            return super().outcome(name, place, word)
        binary = str(posterior.latent.support) == "Binary"
        printed = word if isinstance(word, str) else f"${place + (0 if binary else 1)}$"
        return f"${self.voice.name(posterior.atom)}$ = {printed}"

    def probability(self, name: str) -> str:
        posterior = self._posterior(name)
        if not isinstance(posterior, Probabilities):
            return super().probability(name)
        return f"${self.voice.name(posterior.probability.symbol)}$"

    def index_of(self, name: str) -> str:
        posterior = self._posterior(name)
        if posterior is None or not posterior.axes:
            return self.row
        return f"${self.voice.name(posterior.axes[0].index)}$"

    def mean(self, name: str) -> str:
        posterior = self._posterior(name)
        return f"E[{name if posterior is None else f'${self.voice.name(posterior.atom)}$'} | data]"

    def _posterior(self, name: str) -> Posterior | None:
        found = (each for each in self.voice.derivation.posteriors if each.latent.name == name)
        return next(found, None)
