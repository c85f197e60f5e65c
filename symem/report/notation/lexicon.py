"""What the names in a derivation stand for: their letters, their place in a product, where they count from.

A `Lexicon` is gathered once from the records; the printers look everything up in it. Names that the engine
makes (η, A, γ, S) take the plain letter while it is free and the latent's name as superscript otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from sympy import Expr, Indexed, Symbol

from symem.algebra.counting import FromOne
from symem.derivation import (
    Definition,
    Derivation,
    GaussianStates,
    Linked,
    Neighbours,
    Posterior,
    Probabilities,
    Recognised,
    Shared,
    Shares,
    Table,
    Tabulated,
)
from symem.language.leaves import name_of, places_of
from symem.language.matrices import ENTRY
from symem.language.model import Model, Role
from symem.language.parents import Parents
from symem.language.plates import Axis, index_symbol
from symem.language.supports import Binary, Labels
from symem.report.notation.chains_told import letters_of, normaliser_letter
from symem.report.notation.index_letters import axes_of, index_letters
from symem.report.notation.letters import Label, distinct
from symem.report.notation.matrix_names import (
    bold_names,
    capitals,
    latent_label,
    masked,
    seen_labels,
    statistic_labels,
)
from symem.report.notation.nodes_told import choices_at_nodes


class Rank(IntEnum):
    """Where a factor stands in a product."""

    NUMBER = 0
    WEIGHT = 1
    STATISTIC = 2
    SIZE = 3
    PARAMETER = 4
    DATA = 5
    GROUP = 6
    FUNCTION = 7
    EXPONENTIAL = 8
    SUM = 9


ROLE_RANKS = {
    Role.SIZE: Rank.SIZE,
    Role.PARAMETER: Rank.PARAMETER,
    Role.DATA: Rank.DATA,
    Role.KNOWN: Rank.DATA,
    Role.LATENT: Rank.DATA,
    Role.FACTOR: Rank.DATA,
    Role.MASK: Rank.WEIGHT,
}


@dataclass(frozen=True)
class Mean:
    """A name that stands for ⟨statistic⟩ at `indices`; those that the statistic lacks are labels given."""

    statistic: Expr
    indices: tuple[Symbol, ...]


@dataclass(frozen=True)
class Lexicon:
    """What the printers must know of names; `marks` is the iterate that parameters carry.

    `turned` are arrays whose last slot is printed first. `lengths` and `pairs` say how sums along sequences are written
    (`sums_along`), `parents` are the arrays that say who is a parent.
    """

    labels: Mapping[str, Label] = field(default_factory=dict)
    ranks: Mapping[str, Rank] = field(default_factory=dict)
    means: Mapping[str, Mean] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    axes: tuple[Axis, ...] = ()
    from_one: FromOne = field(default_factory=FromOne)
    marks: Mapping[str, str] = field(default_factory=dict)
    turned: frozenset[str] = frozenset()
    diagonals: Mapping[str, Label] = field(default_factory=dict)
    lengths: Mapping[Symbol, Expr] = field(default_factory=dict)
    pairs: frozenset[str] = frozenset()
    parents: frozenset[str] = frozenset()

    def label(self, name: str) -> Label:
        return self.labels.get(name) or Label.of(name)

    def rank(self, name: str) -> Rank:
        return self.ranks.get(name, Rank.DATA)

    def marked(self, mark: str) -> Lexicon:
        """The same, with every parameter carrying the superscript (mark)."""
        parameters = [name for name, rank in self.ranks.items() if rank is Rank.PARAMETER]
        return replace(self, marks=dict.fromkeys(parameters, mark))

    def within(self, axes: Iterable[Axis]) -> Lexicon:
        """The same where these axes are in scope."""
        return replace(self, from_one=self.from_one.within(axes))

    def fresh(self, like: Axis) -> tuple[Axis, Lexicon]:
        """Another index for the range of `like`, and the lexicon that knows it."""
        taken = {self.label(axis.index.name).head for axis in self.axes} | set(self.ranks)
        letters = (name for name in "lmhrstuvcdefgjkpqabnwxyz" if name not in taken)
        axis = like.renamed(index_symbol(next(letters, f"{like.index.name}_2")))
        counting = self.from_one
        natural = counting.natural | ({axis} if like in counting.natural else set())
        return axis, replace(self, from_one=replace(counting, natural=natural)).within([axis])

    @classmethod
    def of(cls, derivation: Derivation) -> Lexicon:
        """The lexicon of everything that occurs in a derivation."""
        model, posteriors = derivation.model, derivation.posteriors
        from_one = _counting(derivation)
        means = {name: mean for each in posteriors for name, mean in _means(each, from_one)}
        ranks = {name: ROLE_RANKS[variable.role] for name, variable in model.variables.items()}
        ranks |= {name_of(each.symbol): _rank_of(own) for own in posteriors for each in own.definitions}
        ranks |= {name_of(each.symbol): Rank.STATISTIC for each in derivation.surrogate.statistics}
        ranks |= {u.multiplier[0].name: Rank.SIZE for u in derivation.updates if isinstance(u, Shares)}
        labels = distinct(_choices(derivation)) | dict(index_letters(derivation))
        labels |= {name: labels[name].in_bold() for name in bold_names(derivation) if name in labels}
        return cls(
            labels=labels,
            diagonals=capitals(derivation, labels),
            ranks=ranks,
            means=means,
            masks={mask.name: mask.name.removeprefix("observed_") for mask in model.masks} | masked(model),
            axes=tuple(dict.fromkeys(axes_of(derivation))),
            from_one=from_one,
            lengths={each.symbol: each.value for each in model.extents if isinstance(each.value, Indexed)},
            pairs=frozenset(_pairs(derivation)),
            parents=frozenset(
                name for name, each in model.variables.items() if isinstance(each.support, Parents)
            ),
        )


def _pairs(derivation: Derivation) -> Iterator[str]:
    """The arrays that stand at the steps between neighbours."""
    for each in derivation.posteriors:
        if isinstance(each, Neighbours) and each.steps != each.along:
            yield from (name_of(own.symbol) for own in each.definitions if each.steps in own.axes)


def _rank_of(posterior: Posterior) -> Rank:
    """Where what is known of a latent stands: probabilities before parameters, states behind what moves them."""
    return Rank.DATA if isinstance(posterior, GaussianStates) else Rank.WEIGHT


# letters ---------------------------------------------------------------------------------------------


def _choices(derivation: Derivation) -> Iterator[tuple[str, tuple[Label, ...]]]:
    """Every name with the labels it would like, users' names first."""
    for name, variable in derivation.model.variables.items():
        yield name, (*seen_labels(derivation.model, variable), Label.of(name))
    tables = [posterior for posterior in derivation.posteriors if isinstance(posterior, Tabulated)]
    for posterior in derivation.posteriors:
        alone = [posterior] in (tables, list(derivation.posteriors))
        yield from _posterior_choices(posterior, alone=alone)
    for definition in derivation.surrogate.statistics:
        name = name_of(definition.symbol)
        own = Label.of(name)
        yield name, (*statistic_labels(derivation, definition), own, replace(own, sub=(*own.sub, "0")))
    for law in derivation.family.definitions if derivation.family else ():
        yield name_of(law.symbol), (Label("p"), Label("q"), Label.of(name_of(law.symbol)))
    for update in derivation.updates:
        if isinstance(update, Shares):
            yield update.multiplier[0].name, (Label("lambda"), Label("xi"), Label("zeta"))


