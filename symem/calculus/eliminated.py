"""The records of elimination: a latent whose turn it is, one that has gone, and what is then left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Symbol

from symem.calculus.conditioning import Group
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import Conditional, atoms_of
from symem.calculus.separate import Term, fold, gather, rejoin, separate
from symem.derivation import Definition, Posterior
from symem.errors import NotDerivedError
from symem.language.leaves import places_of
from symem.language.model import Model, Variable
from symem.language.plates import Axis
from symem.language.supports import Binary
from symem.language.weights import once

Labelling = tuple[tuple[Expr, Axis], ...]


@dataclass(frozen=True)
class Case:
    """A latent whose turn it is: its conditional, the labels it depends on, and who else waits."""

    conditional: Conditional
    labels: Labelling
    waiting: tuple[Variable, ...]

    @property
    def variable(self) -> Variable:
        return self.conditional.variable

    @property
    def atom(self) -> Expr:
        return self.conditional.atom

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (*self.conditional.position, *(axis for _atom, axis in self.labels))

    @property
    def shared(self) -> dict[str, Any]:
        """What every kind of posterior says of this latent."""
        bracket = self.conditional.condition
        return {
            "latent": self.variable,
            "atom": self.atom,
            "axes": self.axes,
            "labels": self.labels,
            "condition": None if bracket == 1 else bracket,
        }

    @property
    def places(self) -> tuple[Symbol, ...]:
        return tuple(axis.index for axis in self.axes)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The gathered terms with every label at its axis."""
        rules = {atom: axis.index for atom, axis in self.labels}
        return gather(Term(t.factor.xreplace(rules), t.axes) for t in self.conditional.terms)

    @property
    def yes_or_no(self) -> tuple[Expr, ...]:
        """What is 0 or 1 in the terms: the latent, and labels at their axes."""
        binary = [v for v in self.waiting if isinstance(v.support, Binary)]
        labels = (axis.index for atom, axis in self.labels if any(atoms_of(atom, v) for v in binary))
        return (*([self.atom] if self.variable in binary else []), *labels)

    @property
    def used_indices(self) -> set[Symbol]:
        return set(self.places) | {s for t in self.conditional.terms for s in t.indices}

    def others(self) -> list[Expr]:
        """The entries of continuous or counted latents that still wait, in the gathered terms."""
        others = [v for v in self.waiting if v is not self.variable and not v.support.finite]
        return [atom for other in others for atom in _distinct_atoms(self.conditional.terms, other)]

    def depends_on_others(self) -> bool:
        """Whether a continuous or counted latent that still waits stands in the gathered terms."""
        return bool(self.others())


@dataclass(frozen=True)
class Eliminated:
    """A latent that has gone: its posterior, but for the moments that Q will ask of it, and what it left.

    `position` are the axes of the latent's own indices, `gathered` its terms there, `left` what now stands in
    their place. `shared` are the terms that hold the latents of a whole plate at once.
    """

    posterior: Posterior
    position: tuple[Axis, ...]
    gathered: tuple[Term, ...]
    left: Expr
    shared: tuple[Term, ...] = ()

    @property
    def plates(self) -> tuple[Axis, ...]:
        """The axes over which `left` is summed: all but those of cells with a total, of causes, or of a chain or tree."""
        inner = self.posterior.joint_axes
        return tuple(axis for axis in self.position if axis not in inner)


@dataclass
class Elimination:
    """The state of the algorithm: what is left of the log-likelihood, and who has gone."""

    model: Model
    names: Names
    terms: tuple[Term, ...]
    groups: tuple[Group, ...]
    done: list[Eliminated]
    #: Whether a latent without a family is integrated by quadrature.
    approximate: bool = False

    def labels(self, conditional: Conditional, waiting: list[Variable]) -> Labelling:
        """The label atoms at this position, each with the axis that stands for it.

        Raises:
            NotDerivedError: the conditional depends on a label at many positions at once.
        """
        places = {axis.index for axis in conditional.position}
        used = set(places) | {s for t in conditional.terms for s in t.indices}
        found = []
        for other in waiting:
            if other is conditional.variable or not other.support.finite:
                continue
            for atom in _distinct_atoms(conditional.terms, other):
                if not set(places_of(atom)) <= places:
                    raise NotDerivedError(
                        f"{conditional.atom} depends on {atom} for every one of its positions at once: the table of its "
                        f"posterior would have an entry for each combination of labels.{_unseen(other, self.model)}"
                    )
                axis = self.outcome_axis(other, used)
                used.add(axis.index)
                found.append((atom, axis))
        return tuple(found)

    def outcome_axis(self, variable: Variable, used: set[Symbol]) -> Axis:
        """An axis over the values of a finite latent."""
        return self.names.axis(variable.support.number, variable.name, used)

    def normaliser(self, variable: Variable, axes: tuple[Axis, ...], value: Expr) -> Definition:
        """The name of what a latent leaves behind."""
        places = tuple(axis.index for axis in axes)
        return Definition(self.names.entry(f"A_{variable.name}", places, real=True), axes, value)

    def leave(
        self, posterior: Posterior, conditional: Conditional, left: Expr, shared: tuple[Term, ...] = ()
    ) -> None:
        """What is left: the other terms, and the normaliser where the latent was."""
        left = left.xreplace({axis.index: atom for atom, axis in posterior.labels})
        alone = (Term(once(term.factor, self.model.weights), term.axes) for term in self.terms)
        posterior = replace(posterior, joint=rejoin(map(fold, alone)), count=conditional.count)
        gone = Eliminated(posterior, conditional.position, conditional.terms, left, shared)
        bracketed = separate(conditional.left(left))
        self.terms = gather([*conditional.rest, *(Term(p.factor, p.axes + gone.plates) for p in bracketed)])
        self.done.append(gone)


def _unseen(variable: Variable, model: Model) -> str:
    """What to write for a datum of which some entries are missing."""
    name = variable.name.removesuffix("_missing")
    if name == variable.name or model.declarations:
        return ""
    return f" Where {name} has a law of its own on which nothing else hangs, what is missing is left out: state {{{name}: law}}."


def _distinct_atoms(terms: tuple[Term, ...], variable: Variable) -> list[Expr]:
    return sorted({atom for term in terms for atom in atoms_of(term.factor, variable)}, key=str)
