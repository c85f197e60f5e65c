"""Letters for vectors and matrices: which names are bold, Ψ for diag(ψ), N_k for a count, s for a vector's sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sympy import Indexed, Sum

from symem.derivation import Definition, Derivation, Probabilities
from symem.language.leaves import name_of, places_of
from symem.language.matrices import ENTRY, Diagonal, is_matrix, shape
from symem.language.model import Model, Variable
from symem.report.notation.letters import GREEK, Label


def bold_names(derivation: Derivation) -> set[str]:
    """The names of vectors and matrices: the model's, and those that the derivation brought in."""
    model = {name for name, variable in derivation.model.variables.items() if variable.shape}
    defined = (*derivation.definitions, *derivation.surrogate.statistics)
    return model | {name_of(each.symbol) for each in defined if is_matrix(each.symbol)}


def seen_labels(model: Model, variable: Variable) -> tuple[Label, ...]:
    """A vector of which only some entries were seen keeps the letter; the entries seen are marked o."""
    if variable.seen is not None:
        return (latent_label(variable),)
    partly = {name_of(each.seen[0]) for each in model.variables.values() if each.seen is not None}
    return (replace(Label.of(variable.name), sup=Label("o")),) if variable.name in partly else ()


def latent_label(variable: Variable) -> Label:
    """A latent's letter; that of its data where it stands for a vector partly seen."""
    return Label.of(name_of(variable.seen[0]) if variable.seen is not None else variable.name)


def masked(model: Model) -> dict[str, str]:
    """The masks of vectors, with the name whose entries they call missing."""
    return {name_of(v.seen[1]): v.name for v in model.variables.values() if v.seen is not None}


def statistic_labels(derivation: Derivation, definition: Definition) -> tuple[Label, ...]:
    """Beside vectors, a sum of responsibilities is a count N, and a vector's statistic has a small letter."""
    if not bold_names(derivation):
        return ()
    label = Label.of(name_of(definition.symbol))
    if is_matrix(definition.symbol):
        column = shape(definition.symbol)[1] == 1
        return (replace(label, head=label.head.lower()),) if column and label.head == "S" else ()
    if not is_count(definition, derivation):
        return ()
    alone = sum(is_count(each, derivation) for each in derivation.surrogate.statistics) == 1
    return (Label("N", sub=() if alone else label.sub),)


def is_count(definition: Definition, derivation: Derivation) -> bool:
    """Whether a statistic adds up probabilities and nothing else."""
    value = definition.value
    shares = {
        name_of(each.probability.symbol) for each in derivation.posteriors if isinstance(each, Probabilities)
    }
    return (
        isinstance(value, Sum) and isinstance(value.function, Indexed) and name_of(value.function) in shares
    )


def capitals(derivation: Derivation, labels: Mapping[str, Label]) -> dict[str, Label]:
    """A capital for each array that stands on a diagonal, if that letter is free: Ψ = diag(ψ)."""
    taken = {label.head for label in labels.values()}
    found: dict[str, Label] = {}
    for name in _on_diagonals(derivation):
        label = labels.get(name)
        head = _capital(label.head) if label and not label.sub else ""
        if head and head not in taken and head != "I":
            found[name] = Label(head)
            taken.add(head)
    return found


def _on_diagonals(derivation: Derivation) -> Iterator[str]:
    whole = (derivation.model.log_likelihood, *(each.value for each in derivation.definitions))
    for expr in whole:
        for diagonal in sorted(expr.atoms(Diagonal), key=str):
            base = diagonal.args[0].as_base_exp()[0]
            if places_of(base) and places_of(base)[-1] == ENTRY:
                yield name_of(base)


def _capital(head: str) -> str:
    capital = head.capitalize()
    return capital if capital in GREEK or (len(head) == 1 and capital != head) else ""