def _posterior_choices(posterior: Posterior, *, alone: bool) -> Iterator[tuple[str, tuple[Label, ...]]]:
    latent = latent_label(posterior.latent)
    named = [(posterior.log_normaliser, normaliser_letter(posterior)), *letters_of(posterior)]
    if isinstance(posterior, Tabulated):
        named.append((posterior.log_weight, "eta"))
    if isinstance(posterior, Probabilities):
        named.append((posterior.probability, "gamma"))
    for definition, letter in named:
        simple = (Label(letter),) if alone else ()
        yield (
            name_of(definition.symbol),
            (*simple, *_counted(posterior, definition, letter), Label(letter, sup=latent)),
        )
    yield from choices_at_nodes(posterior, latent)
    letters = _argument_letters(posterior)
    for definition in posterior.parameters:
        name = name_of(definition.symbol)
        word = name.removesuffix(f"_{posterior.latent.name}").removesuffix(f"_{latent.head}")
        letter = letters.get(definition.symbol, word)
        yield name, (Label(letter, hat=True), Label(letter, sup=latent, hat=True))


def _counted(posterior: Posterior, definition: Definition, letter: str) -> tuple[Label, ...]:
    """Names of counts stand below, for above they would be powers: A_C of those that sum to n_C."""
    if not isinstance(posterior, Shared):
        return ()
    total = posterior.trials if definition == posterior.log_normaliser else posterior.atom
    label = (
        Label.of(name_of(total)) if isinstance(total, Symbol | Indexed) else latent_label(posterior.latent)
    )
    return (Label(letter, sub=label.sub or (label.head,)),)


