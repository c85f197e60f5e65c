"""A program as the source of a stand-alone NumPy module, and that source as a module."""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from types import ModuleType
from typing import Any
from zlib import crc32

from sympy import Symbol

from symem.codegen.ir.identifiers import FIT_KEYWORDS
from symem.codegen.ir.instructions import Statistic
from symem.codegen.ir.program import Program, reported
from symem.codegen.numpy.array_tables import Tables, quoted
from symem.codegen.numpy.bodies import Bodies, tuple_text
from symem.codegen.numpy.docstring import docstring
from symem.codegen.numpy.inlining import helpers, imports
from symem.codegen.numpy.lost_digits import digits_of
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.preparation import Preparation
from symem.codegen.program_of import program_of
from symem.derivation import Definition, Derivation, Probabilities, Table
from symem.errors import NameClashError
from symem.language.leaves import name_of
from symem.language.model import Variable
from symem.language.supports import Labels, PositiveDefinite, Symmetric
from symem.templating import render


def emit(derivation: Derivation) -> str:
    """The source of a module that runs this EM algorithm with NumPy alone.

    Raises
    ------
        NotDerivedError: a block of parameters has no closed form, or a function has no NumPy spelling.
        NameClashError: a data array has a name that `fit` needs for itself.
    """
    _check_keywords(derivation)
    program = program_of(derivation)
    return _Source(program, docstring(derivation, digits_of(program))).text()


def load(source: str, name: str = "symem_solver") -> ModuleType:
    """The module of that source text; it behaves as if it had been imported from a file."""
    module = ModuleType(name)
    file = f"<{name} {crc32(source.encode()):08x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102  text that `emit` wrote
    return module


def _check_keywords(derivation: Derivation) -> None:
    for variable in (*derivation.model.data, *derivation.model.known, *derivation.model.sizes):
        if variable.name in FIT_KEYWORDS:
            raise NameClashError(
                f"The name {variable.name!r} is a keyword of fit(...): rename that array, for example to {variable.name}_data."
            )


