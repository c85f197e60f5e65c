"""What data of any size can tell of the parameters: what is the same by another name, what is free, what has no maximum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sympy import Expr

from symem.derivation.update_kinds import Unidentified


@dataclass(frozen=True)
class Exchange:
    """Parameters that may change places together with the values of latents, the complete-data likelihood being the same.

    Of labels with `size` values every permutation moves the `arrays` along; of a latent of two values they change places by
    `swaps`. What of the log-prior would not stay the same is `broken_by`: then the two are told apart by the prior alone.
    """

    latents: tuple[str, ...]
    size: Expr
    arrays: tuple[str, ...] = ()
    swaps: tuple[tuple[Expr, Expr], ...] = ()
    broken_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unbounded:
    """A spread of a component that, going to 0, takes the log-likelihood to infinity if the component holds one row alone:
    `residual` is then 0, by the value `at` of the parameter `location`.
    """

    spread: Expr
    location: Expr
    at: Expr

    @property
    def name(self) -> str:
        """What the array of the spread is called."""
        return str(getattr(self.spread, "base", self.spread)).partition("[")[0]


@dataclass(frozen=True)
class Entangled:
    """Entries in `directions` of which nothing changes: by name, the names of their arrays, and what of them is told still.

    `rotations` are arrays whose columns turn, in `turns` of the directions; `forms` are functions of them whose slopes are told at all points.
    """

    entries: tuple[str, ...]
    arrays: tuple[str, ...]
    directions: int
    rotations: tuple[str, ...] = ()
    turns: int = 0
    forms: tuple[Expr, ...] = ()


@dataclass(frozen=True)
class Rank:
    """How many of the `free` directions of the parameters scores tell of, at so many `points`; or why that was not looked at."""

    rank: int = 0
    free: int = 0
    points: int = 0
    sizes: Mapping[str, int] | None = None
    entangled: tuple[Entangled, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Identifiability:
    """Of what is proved, `exchanges`, `unidentified` products and sums, `unbounded` spreads, and parameters that may end at an
    `ends` of their support; of what was checked in numbers, the `rank`, None where nobody asked.
    """

    exchanges: tuple[Exchange, ...]
    unidentified: tuple[Unidentified, ...]
    unbounded: tuple[Unbounded, ...]
    ends: tuple[str, ...]
    rank: Rank | None = None
    #: Of each expression, in the symbols of the user, that of the record of the derivation.
    inward: Mapping[Expr, Expr] = field(default_factory=dict, repr=False, compare=False)

    def __str__(self) -> str:
        """A line for each finding."""
        return "\n".join(f"{name}: {what}." for name, what in self.lines()) or "Nothing was found."

    def lines(self) -> Iterator[tuple[str, str]]:
        """What was found, by a word and a sentence.

        Yields
        ------
        tuple
            two words.
        """
        yield from (("labels", _exchanged(each)) for each in self.exchanges)
        for each in self.unidentified:
            yield "identified", f"of {_listed(each.parameters)} only {_listed(each.forms)} (proved)"
        yield from (("unbounded", _risen(each)) for each in self.unbounded)
        if self.ends:
            yield (
                "ends",
                f"{_listed(self.ends)} may be estimated at an end of the support, where they have no standard error",
            )
        if self.rank is not None:
            yield from _ranked(self.rank)


def _exchanged(found: Exchange) -> str:
    latents = _listed(found.latents)
    if found.swaps:
        pairs = ", ".join(f"{one} and {other}" for one, other in found.swaps)
        what = f"the two values of {latents} may change places, if so do {pairs}"
        count = "each maximum has a copy"
    else:
        what = f"the values of {latents} may be permuted, and {_listed(found.arrays)} with them"
        count = f"each maximum has {found.size}! copies"
    if found.broken_by:
        return f"{what}: the data do not tell such copies apart, the prior alone does, by {_listed(found.broken_by)} (proved)"
    return f"{what}: {count} of equal likelihood (proved)"


def _risen(found: Unbounded) -> str:
    name = found.name
    return (
        f"ℓ has no maximum: it goes to infinity by the {name} of a component that holds one row alone, {found.location} = "
        f"{found.at} (proved). A prior on {name}, or one {name} for all components, keeps it finite"
    )


def _ranked(found: Rank) -> Iterator[tuple[str, str]]:
    if found.reason:
        yield "rank", f"not checked: {found.reason}"
        return
    sizes = ", ".join(f"{name} = {size}" for name, size in (found.sizes or {}).items())
    where = f"at {'a random point' if found.points == 1 else f'each of {found.points} random points'}{f', with {sizes}' if sizes else ''} (checked)"
    whole = "all" if found.rank == found.free else f"{found.rank} of"
    yield "rank", f"scores tell of {whole} {found.free} directions in which the parameters may move, {where}"
    for each in found.entangled:
        yield "entangled", _told_of(each)


def _told_of(found: Entangled) -> str:
    count = "one direction" if found.directions == 1 else f"{found.directions} directions"
    what = f"ℓ is flat in {count} of {_listed(found.arrays)}"
    if found.rotations:
        part = "" if found.turns == found.directions else f" in {found.turns} of them"
        return f"{what}:{part} the columns of {_listed(found.rotations)} turn into one another by a rotation"
    return f"{what}; of them {_listed(found.forms)} is told" if found.forms else what


def _listed(things: Iterable[object]) -> str:
    words = [str(each) for each in things]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
