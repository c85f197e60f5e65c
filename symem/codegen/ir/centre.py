"""What is measured from a centre of the data, and what from centres of the components' own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Symbol

from symem.derivation import Definition
from symem.language.model import Variable

#: A posterior argument and its rate, over its own indices.
Rate = tuple[Expr, Expr]


@dataclass(frozen=True)
class Translation:
    """What moves together: names of data, parameters and posterior arguments. `centre` is the data array whose
    mean becomes 0.

    `recentred` maps each statistic to its value about a centre lower by `step`; `added` are statistics that
    only this needs.
    """

    step: Symbol
    centre: Variable
    data: tuple[str, ...]
    parameters: tuple[str, ...]
    posteriors: Mapping[str, Rate]
    recentred: Mapping[str, Expr]
    added: tuple[Definition, ...]


@dataclass(frozen=True)
class Apart:
    """`mean` is the parameter (labels, entries) about which `data` are taken; `recentred` as of a translation."""

    mean: Variable
    data: Variable
    recentred: Mapping[str, Expr]
