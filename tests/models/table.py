"""What a row of the table of models says, and the numbers that belong to it.

A row declares a model as a user would, and says how the numbers of its file (`tests/zoo/<name>.json` or
`tests/beyond/<name>.json`) become arrays and parameters of that model. Its hand-written reference is
`tests/references/<name>.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sympy import Expr, Idx, Sum

from symem import Model
from symem.derivation import Definition
from tests.answers import Values, numbers, reference
from tests.models.printed import PRINTED


def same(values: Values) -> Values:
    """The file's names are the model's."""
    return dict(values)


def renamed(**names: str) -> Callable[[Values], Values]:
    """`renamed(pi="w")`: what the file calls pi the model calls w."""
    return lambda values: {names.get(name, name): value for name, value in values.items()}


def nothing(_values: Values) -> float:
    return 0.0


@dataclass(frozen=True)
class Row:
    """A model, as a user declares it, beside what is known of it.

    Args:
        name: of the row; also of the file of numbers and of the reference, unless `of` names them.
        model: declares it.
        arrays: the file's data -> the keyword arguments of the emitted functions.
        theta: the file's parameters -> the model's.
        constant: what the model's ℓ holds beyond the file's ℓ (multinomial coefficients and the like).
        textbook: parameter -> the update as the source prints it, in the user's symbols.
        example: the file in `examples/` that declares the model.
        prior: MAP-EM; the file's ℓ is then log-likelihood plus log-prior.
        blocked: parameters without a closed form: the outcome must name all of them.
        conditional: parameters that are updated with the others at their old values (ECM).
        climbed: parameters that are found by Newton's method over the rows.
        of: the file of numbers and the reference, where several rows declare one model.
    """

    name: str
    model: Callable[[], Model]
    arrays: Callable[[Values], Values] = same
    theta: Callable[[Values], Values] = same
    constant: Callable[[Values], float] = nothing
    textbook: Callable[[], Mapping[Any, Expr]] | None = None
    example: str | None = None
    prior: bool = False
    blocked: tuple[str, ...] = ()
    conditional: tuple[str, ...] = ()
    climbed: tuple[str, ...] = ()
    of: str = ""

    @property
    def has_textbook(self) -> bool:
        """Whether there are `textbook_updates`; none is made for the answer."""
        return self.textbook is not None or (self.example is not None and self.example not in PRINTED)

    @property
    def textbook_updates(self) -> Mapping[Any, Expr] | None:
        """The textbook's updates: the row's own, or those of its example; with vectors they are `printed`."""
        if self.example and self.example not in PRINTED:
            return getattr(importlib.import_module("tests.models.textbook"), self.example)()  # type: ignore[no-any-return]
        return self.textbook() if self.textbook else None

    @property
    def printed(self) -> tuple[Definition, ...]:
        """The lines that the source of an example with vectors prints."""
        return PRINTED[self.example]() if self.example in PRINTED else ()

    @property
    def file(self) -> Values:
        return numbers(self.of or self.name)

    @property
    def data(self) -> Values:
        """The keyword arguments of the emitted functions."""
        return self.arrays(self.file["data"])

    @property
    def reference(self) -> ModuleType:
        return reference(self.of or self.name)

    @property
    def identified(self) -> bool:
        """Whether the optimum is one point; otherwise only ℓ can be compared."""
        return bool(self.file.get("meta", {}).get("identified", True))


def responsibility(density: Expr, label: Idx, size: Expr) -> Expr:
    """p(z = label | x) of components whose joint density is given up to a factor free of the label."""
    other = Idx("other", size)
    return density / Sum(density.subs(label, other), other)


def example(name: str) -> ModuleType:
    """The module `examples/<name>.py`."""
    return importlib.import_module(f"examples.{name}")


def declared_by(name: str) -> Callable[[], Model]:
    """The model of an example."""
    return lambda: example(name).model
