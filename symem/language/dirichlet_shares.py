"""The law of one share of a whole beside the others: of a Dirichlet law each share is Beta (Johnson, Kotz & Balakrishnan 2000, 49.1)."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, digamma, log, polygamma

from symem.language.exponential_face import Argument, Arguments, Bounds, ExponentialFace
from symem.language.family import Family
from symem.language.plates import deviation
from symem.language.real_families import log_beta
from symem.language.supports import Positive, UnitInterval


def _moments(u: Expr, a: Arguments, _bounds: Bounds) -> Mapping[Expr, Expr]:
    alpha, whole = a["alpha"], a["alpha"] + a["rest"]
    return {
        u: alpha / whole,
        log(u): digamma(alpha) - digamma(whole),
        deviation(log(u)): polygamma(1, alpha) - polygamma(1, whole),
        u**2: alpha * (alpha + 1) / (whole * (whole + 1)),
    }


#: With α of its own, and what is left of Σ α.
FACE = ExponentialFace(
    statistics=lambda u: (log(u),),
    arguments=lambda eta, _b: {"alpha": eta[0] + 1},
    log_partition=lambda a, _b: log_beta(a["alpha"], a["rest"]),
    moments=_moments,
    natural=lambda a: (a["alpha"] - 1,),
    parameters=lambda a, _b: (a["alpha"],),
    named={"alpha": Argument(letter="alpha", word="α")},
)
SHARES = Family(
    "Dirichlet",
    {"alpha": Positive()},
    lambda x, alpha: (alpha - 1) * log(x),
    lambda *_: UnitInterval(),
    face=FACE,
)