def _argument_letters(posterior: Posterior) -> dict[Expr, str]:
    """The letters that a family has for its arguments."""
    if not isinstance(posterior, Recognised):
        return {}
    face = posterior.face
    return {value: face.argument(name).letter or name for name, value in posterior.arguments.items()}


def _means(posterior: Posterior, from_one: FromOne) -> Iterator[tuple[str, Mean]]:
    """The names that stand for expectations, with the statistic whose mean they are."""
    for statistic, value in posterior.expectations.items():
        if isinstance(value, Symbol | Indexed):
            yield name_of(value), Mean(from_one(statistic), places_of(value))


# counting --------------------------------------------------------------------------------------------


def _counting(derivation: Derivation) -> FromOne:
    """Plates and labels count from 1; outcomes that are numbers, and what they index, from 0."""
    model = derivation.model
    slots = set(_binary_slots(model))
    natural = set(_axes_at(derivation, slots))
    for each in derivation.posteriors:
        labelled = isinstance(each.latent.support, Labels)
        if isinstance(each, Table) and each.value == each.outcome.index and not labelled:
            natural |= {each.outcome, each.following} if isinstance(each, Linked) else {each.outcome}
    slots |= {
        (name_of(each.symbol), place)
        for each in derivation.arrays
        for place, axis in _slotted(each)
        if axis in natural
    }
    return FromOne(
        indices=frozenset(axis.index for axis in (*axes_of(derivation), Axis(ENTRY, ENTRY)))
        - {axis.index for axis in natural},
        labels=frozenset(v.name for v in model.variables.values() if isinstance(v.support, Labels)),
        natural=frozenset(natural),
        natural_slots=frozenset(slots),
    )


def _binary_slots(model: Model) -> Iterator[tuple[str, int]]:
    """The slots in which a binary label stands."""
    for entry in model.log_likelihood.atoms(Indexed):
        for place, slot in enumerate(entry.indices):
            variable = model.variables.get(name_of(slot)) if isinstance(slot, Symbol | Indexed) else None
            if variable is not None and isinstance(variable.support, Binary):
                yield name_of(entry), place


def _axes_at(derivation: Derivation, slots: set[tuple[str, int]]) -> Iterator[Axis]:
    """The axes whose index stands in one of these slots of what is defined."""
    for definition in derivation.arrays:
        for place, axis in _slotted(definition):
            if (name_of(definition.symbol), place) in slots:
                yield axis


def _slotted(definition: Definition) -> Iterator[tuple[int, Axis]]:
    """Each slot in which an axis stands; a definition of single entries, such as mu[0, j], has others."""
    axes = {axis.index: axis for axis in definition.axes}
    places = enumerate(places_of(definition.symbol))
    return ((place, axes[slot]) for place, slot in places if slot in axes)
