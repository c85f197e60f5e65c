"""`draw`: data and latents by their declared laws, parents first, as the statement of the model in NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sympy import Expr, Indexed, Sum, Symbol
from sympy.core.relational import Equality

from symem.codegen.ir.nodes import Load, Source
from symem.codegen.ir.program import Program
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.drawn_positions import Order, Positions, Scope, UnsaidError
from symem.codegen.numpy.fields_read import Records, names_in
from symem.codegen.numpy.function_text import Function
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.wrapping import listed, tupled
from symem.errors import NotDerivedError
from symem.language.family import OTHERWISE
from symem.language.leaves import name_of, places_of
from symem.language.model import Variable
from symem.language.plates import LogIverson
from symem.language.supports import Labels
from symem.runtime import samplers

_GIVEN = [("rng", "np.random.Generator"), ("theta", "Parameters"), ("given", "dict[str, Any]")]


class Drawing:
    """Writes `draw` for one program, or says why there is none."""

    def __init__(self, program: Program, lines: Lines, records: Records) -> None:
        self.program, self.records = program, records
        self.model = program.derivation.model
        layouts = {each.name: self._layout(each) for each in self._arrays()}
        sizes = [each.symbol.name for each in program.derivation.extents]
        layouts |= {name: program.layouts[name] for name in sizes}
        self.scope = Scope(self.model, lines, program.names, layouts, Order())
        self.drawn: list[str] = []
        self.reason, self.function = "", None
        try:
            self.function = self._function()
        except (UnsaidError, NotDerivedError) as reason:
            self.reason = f"No data can be drawn from this model: {str(reason).removesuffix('.')}."

    @property
    def told(self) -> str:
        """What the table of the model says of it."""
        if self.function is None:
            return quoted(self.reason)
        data = tuple(each.name for each in self.model.data)
        read = names_in(self.scope.nodes)
        known = tuple(each.name for each in self.model.known if self._local(each.name) in read)
        sizes = tuple(each.name for each in self.program.sized if self._local(each.name) in read)
        more = "".join(
            f", {name}={quoted(each)}" for name, each in (("known", known), ("sizes", sizes)) if each
        )
        return f"Draws(draw, {quoted(data)}{more})"

    def _arrays(self) -> Iterator[Variable]:
        model = self.model
        hidden = (*model.latents, *model.factored)
        yield from (*model.parameters, *model.data, *model.known, *hidden, *self.program.sized)

    def _layout(self, variable: Variable) -> Layout:
        placed = self.program.layouts.get(variable.name)
        name = self.program.names.take(variable.name) if placed is None else placed.name
        source = Source.THETA if variable in self.model.parameters else Source.ROWS
        whole = variable.role.name == "SIZE" or isinstance(variable.support, Labels)
        whole |= variable.support.discrete and variable not in (*self.model.known, *self.model.parameters)
        return Layout.declared(name, variable, source, integer=whole)

    def _local(self, name: str) -> str:
        return self.scope.layouts[name].name

    # -- the function -----------------------------------------------------------------------------------

    def _function(self) -> Function:
        model = self.model
        if not model.declarations:
            raise UnsaidError(
                "it is stated by its likelihood, which does not say how data arise: state it by distributions, "
                "Model({x[i]: Normal(mu, sigma), …})"
            )
        apart = self._apart()
        for declaration in _parents_first(model.declarations):
            if not apart & set(map(name_of, declaration.entries)):
                self._declared(declaration)
        for constraint in model.constraints:
            if not apart & _names(constraint):
                self._observed(constraint)
        for datum in model.data:
            if datum.name not in self.drawn:
                raise UnsaidError(
                    f"nothing says how {datum.name} arises, the model only bounds by it what is latent: draw from the model "
                    f"without it, and make {datum.name} from what was drawn"
                )
        extents = list(self._extents())
        made = {*self.drawn, *(each.symbol.name for each in self.program.derivation.extents)}
        read = names_in(self.scope.nodes) - set(map(self._local, made)) - self.scope.made
        shown = [f'"{name}": {self._counted(model.variables[name])}' for name in self.drawn]
        body = [*self.records.reading(read, "given"), *extents, *self.scope.statements]
        body += listed("return {", shown, "}")
        return Function(
            "draw", _GIVEN, "dict[str, Any]", "Data and latents by their laws, parents first.", body
        )

    def _counted(self, variable: Variable) -> str:
        """Labels as the model counts them."""
        first = int(variable.support.first)
        return self._local(variable.name) + (f" + {first}" if first else "")

    def _extents(self) -> Iterator[str]:
        """Sizes that known arrays show, such as the longest of several sequences."""
        for extent in self.program.derivation.extents:
            if self._local(extent.symbol.name) in names_in(self.scope.nodes):
                lower = Lowering(
                    self.scope.layouts, self.scope.rank, {axis.index: axis.size for axis in extent.axes}
                )
                node = lower(extent.value)
                self.scope.nodes.append(node)
                name = extent.symbol.name
                shown = f"given.get({quoted(name)}, int(np.max({self.scope.spell(node)})))"
                yield f"{self._local(name)} = {shown}"

    def _declared(self, declaration: Any) -> None:
        """The lines of one law."""
        at = Positions(self.scope, declaration)
        if len(at.axes) < len(getattr(declaration.entries[0], "indices", ())) - (
            declaration.cell is not None
        ):
            self._along(declaration, at)
            return
        text = self._law(declaration.distribution, at)
        names = [name_of(entry) for entry in declaration.entries]
        if len(names) > 1:
            start = f"{', '.join(map(self._local, names))} = "
            text = f"np.moveaxis({text}, -1, 0)"
        else:
            start = f"{self._local(names[0])} = "
            text = text if at.cell_slot is None else f"np.moveaxis({text}, -1, {at.cell_slot})"
        self._write(start, text, names)

    def _along(self, declaration: Any, at: Positions) -> None:
        """The lines of the law of a first place, or of one place after another."""
        entry, name = declaration.entries[0], name_of(declaration.entries[0])
        first = [each.entries[0] for each in self.model.declarations if each.entries[0] != entry]
        firsts = [each for each in first if name_of(each) == name]
        if name not in self.drawn:
            if declaration.back is not None and not firsts:
                raise UnsaidError(f"nothing says how the first {name} arises, at which its law looks back")
            kind = ", int" if self.scope.layouts[name].integer else ""
            sizes = [self.scope.sized(size) for size in at.variable.sizes]
            self._write(f"{self._local(name)} = ", f"np.zeros({tupled(sizes)}{kind})", [name])
        places = [":" if each in declaration.own else str(int(each)) for each in entry.indices]
        if at.loop is None:
            origin = self.model.shape(name).origins
            places = [p if p == ":" else str(int(p) - o) for p, o in zip(places, origin, strict=True)]
            self._write(
                f"{self._local(name)}[{', '.join(places)}] = ", self._law(declaration.distribution, at), []
            )
            return
        index = self.scope.looped(at.loop)
        places[list(entry.indices).index(declaration.place_by_place)] = index
        text = self._law(declaration.distribution, at)
        self.scope.statements.append(f"for {index} in {self._turns(declaration, at.loop.size)}:")
        lines = self.scope.writer.fitted(f"{self._local(name)}[{', '.join(places)}] = ", text)
        self.scope.statements += [f"    {line}" for line in lines]

    def _turns(self, declaration: Any, size: Expr) -> str:
        """The places at which the law holds, in an order in which what it looks back at is there."""
        if declaration.parent is None:
            return f"range({declaration.reach}, {self.scope.sized(size)})"
        array = name_of(declaration.parent)
        layout = self.scope.layouts[array]
        self.scope.nodes.append(Load((), layout.name, (), layout.sources))
        return f"{'_roots_of' if declaration.at_roots else '_below_roots'}({layout.name})"

    def _write(self, start: str, text: str, names: Sequence[str]) -> None:
        self.scope.write(start, text)
        self.drawn += names

    def _concentrations(self, arguments: Sequence[Expr], at: Positions) -> str:
        """Those of the cells of a Dirichlet law, on the last axis; of a symmetric one the same for all."""
        cell = at.declaration.cell
        if cell is None or arguments[0].has(cell):
            return at.probabilities(arguments)
        count = self.scope.sized(at.variable.sizes[at.declaration.own.index(cell)])
        return f"np.multiply.outer({at(arguments[0])}, np.ones({count}))"

    def _law(self, distribution: Any, at: Positions) -> str:
        """The call that draws at all positions."""
        arguments, size = distribution.arguments, at.shape
        if distribution.name == "Categorical":
            return f"_draw_labels(rng, {size}, {at.probabilities(arguments)})"
        if distribution.name == "Multinomial":
            return f"_draw_counts(rng, {size}, {at(arguments[0])}, {at.probabilities(arguments[1:])})"
        if distribution.name == "Dirichlet":
            return f"_draw_shares(rng, {size}, {self._concentrations(arguments, at)})"
        if distribution.name == "Cases":
            label = at(arguments[0], label=True)
            order = sorted(distribution.branches, key=lambda value: (value == OTHERWISE, str(value).zfill(9)))
            branches = (f"{quoted(value)}: {self._law(distribution.branches[value], at)}" for value in order)
            return f"_of_label({label}, {{{', '.join(branches)}}})"
        sampler = distribution.family.sampler
        if sampler is None:
            raise UnsaidError(f"{distribution.name} has no sampler")
        vectors = bool(at.variable.shape) and not at.variable.of_numbers
        texts = at.of_vector(distribution) if vectors else [at(each) for each in arguments]
        own = getattr(samplers, getattr(sampler, "__name__", ""), None) is sampler
        call = f"{sampler.__name__}(" if own else f"_draw_own({quoted(distribution.name)}, "
        return f"{call}{', '.join(['rng', size, *texts])})"

    # -- what was observed of it --------------------------------------------------------------------------

    def _apart(self) -> set[str]:
        """Latents of which something is known, and those that depend on them, where no datum does: what is drawn of the data
        is the same without them.
        """
        declared = {name_of(entry) for each in self.model.declarations for entry in each.entries}
        data = {each.name for each in self.model.data}
        groups = [
            set(map(name_of, d.entries)) | (_read_by(d.distribution) & declared)
            for d in self.model.declarations
        ]
        bound = [_names(each) & (declared | data) for each in self.model.constraints]
        found: set[str] = set()
        for names in bound:
            whole, before = set(names), -1
            while len(whole) > before:
                before = len(whole)
                whole |= set().union(*(each for each in (*groups, *bound) if each & whole))
            found |= whole if not whole & data else set()
        return found

    def _observed(self, constraint: Expr) -> None:
        """A datum that a relation settles, or a check of what was drawn."""
        relation = _relation(constraint)
        at = Positions(self.scope, None, constraint.limits if isinstance(constraint, Sum) else ())
        if isinstance(relation, Equality):
            for entry, other in ((relation.lhs, relation.rhs), (relation.rhs, relation.lhs)):
                if self._is_settled(entry, other):
                    places = places_of(entry)
                    self._write(f"{self._local(name_of(entry))} = ", at.over(other, places), [name_of(entry)])
                    return
        hidden = {each.name for each in self.model.latents}
        if hidden & {*self.drawn} & _names(relation):
            held = self.scope.spell(at.node(relation))
            self.scope.write("", f"_refuse_contradicted({held}, {quoted(str(relation))})")

    def _is_settled(self, entry: Any, other: Expr) -> bool:
        """Whether an equation says what a datum without a law is."""
        if not isinstance(entry, Indexed | Symbol) or name_of(entry) in self.drawn:
            return False
        plain = all(isinstance(each, Symbol) for each in places_of(entry))
        datum = name_of(entry) in {each.name for each in self.model.data}
        return plain and datum and name_of(entry) not in _names(other)


def _relation(constraint: Expr) -> Any:
    """What a hard constraint says."""
    return next(iter(constraint.atoms(LogIverson))).args[0]


def _parents_first(declarations: Iterable[Any]) -> Iterator[Any]:
    waiting = list(declarations)
    while waiting:
        unborn = {name_of(entry) for each in waiting for entry in each.entries}
        ready = [each for each in waiting if not (_read_by(each.distribution) - _own_past(each)) & unborn]
        if not ready:
            raise UnsaidError("the declarations refer to one another in a circle")
        yield from sorted(ready, key=lambda each: each.back is not None)
        waiting = [each for each in waiting if each not in ready]


def _own_past(declaration: Any) -> set[str]:
    """The variable, where its law looks back."""
    return {name_of(entry) for entry in declaration.entries} if declaration.back is not None else set()


def _read_by(distribution: Any) -> set[str]:
    own = set().union(*(_names(each) for each in distribution.arguments))
    return own.union(*(_read_by(branch) for branch in distribution.branches.values()))


def _names(expr: Any) -> set[str]:
    return {name_of(atom) for atom in expr.atoms(Indexed, Symbol)}
