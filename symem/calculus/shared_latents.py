"""A latent of which every term has a datum as a factor: so many items of its row share it, which is seldom meant."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from sympy import Expr, Indexed

from symem.calculus.eliminated import Eliminated
from symem.calculus.gathering import atoms_of
from symem.errors import SharedLatentWarning
from symem.language.model import Model
from symem.language.plates import LogIverson
from symem.language.supports import Binary


def warn_of_shared(model: Model, eliminated: Iterable[Eliminated]) -> None:
    """Say where a whole factor of a latent is raised to a datum; one that is 0 or 1 only says whether it is there."""
    arrays = {v.symbol for v in (*model.data, *model.known) if v.sizes and not isinstance(v.support, Binary)}
    for one in eliminated:
        for datum in sorted(_factors_of_all(one), key=str):
            if datum.base in arrays:
                warnings.warn(_said(model, one.posterior.atom, datum), SharedLatentWarning, stacklevel=6)


def _factors_of_all(one: Eliminated) -> set[Expr]:
    """The entries at the position of a latent that are factors of all its terms."""
    latent, places = one.posterior.latent, {axis.index for axis in one.position}
    own = [t for t in one.gathered if atoms_of(t.factor, latent) and not t.factor.has(LogIverson)]
    found = [{f for f in t.factors() if isinstance(f, Indexed) and set(f.indices) <= places} for t in own]
    return set.intersection(*found) if found else set()


def _said(model: Model, atom: Expr, datum: Expr) -> str:
    latent, count = model.declared(atom), model.declared(datum)
    rows = ", ".join(map(str, count.indices))
    return (
        f"{count} is a factor of all that is said of {latent}, so {count} items of row {rows} share one {latent}; if row "
        f"{rows} stands for {count} independent rows like it, leave the factor out and write weights={{{rows}: {count}}}."
    )
