r"""How the data arise, as a paper states it: x_i | z_i ~ N(μ_{z_i}, σ²_{z_i}).

Arguments are those of `sympy.stats`, except that a Normal law is given its variance, as everywhere in print.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from sympy import Eq, Expr, Idx, Indexed, Integer, Mul, Product, Sum, Symbol, exp, log

from symem.language.declarations import Declaration
from symem.language.family import OTHERWISE, Distribution
from symem.language.leaves import name_of
from symem.language.matrices import MatrixArray, is_matrix
from symem.language.matrix_supports import PositiveDefinite
from symem.language.parents import has_parent
from symem.language.plates import Axis, Iverson, index_symbol
from symem.language.ranges import free_indices, own_range
from symem.language.support import Support
from symem.language.supports import Positive
from symem.language.vectors import OF_VECTORS
from symem.report.document import Lines
from symem.report.line_breaking import LINE, filled, width
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_notation import multiple
from symem.report.notation.notation import latex, letter
from symem.report.writer import Voice

Arguments = Sequence[Expr]


def _set(read: Expr, support: Support, *, of_vectors: bool) -> Expr:
    """A number as the vector 0, or the multiple of I, that it stands for where a vector or a matrix should."""
    if not of_vectors or is_matrix(read) or isinstance(support, Positive):
        return read
    if isinstance(support, PositiveDefinite):
        return multiple(read)
    return MatrixArray(Integer(0), 1, 1)() if read == 0 else read


def stated(voice: Voice) -> tuple[Lines, ...]:
    """A line for each declaration; none where the model was stated by its likelihood."""
    return tuple(line for each in voice.model.declarations for line in Statement(each, voice).lines())


@dataclass(frozen=True)
class Statement:
    """One declaration in the letters of a report."""

    declaration: Declaration
    voice: Voice

    def lines(self) -> Iterator[Lines]:
        law = self.declaration.distribution
        if not law.branches:
            yield self._line(law, self._given(law.arguments))
            return
        (label,) = law.arguments
        for value, branch in law.branches.items():
            at = self._read(label)
            moved = 1 if self.voice.free.from_one.labels & {name_of(at)} else 0
            told = [each + moved for each in law.branches if each != OTHERWISE]
            excluded = rf"{self.voice.name(at)} \notin \{{{', '.join(map(str, told))}\}}"
            here = excluded if value == OTHERWISE else f"{self.voice.name(at)} = {value + moved}"
            yield self._line(branch, here)

    def _line(self, law: Distribution, given: str) -> Lines:
        names = [letter(self._read(entry), self.voice.complete) for entry in self.declaration.entries]
        left = names[0] if len(names) == 1 else f"({', '.join(names)})"
        sign = law.family.sign
        pieces, tail = list(self._arguments(law)), self._places()
        tall = any(sign in piece for piece in pieces for sign in (r"\frac", r"\sum", r"\prod", r"\sqrt"))
        opening, closing = (r"\Bigl(", r"\Bigr)") if tall else ("(", ")")
        whole = [*(f"{piece}," for piece in pieces[:-1]), f"{pieces[-1]}{closing}{tail}"]
        left += rf" \mid {given}" if given else ""
        head = rf"{left} &\sim {sign}{opening}"
        if width(head) > LINE / 2:
            return (
                f"& {left}",
                *(
                    rf"& \qquad {each}"
                    for each in filled([rf"\sim {sign}{opening}{whole[0]}", *whole[1:]], LINE - 6)
                ),
            )
        first, *more = filled(whole, LINE - width(head) if width(head) < LINE / 2 else LINE / 2)
        return (head + first, *(rf"&\qquad {line}" for line in more))

    def _places(self) -> str:
        """Where the law holds, if it looks back at other places: t = 2, …, T; or where a place has a parent."""
        if self.declaration.parent is not None:
            _, parent = self._read(self.declaration.parent).as_coeff_Add()
            condition = Eq(parent, -1) if self.declaration.at_roots else has_parent(parent)
            return rf",\quad {latex(condition, self._scope)}"
        index = self.declaration.back
        if index is None:
            return ""
        sizes, name = self.voice.model.index_sizes, str(index.label)
        size = latex(sizes[name] if name in sizes else self._read(own_range(index).size), self._scope)
        first = self.declaration.reach + 1
        return rf",\quad {letter(index_symbol(str(index.label)), self._scope)} = {first}, \dots, {size}"

    def _given(self, arguments: Arguments) -> str:
        """The random variables that the arguments hold."""
        own = {self._read(entry) for entry in self.declaration.entries}
        random = {each.name for each in (*self.voice.model.latents, *self.voice.model.data)}
        found = [
            atom
            for argument in arguments
            for atom in sorted(self._read(argument).atoms(Indexed, Symbol), key=str)
            if name_of(atom) in random
            and atom not in own
            and not (isinstance(atom, Symbol) and self.voice.model.variables[atom.name].sizes)
        ]
        return ", ".join(dict.fromkeys(self.voice.name(atom) for atom in found))

    def _arguments(self, law: Distribution) -> Iterator[str]:
        """Each argument; one that runs over the categories as its first, …, last entry."""
        supports = chain(law.family.parameters.values(), repeat(Positive()))
        for argument, support in zip(law.family.printed.shown(*law.arguments), supports, strict=False):
            running = [
                index for index in sorted(argument.atoms(Idx), key=str) if index not in self._own(argument)
            ]
            read = self._read(argument)
            if len(running) == 1:
                yield from self._run(read, running[0])
            else:
                yield latex(_set(read, support, of_vectors=law.name in OF_VECTORS), self._scope)

    def _own(self, argument: Expr) -> set[Idx]:
        """The indices that are bound: by the plate of the variable, or by a sum."""
        bound = {limit[0] for inner in argument.atoms(Sum, Product) for limit in inner.limits}
        last = self.declaration.own[-1:] if self.declaration.cell else ()
        return (set(self.declaration.own) - set(last)) | bound

    def _run(self, read: Expr, running: Idx) -> Iterator[str]:
        index = next(symbol for symbol in read.free_symbols if str(symbol) == str(running.label))
        size = self.voice.model.index_sizes[str(running.label)]
        scope = self._scope
        if isinstance(read, Indexed) and size.is_Symbol:
            slots = [size if slot == index else slot for slot in read.indices]
            last = letter(Indexed(read.base, *slots), scope)
            yield rf"{latex(read.subs(index, Integer(0)), scope)}, \dots, {last}"
        else:
            yield rf"{latex(read, scope)},\ {letter(index, scope)} = 1, \dots, {latex(size, scope)}"

    @property
    def _scope(self) -> Lexicon:
        """The letters where the indices of the declaration are open."""
        indices = {index for each in self.declaration.stated_arguments for index in each.atoms(Idx)}
        names = sorted({str(index.label) for index in (*indices, *self.declaration.own)})
        sizes = self.voice.model.index_sizes
        return self.voice.complete.within(
            [Axis(index_symbol(name), sizes[name]) for name in names if name in sizes]
        )

    def _read(self, expr: Any) -> Expr:
        """An expression of the user's with open indices, in internal symbols."""
        free = free_indices(expr)
        if not free:
            return self.voice.model.internal(expr)
        read = self.voice.model.internal(Sum(exp(expr), *free))
        inner = read.function if isinstance(read, Sum) else read
        inner = Mul(*(factor for factor in Mul.make_args(inner) if not isinstance(factor, Iverson)))
        return inner.args[0] if isinstance(inner, exp) else log(inner)
