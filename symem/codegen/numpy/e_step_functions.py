"""The functions of the E-step: log-joint and its expansion, what parameters and data alone decide, the E-step itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from symem.codegen.ir.instructions import Assign, Entry, nodes_of
from symem.codegen.ir.nodes import ZERO, Axes, Load, Node
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.by_row import ByRow
from symem.codegen.numpy.decoding import Decoding
from symem.codegen.numpy.e_step_lines import EStepLines
from symem.codegen.numpy.fields_read import names_in
from symem.codegen.numpy.function_text import COEFFICIENTS, DATA, ROWS, THETA, Function
from symem.codegen.numpy.lines import Given, Line
from symem.codegen.numpy.wrapping import WIDTH, fitted, listed, tupled
from symem.derivation import Definition, Probabilities, reported
from symem.language.leaves import name_of, places_of


class EStep(EStepLines):
    """Writes them for one program."""

    def __iter__(self) -> Iterator[Function]:
        program = self.program
        if program.prepared:
            sentence = "What is computed once, of the data alone."
            yield Function("prepare", [ROWS], "dict[str, Any]", sentence, self._prepare())
        if program.direct is not None:
            sentence = "log p(data, labels) with its squares completed: exact at any distance."
            given = [THETA, ROWS, *((name, "Any") for name in self.records.given_to_log_joint)]
            yield Function("log_joint", given, "Any", sentence, self._log_joint(program.direct))
        if program.features is not None:
            yield Function(
                "log_joint_expanded", [THETA, DATA], "tuple[Any, ...]", self._of_features(), self._expanded()
            )
        if self.records.coefficients:
            sentence = "What the E-step needs of the parameters, once an iteration."
            yield Function("coefficients", [THETA, DATA], "tuple[Any, ...]", sentence, self._coefficients())
        yield self._e_step()
        if program.log_likelihoods is not None and not self.records.gives_rows:
            given = [THETA, ROWS, COEFFICIENTS]
            yield Function(
                "log_likelihoods",
                given,
                "Any",
                "The log-likelihood of each row.",
                ByRow(program, self.lines, self.records).body(),
            )
        if paths := Decoding(program, self.lines, self.records).body():
            sentence = "The most probable labels of each chain or tree together (Viterbi 1967)."
            yield Function("paths", [THETA, ROWS, COEFFICIENTS], "dict[str, Any]", sentence, paths)
        if program.log_likelihood_once != ZERO:
            sentence = "The terms of the log-likelihood that belong to no row."
            yield Function(
                "constant", [THETA, DATA], "Any", sentence, self._value((), program.log_likelihood_once)
            )
        if program.sums_of_data:
            yield Function("sums", [ROWS], "dict[str, Any]", "Sums of the data, taken once.", self._sums())
        if program.log_prior is not None:
            body = self._value(program.of_prior, program.log_prior)
            yield Function("log_prior", [THETA, DATA], "Any", "The log-prior.", body)

    def _value(self, lines: Sequence[Assign], node: Node) -> list[str]:
        return self._body(lines, Given(((node, node.axes),), lambda texts: f"return {texts[0]}"), "data")

    def _sums(self) -> list[str]:
        lines, names = self.program.sums_of_data, self.records.sums
        body = self.records.reading(names_in(line.node for line in lines) - set(names), "rows")
        given = Given(
            tuple((Load(each.axes, each.name, each.axes, each.node.sources), each.axes) for each in lines),
            lambda texts: f"return {{{', '.join(_items(names, texts))}}}",
        )
        kept, ended = self.lines.compact(lines, given)
        body += [text for line in kept for text in self.lines.update(line)]
        return body + listed("return {", _items(names, self.lines.texts(ended)), "}")

    # -- of data and of parameters alone ----------------------------------------------------------------

    def _prepare(self) -> list[str]:
        lines, names = self.program.prepared, [each.name for each in self.program.prepared]
        given = Given(
            tuple((Load(each.axes, each.name, each.axes, each.node.sources), each.axes) for each in lines),
            lambda texts: f"return {{{', '.join(_items(names, texts))}}}",
        )
        kept, ended = self.lines.compact(lines, given)
        nodes = [
            *(each.node for each in kept if isinstance(each, Assign)),
            *(node for node, _ in ended.values),
        ]
        body = self.records.reading(names_in(nodes) - set(names), "rows")
        body += [text for each in kept for text in self.lines.update(each)]
        alone = f"{names[-1]} = "
        last = f"return {{{quoted(names[-1])}: {body[-1].removeprefix(alone)}}}" if body else ""
        if len(names) == 1 and body[-1].startswith(alone) and self.lines.indent + len(last) <= WIDTH:
            return [*body[:-1], last]  # a long sum whose first terms have a line of their own
        return body + listed("return {", _items(names, self.lines.texts(ended)), "}")

    def _log_joint(self, node: Node) -> list[str]:
        given = Given(((node, node.axes),), lambda texts: f"return {texts[0]}")
        return self._body(self.records.needed([node]), given, "rows", *self.records.given_to_log_joint)

    def _of_features(self) -> str:
        features = self.program.features
        assert features is not None
        shown = ", ".join(" ".join(names) or "1" for names in features.monomials)
        start = "The same multiplied out" if self.program.direct is not None else "log p(data, labels)"
        return f"{start}: coefficients of {shown}."

    def _expanded(self) -> list[str]:
        """The coefficients of the features."""
        features = self.program.features
        assert features is not None
        values = tuple(
            (node, (*features.labels, *entries))
            for node, entries in zip(features.coefficients, features.entries, strict=True)
        )
        given = Given(
            tuple((node, node.axes) for node, _ in values), lambda texts: f"return {', '.join(texts)}"
        )
        kept, ended = self.lines.compact(self.records.needed(features.coefficients), given)
        nodes = [
            *(each.node for each in kept if isinstance(each, Assign)),
            *(node for node, _ in ended.values),
        ]
        body = self.records.reading(
            names_in(nodes) - {each.name for each in self.program.coefficients}, "data"
        )
        body += [text for each in kept for text in self.lines.update(each)]
        axes = [axes for _, axes in values]
        spelt = [self._broadcast(node, each) for (node, _), each in zip(ended.values, axes, strict=True)]
        return body + self.lines.returned(spelt)

    def _broadcast(self, node: Node, axes: Axes) -> str:
        return self.lines.spell.aligned(node, axes)

    def _coefficients(self) -> list[str]:
        names = self.records.coefficients
        wanted = [line for line in self.program.coefficients if line.name in names]
        needed = self.records.needed([line.node for line in wanted])
        lines = [line for line in self.program.coefficients if line in wanted or line in needed]
        given = Given(
            tuple((Load(each.axes, each.name, each.axes, each.node.sources), each.axes) for each in wanted),
            lambda texts: f"return {', '.join(texts)}{',' if len(texts) == 1 else ''}",
        )
        return self._body(lines, given, "data")

    # -- the E-step -------------------------------------------------------------------------------------

    def _e_step(self) -> Function:
        sentence = "The posterior in a chunk of rows as declared, what the statistics read of it, and the log-likelihood."
        given = [THETA, ROWS, COEFFICIENTS]
        return Function("e_step", given, "tuple[Posterior, Latents, Any]", sentence, self._posterior())

    def _posterior(self) -> list[str]:
        program, records = self.program, self.records
        value, natural = records.log_likelihood, ["natural"] if program.features else []
        shown = [definition for each in program.derivation.posteriors for definition in reported(each)]
        latents = [self._load(name) for name in records.latents]
        given = Given(
            (*map(self._shown, shown), *((each, each.axes) for each in latents), (value, value.axes)),
            self._flat,
            on_lines=lambda texts: len(self._listed(texts, lambda: "t")),
        )
        kept, ended = self._compact(list(program.infer), given)
        left = (
            [node for each in kept for node in nodes_of(each)]
            + [node for node, _ in ended.values]
            + records.shared()
        )
        names = [*records.coefficients, *natural]
        body = records.taken_apart(names, "coefficients", {*names_in(left), *natural})
        done = {*names, *records.made_in_rows()}
        body += records.reading(names_in(left) - done, "rows")
        body += [text for each in kept if not isinstance(each, Entry) for text in self._statement(each)]
        body += self._refusals(value)
        return [*body, *self._given_back(ended)]

    def _compact(self, lines: list[Line], given: Given) -> tuple[list[Line], Given]:
        """The lines without names for what is read once; the log-likelihood on lines of its own where it is long."""
        *others, (value, axes) = given.values
        named = self.records.given_to_log_joint
        kept, ended = self.lines.compact(lines, given, named)
        if axes or self._beside() or self.lines.indent + len(ended.flat(self.lines.texts(ended))) <= WIDTH:
            return kept, ended
        own = Assign("log_likelihood", value, ())
        short = replace(given, values=(*others, (Load((), own.name, (), value.sources), ())))
        return self.lines.compact([*lines, own], short, named)

    def _flat(self, texts: list[str]) -> str:
        posterior, latents, value = self._parts(texts)
        return f"return {posterior}, {latents}, {value}"

    def _parts(self, texts: list[str]) -> tuple[str, str, str]:
        """The posterior as it is declared, the latents, and the log-likelihood."""
        left = iter(texts)
        shown = []
        for each in self.program.derivation.posteriors:
            named = {name_of(d.symbol): next(left) for d in reported(each)}
            alone = isinstance(each, Probabilities)
            pairs = ", ".join(f"{quoted(name)}: {text}" for name, text in named.items())
            shown.append(next(iter(named.values())) if alone else f"{{{pairs}}}")
        latents = [next(left) for _ in self.records.latents]
        return f"Posterior({', '.join(shown)})", tupled(latents), next(left) + self._beside()

    def _given_back(self, given: Given) -> list[str]:
        return self._listed(self.lines.texts(given), self.lines.part_name)

    def _listed(self, texts: list[str], take: Callable[[], str]) -> list[str]:
        """On one line, else with names for those of the three that are long; `take` names parts of a long sum."""
        if self.lines.indent + len(self._flat(texts)) <= WIDTH:
            return [self._flat(texts)]
        posterior, latents, value = self._parts(texts)
        before = (
            fitted("log_likelihood = ", value, take, self.lines.indent) if value != "log_likelihood" else []
        )
        flat = f"return {posterior}, {latents}, log_likelihood"
        if self.lines.indent + len(flat) <= WIDTH:
            return [*before, flat]
        inner = posterior.removeprefix("Posterior(").removesuffix(")")
        before += listed("posterior = Posterior(", _split(inner), ")")
        flat = f"return posterior, {latents}, log_likelihood"
        if self.lines.indent + len(flat) <= WIDTH:
            return [*before, flat]
        names = latents.removeprefix("(").removesuffix(")")
        return [
            *before,
            *listed("latents = (", _split(names), ")"),
            "return posterior, latents, log_likelihood",
        ]

    def _beside(self) -> str:
        features = self.program.features
        if features is None or features.shared is None:
            return ""
        shared = self.lines.spell(features.shared)
        return f" + {shared}" if self.program.direct is None else f" + ({shared} if exact else 0.0)"

    def _shown(self, definition: Definition) -> tuple[Node, Axes]:
        layout = self.program.layouts[name_of(definition.symbol)]
        slots = places_of(definition.symbol)
        stored = tuple(slots[d] for d in layout.order)
        return Load(stored, layout.name, stored, frozenset()), slots

    def _load(self, name: str) -> Load:
        lines = [
            *self.program.coefficients,
            *(each for each in self.program.infer if isinstance(each, Assign)),
        ]
        axes = next((each.axes for each in lines if each.name == name), ())
        return Load(axes, name, axes, frozenset())


def _items(names: Sequence[str], texts: Sequence[str]) -> list[str]:
    return [f'"{name}": {text}' for name, text in zip(names, texts, strict=True)]


def _split(text: str) -> list[str]:
    """Arguments as they stand between commas outside brackets."""
    depth, last, found = 0, 0, []
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and letter == ",":
            found.append(text[last:place].strip())
            last = place + 1
    return [*found, text[last:].strip()]
