"""Elimination: latents are summed or integrated out one after another, and each leaves its normaliser.

For the latent whose turn it is, the terms at one position are its conditional log-density; the family that
matches gives its posterior, and its log-partition replaces it in what is left. Labels that the density
depends on become axes of a table. When the last latent is gone, what is left is ℓ(θ). (Variable elimination:
Koller & Friedman 2009, chapter 9; log-partitions: Wainwright & Jordan 2008, section 3.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Add, Expr, Integer, Mul, S, Sum, Symbol, exp, expand, log, oo

from symem.calculus.bounds import interval_of
from symem.calculus.brackets import collapse_to_index
from symem.calculus.conditioning import Group
from symem.calculus.density import density_of
from symem.calculus.gathering import Conditional, atoms_of, gather_latent, places_of
from symem.calculus.names import Names
from symem.calculus.posteriors import FINITE, Eliminated
from symem.calculus.recognise import Recognised, counting_bounds, recognise_continuous, recognise_counting
from symem.calculus.separate import Term, fold, gather, rejoin, separate
from symem.calculus.totals import eliminate_total
from symem.derivation import Definition
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.plates import Axis, LogIverson
from symem.language.reading import Extent
from symem.language.supports import Binary, Counts


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
        group = self._group_of(variable)
        if group:
            eliminate_total(self, variable, group, waiting)
            return
        conditional = gather_latent(self.terms, variable)
        labels = self.labels(conditional, waiting)
        if isinstance(variable.support, FINITE):
            self._eliminate_finite(conditional, labels)
        elif isinstance(variable.support, Counts):
            self._eliminate_count(conditional, labels, waiting)
        else:
            self._eliminate_continuous(conditional, labels, waiting)

    # -- what a conditional depends on ---------------------------------------------------------------

    def labels(self, conditional: Conditional, waiting: list[Variable]) -> tuple[tuple[Expr, Axis], ...]:
        """The label atoms at this position, each with the axis that stands for it."""
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
                axis = self._outcome_axis(other, used)
                used.add(axis.index)
                found.append((atom, axis))
        return tuple(found)

    def _outcome_axis(self, variable: Variable, used: set[Symbol]) -> Axis:
        size = Integer(2) if isinstance(variable.support, Binary) else variable.support.size  # type: ignore[attr-defined]
        return self.names.axis(size, variable.name, used)

    def _tabulated(self, conditional: Conditional, labels: tuple[tuple[Expr, Axis], ...]) -> tuple[Term, ...]:
        rules = {atom: axis.index for atom, axis in labels}
        return gather(Term(t.factor.xreplace(rules), t.axes) for t in conditional.terms)

    def _neighbours(self, terms: tuple[Term, ...], waiting: list[Variable], own: Variable) -> list[Expr]:
        """Continuous or counted latents that a conditional depends on."""
        others = [v for v in waiting if v is not own and not isinstance(v.support, FINITE)]
        return [atom for other in others for term in terms for atom in atoms_of(term.factor, other)]

    # -- the kinds of latents ------------------------------------------------------------------------

    def _eliminate_continuous(
        self, conditional: Conditional, labels: tuple[tuple[Expr, Axis], ...], waiting: list[Variable]
    ) -> None:
        terms = self._tabulated(conditional, labels)
        u = conditional.atom
        hard, soft = _split_constraints(terms)
        bounds = interval_of(u, conditional.variable.support.bounds, hard, conditional.condition)
        density = density_of(soft, u)
        found = recognise_continuous(density, u, bounds)
        if found is None:
            raise NotDerivedError(_unrecognised(conditional, density, bounds))
        self._finish(conditional, labels, found, soft, bool(self._neighbours(soft, waiting, conditional.variable)))

    def _eliminate_count(
        self, conditional: Conditional, labels: tuple[tuple[Expr, Axis], ...], waiting: list[Variable]
    ) -> None:
        terms = self._tabulated(conditional, labels)
        u = conditional.atom
        hard, soft = _split_constraints(terms)
        density = density_of(soft, u)
        support = interval_of(u, conditional.variable.support.bounds, hard, conditional.condition, counting=True)
        bounds = counting_bounds(density, u, support)
        found = recognise_counting(density, u, bounds)
        neighbours = bool(self._neighbours(soft, waiting, conditional.variable))
        if found:
            self._finish(conditional, labels, found, soft, neighbours)
        elif bounds[1] != oo and not neighbours:
            self._eliminate_range(conditional, labels, terms, bounds)
        else:
            raise NotDerivedError(_unrecognised(conditional, density, bounds))

    def _finish(
        self,
        conditional: Conditional,
        labels: tuple[tuple[Expr, Axis], ...],
        found: Recognised,
        terms: tuple[Term, ...],
        inline: bool,
    ) -> None:
        """Name the family's arguments and its normaliser, and put the normaliser in the latent's place."""
        axes = (*conditional.position, *(axis for _atom, axis in labels))
        arguments, parameters = {}, []
        for name, value in found.arguments.items():
            if value.is_number:
                arguments[name] = value
                continue
            arguments[name], named = self._named_argument(name, value, conditional.variable, axes)
            parameters += named
        normaliser = self._normaliser(conditional.variable, axes, found.log_partition(arguments))
        left = normaliser.value if inline else normaliser.symbol
        eliminated = Eliminated(
            conditional.variable,
            conditional.atom,
            conditional.position,
            labels,
            found.family,
            rejoin(terms),
            normaliser,
            conditional.condition,
            recognised=found,
            arguments=arguments,
            parameters=tuple(parameters),
            inline=inline,
        )
        self.leave(eliminated, conditional, left, conditional.position)

    def _named_argument(
        self, name: str, value: Expr, variable: Variable, axes: tuple[Axis, ...]
    ) -> tuple[Expr, list[Definition]]:
        """A family's argument by name; where it is a polynomial in other latents, its coefficients by name."""
        places = tuple(axis.index for axis in axes)
        parts: dict[Expr, Expr] = {}
        for term in separate(value):
            latent = Mul(*(f for f in term.factors() if self._holds_latent(f)))
            rest = Mul(*(f for f in term.factors() if not self._holds_latent(f)))
            if latent.free_symbols & term.indices:
                raise NotDerivedError(f"The posterior of {variable.name} depends on {latent} at all of its positions at once.")
            parts[latent] = parts.get(latent, S.Zero) + fold(Term(rest, term.axes)).expr
        if set(parts) <= {S.One}:
            parts = {S.One: value}
        named = []
        for latent, coefficient in parts.items():
            stem = f"{name}_{variable.name}" if latent == 1 else f"slope_{variable.name}"
            symbol = self.names.entry(stem, places, **_assumed(name))
            named.append((latent, Definition(symbol, axes, coefficient)))
        return Add(*(latent * definition.symbol for latent, definition in named)), [d for _, d in named]

    def _holds_latent(self, factor: Expr) -> bool:
        return any(atoms_of(factor, latent) for latent in self.model.latents)

    def _eliminate_finite(self, conditional: Conditional, labels: tuple[tuple[Expr, Axis], ...]) -> None:
        conditional = self._with_companions(conditional)
        used = {axis.index for axis in conditional.position} | {a.index for _l, a in labels}
        used |= {s for t in conditional.terms for s in t.indices}
        outcome = self._outcome_axis(conditional.variable, used)
        family = "Bernoulli" if isinstance(conditional.variable.support, Binary) else "Categorical"
        self._tabulate(conditional, labels, outcome, outcome.index, family)

    def _eliminate_range(
        self, conditional: Conditional, labels: tuple[tuple[Expr, Axis], ...], terms: tuple[Term, ...], bounds: tuple[Expr, Expr]
    ) -> None:
        """A count on a finite range without a family: a table over the range."""
        length = expand(bounds[1] - bounds[0] + 1)
        size = length
        extent = None
        if length.free_symbols & {axis.index for axis in conditional.position}:
            size = Symbol(self.names.fresh(f"max_{conditional.variable.name}"), integer=True, positive=True)
            extent = Extent(size, length, conditional.position)
        outcome = self.names.axis(size, conditional.variable.name, {a.index for a in conditional.position})
        value = bounds[0] + outcome.index
        inside = Term(LogIverson(outcome.index < length)) if extent else None
        self._tabulate(conditional, labels, outcome, value, "FiniteRange", inside, extent)

    def _with_companions(self, conditional: Conditional) -> Conditional:
        """Terms at the same position that hold parameters but no latent: the weight is then p(x, z), and A is log p(x)."""
        places = {axis.index for axis in conditional.position}
        if conditional.condition != 1 or not places:
            return conditional
        parameters = self.model.parameters
        joining = []
        for term in conditional.rest:
            free = not any(atoms_of(term.factor, v) for v in self.model.latents) and not term.factor.has(LogIverson)
            if free and places <= term.indices and any(atoms_of(term.factor, p) for p in parameters):
                joining.append(term)
        inner = tuple(Term(t.factor, tuple(a for a in t.axes if a.index not in places)) for t in joining)
        rest = tuple(term for term in conditional.rest if term not in joining)
        return replace(conditional, terms=(*conditional.terms, *inner), rest=rest)

    def _tabulate(
        self,
        conditional: Conditional,
        labels: tuple[tuple[Expr, Axis], ...],
        outcome: Axis,
        value: Expr,
        family: str,
        extra: Term | None = None,
        extent: Extent | None = None,
    ) -> None:
        """A finite posterior: log weights over the outcomes, their log-sum, their softmax."""
        terms = self._tabulated(conditional, labels)
        rules = {conditional.atom: value}
        parts = [collapse_to_index(part, outcome.index) for t in terms for part in _reseparate(t, rules)]
        weighted = gather([*parts, *([extra] if extra else [])])
        axes = (*conditional.position, *(axis for _atom, axis in labels))
        places = tuple(axis.index for axis in axes)
        name = conditional.variable.name
        full = (*axes, outcome)
        weight = self.names.entry(f"eta_{name}", (*places, outcome.index), real=True)
        log_weight = Definition(weight, full, Add(*(fold(term).expr for term in weighted)))
        normaliser = self._normaliser(conditional.variable, axes, log(Sum(exp(weight), outcome.limits)))
        gamma = self.names.entry(f"gamma_{name}", (*places, outcome.index), nonnegative=True)
        probability = Definition(gamma, full, exp(weight - normaliser.symbol))
        eliminated = Eliminated(
            conditional.variable,
            conditional.atom,
            conditional.position,
            labels,
            family,
            rejoin(terms),
            normaliser,
            conditional.condition,
            outcome=outcome,
            log_weight=log_weight,
            probability=probability,
            extent=extent,
            value=value,
        )
        self.leave(eliminated, conditional, normaliser.symbol, conditional.position)

    # -- counts with a known total -------------------------------------------------------------------

    def _group_of(self, variable: Variable) -> Group | None:
        return next((g for g in self.groups if any(atoms_of(m, variable) for m in g.members)), None)

    # -- bookkeeping ---------------------------------------------------------------------------------

    def _normaliser(self, variable: Variable, axes: tuple[Axis, ...], value: Expr) -> Definition:
        places = tuple(axis.index for axis in axes)
        return Definition(self.names.entry(f"A_{variable.name}", places, real=True), axes, value)

    def leave(self, eliminated: Eliminated, conditional: Conditional, left: Expr, axes: tuple[Axis, ...]) -> None:
        """What is left: the other terms, and over `axes` the normaliser where the latent was."""
        back = {axis.index: atom for atom, axis in eliminated.labels}
        left = left.xreplace(back)
        added = [Term(part.factor, part.axes + axes) for part in separate(left * conditional.condition)]
        self.terms = gather([*conditional.rest, *added])
        self.done.append(replace(eliminated, gathered=conditional.terms, left=left))


