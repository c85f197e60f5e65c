"""Where a fit begins when nothing is said: the M-step at imputed latents.

Labels come from prototypes, rows of the data chosen far apart; other tables are random; continuous latents
are drawn at the scale of the data, inside their bounds, and their expected statistics are the statistics of
what was drawn. Everything else is the solver's own M-step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Add, Expr, Symbol, exp

from symem.codegen.ir.instructions import Assign, Normalise
from symem.codegen.ir.nodes import Load, Node, Source
from symem.codegen.ir.program import Program
from symem.codegen.lowering.scanned_chains import Scanned
from symem.codegen.numpy.fields_read import Records
from symem.codegen.numpy.latent_draws import LatentDraws, loads_in
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.wrapping import WIDTH, fitted, tupled
from symem.derivation import Causes, GaussianStates, GaussianVector, Posterior, Quadrature, Tabulated, Tree
from symem.language.leaves import name_of, places_of
from symem.language.plates import Expectation, LogIverson
from symem.language.supports import Labels


@dataclass(frozen=True)
class Labelled:
    """The outcome axis whose start comes from prototypes, and the arrays that describe a row."""

    size: str
    arrays: tuple[str, ...]


class Starts:
    """The lines that impute what the statistics read, in one chunk of rows."""

    def __init__(self, program: Program, writer: Lines, records: Records) -> None:
        self.program, self.writer, self.records = program, writer, records
        self.model = program.derivation.model
        self.lines: list[str] = []
        self.read: set[str] = set()
        self.labelled: Labelled | None = None
        self._tables = {each.weight: each for each in program.infer if isinstance(each, Normalise)}
        self._lines = {each.name: each for each in program.infer if isinstance(each, Assign)}
        self._fixed = {each.name: each for each in program.coefficients}
        self._owner: dict[str, Posterior] = {}
        for posterior in program.derivation.posteriors:
            for definition in posterior.definitions:
                self._owner.setdefault(program.layouts[name_of(definition.symbol)].name, posterior)
        causes = (each for each in program.derivation.posteriors if isinstance(each, Causes))
        drawn = {program.layouts[name_of(each.probability.symbol)].name for each in causes}
        self._probabilities = {*self._tables, *drawn}
        self._draws = LatentDraws(program, writer, records, self.lines, self.read)
        self._done: set[str] = set()
        for name in self.records.latents:
            self._impute(name)

    @property
    def body(self) -> list[str]:
        """All lines, below what they unpack, and what they give: the latents in their order."""
        lines, values = self._draws.without_aliases(), list(self.records.latents)
        for place, name in enumerate(values):
            own = [each for each in lines if each.startswith(f"{name} = ")]
            line = own[0] if len(own) == 1 else ""
            others = [each for each in lines if each is not line]
            put = [*values[:place], line.removeprefix(f"{name} = "), *values[place + 1 :]]
            alone = (
                line
                and not line.endswith("(")
                and not any(re.search(rf"\b{name}\b", each) for each in others)
            )
            if alone and len(f"    return {tupled(put)}") <= WIDTH:
                lines, values = others, put
        given = f"return {tupled(values)}" if len(values) == 1 else f"return {', '.join(values)}"
        return [*self.records.reading(self.read, "rows"), *lines, given if values else "return ()"]

    # -- one name ---------------------------------------------------------------------------------------

    def _impute(self, name: str) -> None:
        if name in self._done:
            return
        self._done.add(name)
        if self._is_known(name):
            self._once(name)
        elif name not in self._owner:
            self._by_formula(name)
        else:
            self._of_latent(name)

    def _of_latent(self, name: str) -> None:
        posterior = self._owner[name]
        if isinstance(posterior, Scanned):
            self._chain(name, posterior)
            return
        if isinstance(posterior, Quadrature) and self._at_nodes(name, posterior):
            return
        if self._is_covariance(name, posterior):
            self._no_spread(name, posterior)
        elif isinstance(posterior, Tabulated) and name in self._probabilities:
            self._table(name, posterior)
        elif self._follows(name):
            self._by_formula(name)
        elif isinstance(posterior, Causes):
            self._at_random(name, '_drawn(rng, "unit", {})')
        elif name in self._fixed:
            self._at_random(name)
        else:
            self._by_draw(name, posterior)

    def _at_nodes(self, name: str, posterior: Quadrature) -> bool:
        """Weights that are all the same, at nodes that are what was drawn; of counts at the larger half of the whole numbers,
        which are not too few for what was seen. Whether it is one of these.
        """
        layouts = self.program.layouts
        if layouts[name_of(posterior.probability.symbol)].name == name:
            axes = self.program.axes(posterior.probability)
            sizes = [self.program.lower.size(axis) for axis in axes]
            self._note(sizes)
            shape = tupled(map(self.writer.spell, sizes))
            helper = "_larger_half" if posterior.window else "_even"
            self.writer.spell.helpers.add(helper)
            self.lines.append(f"{name} = {helper}({shape}, {axes.index(posterior.outcome.index)})")
            return True
        found = [(atom, node) for atom, node in posterior.nodes if layouts[name_of(node.symbol)].name == name]
        if posterior.window or not found:
            return False
        ((atom, definition),) = found
        self._draws.draw(next(each for each in self.program.derivation.posteriors if each.atom == atom))
        axes = self.program.axes(definition)
        node = self._draws.lower.over(atom, axes)
        self._note([node])
        self.lines += fitted(f"{name} = ", self.writer.text(node, axes), self.writer.part_name)
        return True

    def _is_known(self, name: str) -> bool:
        """Whether a definition of no row reads nothing but data, as the inverse of a known matrix does."""
        line = self._fixed.get(name)
        return line is not None and all(
            self._is_known(part.name) if part.name in self._fixed else part.sources <= {Source.ROWS}
            for part in line.node.walk()
            if isinstance(part, Load)
        )

    def _once(self, name: str) -> None:
        line = self._fixed[name]
        for part in line.node.walk():
            if isinstance(part, Load) and part.name in self._fixed:
                self._impute(part.name)
        self._note([line.node])
        self.lines += self.writer.assign(line)

    def _is_covariance(self, name: str, posterior: Posterior) -> bool:
        if isinstance(posterior, GaussianStates):
            return name in map(self._local, (posterior.covariance, posterior.neighbours.symbol))
        return isinstance(posterior, GaussianVector) and self._local(posterior.covariance) == name

    def _local(self, symbol: Expr) -> str:
        base = name_of(symbol)
        return self.program.layouts[base].name if base in self.program.layouts else ""

    def _no_spread(self, name: str, posterior: Posterior) -> None:
        """What is drawn is known exactly."""
        definition = next(each for each in posterior.definitions if self._local(each.symbol) == name)
        sizes = [self.program.lower.size(axis) for axis in self.program.axes(definition)]
        self._note(sizes)
        self.lines.append(f"{name} = np.zeros({tupled(map(self.writer.spell, sizes))})")

    def _at_random(self, name: str, call: str = "rng.standard_normal({})") -> None:
        """What parameters alone decide, as the slope of a posterior mean in what it is conditional on; an event."""
        line = self._fixed.get(name) or self._lines[name]
        sizes = [self.program.lower.size(axis) for axis in line.axes]
        self._note(sizes)
        self.lines.append(f"{name} = {call.format(tupled(map(self.writer.spell, sizes)))}")

    def _follows(self, name: str) -> bool:
        """Whether a definition reads nothing but data and tables."""
        line = self._lines.get(name)
        if line is None:
            return False
        loads = [part for part in line.node.walk() if isinstance(part, Load)]
        return all(
            part.name in self._tables or part.sources <= {Source.ROWS} for part in loads
        ) and not self._hoisted(loads)

    def _hoisted(self, loads: Iterable[Load]) -> bool:
        coefficients = {each.name for each in self.program.coefficients}
        return any(part.name in coefficients for part in loads)

    def _by_formula(self, name: str) -> None:
        line = self._lines[name]
        for part in line.node.walk():
            if isinstance(part, Load) and part.name in self._tables:
                self._impute(part.name)
        self._note([line.node])
        self.lines += self.writer.assign(line)

    def _by_draw(self, name: str, posterior: Posterior) -> None:
        definition = next(
            each for each in posterior.definitions if self.program.layouts[name_of(each.symbol)].name == name
        )
        statistic = next(
            (key for key, value in posterior.expectations.items() if value == definition.symbol), None
        )
        if statistic is None:
            statistic = next(
                (k for k in posterior.expectations if name_of(k) == posterior.latent.name), posterior.atom
            )
        mean = next(iter(statistic.atoms(Expectation)), None)
        statistic = statistic if mean is None else mean.args[0] ** 2
        self._draws.draw(posterior)
        slots = places_of(definition.symbol)
        axes = tuple(slots[d] for d in self.program.layouts[name_of(definition.symbol)].order)
        node = self._draws.lower.over(_known(statistic), axes)
        self._note([node])
        self.lines += fitted(f"{name} = ", self.writer.text(node, axes), self.writer.part_name)

    def _note(self, nodes: Iterable[Node]) -> None:
        self.read |= loads_in(nodes)

    # -- tables -----------------------------------------------------------------------------------------

    def _table(self, name: str, posterior: Tabulated) -> None:
        slots = tuple(posterior.probability.symbol.indices)
        axes = tuple(slots[d] for d in self.program.layouts[name_of(posterior.probability.symbol)].order)
        sizes = [self.program.lower.size(axis) for axis in axes]
        shape = tupled(map(self.writer.spell, sizes))
        place = axes.index(posterior.outcome.index)
        if self._is_row_label(axes, place):
            self.lines.append(f"{name} = _near(rng, prototypes, {place})")
        else:
            self._note(sizes)
            self.lines.append(f"{name} = _random_table(rng, {shape}, {place})")
        hard = self._possible(posterior)
        if hard is not None:
            node = self._draws.lower.over(hard, axes)
            self._note([node])
            call = f"_restricted({name}, {self.writer.spell(node)}, {place})"
            self.lines += fitted(f"{name} = ", call, self.writer.part_name)

    def _chain(self, name: str, chain: Scanned) -> None:
        """The table of a chain near prototypes; of pairs of neighbours the product of theirs."""
        table, before, moved, _after = (
            self.program.layouts[name_of(each.symbol)].name
            for each in (chain.probability, chain.filtered, chain.moved, chain.coming)
        )
        if name != table:
            self._impute(table)
        axes = self.program.axes(chain.probability)
        place = axes.index(chain.along.index)
        sizes = [self.program.lower.size(axis) for axis in axes]
        shape = tupled(map(self.writer.spell, sizes))
        self._note(sizes)
        if name == table:
            alike = [
                each
                for each in self.model.data
                if each.sizes == chain.latent.sizes and not each.shape and not chain.labels
            ]
            arrays = tupled(self.program.layouts[each.name].name for each in alike)
            self.read |= {self.program.layouts[each.name].name for each in alike}
            call = f"_random_states(rng, {shape}, {axes.index(chain.outcome.index)}, {arrays if alike else '()'})"
            self.lines += fitted(f"{name} = ", call, self.writer.part_name)
        elif name == moved:
            own = [self.program.lower.size(axis) for axis in self.program.axes(chain.moved)]
            self._note(own)
            self.lines.append(f"{name} = np.ones({tupled(map(self.writer.spell, own))})")
        elif isinstance(chain, Tree):
            parent = self.program.layouts[name_of(chain.parent)].name
            self.read |= {parent} if name == before else set()
            self.lines.append(
                f"{name} = " + (f"np.take({table}, {parent}, {place})" if name == before else table)
            )
        else:
            part = "[:-1]" if name == before else "[1:]"
            cut = ", ".join([":"] * place + [part[1:-1]])
            self.lines.append(f"{name} = {table}[{cut}]")

    def _is_row_label(self, axes: tuple[Symbol, ...], place: int) -> bool:
        """Whether the table has one row for each row of data, so that prototypes can stand for its outcomes."""
        arrays = self._describing()
        size = self.program.lower.sizes[axes[place]]
        lone = (
            len(axes) == 2
            and self.program.rows is not None
            and self.program.lower.sizes[axes[1 - place]] == self.program.rows
        )
        if not lone or not arrays or (self.labelled and self.labelled.size != str(size)):
            return False
        self.labelled = Labelled(str(size), arrays)
        return True

    def _describing(self) -> tuple[str, ...]:
        rows = [
            each
            for each in self.model.data
            if self.program.rows in each.sizes and not isinstance(each.support, Labels)
        ]
        return tuple(each.name for each in rows)

    def _possible(self, posterior: Tabulated) -> Expr | None:
        """The brackets among the log weights: which outcomes the data allow."""
        pairs = dict(
            zip(
                [a.index for a in posterior.log_weight.axes],
                [a.index for a in posterior.probability.axes],
                strict=True,
            )
        )
        terms = [t for t in Add.make_args(posterior.log_weight.value) if isinstance(t, LogIverson)]
        return exp(Add(*terms)).xreplace(pairs) if terms else None


def _known(statistic: Expr) -> Expr:
    """The statistic of what is drawn, which is its own mean."""
    return statistic.replace(Expectation, lambda function: function)
