"""Names for what the derivation brings in: stable from run to run, and none that the model has taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, IndexedBase, Sum, Symbol

from symem.language.matrices import MatrixArray
from symem.language.model import Model
from symem.language.plates import Axis, index_symbol


@dataclass
class Names:
    """Allocates array names and indices beside those of a model."""

    model: Model
    taken: set[str] = field(default_factory=set)
    #: Letters for the indices of sizes that the model does not know.
    letters: dict[Expr, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.taken |= set(self.model.variables)

    def fresh(self, stem: str) -> str:
        name = stem
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def entry(self, stem: str, places: tuple[Expr, ...], **assumptions: bool) -> Expr:
        """A new array's entry at those places; without places, a new scalar."""
        name = self.fresh(stem)
        return IndexedBase(name, **assumptions)[places] if places else Symbol(name, **assumptions)

    def matrix(self, stem: str, places: tuple[Expr, ...], size: tuple[Expr, Expr], kind: str = "") -> Expr:
        """A new array of matrices of that many rows and columns, at those places."""
        return MatrixArray(self.fresh(stem), *size, kind)[places]

    def axis(self, size: Expr, stem: str, avoid: set[Any]) -> Axis:
        """An axis of that size whose index is in use for it already, else a free letter, else named after a stem."""
        avoided = {str(symbol) for symbol in avoid}
        known = [label for label, of in sorted(self.model.longest_sizes.items()) if of == size]
        known += [self.letters[size]] if size in self.letters else []
        plain = [
            letter
            for letter in "klmrsuvcgh"
            if letter not in self.taken and letter not in self.model.index_sizes
        ]
        last = [f"{stem}_{number}" for number in range(2, 99) if f"{stem}_{number}" not in self.taken]
        return Axis(
            index_symbol(next(label for label in (*known, *plain, *last) if label not in avoided)), size
        )

    def apart(self, expr: Any, taken: set[Any]) -> Any:
        """The same expression, no bound index having the letter of one that is taken."""
        if not getattr(expr, "args", ()) or not expr.has(Sum):
            return expr
        if not isinstance(expr, Sum):
            return expr.func(*(self.apart(each, taken) for each in expr.args))
        rules: dict[Any, Any] = {}
        for index, _low, high in expr.limits:
            if index in taken:
                used = taken | expr.function.free_symbols | expr.atoms(Symbol) | set(rules.values())
                rules[index] = self.axis(high + 1, str(index), used).index
        bound = {rules.get(limit[0], limit[0]) for limit in expr.limits}
        body = self.apart(expr.function.xreplace(rules), taken | bound)
        return Sum(body, *((rules.get(index, index), *ends) for index, *ends in expr.limits))
