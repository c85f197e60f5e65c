"""Factors of a mean field that are families of the table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sympy import Add, Expr, S

from symem.calculus.density import split_factor
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import Conditional
from symem.calculus.means_of_factors import Letter, Mean
from symem.calculus.recognise import Match
from symem.calculus.separate import Term
from symem.derivation import Factor
from symem.errors import NotDerivedError
from symem.language.model import Model
from symem.language.support import Support


class OfFamily(Mean):
    """A family of the table on the range of the latent."""

    def __init__(
        self, model: Model, names: Names, conditional: Conditional, match: Match, bounds: Any
    ) -> None:
        super().__init__(model, names, conditional)
        self.match, self.bounds, self.family = match, bounds, match.row.name

    @property
    def _supports(self) -> dict[str, Support]:
        return {
            name: self.match.face.argument(name).support
            for name, value in self.match.arguments.items()
            if not value.is_number
        }

    @cached_property
    def arguments(self) -> dict[str, Expr]:
        fixed = {name: value for name, value in self.match.arguments.items() if value.is_number}
        own = super().arguments
        return {name: fixed.get(name, own.get(name)) for name in self.match.arguments}

    @cached_property
    def letters(self) -> tuple[Letter, ...]:
        face, found = self.match.face, []
        for number, function in enumerate(face.statistics(self.atom)):
            value = face.mean(self.atom, function, self.arguments, self.bounds)
            if value is None:
                raise NotDerivedError(
                    f"A factor for {self.latent.name} would be {self.match.row.name}, whose mean of {function} has no closed form."
                )
            found.append(self._letter(f"T{number + 1}_{self.latent.name}", function, value))
        return tuple(found)

    def _mean(self, term: Term, atom: Expr) -> list[Term]:
        """Nothing of a base measure, which the entropy has with the opposite sign."""
        _coefficient, function = split_factor(term.factor, atom)
        own = function.xreplace({atom: self.atom})
        base = self.match.face.base_measure(self.atom, self.bounds)
        if own in {split_factor(part, self.atom)[1] for part in Add.make_args(base)} - {S.One}:
            return []
        return super()._mean(term, atom)

    @property
    def own(self) -> tuple[Expr, ...]:
        """The parameters of the family in their order."""
        if self.match.face.parameters is not None:
            return self.match.face.parameters(self.arguments, self.bounds)
        return tuple(self.arguments[name] for name in self.match.row.parameters)

    @property
    def natural(self) -> tuple[Expr, ...]:
        return self.match.face.natural_parameters(self.arguments, self.bounds)

    def partition(self) -> list[Term]:
        face = self.match.face
        base = Add.make_args(face.base_measure(self.atom, self.bounds))
        constant = Add(*(part for part in base if not part.has(self.atom)))
        return [Term(face.log_partition(self.arguments, self.bounds) - constant, self.position)]

    def expected(self, natural: Sequence[Expr]) -> Expr:
        return super().expected(natural) + self.match.face.base_measure(self.atom, self.bounds)

    def log_law(self) -> Expr:
        return self.match.face.log_density(self.atom, self.arguments, self.bounds)

    def record(self, natural: Sequence[Expr], **of_table: Any) -> Factor:
        return super().record(natural, row=self.match.row, own=self.own)

    def best(self, natural: Sequence[Expr]) -> dict[str, Expr]:
        found = self.match.face.arguments(tuple(natural), self.bounds)
        return {name: found[name] for name in self._supports}