def _turn(variable: Variable) -> tuple[int, int, str]:
    """Continuous latents before counts before labels, the deeper in plates the earlier."""
    kind = 2 if isinstance(variable.support, FINITE) else 1 if isinstance(variable.support, Counts) else 0
    return kind, -len(variable.sizes), variable.name


def _distinct_atoms(terms: tuple[Term, ...], variable: Variable) -> list[Expr]:
    return sorted({atom for term in terms for atom in atoms_of(term.factor, variable)}, key=str)


def _split_constraints(terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
    hard = tuple(term for term in terms if term.factor.has(LogIverson))
    return hard, tuple(term for term in terms if term not in hard)


def _reseparate(term: Term, rules: Mapping[Expr, Expr]) -> list[Term]:
    return [Term(part.factor, part.axes + term.axes) for part in separate(term.factor.xreplace(dict(rules)))]


def _assumed(name: str) -> dict[str, bool]:
    return {"real": True} if name in ("m", "lower", "upper") else {"positive": True}


def _unrecognised(conditional: Conditional, density: Mapping[Expr, Expr], bounds: tuple[Expr, Expr]) -> str:
    shown = " + ".join(f"({coefficient})·{g}" for g, coefficient in density.items())
    where = f"({bounds[0]}, {bounds[1]})"
    return (
        f"The conditional log-density of {conditional.atom} on {where} is {shown or 'constant'}, which is no family of "
        f"the table: its posterior has no closed form here."
    )


