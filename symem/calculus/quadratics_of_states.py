"""What a log-likelihood says of Gaussian states, as quadratics: of each, of the first, of the last, of neighbours.

Of numbers and of vectors alike: -½ hᵀSh + lᵀh + c of one, and gᵀ B h between a state h and the next g.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

from sympy import And, Eq, Expr, Ge, Gt, Indexed, Le, Lt, Mul, Piecewise, S, true

from symem.calculus.links import Links, without
from symem.calculus.quadratic import form_ends, split_forms, summed
from symem.calculus.separate import Term, conditions_of, separate
from symem.calculus.state_algebra import Algebra
from symem.errors import NotDerivedError
from symem.language.matrices import T, transpose
from symem.language.plates import Axis, LogIverson, total
from symem.language.traces import Tr


@dataclass(frozen=True)
class Quadratic:
    """-½ hᵀ square h + lineᵀ h + constant."""

    square: Expr = S.Zero
    line: Expr = S.Zero
    constant: Expr = S.Zero

    def __add__(self, other: Quadratic) -> Quadratic:
        return Quadratic(self.square + other.square, self.line + other.line, self.constant + other.constant)


@dataclass(frozen=True)
class Pair:
    """gᵀ both h + what is said of the later state g + what is said of the earlier one h."""

    both: Expr = S.Zero
    later: Quadratic = field(default_factory=Quadratic)
    earlier: Quadratic = field(default_factory=Quadratic)

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.both + other.both, self.later + other.later, self.earlier + other.earlier)


@dataclass(frozen=True)
class Forms:
    """What is said of each state at its place, of the first, of the last, and of neighbours at the steps between them."""

    algebra: Algebra
    place: Quadratic
    first: Quadratic
    last: Quadratic
    step: Pair
    #: -½ (g - F h - b)ᵀ N (g - F h - b), N the projection on what noise does not reach, which must be 0.
    tie: Pair = field(default_factory=Pair)

    @cached_property
    def beyond(self) -> Quadratic:
        """What the law of the next state says of the one before and is no density of the next."""
        return _beyond(self.algebra, self.step)

    @cached_property
    def start(self) -> tuple[Expr, Expr]:
        """Mean and variance of the first state."""
        variance = self.algebra.inverse(self.first.square)
        return self.algebra.times(variance, self.first.line), variance

    @cached_property
    def link(self) -> tuple[Expr, Expr, Expr]:
        """F, b and Q of the next state, Normal(F h + b, Q)."""
        variance, times = self.algebra.spread(self.step.later.square), self.algebra.times
        spread, offset = times(variance, self.step.both), times(variance, self.step.later.line)
        return spread + self.tie.both, offset + self.tie.later.line, variance

    def at(self, part: Callable[[str], Expr], mean: Expr) -> Expr:
        """The quadratic of these parts at a state, but for its constant."""
        form = self.algebra.form
        return form(part("line"), S.One, mean) - form(mean, part("square"), mean) / 2


def _beyond(algebra: Algebra, step: Pair) -> Quadratic:
    both, later, earlier = step.both, step.later, step.earlier
    back = algebra.times(algebra.transpose(both), algebra.spread(later.square))
    square = algebra.times(earlier.square - algebra.times(back, both), S.One)
    return Quadratic(square, algebra.times(earlier.line + algebra.times(back, later.line), S.One))


def of_states(links: Links, labels: Mapping[Expr, Expr]) -> Forms:
    """Read the terms of a chain, labels that they depend on being at their axes.

    Raises:
        NotDerivedError: a term is no quadratic, or holds in a part of the chain only.
    """
    shape = links.variable.shape
    reader = Reader(links, Algebra(shape[0] if shape else None), labels)
    for term in links.terms:
        reader.read(term)
    return reader.forms()


@dataclass
class Reader:
    """What was said so far: at places, and by links, of the later state term by term."""

    links: Links
    algebra: Algebra
    labels: Mapping[Expr, Expr]
    place: Quadratic = field(default_factory=Quadratic)
    first: Quadratic = field(default_factory=Quadratic)
    last: Quadratic = field(default_factory=Quadratic)
    pair: Pair = field(default_factory=Pair)
    later: list[Quadratic] = field(default_factory=list)
    tie: Pair = field(default_factory=Pair)

    def read(self, term: Term) -> None:
        if isinstance(term.factor, LogIverson):
            self.tie += self._read_tie(term)
            return
        links, atoms = self.links, self.links.atoms(term)
        place = atoms[0].indices[links.slot] if atoms else None
        if place == 0:
            self.first += self._single(term.factor, term.axes, atoms[0])
        elif place == links.along.size - 1:
            self.last += self._single(term.factor, term.axes, atoms[0])
        elif any(
            a.size == links.steps.size and a.index in getattr(place, "free_symbols", ()) for a in term.axes
        ):
            self.read_link(term)
        else:
            factor, conditions, axes, atoms = links.there(term, links.along)
            own = self._single(factor, axes, atoms[0]) if atoms else self._constant(factor, axes)
            self.place += where(conditions, own)

    def read_link(self, term: Term) -> None:
        links = self.links
        atoms = links.atoms(term)
        own = next(a for a in term.axes if a.size == links.steps.size and a.index in atoms[0].free_symbols)
        factor, here = term.factor.xreplace({own.index: links.steps.index}), {own.index: links.steps.index}
        atoms, axes = [a.xreplace(here) for a in atoms], tuple(a for a in term.axes if a != own)
        if len(atoms) == 2:
            self.pair += Pair(both=self._both(self._beyond_ends(factor), axes, *atoms))
            return
        said = self._single(factor, axes, atoms[0])
        if said.square != 0:
            said = self._single(self._beyond_ends(factor), axes, atoms[0])
        if atoms[0].indices[links.slot] == links.steps.index:
            self.pair += Pair(earlier=said)
        else:
            self.later.append(said)

    def _beyond_ends(self, factor: Expr) -> Expr:
        """A factor of a law of the next state as if it went on where its chain has ended: nothing is seen there, and no state
        before an end hears of it.

        Raises:
            NotDerivedError: it depends on what is known of its place, which there is not beyond an end.
        """
        ends = {condition for condition in conditions_of(factor) if condition.has(Lt, Le, Gt, Ge)}
        kept = without(factor, ends)
        moving = [
            each
            for each in kept.atoms(Indexed)
            if each.has(self.links.steps.index) and each.base != self.links.variable.symbol
        ]
        if ends and moving:
            raise NotDerivedError(
                f"The states {self.links.atom} have an end of their own in each sequence, and move by {moving[0]}: of chains of several lengths "
                f"the laws are the same at every place. Let all be as long as the longest, with missing=[…] and NaN behind an end."
            )
        return kept

    def _read_tie(self, term: Term) -> Pair:
        """What must be 0 of a state and the next, as -½ of it.

        Raises:
            NotDerivedError: it is no square of what noise does not reach.
        """
        condition, links = term.factor.args[0], self.links
        if not isinstance(condition, Eq) or condition.rhs != 0 or len(links.atoms(term)) != 2:
            raise NotDerivedError(
                f"{condition} is said of the states {links.atom}: chains are derived whose states are Gaussian given the one before, "
                f"and what is seen of them has noise in every entry."
            )
        own = replace(self, pair=Pair(), later=[], tie=Pair())
        for part in separate(condition.lhs):
            if links.atoms(part):
                own.read_link(replace(part, factor=-part.factor / 2, axes=(*part.axes, *term.axes)))
        return own.pair + Pair(later=sum(own.later, Quadratic()))

    def forms(self) -> Forms:
        """With those of the terms of later states in their law that make it a density; the others are of their places."""
        step, rest = self._law()
        t, s = self.links.along.index, self.links.steps.index
        place = self.place
        for each in rest:
            place += where(
                [Ge(t, 1)], Quadratic(each.square.xreplace({s: t - 1}), each.line.xreplace({s: t - 1}))
            )
        return Forms(self.algebra, place, self.first, self.last, step, self.tie)

    def _law(self) -> tuple[Pair, list[Quadratic]]:
        squares = [each for each in self.later if each.square != 0]
        lines = [each for each in self.later if each.line != 0]
        square = self._chosen(squares, Pair(self.pair.both, Quadratic(), self.pair.earlier), "square")
        so_far = Pair(self.pair.both, sum(square, Quadratic()), self.pair.earlier)
        line = self._chosen(lines, so_far, "line")
        law = Pair(so_far.both, sum(line, so_far.later), so_far.earlier)
        return law, [each for each in self.later if each not in (*square, *line)]

    def _chosen(self, terms: list[Quadratic], step: Pair, part: str) -> list[Quadratic]:
        """The most of these terms with which nothing is said beyond the density; all, where something always is."""
        for size in range(len(terms), -1, -1):
            for chosen in combinations(terms, size):
                later = sum(chosen, step.later)
                if (
                    later.square != 0
                    and getattr(_beyond(self.algebra, replace(step, later=later)), part) == 0
                ):
                    return list(chosen)
        return terms

    def _at(self, value: Expr) -> Expr:
        return value.xreplace(dict(self.labels))

    def _constant(self, factor: Expr, axes: tuple[Axis, ...]) -> Quadratic:
        return Quadratic(constant=self._at(total(factor, axes)))

    # -- one term --------------------------------------------------------------------------------------

    def _single(self, factor: Expr, axes: tuple[Axis, ...], atom: Expr) -> Quadratic:
        factor = self._at(factor)
        if self.algebra.vector is None:
            coefficient, powers = powers_of(factor, (atom,))
            if powers == (2,):
                return Quadratic(square=total(-2 * coefficient, axes))
            if powers == (1,):
                return Quadratic(line=total(coefficient, axes))
            self._refuse(factor, atom)
        coefficient, forms = split_forms(factor, atom)
        ends = [end for end in (form_ends(form, atom) for form in forms) if end is not None]
        if len(ends) < len(forms):
            self._refuse(factor, atom)
        columns = [end for end, linear in ends if linear is not None]
        if len(ends) == 1 and not columns:
            middle = ends[0][0]
            return Quadratic(square=-summed(coefficient * (middle + transpose(middle)), axes))
        if len(ends) == len(columns) == 2:
            outer = columns[0] * transpose(columns[1])
            return Quadratic(square=-summed(coefficient * (outer + transpose(outer)), axes))
        if len(ends) == len(columns) == 1:
            return Quadratic(line=summed(coefficient * columns[0], axes))
        return self._refuse(factor, atom)

    def _both(self, factor: Expr, axes: tuple[Axis, ...], earlier: Expr, later: Expr) -> Expr:
        """B of gᵀ B h, g being the later state."""
        factor = self._at(factor)
        if self.algebra.vector is None:
            coefficient, powers = powers_of(factor, (earlier, later))
            return total(coefficient, axes) if powers == (1, 1) else self._refuse(factor, earlier)
        coefficient, forms = split_forms(factor, earlier)
        coefficient, others = split_forms(coefficient, later)
        middle = between(forms, others, earlier, later)
        return self._refuse(factor, earlier) if middle is None else summed(coefficient * middle, axes)

    def _refuse(self, factor: Expr, atom: Expr) -> Quadratic:
        raise NotDerivedError(
            f"{factor} is no quadratic in the state {atom}: states along a chain or a tree are derived that are Gaussian given their neighbours "
            f"and the data. Let {self.links.variable.name} be a label on a grid, or let what is observed of it be Normal about a multiple of it."
        )


def where(conditions: Sequence[Expr], said: Quadratic) -> Quadratic:
    """What holds at some places alone."""
    if not conditions:
        return said
    parts = (getattr(said, name) for name in ("square", "line", "constant"))
    return Quadratic(
        *(Piecewise((each, And(*conditions)), (S.Zero, true)) if each != 0 else each for each in parts)
    )


def powers_of(factor: Expr, atoms: Iterable[Expr]) -> tuple[Expr, tuple[int, ...] | None]:
    """(coefficient, powers) of a product of powers of numbers; None where one stands elsewhere."""
    powers = factor.as_powers_dict()
    found = tuple(powers.get(atom, 0) for atom in atoms)
    coefficient = factor / Mul(*(atom**power for atom, power in zip(atoms, found, strict=True)))
    plain = all(int(power) == power for power in found) and not any(coefficient.has(atom) for atom in atoms)
    return coefficient, tuple(map(int, found)) if plain else None


def between(forms: Sequence[Expr], others: Sequence[Expr], earlier: Expr, later: Expr) -> Expr | None:
    """M of gᵀMh, of forms that hold the earlier state h and others that hold the later g alone; None of anything else."""
    if len(forms) == 1 and not others:
        return _middle(forms[0], later, earlier)
    if len(forms) == len(others) == 1:
        one, other = form_ends(others[0], later), form_ends(forms[0], earlier)
        if one and other and one[1] is not None and other[1] is not None:
            return one[0] * transpose(other[0])
    return None


def _middle(form: Expr, left: Expr, right: Expr) -> Expr | None:
    if not isinstance(form, Tr):
        return None
    word = form.word
    if word[0] == T(left) and word[-1] == right:
        return Mul(*word[1:-1])
    if word[0] == T(right) and word[-1] == left:
        return transpose(Mul(*word[1:-1]))
    return None
