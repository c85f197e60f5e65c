"""What data can tell of the parameters: what may change places, what is told together only, what has no maximum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Expr

from symem.derivation.identifiability import Entangled, Exchange, Identifiability, Rank, Unbounded
from symem.report.document import Items, Prose, Section, listed, said
from symem.report.notation.notation import latex
from symem.report.writer import Voice


def identifiability(found: Identifiability, voice: Voice) -> Section:
    """The section: what is proved first, then what was checked."""
    items = tuple(_items(found, voice))
    blocks = (Items(items),) if items else (said("Nothing was found that data do not tell."),)
    return Section(said("Identifiability"), blocks, anchor="identifiability")


def _items(found: Identifiability, voice: Voice) -> Iterator[Prose]:
    yield from (_exchange(each, voice) for each in found.exchanges)
    for each in found.unidentified:
        told = _formulas(each.forms, voice)
        yield (
            *said("Of "),
            *_formulas(each.parameters, voice),
            " only ",
            *told,
            " is identified, whatever the data: proved.",
        )
    yield from (_unbounded(each, voice) for each in found.unbounded)
    if found.rank is not None:
        yield from _rank(found.rank, voice)


def _formulas(expressions: Sequence[Expr], voice: Voice) -> Prose:
    return listed([_formula(each, voice) for each in expressions])


def _formula(expr: Expr, voice: Voice) -> str:
    """An expression in the user's symbols in the letters of the report."""
    known = voice.options.identifiability
    return latex(known.inward.get(expr, expr) if known else expr, voice.free)


def _arrays(names: Sequence[str], voice: Voice) -> Prose:
    symbols = [voice.model.variables[name].symbol for name in names]
    return listed([voice.name(getattr(each, "label", each)) for each in symbols])


def _exchange(found: Exchange, voice: Voice) -> Prose:
    latents = _arrays(found.latents, voice)
    if found.swaps:
        pairs = listed(
            [rf"{_formula(a, voice)} \leftrightarrow {_formula(b, voice)}" for a, b in found.swaps]
        )
        what: Prose = (*said("The two values of "), *latents, " may change places, if so do ", *pairs)
        copies: Prose = ("each maximum has a copy of equal likelihood",)
    else:
        what = (
            *said("The values of "),
            *latents,
            " may be permuted, and ",
            *_arrays(found.arrays, voice),
            " with them",
        )
        count = f"{_formula(found.size, voice)}!"
        copies = said("each maximum has @ copies of equal likelihood", count)
    if found.broken_by:
        return (*what, "; the data do not tell such copies apart, the prior alone does: proved.")
    return (*what, ": ", *copies, ", of which a fit finds one: proved.")


def _unbounded(found: Unbounded, voice: Voice) -> Prose:
    spread = voice.model.variables[found.name].symbol
    letter = voice.name(getattr(spread, "label", spread))
    return said(
        "@ has no maximum: where a component holds one row alone, @, its @ takes it to infinity: proved. EM finds a maximum in "
        "the inside; a prior on @, or one @ for all components, keeps the likelihood finite.",
        r"\ell",
        f"{_formula(found.location, voice)} = {_formula(found.at, voice)}",
        letter,
        letter,
        letter,
    )


def _rank(found: Rank, voice: Voice) -> Iterator[Prose]:
    if found.reason:
        yield (f"The rank of the scores was not checked: {found.reason}.",)
        return
    whole = "all" if found.rank == found.free else f"{found.rank} of"
    sizes = ", ".join(f"{name} = {size}" for name, size in (found.sizes or {}).items())
    many = "a random point" if found.points == 1 else f"{found.points} random points"
    where = f"checked at {many}{f', with {sizes}' if sizes else ''}"
    yield (
        f"Scores of samples tell of {whole} {found.free} directions in which the parameters may move: {where}.",
    )
    yield from (_entangled(each, voice) for each in found.entangled)


def _entangled(found: Entangled, voice: Voice) -> Prose:
    count = "one direction" if found.directions == 1 else f"{found.directions} directions"
    what: Prose = (*said("@ is flat in " + count + " of ", r"\ell"), *_arrays(found.arrays, voice))
    if found.rotations:
        part = "" if found.turns == found.directions else f" in {found.turns} of them"
        return (
            *what,
            f":{part} the columns of ",
            *_arrays(found.rotations, voice),
            " turn into one another by a rotation.",
        )
    if found.forms:
        return (*what, "; what is told of them is ", *_formulas(found.forms, voice), ".")
    return (*what, ".")
