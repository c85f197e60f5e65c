"""Whose letters: the notation of three books beside our own, and a reader's names for symbols.

A pack says how θ, the iterate, the posterior probabilities of a label, its weights, the statistics and the indices
of observations and components are written. A letter is taken only where it is free; names that a reader gives come
before all others. What a pack has no letter for keeps its own.

Sources: Bishop, Pattern Recognition and Machine Learning (2006), chapter 9; McLachlan & Krishnan, The EM Algorithm
and Extensions (2nd ed. 2008), section 2.7; Dempster, Laird & Rubin (1977), sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Indexed, Integer, Sum, Symbol

from symem.derivation import Definition, Derivation, Probabilities, Table
from symem.errors import NotationError
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix, shape
from symem.language.model import Model
from symem.language.plates import Axis
from symem.language.supports import Binary, Counts, Simplex
from symem.report.notation.letters import Label
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_names import bold_names, capitals
from symem.report.notation.renaming import renamed
from symem.report.options import Notation


@dataclass(frozen=True)
class Pack:
    """A notation.

    Args:
        theta: the parameters together, and `other` where that letter is taken.
        now, new, start, first: marks of θ at the current, the next, the zeroth and the first iterate.
        counter: what counts iterations, if anything does.
        given: what stands between the two arguments of Q.
        rows, outcomes: index and size of observations and of components, or the model's own.
        responsibility: the posterior probability of a label; `of_label` writes γ(z), `turned` the component first.
        weight: the prior probability of a label.
        statistic, base: the letter of the expected statistics, and the number of the first.
        count: the statistic that adds up the posterior probabilities; where it has a letter, totals, means and
            scatters keep theirs.
        dated: whether the expectations carry the mark of the iterate too.
    """

    theta: str = r"\theta"
    other: str = r"\vartheta"
    now: str = "t"
    new: str = "t+1"
    start: str = "0"
    first: str = "1"
    counter: str = "t"
    given: str = r" \mid "
    rows: tuple[str, str] | None = None
    outcomes: tuple[str, str] | None = None
    responsibility: str = "gamma"
    of_label: bool = False
    turned: bool = False
    weight: str = ""
    statistic: str = "S"
    base: int = 0
    count: str = "N"
    dated: bool = False


#: The letter of a count where the book's is taken, as by a known number of trials: n_k, which sum to n.
COUNT = "n"

OLD, NEW = r"\mathrm{old}", r"\mathrm{new}"

PACKS: Mapping[Notation, Pack] = {
    Notation.SYMEM: Pack(),
    Notation.BISHOP: Pack(
        now=OLD, new=NEW, start=OLD, first=NEW, counter="", given=", ", rows=("n", "N"), outcomes=("k", "K"),
        of_label=True, weight="pi",
    ),
    Notation.MCLACHLAN: Pack(
        theta=r"\Psi", other=r"\Theta", now="k", new="k+1", counter="k", given="; ", rows=("j", "n"),
        outcomes=("i", "g"), responsibility="tau", turned=True, weight="pi", statistic="T", base=1, count="",
        dated=True,
    ),
    Notation.DEMPSTER: Pack(
        theta=r"\phi", other=r"\Phi", now="p", new="p+1", counter="p", responsibility="w", weight="alpha",
        statistic="t", base=1, count="", dated=True,
    ),
}  # fmt: skip


def counting_apart(pack: Pack, model: Model) -> Pack:
    """The pack with another letter for the iterations where a plate has theirs as its index."""
    taken = {*model.index_names, *model.variables}
    if pack.counter not in model.index_names or pack.outcomes is not None:
        return pack
    letter = next(each for each in "srqmnpb" if each not in taken)
    return replace(pack, now=letter, new=f"{letter}+1", counter=letter)


def lettered(lexicon: Lexicon, derivation: Derivation, pack: Pack, rename: Mapping[str, str]) -> Lexicon:
    """The lexicon in the letters of a pack and of the reader.

    Raises:
        NotationError: a name that is refused, or two names that would print alike.
    """
    given = {name: renamed(name, new) for name, new in rename.items()}
    labels = {**lexicon.labels, **given}
    own = {name: labels[name] for name in derivation.model.variables if name in labels}
    labels |= _lengths(own | given, derivation, pack, frozenset(rename))
    for name, label in _wanted(derivation, pack):
        if name not in given and _is_free(label, name, labels, derivation):
            labels[name] = label
    _check(labels, given)
    labels |= {name: labels[name].in_bold() for name in bold_names(derivation) if name in labels}
    turned = frozenset(_responsibilities(derivation)) if pack.turned else frozenset()
    dated = dict.fromkeys(_expectations(derivation), pack.now) if pack.dated else {}
    diagonals = capitals(derivation, labels)
    return replace(lexicon, labels=labels, turned=turned, marks=dated, diagonals=diagonals)


def _check(labels: Mapping[str, Label], given: Mapping[str, Label]) -> None:
    for name, label in given.items():
        twin = next((other for other in labels if other != name and labels[other] == label), None)
        if twin is not None:
            raise NotationError(f"{name!r} renamed would print as {twin!r} does: choose another name.")


def _is_free(label: Label, name: str, labels: Mapping[str, Label], derivation: Derivation) -> bool:
    """Whether no other name prints so, and no declared quantity has that letter without a subscript: N_k beside N.

    A size has no slots, so that Bishop's N and N_k stand side by side.
    """
    sizes = {size.name for size in derivation.model.sizes}
    others = {other: each for other, each in labels.items() if other != name and other not in sizes}
    declared = (others[other] for other in derivation.model.variables if other in others)
    return label not in others.values() and not any(label.head == e.head and not e.sub for e in declared)


# what a pack has letters for ---------------------------------------------------------------------------


def _wanted(derivation: Derivation, pack: Pack) -> Iterator[tuple[str, Label]]:
    alone = len(list(_responsibilities(derivation))) == 1
    for posterior in derivation.posteriors:
        if isinstance(posterior, Table) and pack.weight:
            yield from ((name, Label(pack.weight)) for name in _weights(derivation, posterior))
        if isinstance(posterior, Probabilities) and alone:
            argument = Label.of(posterior.latent.name.removesuffix("_missing")) if pack.of_label else None
            yield name_of(posterior.probability.symbol), Label(pack.responsibility, argument=argument)
    surrogate = derivation.surrogate
    counts = [(each, _counts(each.value, derivation)) for each in surrogate.statistics if pack.count]
    counted = [each for each, place in counts if place is not None]
    numbered = [
        each for each in (surrogate.numbered if pack.count else surrogate.statistics) if each not in counted
    ]
    for number, statistic in enumerate(numbered):
        at = (str(number + pack.base),) if len(numbered) > 1 else ()
        yield name_of(statistic.symbol), Label(_statistic(statistic, derivation, pack), at)
    for statistic, place in counts:
        if place is not None:
            yield from ((name_of(statistic.symbol), Label(letter, place)) for letter in (COUNT, pack.count))


def _statistic(statistic: Definition, derivation: Derivation, pack: Pack) -> str:
    """The letter of a statistic: beside vectors a capital for a matrix, a small one for a vector."""
    if not is_matrix(statistic.symbol) or not bold_names(derivation):
        return pack.statistic
    column = shape(statistic.symbol)[1] == 1
    return pack.statistic.lower() if column else pack.statistic.upper()


def _responsibilities(derivation: Derivation) -> Iterator[str]:
    """The names of the probabilities of labels, one axis for the observations and one for the outcomes."""
    return (name_of(each.probability.symbol) for each in _labelled(derivation))


def _labelled(derivation: Derivation) -> tuple[Table, ...]:
    return tuple(each for each in derivation.posteriors if isinstance(each, Table))


def _expectations(derivation: Derivation) -> Iterator[str]:
    yield from _responsibilities(derivation)
    yield from (name_of(each.symbol) for each in derivation.surrogate.statistics)


def _weights(derivation: Derivation, posterior: Table) -> Iterator[str]:
    """Parameters on a simplex that a label itself indexes: w in log w[z[i]]."""
    for entry in derivation.model.log_likelihood.atoms(Indexed):
        variable = derivation.model.variables.get(name_of(entry))
        plain = variable is not None and isinstance(variable.support, Simplex) and len(entry.indices) == 1
        if plain and name_of(entry.indices[0]) == posterior.latent.name:
            yield name_of(entry)


def _counts(value: Expr, derivation: Derivation) -> tuple[str, ...] | None:
    """The subscript of N, if a statistic adds up the probabilities of one label over its plate, or expected counts."""
    if not isinstance(value, Sum) or not isinstance(value.function, Indexed):
        return None
    if name_of(value.function) in _expected_counts(derivation):
        return ()
    if name_of(value.function) not in set(_responsibilities(derivation)) or len(value.function.indices) != 2:
        return None
    place = value.function.indices[1]
    if not isinstance(place, Integer):
        return ()
    summed = name_of(value.function)
    labels = {name_of(each.probability.symbol): each.latent for each in _labelled(derivation)}
    return (str(int(place) + (0 if isinstance(labels[summed].support, Binary) else 1)),)


def _expected_counts(derivation: Derivation) -> set[str]:
    """The names of the expectations of latent counts."""
    counts = [each for each in derivation.posteriors if isinstance(each.latent.support, Counts)]
    names = [each.expectations.get(each.atom) for each in counts]
    return {name_of(each) for each in names if isinstance(each, Symbol | Indexed)}


# indices and sizes -------------------------------------------------------------------------------------


def _lengths(
    labels: Mapping[str, Label], derivation: Derivation, pack: Pack, kept: frozenset[str]
) -> dict[str, Label]:
    """Letters for the indices and sizes of observations and of components, where both are free."""
    found: dict[str, Label] = {}
    for axis, wanted in ((_rows(derivation), pack.rows), (_outcome(derivation), pack.outcomes)):
        if axis is None or wanted is None or not isinstance(axis.size, Symbol) or axis.size.name in kept:
            continue
        index, size = map(Label, wanted)
        taken = [label for name, label in labels.items() if name != axis.size.name and name not in found]
        if index not in taken and size not in taken:
            found |= {axis.size.name: size, **dict.fromkeys(_same(axis, derivation), index)}
    return found | _spared(found, derivation, pack)


def _spared(found: Mapping[str, Label], derivation: Derivation, pack: Pack) -> dict[str, Label]:
    """Other indices whose letter was taken, by a size or by what counts the iterations of a book, get a free one."""
    taken = {label.head for label in found.values()} | ({pack.counter} - {Pack.counter})
    names = {axis.index.name for axis in _all_axes(derivation)} - set(found)
    spare = (letter for letter in "lmvrsuhq" if letter not in taken | names)
    return {name: Label(next(spare)) for name in sorted(names) if name in taken}


def _rows(derivation: Derivation) -> Axis | None:
    """The plate of the first label."""
    return next((each.axes[0] for each in _labelled(derivation) if each.axes), None)


def _outcome(derivation: Derivation) -> Axis | None:
    return next((each.outcome for each in _labelled(derivation)), None)


def _same(axis: Axis, derivation: Derivation) -> Iterator[str]:
    """The names of the indices that run over the same range."""
    return (each.index.name for each in _all_axes(derivation) if each.size == axis.size)


def _all_axes(derivation: Derivation) -> tuple[Axis, ...]:
    return Lexicon.of(derivation).axes
