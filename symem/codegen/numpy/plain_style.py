"""The same algorithm as one short function, to read, teach and paste: all rows at once, no checks, no runtime."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from symem.codegen.ir.instructions import Assign, Normalise
from symem.codegen.ir.program import Program
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy import plain_kernels
from symem.codegen.numpy.array_tables import kind_of
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.runtime_text import from_scipy, pieces, special_functions
from symem.codegen.numpy.undefined_names import refuse_undefined
from symem.codegen.numpy.wrapping import unpacked
from symem.codegen.program_of import program_of
from symem.derivation import Derivation
from symem.errors import NotDerivedError
from symem.language.model import Variable
from symem.language.supports import Labels
from symem.templating import render
from symem.version import __version__

#: What has a name in NumPy where nothing is guarded.
_PLAIN_NAMES = {
    "_cholesky": "np.linalg.cholesky", "_inverse": "np.linalg.inv",
    "_whitening": "np.linalg.inv", "_solve_all": "np.linalg.solve",
}  # fmt: skip


def plain_source(derivation: Derivation, told: str = "An EM algorithm.") -> str:
    """The source of a function `em(parameters..., data..., tol=, max_iter=)` that gives parameters and log-likelihood.

    Raises
    ------
        NotDerivedError: a block of parameters has no closed form, or a function has no NumPy spelling.
    """
    if derivation.approximated:
        name = derivation.approximated[0].latent.name
        raise NotDerivedError(
            f"{name} is summed over nodes, so many as it takes, which the plain style cannot know."
        )
    program = program_of(derivation, plain=True)
    plain = _Plain(program)
    text = plain.text()
    text = "\n\n\n".join([*plain.lines.spell.equations.values(), text])
    text = re.sub(r"(?<![\w.])_\w+(?=\()", lambda found: _PLAIN_NAMES.get(found[0], found[0]), text)
    called = _names_in(text)
    kernels = [*_kernels(called), *special_functions(called)]
    special = from_scipy([text, *kernels])
    refuse_undefined(program, "\n\n".join([*kernels, text]), ("np", "Any", *special))
    return render(
        "plain_solver.py.j2", told=told, version=__version__, special=special, kernels=kernels, function=text
    )


def _names_in(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _kernels(called: set[str]) -> list[str]:
    """The kernels of these names, and those that they call."""
    known = dict(pieces(plain_kernels))
    own, met = set[str](), called & known.keys()
    while met:
        own |= met
        met = {name for each in met for name in _names_in(known[each]) if name in known} - own
    return [code for name, code in known.items() if name in own]


class _Plain:
    """Writes the function of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.model = program.derivation.model
        self.lines = Lines(program, indent=8)
        self.locals = {name: layout.name for name, layout in program.layouts.items()}

    def text(self) -> str:
        parameters = [self.locals[each.name] for each in self.model.parameters]
        data = [self.locals[each.name] for each in (*self.model.data, *self.model.known)]
        sizes = list(self._sizes())
        asked = [name for name, place in sizes if not place]
        shown, rows = ", ".join(parameters), self.program.rows
        count = "" if rows is None else self.locals[str(rows)]
        before, e_step, m_step = list(self._before(sizes)), list(self._e_step()), list(self._m_step())
        read = set(re.findall(r"\w+", "\n".join([*before, *e_step, *m_step, f"tol {count}"])))
        shown_sizes = [(name, place) for name, place in sizes if place.startswith("np.") and name in read]
        lines = [
            *unpacked(shown_sizes),
            *([f"length = {count or 1}"] if "length" in read else []),
            *before,
            "before = -np.inf",
            "for _ in range(max_iter):",
            "    # E-step",
            *(f"    {line}" for line in e_step),
            f"    if abs(log_likelihood - before) <= tol{' * ' if count else ''}{count}:",
            "        break",
            "    before = log_likelihood",
            "    # M-step",
            *(f"    {line}" for line in m_step),
            f"return {shown}, log_likelihood",
        ]
        head = f"def em({', '.join([*parameters, *data, *asked])}, tol=1e-10, max_iter=10_000):"
        told = f'"""Maximise the likelihood from a start; {shown} and the log-likelihood."""'
        return "\n".join([head, *(f"    {line}" for line in (told, *lines))])

    # -- before the loop ----------------------------------------------------------------------------

    def _sizes(self) -> Iterator[tuple[str, str]]:
        """Each size with where it is read off, nothing where no array shows it."""
        arrays = (*self.model.parameters, *self.model.data, *self.model.known)
        for each in self.program.sized:
            places = (
                f"np.shape({self.locals[array.name]})[{array.sizes.index(each.symbol)}]"
                for array in arrays
                if each.symbol in array.sizes
            )
            patterns = f"len(patterns_{each.name.removeprefix('n_patterns_')})"
            yield self.locals[each.name], next(places, patterns if each.declared is None else "")

    def _before(self, sizes: list[tuple[str, str]]) -> Iterator[str]:
        for each in (*self.model.data, *self.model.known):
            yield from self._array(each)
        yield from self._masks()
        yield from unpacked(pair for pair in sizes if pair[1].startswith("len("))
        yield from self._extents()
        for each in observed(self.model):
            order = self.program.layouts[each.name].order
            if order != tuple(sorted(order)):
                name = self.locals[each.name]
                yield f"{name} = {name}{'.T' if order == (1, 0) else f'.transpose{order}'}"
        for line in self.program.prepared:
            yield from self.lines.assign(line)

    def _array(self, variable: Variable) -> Iterator[str]:
        """An array of numbers; what is missing has a mask, and a value that does no harm."""
        name, support = self.locals[variable.name], variable.support
        origin = support.origin if isinstance(support, Labels) and support.origin else 0
        moved = f" - {origin}" if origin else ""
        yield f"{name} = np.asarray({name}, dtype=float){moved}"
        if variable.missing:
            mask = self.locals.get(f"observed_{variable.name}", f"observed_{name}")
            seen = f"{name} >= 0" if isinstance(support, Labels) else f"~np.isnan({name})"
            harmless = "0" if support.discrete or support.bounds[0] != 0 else "0.5"
            yield f"{mask} = ({seen}).astype(float)"
            yield f"{name} = np.where({mask} > 0, {name}, {harmless})"
        if isinstance(support, Labels):
            yield f"{name} = {name}.astype(int)"
        if kind_of(variable, self.model).startswith("extended"):
            yield f"{name} = np.clip({name}, -1e100, 1e100)"

    def _masks(self) -> Iterator[str]:
        """The patterns in which entries are missing, and which of them each row has."""
        for each in self.model.masks:
            if each.declared is None and each.name.startswith("patterns_"):
                name = each.name.removeprefix("patterns_")
                yield (
                    f"patterns_{name}, pattern_{name} = np.unique(observed_{name}, axis=0, return_inverse=True)"
                )

    def _extents(self) -> Iterator[str]:
        program = self.program
        lower = Lowering(program.layouts, program.rank, dict(program.index_sizes))
        for extent in program.derivation.extents:
            lower.sizes |= {axis.index: axis.size for axis in extent.axes}
            name = self.locals[extent.symbol.name]
            yield from self.lines.fitted(
                f"{name} = ", f"int(np.max({self.lines.spell(lower(extent.value))}))"
            )

    # -- in the loop --------------------------------------------------------------------------------

    def _e_step(self) -> Iterator[str]:
        for line in (*self.program.coefficients, *self.program.infer):
            if isinstance(line, Normalise):
                yield from _normalised(line)
            elif isinstance(line, Assign):
                yield from self.lines.assign(line)
        for statistic in self.program.summarise:
            if isinstance(statistic, Assign):
                yield from self.lines.assign(statistic)
        terms = [self.lines.spell(self.program.log_likelihood)]
        once = self.lines.spell(self.program.log_likelihood_once)
        terms += [once] if once != "0" else []
        if self.program.log_prior is not None:
            for line in self.program.of_prior:
                yield from self.lines.assign(line)
            terms.append(self.lines.spell(self.program.log_prior))
        yield from self.lines.fitted("log_likelihood = ", " + ".join(terms).replace("+ -", "- "))

    def _m_step(self) -> Iterator[str]:
        names, layouts = [each.name for each in self.model.parameters], self.program.m_step_layouts
        old = [(layouts[f"old_{name}"].name, self.locals[name]) for name in names if f"old_{name}" in layouts]
        yield from unpacked(old)
        for line in self.program.m_step:
            yield from self.lines.update(line)


def _normalised(line: Normalise) -> Iterator[str]:
    """Log weights to probabilities; where no outcome is possible, all are 0."""
    weight, total = line.weight, line.normaliser
    yield f"{total} = np.logaddexp.reduce({weight}, axis={line.axis})"
    finite = f"np.where(np.isneginf({total}), 0.0, {total})" if line.guarded else total
    aligned = f"np.expand_dims({finite}, {line.axis})" if line.axis else finite
    yield f"{weight} = np.exp({weight} - {aligned})"
