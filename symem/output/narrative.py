"""A derivation as a story: sections, sentences and displays in the textbook's order, for any medium.

The story derives nothing: it reads the records and writes them down. Formulas are LaTeX, which both media
understand; words are plain text, which each medium escapes for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sympy import Add, Expr, Sum, Symbol

from symem.derivation import Certificate, Definition, Derivation, NotDerived, Posterior, Update
from symem.language.model import Role, Variable
from symem.language.supports import Simplex
from symem.output.layout import LINE, broken, width
from symem.output.lexicon import Lexicon, index_names
from symem.output.notation import latex, letter
from symem.output.counting import name_of, slots_of
from symem.output.reading import (
    by_outcome,
    exponentiated,
    over_common_denominators,
    printed,
    written_out,
)
from symem.output.sets import counted, members


@dataclass(frozen=True)
class Maths:
    """A formula that stands in a line of text."""

    latex: str


Prose = tuple[str | Maths, ...]


@dataclass(frozen=True)
class Display:
    """Equations, each a tuple of lines with an alignment mark."""

    equations: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Items:
    """A list; `ordered` where its entries are steps."""

    entries: tuple[Prose, ...]
    ordered: bool = False


Block = Prose | Display | Items


@dataclass(frozen=True)
class Section:
    """A numbered heading and what stands under it; prose is a bare tuple."""

    title: Prose
    blocks: tuple[Block, ...]
    level: int = 1


def tell(derivation: Derivation) -> tuple[Section, ...]:
    """The whole story."""
    return tuple(Teller(derivation).sections())


ROLES = (
    (Role.DATA, "Data"),
    (Role.KNOWN, "Known"),
    (Role.LATENT, "Latent"),
    (Role.PARAMETER, "Parameters"),
)
SHORT = 1.5 * LINE


class Teller:
    """Writes the sections; `now` prints parameters as θ^(t), `new` as θ^(t+1), `free` without an iterate."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.model = derivation.model
        self.free = Lexicon.of(derivation)
        self.now = self.free.marked("t")
        self.new = self.free.marked("t+1")
        heads = {self.free.label(variable.name).head for variable in self.model.variables.values()}
        self.theta = r"\vartheta" if "theta" in heads else r"\theta"

    def sections(self) -> Iterator[Section]:
        yield self.the_model()
        yield Section(
            ("The E-step",),
            (("The posterior of what is latent, at the current iterate ", self.at("t"), "."),),
        )
        for posterior in self.derivation.posteriors:
            yield self.e_step(posterior)
        yield self.observed()
        yield self.surrogate()
        yield self.m_step()
        for _, updates in groupby(self.derivation.updates, key=lambda update: update.block):
            yield self.block(tuple(updates))
        for each in self.derivation.not_derived:
            yield self.open_block(each)
        yield self.algorithm()

    # pieces -------------------------------------------------------------------------------------

    def at(self, mark: str) -> Maths:
        return Maths(f"{self.theta}^{{({mark})}}")

    def maths(self, expr: Expr, lexicon: Lexicon | None = None) -> Maths:
        return Maths(letter(expr, lexicon or self.free))

    def equation(self, left: str, right: Expr, lexicon: Lexicon, tail: str = "") -> tuple[str, ...]:
        return tuple(broken(left, printed(right), lexicon, tail=tail))

    def definition(self, definition: Definition, lexicon: Lexicon) -> tuple[str, ...]:
        return self.equation(letter(definition.symbol, lexicon), definition.value, lexicon)

    def names(self, *roles: Role) -> str:
        heads = [
            letter(v.symbol if not v.sizes else v.symbol.label, self.free)
            for role in roles
            for v in self.of_role(role)
        ]
        return ", ".join(heads)

    # the model ----------------------------------------------------------------------------------

    def the_model(self) -> Section:
        entries = [self.role(role, title) for role, title in ROLES if self.of_role(role)]
        theta = Maths(f"{self.theta} = ({self.names(Role.PARAMETER)})")
        blocks: list[Block] = [
            Items(tuple(entries)),
            (
                "With ",
                theta,
                ", the log-likelihood of the complete data is",
            ),
            Display((self.equation(self.density(), self.model.log_likelihood, self.free),)),
        ]
        if self.model.log_prior != 0:
            blocks += [
                ("and the logarithm of the prior density is, up to a constant,",),
                Display((self.equation(rf"\log p({self.theta})", self.model.log_prior, self.free),)),
            ]
        return Section(("The model",), tuple(blocks))

    def of_role(self, role: Role) -> list[Variable]:
        return [variable for variable in self.model.variables.values() if variable.role is role]

    def density(self) -> str:
        arguments = self.names(Role.DATA, Role.LATENT)
        if width(arguments) > LINE / 4:
            arguments = r"\text{data}, \text{latents}"
        return rf"\log p({arguments} \mid {self.theta})"

    def role(self, role: Role, title: str) -> Prose:
        parts: list[str | Maths] = [f"{title}: "]
        for variable in self.of_role(role):
            parts += [*self.entry(variable), "; "]
        return (*parts[:-1], ".")

    def entry(self, variable: Variable) -> Prose:
        indices = index_names(variable.sizes, self.free.axes)
        atom = variable.symbol[indices] if indices else variable.symbol
        head = Maths(f"{letter(atom, self.free)} {members(variable, indices, self.free)}")
        slots = enumerate(zip(indices, variable.sizes, strict=True))
        ranges = [
            counted(index, size, self.free, name=variable.name, place=place) for place, (index, size) in slots
        ]
        return (head, " for ", Maths(r",\ ".join(ranges))) if ranges else (head,)

    # E-step -------------------------------------------------------------------------------------

    def e_step(self, posterior: Posterior) -> Section:
        tell_it = self.finite if posterior.log_weight is not None else self.recognised
        return Section(("The latent ", self.maths(posterior.atom)), tuple(tell_it(posterior)), level=2)

    def finite(self, posterior: Posterior) -> Iterator[Block]:
        weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
        assert weight is not None
        assert outcome is not None
        yield ("Collect the terms that hold ", self.maths(posterior.atom), ". With all else fixed, the log-density at ",
               self.label_is(posterior, outcome.index), " is, up to a constant,")  # fmt: skip
        yield Display(tuple(self.definition(each, self.now) for each in by_outcome(weight, outcome)))
        yield ("Normalised over ", self.maths(outcome.index), " by Bayes' rule, this is a ", posterior.family, " law,")
        equations = [self.definition(posterior.log_normaliser, self.now)]
        if probability is not None:
            equations.append(self.definition(probability, self.now))
        explicit = self.bayes(posterior)
        yield Display((*equations, *([explicit] if explicit else [])))
        yield from self.moments(posterior)

    def label_is(self, posterior: Posterior, index: Symbol) -> Maths:
        return Maths(f"{letter(posterior.atom, self.free)} = {letter(index, self.free)}")

    def bayes(self, posterior: Posterior) -> tuple[str, ...] | None:
        """The probabilities with the weights written out, less what cancels, if that fits a line."""
        weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
        if weight is None or probability is None or outcome is None:
            return None
        logs = Add(*(term for term in Add.make_args(printed(weight.value)) if term.has(outcome.index)))
        other, lexicon = self.now.fresh(outcome.index)
        weights = by_outcome(replace(weight, value=logs), outcome)
        above = exponentiated(printed(weights[-1].value))
        if len(weights) > 1:
            symbol = probability.symbol.subs(outcome.index, int(outcome.size) - 1)
            below = " + ".join(latex(exponentiated(printed(each.value)), lexicon) for each in weights)
        else:
            symbol = probability.symbol
            cells = exponentiated(logs.xreplace({outcome.index: other}))
            below = latex(Sum(cells, outcome.renamed(other).limits), lexicon)
        left = letter(symbol, self.now)
        right = rf"\frac{{\displaystyle {latex(above, lexicon)}}}{{\displaystyle {below}}}"
        return (f"{left} &= {right}",) if width(left + right) <= LINE else None

    def recognised(self, posterior: Posterior) -> Iterator[Block]:
        atom = self.maths(posterior.atom)
        yield (
            "Collect the terms that hold ",
            atom,
            ". With all else fixed, its log-density is, up to a constant,",
        )
        yield Display((self.equation(rf"\log p({atom.latex} \mid \cdot)", posterior.log_density, self.now),))
        yield ("That is a ", posterior.family, " law with")
        yield Display(tuple(self.definition(each, self.now) for each in posterior.parameters))
        yield ("Its normaliser, which stays behind when ", atom, " is integrated out, is")
        yield Display((self.definition(posterior.log_normaliser, self.now),))
        yield from self.moments(posterior)

    def moments(self, posterior: Posterior) -> Iterator[Block]:
        if posterior.moments:
            yield ("The expectations that the M-step will need are",)
            yield Display(tuple(self.definition(each, self.now) for each in posterior.moments))

    # what follows from it -------------------------------------------------------------------------

    def observed(self) -> Section:
        left = rf"\ell({self.at('t').latex})"
        return Section(
            ("The log-likelihood of the observed data",),
            (
                ("Nothing latent is left. What the normalisers leave behind is",),
                Display((self.equation(left, self.derivation.log_likelihood, self.now),)),
            ),
        )

    def surrogate(self) -> Section:
        surrogate = self.derivation.surrogate
        statistics = tuple(self.definition(each, self.now) for each in surrogate.statistics)
        q = rf"Q({self.theta} \mid {self.at('t').latex})"
        entropy = self.equation("H(q)", surrogate.entropy, self.now)
        return Section(
            ("The surrogate",),
            (
                ("Replace what is latent by its expectation. The sums that hold no new parameter are the expected ",
                 "sufficient statistics",),
                Display(statistics),
                ("and in terms of them, up to a constant free of ", Maths(self.theta), ",",),
                Display((self.equation(q, over_common_denominators(surrogate.value), self.free),)),
                ("With the entropy ", Maths("H(q)"), " of the posterior, ",
                 Maths(rf"\ell({self.at('t').latex}) = Q({self.at('t').latex} \mid {self.at('t').latex}) + H(q)"), ", where"),
                Display((entropy,)),
            ),
        )  # fmt: skip

    # M-step -------------------------------------------------------------------------------------

    def m_step(self) -> Section:
        q = Maths(rf"Q({self.theta} \mid {self.at('t').latex})")
        prior = (
            " It holds the log-prior, so the iterates climb the posterior density."
            if self.model.log_prior != 0
            else ""
        )
        return Section(
            ("The M-step",), (("The next iterate ", self.at("t+1"), " maximises ", q, "." + prior),)
        )

    def block(self, updates: Sequence[Update]) -> Section:
        title: list[str | Maths] = ["The update of "]
        for update in updates:
            title += [self.maths(update.parameter), ", "]
        blocks = [each for update in updates for each in self.update(update)]
        return Section(tuple(title[:-1]), tuple(blocks), level=2)

    def update(self, update: Update) -> Iterator[Block]:
        parameter = self.maths(update.parameter)
        if update.multiplier is not None:
            yield from self.lagrangian(update)
        yield ("The derivative with respect to ", parameter, " vanishes where")
        yield Display((self.equation("", update.equation, self.free, tail=" = 0"),))
        yield (*self.multiplier(update), "so that")
        yield Display(self.solved(update))
        for certificate in self.derivation.certificates:
            if certificate.parameter == update.parameter:
                yield self.certificate(certificate)

    def lagrangian(self, update: Update) -> Iterator[Block]:
        constraint = self.constraint(update.parameter)
        mark = self.maths(update.multiplier[0]).latex if update.multiplier else ""
        yield ("On the simplex ", Maths(f"{constraint} = 1"), " the Lagrangian is")
        q = rf"Q({self.theta} \mid {self.at('t').latex})"
        yield Display(((rf"\mathcal{{L}} &= {q} + {mark} \left( 1 - {constraint} \right)",),))

    def multiplier(self, update: Update) -> Prose:
        if update.multiplier is None:
            return ()
        symbol, value = update.multiplier
        return ("By the constraint ", Maths(f"{letter(symbol, self.free)} = {latex(value, self.new)}"), ", ")

    def constraint(self, parameter: Expr) -> str:
        name = name_of(parameter)
        for simplex in self.model.simplexes:
            if name in simplex:
                return " + ".join(letter(self.model.variables[each].symbol, self.free) for each in simplex)
        variable = self.model.variables[name]
        support = variable.support
        last = support.axes if isinstance(support, Simplex) else 1
        limits = [
            (index, 0, size - 1)
            for index, size in list(zip(slots_of(parameter), variable.sizes, strict=True))[-last:]
        ]
        return latex(Sum(parameter, *limits), self.free)

    def solved(self, update: Update) -> tuple[tuple[str, ...], ...]:
        """The update in the statistics, and once more with the statistics written out."""
        left = letter(update.parameter, self.new)
        short = tuple(broken(left, over_common_denominators(update.nested), self.new))
        explicit = written_out(update, self.derivation.surrogate.statistics)
        lines = tuple(broken("", explicit, self.new))
        if explicit == update.nested or sum(map(width, lines)) > SHORT:
            return (short,)
        first, *more = lines
        return ((*short, first.replace("& ", "&= ", 1), *more),)

    def certificate(self, certificate: Certificate) -> Items:
        entries: list[Prose] = [
            (
                f"{capitalised(claim.name)}: {claim.status.value}"
                + (f" ({claim.argument})" if claim.argument else "")
                + ".",
            )
            for claim in certificate.claims
        ]
        entries += [
            ("The update exists if ", Maths(latex(each, self.free)), ".") for each in certificate.conditions
        ]
        return Items(tuple(entries))

    def open_block(self, block: NotDerived) -> Section:
        title: list[str | Maths] = ["Not derived: "]
        for parameter in block.parameters:
            title += [self.maths(parameter), ", "]
        return Section(
            tuple(title[:-1]),
            (
                ("The derivative vanishes where",),
                Display((self.equation("0", block.equation, self.free),)),
                ("which was not solved in closed form: ", block.reason, " In the way stands"),
                Display((self.equation("", block.term, self.free),)),
            ),
            level=2,
        )

    # the algorithm --------------------------------------------------------------------------------

    def algorithm(self) -> Section:
        entries: list[Prose] = [("Choose ", self.at("0"), "; set ", Maths("t = 0"), ".")]
        entries += [
            self.listed("E-step: compute ", [d.symbol for d in self.derivation.definitions], self.free)
        ]
        entries += [
            self.listed("Add up ", [d.symbol for d in self.derivation.surrogate.statistics], self.free)
        ]
        entries += [
            self.listed(
                "M-step: set ", [u.parameter for u in self.derivation.updates], self.new, " in this order"
            )
        ]
        entries += [("Stop when ", Maths(rf"\ell({self.at('t').latex})"), " no longer rises; else add 1 to ", Maths("t"),
                     " and go back to the E-step.")]  # fmt: skip
        return Section(("The algorithm",), (Items(tuple(entries), ordered=True),))

    def listed(self, verb: str, symbols: Sequence[Expr], lexicon: Lexicon, tail: str = "") -> Prose:
        parts: list[str | Maths] = [verb]
        for symbol in symbols:
            parts += [self.maths(symbol, lexicon), ", "]
        return (*parts[:-1], tail + ".")


def capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]
