"""How a derivation is spoken of: its names in the letters a reader chose, at the old, the new or any parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr
from sympy.core.relational import Relational

from symem.algebra.rewriting import matrix_valued
from symem.derivation import Definition, Derivation, Step
from symem.language.leaves import name_of
from symem.language.model import Model, Role, Variable
from symem.report.document import Display, Lines
from symem.report.line_breaking import LINE, broken, width
from symem.report.notation.books import PACKS, counting_apart, lettered
from symem.report.notation.by_label import by_label
from symem.report.notation.chains_told import Span, cases, with_messages
from symem.report.notation.letters import Label
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_updates import named_moments
from symem.report.notation.moments import Meanings
from symem.report.notation.notation import latex, letter
from symem.report.notation.plain_statistics import plainly
from symem.report.notation.printed_form import printed, ratios
from symem.report.options import PLAIN, Options

#: Said where a reader may look a number up: in print the first is 1, as in the literature.
COUNTED = "Rows and entries are counted from 1, as in print; arrays, tables and messages count them from 0."


class Voice:
    """`now` prints parameters as θ^(t), `new` as θ^(t+1), `free` as θ; `start` and `first` as those of iteration one."""

    def __init__(self, derivation: Derivation, options: Options = PLAIN) -> None:
        self.derivation = by_label(plainly(with_messages(derivation)))
        self.options = options
        self.model: Model = derivation.model
        self.pack = counting_apart(PACKS[options.notation], self.model)
        self.meanings = Meanings.of(self.derivation)
        self.free = lettered(Lexicon.of(self.derivation), self.derivation, self.pack, options.rename)
        self.complete = completed(self.free, self.model)
        self.now, self.new = self.marked(self.pack.now), self.marked(self.pack.new)
        self.start, self.first = self.marked(self.pack.start), self.marked(self.pack.first)
        self.theta = self._together()

    def _together(self) -> str:
        """A letter for the parameters together; where there is one array of that letter, it is they."""
        letter = self.pack.theta.lstrip("\\")
        labels = {name: self.free.label(name) for name in self.model.variables}
        alone = len(self.model.parameters) == 1 and labels[self.model.parameters[0].name] == Label(letter)
        taken = any(label.head == letter for label in (*labels.values(), *self.free.diagonals.values()))
        return self.pack.other if taken and not alone else self.pack.theta

    def steps(self, stage: str) -> tuple[Step, ...]:
        """The steps of a stage, in their order."""
        return tuple(step for step in self.derivation.steps if step.stage == stage)

    def marked(self, mark: str) -> Lexicon:
        """The lexicon in which parameters carry a mark; expectations that have one of their own keep it."""
        marked = self.free.marked(mark)
        return replace(marked, marks={**self.free.marks, **marked.marks})

    def at(self, mark: str) -> str:
        """θ with a mark of the pack."""
        return f"{self.theta}^{{{raised(mark)}}}"

    @property
    def old(self) -> str:
        """θ^(t)."""
        return self.at(self.pack.now)

    @property
    def next(self) -> str:
        """θ^(t+1)."""
        return self.at(self.pack.new)

    @property
    def surrogate(self) -> str:
        return self.Q(self.theta)

    def Q(self, theta: str) -> str:
        """The surrogate at some θ, as the pack writes it."""
        return rf"Q({theta}{self.pack.given}{self.old})"

    def objective(self, theta: str) -> str:
        """ℓ at some θ, with the log-prior if there is one: what an iteration does not lower."""
        prior = rf" + \log p({theta})" if self.model.log_prior != 0 else ""
        return f"{self.ell}({theta}){prior}"

    @property
    def ell(self) -> str:
        """The log-likelihood; of a mean field the free energy, which stands in its place."""
        return "F" if self.derivation.mean_field else r"\ell"

    @property
    def theory(self) -> Mapping[str, str]:
        """The names that laws use, in these letters: `derivation.THEORY`."""
        iterates = {"theta": self.theta, "old": self.old, "next": self.next}
        return {
            **iterates,
            "Q": "Q",
            "posterior": self.posterior,
            **{f"Q_{name}": self.Q(theta) for name, theta in iterates.items()},
            **{f"objective_{name}": self.objective(theta) for name, theta in iterates.items()},
        }

    def name(self, expr: Expr) -> str:
        return letter(expr, self.free)

    # names of several together ------------------------------------------------------------------------

    def of(self, role: Role) -> list[Variable]:
        """The variables of a role, the companions of missing data apart."""
        missing = {f"{each.name}_missing" for each in self.model.data if each.missing}
        found = [each for each in self.model.variables.values() if each.role is role]
        return [each for each in found if each.name not in missing]

    def names(self, *roles: Role) -> str:
        """The letters of the variables of these roles."""
        found = [variable for role in roles for variable in self.of(role)]
        entries = (each.symbol.label if each.sizes else each.symbol for each in found)
        return ", ".join(letter(entry, self.complete) for entry in entries)

    @property
    def density(self) -> str:
        """p(x, z | θ), by name where there are few names."""
        found = self.names(Role.DATA, Role.LATENT, Role.FACTOR)
        arguments = found if width(found) <= LINE / 4 else r"\text{data}, \text{latents}"
        return rf"p({arguments} \mid {self.theta})"

    @property
    def posterior(self) -> str:
        """p(z | x, θ^(t)), by name where there are few names; of a mean field the factor of the rest."""
        if self.derivation.mean_field:
            return f"q({self.names(Role.LATENT)})"
        completed = [self.name(v.symbol.label) for v in self.model.latents if v.seen is not None and v.sizes]
        hidden = ", ".join([*filter(None, [self.names(Role.LATENT)]), *completed])
        entries = (each.symbol.label if each.sizes else each.symbol for each in self.of(Role.DATA))
        seen = ", ".join(map(self.name, entries))
        few = hidden and width(hidden + seen) <= LINE / 4
        arguments = rf"{hidden} \mid {seen}" if few else r"\text{latents} \mid \text{data}"
        return f"p({arguments}, {self.old})"

    # formulas -----------------------------------------------------------------------------------------

    def equation(self, left: str, right: Expr, lexicon: Lexicon, tail: str = "") -> Lines:
        return tuple(broken(left, printed(right), lexicon, tail=tail))

    def definition(self, definition: Definition, lexicon: Lexicon) -> Lines:
        """A definition; of a recurrence, how it begins and how it goes on."""
        return tuple(line for each, span in cases(definition) for line in self._case(each, span, lexicon))

    def _case(self, definition: Definition, span: Span | None, lexicon: Lexicon) -> Lines:
        scope = lexicon.within(definition.axes)
        value = named_moments(matrix_valued(definition.value, definition.symbol), self.meanings)
        tail = "" if span is None else rf",\qquad {', '.join(self._span(span, scope))}"
        return self.equation(letter(definition.symbol, scope), ratios(value), scope, tail)

    def _span(self, span: Span, scope: Lexicon) -> tuple[str, ...]:
        """t = 2, …, T, or where a condition holds."""
        if isinstance(span, Relational):
            return (latex(span, scope),)
        index, low, high = span
        shift = int(index in scope.from_one.indices)
        return f"{letter(index, scope)} = {latex(low + shift, scope)}", r"\dots", latex(high + shift, scope)

    def slope(self, definition: Definition, parameter: Expr, own: int) -> Lines:
        """The score in a parameter over so many axes of its own, of all data or of a row, under the sign of that derivative."""
        scope = self.now.within(definition.axes)
        value = named_moments(matrix_valued(definition.value, parameter), self.meanings)
        rows = "".join(letter(axis.index, scope) for axis in definition.axes[: len(definition.axes) - own])
        of_row = f"_{{{rows}}}" if rows else ""
        left = rf"\frac{{\partial \ell{of_row}}}{{\partial {letter(parameter, self.free)}}}"
        return self.equation(left, ratios(value), scope)

    def information(self, sign: str, definition: Definition, parameters: Sequence[Expr]) -> Lines:
        """A block of an information matrix, by the parameters whose it is; of one number alone it is the whole."""
        scope = self.now.within(definition.axes)
        whole = len(self.derivation.scores) == 1 and not definition.axes
        value = named_moments(definition.value, self.meanings)
        names = r",\, ".join(letter(each, self.free.within(definition.axes)) for each in parameters)
        left = f"{sign}({self.theta})" if whole else rf"\left[{sign}\right]_{{{names}}}"
        return self.equation(left, ratios(value), scope)

    def share(self, definition: Definition) -> Lines:
        """Missing over complete information, of one number."""
        theta = self.theta
        left = rf"i_{{Z \mid X}}({theta}) / i_{{Y}}({theta})"
        return self.equation(left, ratios(definition.value), self.now)

    def definitions(self, definitions: Sequence[Definition], lexicon: Lexicon) -> Display:
        return Display(tuple(self.definition(each, lexicon) for each in definitions))


def completed(lexicon: Lexicon, model: Model) -> Lexicon:
    """The letters of vectors before it is said which entries were seen: x, where x^o has those alone."""
    whole = {
        name_of(v.seen[0]): lexicon.label(v.name) for v in model.variables.values() if v.seen is not None
    }
    return replace(lexicon, labels={**lexicon.labels, **whole})


def raised(mark: str) -> str:
    r"""A mark as a superscript: in parentheses, unless it is a word.

    >>> raised("t"), raised(r"\mathrm{old}")
    ('(t)', '\\mathrm{old}')
    """
    return mark if mark.startswith("\\") else f"({mark})"
