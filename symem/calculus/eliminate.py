"""Elimination: latents are summed or integrated out one after another, and each leaves its normaliser.

For the latent whose turn it is, the terms at one position are its conditional log-density; the family that
matches gives its posterior, and its log-partition replaces it in what is left. Labels that the density
depends on become axes of a table. When the last latent is gone, what is left is ℓ(θ). (Variable elimination:
Koller & Friedman 2009, chapter 9; log-partitions: Wainwright & Jordan 2008, section 3.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Integer, Symbol

from symem.calculus.conditioning import Group
from symem.calculus.conjugate import eliminate_continuous, eliminate_count
from symem.calculus.eliminated import FINITE, Case, Eliminated, Labelling
from symem.calculus.finite_tables import eliminate_finite
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import Conditional, atoms_of, gather_latent, places_of
from symem.calculus.gaussian_vectors import eliminate_vector
from symem.calculus.separate import Term, gather, separate
from symem.calculus.totals import eliminate_total
from symem.derivation import Definition
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.plates import Axis
from symem.language.supports import Counts, Labels


@dataclass
class Elimination:
    """The state of the algorithm: what is left of the log-likelihood, and who has gone."""

    model: Model
    names: Names
    terms: tuple[Term, ...]
    groups: tuple[Group, ...]
    done: list[Eliminated]

    def run(self) -> None:
        """Eliminate every latent, in the first order that works: continuous and counted ones before labels.

        Raises:
            NotDerivedError: in every order some latent has a conditional that no family matches.
        """
        refusals: dict[str, None] = {}
        if not self._search(refusals):
            raise NotDerivedError("The E-step was not derived. " + " ".join(refusals))

    def _search(self, refusals: dict[str, None]) -> bool:
        """Depth-first over orders of elimination; a latent is tried next to those that are left."""
        waiting = self._waiting()
        if not waiting:
            return True
        for variable in waiting:
            before = (self.terms, list(self.done), set(self.names.taken))
            try:
                self._eliminate(variable, waiting)
            except NotDerivedError as refusal:
                refusals.setdefault(str(refusal))
            else:
                if self._search(refusals):
                    return True
            self.terms, self.done, self.names.taken = before
        return False

    def _waiting(self) -> list[Variable]:
        present = [v for v in self.model.latents if any(atoms_of(t.factor, v) for t in self.terms)]
        return sorted(present, key=_turn)

    def _eliminate(self, variable: Variable, waiting: list[Variable]) -> None:
        group = next((g for g in self.groups if any(atoms_of(m, variable) for m in g.members)), None)
        if group:
            eliminate_total(self, variable, group, waiting)
            return
        conditional = gather_latent(self.terms, variable)
        case = Case(conditional, self.labels(conditional, waiting), tuple(waiting))
        if variable.shape:
            eliminate_vector(self, case)
        elif isinstance(variable.support, FINITE):
            eliminate_finite(self, case)
        elif isinstance(variable.support, Counts):
            eliminate_count(self, case)
        else:
            eliminate_continuous(self, case)

    def labels(self, conditional: Conditional, waiting: list[Variable]) -> Labelling:
        """The label atoms at this position, each with the axis that stands for it.

        Raises:
            NotDerivedError: the conditional depends on a label at many positions at once.
        """
        places = {axis.index for axis in conditional.position}
        used = set(places) | {s for t in conditional.terms for s in t.indices}
        found = []
        for other in waiting:
            if other is conditional.variable or not isinstance(other.support, FINITE):
                continue
            for atom in _distinct_atoms(conditional.terms, other):
                if not set(places_of(atom)) <= places:
                    raise NotDerivedError(
                        f"{conditional.atom} depends on {atom} for every one of its positions at once: the table of its "
                        f"posterior would have an entry for each combination of labels."
                    )
                axis = self.outcome_axis(other, used)
                used.add(axis.index)
                found.append((atom, axis))
        return tuple(found)

    def outcome_axis(self, variable: Variable, used: set[Symbol]) -> Axis:
        """An axis over the values of a finite latent."""
        size = variable.support.size if isinstance(variable.support, Labels) else Integer(2)
        return self.names.axis(size, variable.name, used)

    def normaliser(self, variable: Variable, axes: tuple[Axis, ...], value: Expr) -> Definition:
        """The name of what a latent leaves behind."""
        places = tuple(axis.index for axis in axes)
        return Definition(self.names.entry(f"A_{variable.name}", places, real=True), axes, value)

    def leave(
        self, eliminated: Eliminated, conditional: Conditional, left: Expr, axes: tuple[Axis, ...]
    ) -> None:
        """What is left: the other terms, and over `axes` the normaliser where the latent was."""
        left = left.xreplace({axis.index: atom for atom, axis in eliminated.labels})
        added = [Term(part.factor, part.axes + axes) for part in separate(left * conditional.condition)]
        self.terms = gather([*conditional.rest, *added])
        self.done.append(replace(eliminated, gathered=conditional.terms, left=left))


def _turn(variable: Variable) -> tuple[int, int, str]:
    """Continuous latents before counts before labels, the deeper in plates the earlier."""
    kind = 2 if isinstance(variable.support, FINITE) else 1 if isinstance(variable.support, Counts) else 0
    return kind, -len(variable.sizes), variable.name


def _distinct_atoms(terms: tuple[Term, ...], variable: Variable) -> list[Expr]:
    return sorted({atom for term in terms for atom in atoms_of(term.factor, variable)}, key=str)
