"""Where values made up for a latent may lie: the ends of its law, and whether its scale is that of the data."""

from __future__ import annotations

from sympy import Add, Expr, oo

from symem.derivation import Posterior, Recognised
from symem.language.model import Model, Variable


def finite_ends(posterior: Posterior) -> tuple[Expr | None, Expr | None]:
    """The finite ends of a recognised family; none where another latent, not drawn yet, chooses them."""
    low, high = posterior.bounds if isinstance(posterior, Recognised) else (-oo, oo)
    if chosen_by_label(posterior, low, high):
        return None, None
    return (None if low == -oo else low, None if high == oo else high)


def chosen_by_label(posterior: Posterior, *ends: Expr) -> bool:
    """Whether the ends of an interval differ from label to label."""
    return any(end.has(axis.index) for _label, axis in posterior.labels for end in ends)


def has_own_scale(model: Model, latent: Variable) -> bool:
    """Whether its law has a term without data and parameters, as z² / 2 of a standard Normal: no unit is in it."""
    others = {each.name for each in (*model.parameters, *model.data, *model.known)}
    terms = (
        term
        for each in Add.make_args(model.log_likelihood)
        for term in Add.make_args(getattr(each, "function", each))
    )
    names = ({str(symbol) for symbol in term.free_symbols} for term in terms)
    return any(latent.name in each and not each & others for each in names)
