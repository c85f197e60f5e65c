"""The functions of a model, in the order in which one reads them: each a name, arguments, a sentence and a body."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symem.codegen.ir.nodes import ZERO
from symem.codegen.ir.program import Program, reported
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.bodies import Bodies
from symem.codegen.numpy.data_checks import Checks
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.share_text import shares_body
from symem.codegen.numpy.starts import Starts
from symem.codegen.numpy.wrapping import WIDTH
from symem.derivation import Definition, Probabilities
from symem.language.leaves import name_of


@dataclass(frozen=True)
class Function:
    """A function: the types of its arguments and of what it gives, its sentence, its lines."""

    name: str
    arguments: Sequence[tuple[str, str]]
    gives: str
    sentence: str
    lines: Sequence[str]
    quiet: bool = False

    def __str__(self) -> str:
        head = ['@np.errstate(all="ignore")'] if self.quiet else []
        arguments = [self._argument(name, kind) for name, kind in self.arguments]
        flat = f"def {self.name}({', '.join(arguments)}) -> {self.gives}:"
        if len(flat) > WIDTH:
            head += [f"def {self.name}(", f"    {', '.join(arguments)}", f") -> {self.gives}:"]
        else:
            head.append(flat)
        body = [f'"""{self.sentence}"""', *self.lines]
        return "\n".join([*head, *(f"    {line}" for line in body)])

    def _argument(self, name: str, kind: str) -> str:
        """An argument that the body does not read has a name that says so."""
        if not kind:
            return name
        used = any(re.search(rf"\b{name.lstrip('*')}\b", line) for line in self.lines)
        return f"{name}: {kind}" if used or name.startswith("*") else f"_{name}: {kind}"


THETA, ROWS, DATA = ("theta", "Parameters"), ("rows", "Rows"), ("data", "Data")
LATENTS = ("latents", "tuple[Any, ...]")
MANY = "tuple[Any, ...]"


class ModelFunctions:
    """Writes them for one program; `names` are those that there are, by their place in the runtime's table."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.bodies = Bodies(program)
        self.checks = Checks(program, self.bodies)
        self.starts = Starts(program, self.bodies)

    def __iter__(self) -> Iterator[Function]:
        yield from self._of_data()
        yield from self._of_parameters()
        yield from self._e_step()
        yield from self._statistics()
        yield from self._m_step()
        yield self._show()
        yield self._impute()

    def _of_data(self) -> Iterator[Function]:
        lines = self.checks.lines()
        if lines:
            given = [("arrays", "Mapping[str, Any]"), ("sizes", "dict[str, int]")]
            yield Function("check", given, "None", "What the data ask of one another.", lines)
        if self.program.points.references:
            sentence = "Points near most of the data, from which they are measured."
            given = [("arrays", "Mapping[str, Any]")]
            yield Function("points", given, "dict[str, Any]", sentence, self.bodies.points())
        if self.program.prepared:
            sentence = "What is computed once, of the data alone."
            yield Function("prepare", [ROWS], "dict[str, Any]", sentence, self.bodies.prepare())
        if self.program.features is not None:
            sentence = f"The features {self._features()} of a chunk of rows, one below the other."
            given = [ROWS, ("features", "Any")]
            yield Function("features", given, "None", sentence, self.bodies.features())
        if self.program.features is not None and self.program.features.has_entries:
            width = self.bodies.width()
            yield Function(
                "width", [("sizes", "Mapping[str, int]")], "int", "How many features there are.", width
            )

    def _features(self) -> str:
        assert self.program.features is not None
        return f"({', '.join(map(self.bodies.spell, self.program.features.features))})"

    def _of_parameters(self) -> Iterator[Function]:
        if self.program.direct is not None:
            sentence = "log p(data, labels) with its squares completed: exact at any distance."
            given = [THETA, ROWS, *((name, "Any") for name in self.bodies.given_to_log_joint)]
            yield Function("log_joint", given, "Any", sentence, self.bodies.log_joint())
        if self.program.features is not None:
            sentence = "The same expanded" if self.program.direct is not None else "log p(data, labels)"
            sentence += " in the features, as their coefficients: a matrix product."
            yield Function("natural_form", [THETA, DATA], "Any", sentence, self.bodies.natural())
        if self.bodies.coefficient_names:
            sentence = "What the E-step needs of the parameters, once an iteration."
            yield Function("coefficients", [THETA, DATA], MANY, sentence, self.bodies.coefficients())

    def _e_step(self) -> Iterator[Function]:
        given = [THETA, ROWS, ("coefficients", MANY)]
        sentence = "The posterior of the latents in a chunk of rows, and its log-likelihood."
        yield Function("e_step", given, f"tuple[{MANY}, Any]", sentence, self.bodies.e_step())
        if self.program.log_likelihood_once != ZERO:
            sentence = "The terms of the log-likelihood that belong to no row."
            yield Function("constant", [THETA, DATA], "Any", sentence, self.bodies.constant())
        if self.program.sums_of_data:
            sentence = "What the E-step needs of the data: sums, taken once."
            yield Function("sums", [ROWS], "dict[str, Any]", sentence, self.bodies.sums_of_data())
        if self.program.collapsed is not None:
            sentence = "The statistics, for which sums of the data suffice."
            yield Function("e_step_of_sums", [THETA, DATA], "Statistics", sentence, self.bodies.collapsed())
        if self.program.log_prior is not None:
            yield Function("log_prior", [THETA, DATA], "Any", "The log-prior.", self.bodies.log_prior())

    def _statistics(self) -> Iterator[Function]:
        bodies = self.bodies
        given = [ROWS, LATENTS, ("log_likelihood", "Any")]
        yield Function(
            "summarise", given, "Statistics", "The statistics of a chunk of rows.", bodies.summarise()
        )
        if self.program.gathered is not None:
            given = [("products", "Any"), DATA, ("log_likelihood", "Any")]
            sentence = "Those of all rows from weights times features, and whether a scatter lost its digits."
            yield Function("moments", given, "tuple[Statistics, bool]", sentence, bodies.moments())
        two = [("a", "Statistics"), ("b", "Statistics")]
        yield Function(
            "merge", two, "Statistics", "The statistics of two parts of the data together.", bodies.merge()
        )

    def _m_step(self) -> Iterator[Function]:
        given = [("statistics", "Statistics"), *([("theta", "Any")] if self.bodies.old else []), ("/", "")]
        given += [("**known", "Any")] if self.bodies.known else []
        known = [self.bodies.declared[name] for name in self.bodies.known]
        needs = f" and {', '.join(known)}" if known else ""
        sentence = (
            f"The conditional maximisers of Q in their order, given the statistics{needs} and theta before it."
            if self.bodies.old
            else f"The parameters that maximise Q, given the statistics{needs}."
        )
        yield Function("m_step", given, "Parameters", sentence, self.bodies.m_step(), quiet=True)
        if self.program.differences:
            sentence = "Of differences in the updates, the share that is left."
            lines = shares_body(self.bodies)
            yield Function("shares", given, "list[tuple[str, Any]]", sentence, lines)

    # -- what is shown ------------------------------------------------------------------------------

    def _show(self) -> Function:
        used: set[str] = set()
        values = []
        for posterior in self.program.derivation.posteriors:
            shown = {name_of(each.symbol): self._shown(each, used) for each in reported(posterior)}
            alone = isinstance(posterior, Probabilities)
            named = ", ".join(f"{quoted(name)}: {text}" for name, text in shown.items())
            values.append(next(iter(shown.values())) if alone else f"{{{named}}}")
        lines = self.bodies.unpacked_latents(used) + self.bodies.returned(values, "Posterior")
        sentence = "The posterior in a chunk of rows, each array in the order in which it is declared."
        return Function("show", [ROWS, LATENTS], "Posterior", sentence, lines)

    def shown_rows(self) -> list[int | None]:
        """The axis of the rows in each array that is shown, None where it has none."""
        rows = self.program.rows
        found: list[int | None] = []
        for posterior in self.program.derivation.posteriors:
            for definition in reported(posterior):
                sizes = [axis.size for axis in definition.axes]
                found.append(sizes.index(rows) if rows in sizes else 0 if rows is None else None)
        return found

    def _shown(self, definition: Definition, used: set[str]) -> str:
        layout = self.program.layouts[name_of(definition.symbol)]
        used.add(layout.name)
        slots = tuple(getattr(definition.symbol, "indices", ()))
        return f"{layout.name}{transposed(tuple(slots[d] for d in layout.order), slots)}"

    def _impute(self) -> Function:
        given = [("rng", "np.random.Generator"), ROWS, ("prototypes", "Any")]
        lines = [*self.starts.body, *self.bodies.returned_tuple(self.starts.values())]
        sentence = "Latents made up for a chunk of rows, to start from."
        return Function("impute", given, MANY, sentence, lines)
