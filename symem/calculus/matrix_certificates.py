"""Certificates of updates of vectors and matrices.

Stationarity: what multiplies t in Q(X + tH) vanishes at the update for every H. A maximum: where Q is quadratic in
the matrices that are solved together, what multiplies t² is not positive for any H; in a covariance Q is
-a log det Σ - tr(Σ⁻¹S) with S positive semidefinite, which has one maximum, at S/a (Anderson 2003, lemma 3.2.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Pow, S

from symem.calculus.along import along, direction, is_quadratic
from symem.calculus.probes import against
from symem.calculus.separate import Term, rejoin, separate
from symem.calculus.signs import Signs
from symem.calculus.slopes import Solved, holds_as_it_stands
from symem.calculus.vanishing import Vanishing
from symem.derivation import Claim, Conditional, Derivation, Status, Update
from symem.language.leaves import name_of
from symem.language.matrices import MatrixEntry, is_matrix, word_of
from symem.language.matrix_supports import PositiveDefinite
from symem.language.plates import rebind, total
from symem.language.traces import LogDet, Tr, inverse, words


@dataclass(frozen=True)
class MatrixClaims:
    """Proofs about the matrices of one derivation; None where none was found."""

    derivation: Derivation
    terms: tuple[Term, ...]
    vanishes: Vanishing
    signs: Signs

    def stationarity(self, update: Update) -> Claim | None:
        if self._equals_its_scatter(update):
            sentence = (
                "the derivative of -a log det Σ - tr(Σ⁻¹S) vanishes at S/a, and the update is S/a identically"
            )
            return Claim("stationarity", Status.PROVED, sentence)
        first = self.slope(update)
        if any(self.vanishes(solved.put(first)) for solved in self._solutions(update)):
            sentence = "the derivative along every direction vanishes at the update identically"
            return Claim("stationarity", Status.PROVED, sentence)
        return None

    def _equals_its_scatter(self, update: Update) -> bool:
        """S = a Σ, or S = a Λ⁻¹ where the parameter is the precision."""
        read = self._counted(update.parameter) if update.parameter.is_symmetric_letter else None
        if read is None:
            return False
        count, scatter, letter = read
        difference = against(scatter - count * inverse(letter))
        return any(self.vanishes(solved.put(difference)) for solved in self._solutions(update))

    def slope(self, update: Update) -> Expr:
        """What multiplies t in Q(X + tH), H being a change at one place."""
        parameter = update.parameter
        first, _ = along(self.terms, [parameter.base])
        return rejoin(_at_place(term, parameter) for term in separate(first))

    def _solutions(self, update: Update) -> Iterable[Solved]:
        """This update put in alone, then with the block's earlier ones, then with later ones too."""
        if holds_as_it_stands(self.derivation, update):
            alone = Solved(self.derivation.model)
            alone.pairs.append((update.parameter, update.value))
            yield alone
        block = [u for u in self.derivation.updates if u.block == update.block]
        solved = Solved(self.derivation.model)
        for each in block:
            solved.add(each)
            if block.index(each) >= block.index(update):
                yield solved

    def together(self, update: Update) -> list[Expr]:
        """The arrays of matrices that are solved with this one and may be anything."""
        block = [u for u in self.derivation.updates if u.block == update.block and is_matrix(u.parameter)]
        moved = [update] if isinstance(update, Conditional) else block
        return [u.parameter.base for u in moved if not u.parameter.is_symmetric_letter]

    def curves_downwards(self, update: Update) -> bool:
        """Whether Q is quadratic in the matrices that are solved together, what multiplies t² being negative."""
        bases = self.together(update)
        _, second = along(self.terms, bases)
        return second != 0 and is_quadratic(self.terms, bases) and self.signs(second) == -1

    def is_scatter(self, update: Update) -> bool:
        """a > 0 and S positive semidefinite in -a log det Σ - tr(Σ⁻¹S)."""
        read = self._counted(update.parameter)
        if read is None or not self._is_free_of_later(update):
            return False
        count, scatter, _letter = read
        return self.signs(count) in (0, 1) and self.is_positive_semidefinite(scatter)

    def _counted(self, parameter: Expr) -> tuple[Expr, Expr, Expr] | None:
        """(a, S, Σ⁻¹) of the terms of one covariance, or of one precision: a log det Λ - tr(ΛS)."""
        count, scatter, letters = S.Zero, S.Zero, set[Expr]()
        for term in self.terms:
            entries = [e for e in term.factor.atoms(MatrixEntry) if e.base == parameter.base]
            if not entries:
                continue
            places = dict(zip(entries[0].indices, parameter.indices, strict=True))
            part = Term(term.factor.xreplace(places), tuple(a for a in term.axes if a.index not in places))
            scalar = next(f for f in part.factors() if f.has(parameter))
            held = (
                [letter for letter in scalar.word if letter.has(parameter)] if isinstance(scalar, Tr) else []
            )
            if isinstance(scalar, LogDet) and scalar.args[0] == parameter:
                count -= total(part.factor / scalar, part.axes)
            elif len(held) == 1:
                letters.add(held[0])
                place = scalar.word.index(held[0])
                rest = word_of((*scalar.word[place + 1 :], *scalar.word[:place]))
                scatter -= total(part.factor / scalar * rest, part.axes)
            else:
                return None
        sides = {Pow(parameter, -1): 1, parameter: -1}
        if len(letters) != 1 or not letters <= set(sides):
            return None
        letter = letters.pop()
        return sides[letter] * count, scatter, letter

    def _is_free_of_later(self, update: Update) -> bool:
        """Whether the earlier updates of the block hold for every value of this one; given them, it need not be so."""
        if isinstance(update, Conditional):
            return True
        block = [u for u in self.derivation.updates if u.block == update.block]
        earlier = block[: block.index(update)]
        return not any(
            atom.base == update.parameter.base for each in earlier for atom in each.value.atoms(Indexed)
        )

    def support(self, update: Update) -> Claim | None:
        if not isinstance(self._support_of(update), PositiveDefinite):
            return Claim("support", Status.PROVED, "every real matrix is allowed")
        if self.is_positive_semidefinite(update.nested) or self.is_positive_semidefinite(update.value):
            sentence = (
                "the update is a sum of squares, so positive semidefinite; that it is regular is a condition"
            )
            return Claim("support", Status.PROVED, sentence)
        return None

    def is_positive_semidefinite(self, matrix: Expr) -> bool:
        """Whether hᵀMh ≥ 0 for every h; an inverse is as definite as what it inverts."""
        numbers, rest = matrix.as_independent(*matrix.atoms(MatrixEntry), as_Add=False)
        if isinstance(rest, Pow) and rest.exp == -1 and self.signs(numbers) == 1:
            return self.is_positive_semidefinite(rest.base)
        symmetric = Add(*(c * w for c, w in words(matrix)))
        found = against(symmetric) if is_matrix(symmetric) else symmetric
        return self.signs(found) in (0, 1)

    def _support_of(self, update: Update) -> object:
        return self.derivation.model.variables[name_of(update.parameter)].support


def _at_place(term: Term, parameter: Expr) -> Term:
    """The part of Σ_k f(H_k) that holds the change at the parameter's own indices."""
    change = direction(parameter).base
    held = next(a for a in term.factor.atoms(MatrixEntry) if a.base == change)
    rules = {own: place for own, place in zip(held.indices, parameter.indices, strict=True) if own != place}
    moved = Term(rebind(term.factor, parameter.free_symbols), term.axes)
    return Term(
        moved.factor.xreplace(rules), tuple(axis for axis in moved.axes if axis.index not in held.indices)
    )