class _Source:
    def __init__(self, program: Program, title: str) -> None:
        self.program, self.title = program, title
        self.model = program.derivation.model
        self.bodies = Bodies(program)
        self.layouts = program.layouts

    def text(self) -> str:
        context = {
            **self._records(),
            **self._e_step(),
            **self._m_step(),
            **Preparation(self.program, self.bodies).context(),
        }
        context["docstring"] = self.title
        bare = render("solver.py.j2", **context, imports=[], helpers="")
        needed = helpers(bare)
        code = bare.split("from __future__ import annotations", 1)[1] + needed
        return render("solver.py.j2", **context, imports=imports(code), helpers=needed)

    def local(self, name: str) -> str:
        return self.layouts[name].name

    # -- records ----------------------------------------------------------------------------------------

    def _records(self) -> dict[str, Any]:
        program, bodies = self.program, self.bodies
        rows = [*bodies.row_fields, *bodies.prepared, "first", "length"]
        rows += ["features", "buffer"] if program.features else []
        sizes = [self.local(name) for name in program.sizes]
        statistics = [(each.name, _axes_text(each.definition.axes)) for each in program.statistics]
        statistics += [(name, "the size") for name in sizes]
        return {
            "tables": Tables(program).lines(),
            "parameters": [each.name for each in self.model.parameters],
            "parameters_text": ", ".join(_shaped(each) for each in self.model.parameters),
            "statistics": statistics,
            "rows_fields": rows,
            "data_fields": [*bodies.fixed, *bodies.sums],
            "guarded": program.direct is not None,
            "cut": program.rows is not None,
            "patterned": [name.removeprefix("patterns_") for name in self._computed() if "patterns_" in name],
            "covariances": _has_covariances(self.model.parameters),
            "known_covariances": _has_covariances(self._asked()),
            "posterior_fields": [each.latent.name for each in program.derivation.posteriors],
            "components": self._components(),
            "simplexes": self.model.simplexes,
            "data_text": ", ".join(_shaped(each) for each in self._asked()) or "none",
            "merged": [_merged(each, program.rows) for each in program.statistics]
            + [
                f"a.{self.local(name)}" + (f" + b.{self.local(name)}" if name == str(program.rows) else "")
                for name in program.sizes
            ],
        }

    def _computed(self) -> list[str]:
        """Masks that the data's own masks are grouped by."""
        return [each.name for each in self.model.masks if each.declared is None]

    def _components(self) -> list[tuple[str, int]]:
        """Labels whose values have parameters of their own: (latent, outcome axis of its table)."""
        sizes = {size for each in self.model.parameters for size in each.sizes if isinstance(size, Symbol)}
        return [
            (each.latent.name, list(each.probability.symbol.indices).index(each.outcome.index))
            for each in self.program.derivation.posteriors
            if isinstance(each, Table)
            and isinstance(each.latent.support, Labels)
            and each.outcome.size in sizes
        ]

    def _asked(self) -> list[Variable]:
        return [*self.model.data, *self.model.known]

    # -- functions --------------------------------------------------------------------------------------

    def _e_step(self) -> dict[str, Any]:
        bodies = self.bodies
        coefficients, names = bodies.coefficients()
        sums, sum_values = bodies.sums_of_data()
        collapsed, collapsed_fields, collapsed_value = bodies.collapsed()
        _, summarise, values = bodies.summarise()
        likelihood, value = bodies.log_likelihood()
        once, once_value = bodies.log_likelihood_once()
        prior = bodies.log_prior() if self.program.log_prior is not None else ([], "")
        return {
            "coefficients": coefficients,
            "coefficient_names": tuple_text(names),
            "infer": bodies.infer(),
            "fill": bodies.fill(),
            "sums": sums,
            "sum_names": bodies.sums,
            "sum_values": tuple_text(sum_values),
            "collapsed": collapsed,
            "collapsed_fields": collapsed_fields,
            "collapsed_value": collapsed_value,
            "latent_names": tuple_text(bodies.latents),
            "summarise": summarise,
            "summary": tuple_text(values),
            "log_likelihood": likelihood,
            "log_likelihood_value": value,
            "once": once,
            "once_value": once_value,
            "log_prior": prior[0],
            "log_prior_value": prior[1],
            "plus_prior": " + _log_prior(theta, checked)" if self.program.log_prior is not None else "",
            **self._posterior(),
            **self._translation(),
        }

    def _translation(self) -> dict[str, Any]:
        moved = self.program.translation
        if moved is None:
            return {"centre": None, "apart": None}
        body, changes = self.bodies.recentred()
        known = {each.name for each in self.model.known}
        return {
            "centre": moved.centre.name,
            "centre_helper": "_centre_columns" if moved.centre.shape else "_centre",
            "centre_mask": f"observed_{moved.centre.name}" if moved.centre.missing else None,
            "moving_data": moved.data,
            "moving_known": [name for name in moved.data if name in known],
            "moving_parameters": moved.parameters,
            "recentre": body,
            "recentred": changes,
            "apart": self._apart(),
        }

    def _apart(self) -> dict[str, str] | None:
        """What taking the statistics of each component about its own mean needs to know."""
        found = self.program.apart
        if found is None:
            return None
        assert self.program.features is not None
        sizes = ", ".join(f"data.{self.local(str(size))}" for size in found.mean.sizes)
        return {
            "mean": found.mean.name,
            "data": self.local(found.data.name),
            "weight": self.program.features.weight,
            "sizes": sizes,
        }

    def _posterior(self) -> dict[str, Any]:
        """What is shown of each latent: arrays in declared order, the row axis of each, and the record's fields."""
        arrays: list[str] = []
        rows: list[int | None] = []
        values: list[str] = []
        for posterior in self.program.derivation.posteriors:
            names = [name_of(definition.symbol) for definition in reported(posterior)]
            first = len(arrays)
            for definition in reported(posterior):
                arrays.append(self._shown(definition))
                sizes = [axis.size for axis in definition.axes]
                rows.append(sizes.index(self.program.rows) if self.program.rows in sizes else self._no_row)
            if isinstance(posterior, Probabilities):
                values.append(f"whole[{first}]")
            else:
                values.append(
                    "{"
                    + ", ".join(f"{quoted(name)}: whole[{first + d}]" for d, name in enumerate(names))
                    + "}"
                )
        return {
            "posterior_arrays": tuple_text(arrays),
            "posterior_rows": repr(tuple(rows)),
            "posterior_values": ", ".join(values),
        }

    @property
    def _no_row(self) -> int | None:
        """In place of the row axis of an array that is the same for all rows."""
        return 0 if self.program.rows is None else None

    def _shown(self, definition: Definition) -> str:
        name = name_of(definition.symbol)
        slots = tuple(getattr(definition.symbol, "indices", ()))
        stored = tuple(slots[d] for d in self.layouts[name].order)
        return f"{self.local(name)}{transposed(stored, slots)}{self._centre_of(name, definition)}"

    def _centre_of(self, name: str, definition: Definition) -> str:
        """What brings a posterior argument back from centred data."""
        moved = self.program.translation.posteriors if self.program.translation else {}
        if name not in moved:
            return ""
        rate, slots = moved[name][1], tuple(getattr(definition.symbol, "indices", ()))
        if rate == 1:
            return " + data.centre"
        node = self.program.lower(rate)
        return f" + {self.bodies.spell.tight(node)}{transposed(node.axes, slots)} * data.centre"

    def _m_step(self) -> dict[str, Any]:
        body, order, known = self.bodies.m_step()
        program = self.program
        record = "data" if program.rows is not None else "data.chunks[0]"
        passed = [
            f"{quoted(self.bodies.declared[name])}: {'data' if name in self.bodies.fixed else record}.{name}"
            for name in known
        ]
        collected = self.bodies.collected() + [f"data.{self.local(name)}" for name in program.sizes]
        return {
            "m_step": body,
            "conditional": bool(self.bodies.old),
            "m_step_order": ", ".join(order),
            "m_step_known": "{" + ", ".join(passed) + "}",
            "m_step_needs": f" and {', '.join(self.bodies.declared[name] for name in known)}"
            if known
            else "",
            "collected": collected,
            "collect_reads": self.bodies.once_reads(),
        }


def _merged(statistic: Statistic, rows: Any) -> str:
    """The sum of both parts; of what is summed over no rows, either."""
    own = statistic.rows is None and statistic.moment is None
    shared = own and rows is not None and rows not in statistic.definition.value.free_symbols
    return f"a.{statistic.name}" if shared else f"a.{statistic.name} + b.{statistic.name}"


def _has_covariances(variables: Sequence[Variable]) -> bool:
    return any(isinstance(each.support, PositiveDefinite | Symmetric) for each in variables)


def _axes_text(axes: Sequence[Any]) -> str:
    return f"({', '.join(str(axis.size) for axis in axes)})" if axes else "a number"


def _shaped(variable: Variable) -> str:
    shape = f" ({', '.join(map(str, variable.sizes))})" if variable.sizes else ""
    return f"{variable.name}{shape}"
