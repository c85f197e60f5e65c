"""The rules of notation for vectors and matrices, for any medium.

Letters are bold; a word keeps its order, the number before it; a number beside matrices is a multiple of I; an
iterate and an exponent share one superscript; a difference that ends a quadratic form starts with the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sympy import Add, Expr, Integer, Mul, Sum

from symem.algebra.rewriting import Identity, Ratio, is_negative, shape_of
from symem.language.leaves import name_of, places_of
from symem.language.matrices import (
    ENTRY,
    Diagonal,
    MatrixEntry,
    T,
    Whole,
    is_matrix,
    letters,
    transpose,
)
from symem.language.traces import Element, entry_of
from symem.report.notation.letters import Label
from symem.report.notation.lexicon import Lexicon, Mean
from symem.report.notation.markup import Markup

INVERSE = "-1"


class MatrixNotation:
    """What the printers must know of matrices; mixed into the rules of the textbook."""

    lexicon: Lexicon
    markup: Markup
    doprint: Callable[[Any], str]
    ratio: Callable[[Expr], Ratio]
    factor: Callable[..., str]

    # words --------------------------------------------------------------------------------------

    def word(self, sequence: Sequence[Expr]) -> str:
        """Letters from left to right, sums and differences in parentheses."""
        turned = self._centred_ends(tuple(sequence))
        last = len(turned) - 1
        return self.markup.juxtaposed(
            [self._in_word(each, last=place == last) for place, each in enumerate(turned)]
        )

    def _centred_ends(self, sequence: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """(x - m)' M (x - m), not (m - x)' M (m - x)."""
        first, last = sequence[0], sequence[-1]
        if len(sequence) < 2 or not last.is_Add or transpose(last) != first:
            return sequence
        turned = self._from_the_data(first if _is_row(last) else last)
        ends = (transpose(turned), turned)
        first, last = reversed(ends) if _is_row(last) else ends
        return (first, *sequence[1:-1], last)

    def _from_the_data(self, difference: Expr) -> Expr:
        """A difference of vectors turned so that what it starts with, the data as such, has no minus."""

        def weight(term: Expr) -> tuple[Any, ...]:
            bare = term.as_coeff_Mul()[1]
            bare = bare.args[0] if isinstance(bare, Element) else bare
            return (self._deepest(term), isinstance(bare, MatrixEntry), not is_negative(term))

        leading = max(difference.args, key=weight)
        return Add(*(-term for term in difference.args)) if is_negative(leading) else difference

    def _deepest(self, term: Expr) -> int:
        raise NotImplementedError

    def _mean(self, mean: Mean, slots: tuple[Expr, ...]) -> str:
        raise NotImplementedError

    def _in_word(self, expr: Expr, *, last: bool) -> str:
        if expr.is_Add and _is_row(expr):
            return self._raised(transpose(expr), self.markup.transpose)
        body = self.doprint(expr)
        runs_on = expr.is_Add or expr.is_Mul or (isinstance(expr, Sum) and not last)
        return self.markup.group(body) if runs_on else body

    def _raised(self, base: Expr, power: str) -> str:
        """A letter with its transpose or exponent in its one superscript; of all else the parenthesised form."""
        if isinstance(base, T):
            return self._raised(base.args[0], power + self.markup.transpose if power == INVERSE else "")
        if isinstance(base, MatrixEntry) and name_of(base) not in self.lexicon.means:
            return self._letter(base, power)
        if isinstance(base, Diagonal):
            return self._diagonal(base, power)
        if isinstance(base, Whole):
            return self.markup.power(self.markup.group(self.doprint(base.args[0])), power)
        body = self.doprint(base)
        return self.markup.power(body if isinstance(base, MatrixEntry) else self.markup.group(body), power)

    def _letter(self, entry: Expr, power: str) -> str:
        name = name_of(entry)
        label, mark = self.lexicon.label(name).in_bold(), self.lexicon.marks.get(name, "")
        return self.markup.letter(label, self._places(places_of(entry)), mark, power)

    def _places(self, slots: Sequence[Expr]) -> list[str]:
        return [self.doprint(slot).replace(" ", "") for slot in slots]

    def matrix_product(self, expr: Expr) -> str:
        """A number before a word; plain letters stand above the line of a fraction, all else beside it."""
        commuting, word = taken_apart(expr)
        ratio = self.ratio(Mul(*commuting))
        sign = "-" if ratio.negative else ""
        body = self.word(word)
        above = [self.factor(each, last=False) for each in ratio.above]
        above = above if ratio.number.p == 1 else [str(ratio.number.p), *above]
        if not ratio.below and ratio.number.q == 1:
            return sign + self.markup.juxtaposed([*above, body])
        below = [self.factor(each, last=False) for each in ratio.below]
        below = below if ratio.number.q == 1 else [str(ratio.number.q), *below]
        if len(ratio.below) == 1 and ratio.number.q == 1:
            below = [self.doprint(ratio.below[0])]
        inside = all(isinstance(each, MatrixEntry | T) for each in word)
        top = self.markup.juxtaposed([*above, *([body] if inside else [])]) or "1"
        compound = (False, len(below) > 1 or any(each.is_Add for each in ratio.below))
        fraction = self._fraction(top, self.markup.juxtaposed(below), compound=compound, alone=inside)
        return sign + (fraction if inside else self.markup.juxtaposed([fraction, body]))

    def _fraction(self, top: str, bottom: str, *, compound: tuple[bool, bool], alone: bool) -> str:
        body = self.markup.fraction(top, bottom, compound=compound)
        return body if alone or self.markup.builds_up else self.markup.group(body)

    def matrix_power(self, expr: Expr) -> str:
        base, exponent = expr.args
        return self._raised(base, self.doprint(exponent))

    def identities(self, terms: Sequence[Expr]) -> list[Expr]:
        """The terms of a sum of matrices in the order of print: I first, other multiples of it last."""
        numbers = [term for term in terms if not is_matrix(term)]
        matrices = [term for term in terms if is_matrix(term)]
        matrices.sort(
            key=lambda term: (is_negative(term), not isinstance(term.as_coeff_Mul()[1], MatrixEntry))
        )
        first = [multiple(term) for term in numbers if term.is_Rational and term > 0]
        return [
            *first,
            *matrices,
            *(multiple(term) for term in numbers if not (term.is_Rational and term > 0)),
        ]

    # nodes --------------------------------------------------------------------------------------

    def _print_MatrixEntry(self, expr: Expr, **_: Any) -> str:
        if name_of(expr) in self.lexicon.means:
            return str(self._print_Symbol(expr))  # type: ignore[attr-defined]
        return self._letter(expr, "")

    def _print_T(self, expr: Expr, **_: Any) -> str:
        return self._raised(expr.args[0], self.markup.transpose)

    def _print_Unit(self, expr: Expr, **_: Any) -> str:
        return self.markup.letter(Label("e", bold=True), self._places(expr.args[:1]), "")

    def _print_Whole(self, expr: Expr, **_: Any) -> str:
        return self.doprint(expr.args[0])

    def _print_Identity(self, _expr: Expr, **_: Any) -> str:
        return self.markup.letter(Label("I", bold=True), (), "")

    def _print_Tr(self, expr: Any, **_: Any) -> str:
        word = taken_apart(expr.args[0])[1]
        if expr.is_form and (entry := entry_of(word)) is not None:
            return self.doprint(entry)
        if expr.is_form:
            return self.word(word)
        return self.markup.function("tr", self.word(inverse_first(word)), bare=False)

    def _print_Det(self, expr: Expr, **_: Any) -> str:
        return self.markup.determinant(self.doprint(expr.args[0]))

    def _print_MatrixMean(self, expr: Expr, **_: Any) -> str:
        body, *given = expr.args
        return self.markup.mean(self.doprint(body), self._places(given))

    _print_ScalarMean = _print_MatrixMean

    def _print_LogDet(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("log", self._print_Det(expr), bare=True)

    def _print_Diagonal(self, expr: Expr, **_: Any) -> str:
        return self._diagonal(expr, "")

    def _diagonal(self, expr: Expr, power: str) -> str:
        """diag(ψ), or Ψ where that letter was free; of a formula, diag_a(formula)."""
        entry = expr.args[0]
        base, exponent = entry.as_base_exp()
        slots = places_of(base)
        if not (exponent.is_Integer and slots and slots[-1] == ENTRY):
            head = self.markup.letter(Label("diag"), [self.doprint(ENTRY)], "")
            body = head + self.markup.group(self.doprint(entry))
            return self.markup.power(body, power) if power else body
        return self._diagonal_letter(base, str(int(exponent) * int(power or "1")))

    def _diagonal_letter(self, base: Expr, power: str) -> str:
        name, slots = name_of(base), self._places(places_of(base)[:-1])
        power = "" if power == "1" else power
        mark = self.lexicon.marks.get(name, "")
        if name in self.lexicon.diagonals:
            return self.markup.letter(self.lexicon.diagonals[name].in_bold(), slots, mark, power)
        vector = self.markup.letter(self.lexicon.label(name).in_bold(), slots, mark)
        body = self.markup.function("diag", vector, bare=False)
        return self.markup.power(body, power) if power else body

    def _print_BlockInverse(self, expr: Expr, **_: Any) -> str:
        matrix, mask, _size = expr.args
        return self.markup.entry(self.doprint(matrix), self.missing(mask), INVERSE)

    def _print_BlockLogDet(self, expr: Expr, **_: Any) -> str:
        matrix, mask, _size = expr.args
        block = self.markup.entry(self.doprint(matrix), self.missing(mask))
        return self.markup.function("log", self.markup.determinant(block), bare=True)

    def missing(self, mask: Expr) -> list[str]:
        """The rows and columns of a block: the entries that a mask calls missing."""
        return [" ".join([self.missing_entries(mask)] * 2)]

    def missing_entries(self, mask: Expr) -> str:
        slots = [slot for slot in places_of(mask) if slot != ENTRY]
        return self.markup.letter(Label("m"), self._places(slots), "")

    def _print_Element(self, expr: Expr, **_: Any) -> str:
        matrix, *places = expr.args
        places = places[:1] if shape_of(matrix)[1] == 1 else places
        if isinstance(matrix, MatrixEntry) and name_of(matrix) not in self.lexicon.means:
            name = name_of(matrix)
            label, mark = replace(self.lexicon.label(name), bold=False), self.lexicon.marks.get(name, "")
            return self.markup.letter(label, self._places((*places_of(matrix), *places)), mark)
        if isinstance(matrix, MatrixEntry) and isinstance(
            self.lexicon.means[name_of(matrix)].statistic, MatrixEntry
        ):
            return self._mean_entry(matrix, places)
        return self.markup.entry(self.doprint(matrix), self._places(places))

    def _mean_entry(self, matrix: Expr, places: Sequence[Expr]) -> str:
        """⟨z_ia⟩ for the entry of the vector ⟨z_i⟩."""
        mean = self.lexicon.means[name_of(matrix)]
        whole = (*places, Integer(0))[:2]
        return self._mean(replace(mean, statistic=Element(mean.statistic, *whole)), places_of(matrix))


def inverse_first(cycle: Sequence[Expr]) -> Sequence[Expr]:
    """The word inside a trace turned so that an inverse leads, if there is one: tr(Σ⁻¹S)."""
    backwards = tuple(transpose(each) for each in reversed(cycle))
    turns = [(*word[p:], *word[:p]) for word in (tuple(cycle), backwards) for p in range(len(cycle))]
    led = [turn for turn in turns if _is_inverse(turn[0])]
    return min(led, key=lambda turn: [isinstance(each, T) for each in turn]) if led else cycle


def _is_inverse(expr: Expr) -> bool:
    base = expr.args[0] if isinstance(expr, Diagonal) else expr
    return is_negative(base.as_base_exp()[1])


def multiple(number: Expr) -> Expr:
    """A number as the multiple of I for which it stands."""
    return Mul(number, Identity(), evaluate=False) if number != 1 else Identity()


def taken_apart(expr: Expr) -> tuple[list[Expr], tuple[Expr, ...]]:
    """The numbers and the letters of a word, also of one left unevaluated."""
    commuting: list[Expr] = []
    word: list[Expr] = []
    for factor in Mul.make_args(expr):
        if factor.is_Mul:
            inner, more = taken_apart(factor)
            commuting += inner
            word += more
        elif is_matrix(factor):
            word += letters(factor)
        else:
            commuting.append(factor)
    return commuting, tuple(word)


def _is_row(expr: Expr) -> bool:
    rows, cols = shape_of(expr)
    return bool(rows == 1 and cols != 1)
