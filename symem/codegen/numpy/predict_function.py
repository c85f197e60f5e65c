"""`means`: what is predicted of latents whose posterior shows it only by its arguments, or given labels that are latent too."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Dummy, Eq, Expr, Indexed, Mul, Sum, Symbol, oo

from symem.codegen.ir.nodes import Axes, Node, Source
from symem.codegen.ir.program import Program
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy.drawn_positions import Order
from symem.codegen.numpy.fields_read import Records, names_in
from symem.codegen.numpy.function_text import Function
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.predictions import first_outcome, predicted
from symem.codegen.numpy.spelling import Spelling
from symem.codegen.numpy.wrapping import listed, unpacked
from symem.derivation import Posterior, Probabilities, Table, reported
from symem.language.leaves import labels_in, name_of, places_of
from symem.language.plates import Axis, Iverson

#: What is so short stands where it is returned.
_SHORT = 40

_GIVEN = [("shown", "Posterior"), ("theta", "Parameters"), ("given", "dict[str, Any]")]


class Predictions:
    """Writes it for one program, of what can be predicted so."""

    def __init__(self, program: Program, lines: Lines, records: Records) -> None:
        self.program, self.writer, self.records = program, lines, records
        self.posteriors = {each.latent.name: each for each in program.derivation.posteriors}
        self.rank = Order()
        self.spell = Spelling(self.rank, lines.spell.helpers)
        self.shown: dict[str, str] = {}
        self.layouts = dict(self._layouts())
        self.nodes: list[Node] = []
        self.names: tuple[str, ...] = ()
        self.function = self._function()

    def _layouts(self) -> Iterator[tuple[str, Layout]]:
        """Everything as it is given, and as posteriors show it."""
        model, placed = self.program.derivation.model, self.program.layouts
        for variable in (*model.parameters, *observed(model), *self.program.sized):
            kept = placed[variable.name]
            yield variable.name, Layout.declared(kept.name, variable, Source.ROWS, integer=kept.integer)
        for posterior in self.posteriors.values():
            for each in reported(posterior):
                name, field = name_of(each.symbol), f"shown.{posterior.latent.name}"
                local = placed[name].name
                self.shown[local] = field if isinstance(posterior, Probabilities) else f'{field}["{name}"]'
                yield name, Layout.along(local, each.symbol, frozenset({Source.LATENT}))

    def _function(self) -> Function | None:
        texts = {name: self._predicted(each) for name, each in self.posteriors.items() if not predicted(each)}
        found = {name: text for name, text in texts.items() if text is not None}
        if not found:
            return None
        self.names = tuple(found)
        read = names_in(self.nodes)
        body = unpacked((local, field) for local, field in self.shown.items() if local in read)
        body += self.records.reading(read - self.shown.keys(), "given")
        for name, text in found.items():
            if len(text) > _SHORT:
                found[name] = self.program.names.take(f"predicted_{name}")
                body += self.writer.fitted(f"{found[name]} = ", text)
        body += listed("return {", [f'"{name}": {text}' for name, text in found.items()], "}")
        sentence = "What is predicted of latents whose posteriors do not show it as it is."
        return Function("means", _GIVEN, "dict[str, Any]", sentence, body)

    def _predicted(self, posterior: Posterior) -> str | None:
        """The text of what is predicted, None where nothing in the record says it."""
        value, own = _expected(posterior)
        value = self._on_average(value) if posterior.inline and value is not None else value
        if value is None:
            return None
        whole = self._over_labels(posterior, value)
        known = {*self.layouts, *(axis.name for axis in self.program.index_sizes)}
        if whole is None or not {name_of(each) for each in whole.free_symbols} <= known:
            return None
        text = self._text(whole, own)
        if isinstance(posterior, Table):
            first = first_outcome(posterior)
            text = f"np.argmax({text}, axis=-1)" + (f" + {first}" if first else "")
        return self._where_missing(posterior, self._in_support(posterior, value, text))

    def _on_average(self, mean: Expr) -> Expr | None:
        """A mean given other latents with their means in their place, None where it is not linear in them."""
        rules = {}
        for entry in mean.atoms(Indexed, Symbol) - labels_in(mean):
            other = self.posteriors.get(name_of(entry))
            if other is not None and (value := _expected(other)[0]) is not None:
                there = dict(zip(*map(places_of, (other.atom, entry)), strict=True))
                value = value.xreplace(there)
                rules[entry] = self._on_average(value) if other.inline else value
        times = Dummy()
        whole = mean.xreplace({entry: times * entry for entry in rules})
        return None if None in rules.values() or whole.diff(times, 2).expand() != 0 else mean.xreplace(rules)

    def _text(self, value: Expr, own: Axes) -> str:
        self.rank.first = own
        node = Lowering(self.layouts, self.rank, dict(self.program.index_sizes)).over(value, own)
        self.nodes.append(node)
        return self.spell(node)

    def _over_labels(self, posterior: Posterior, value: Expr) -> Expr | None:
        """The mean over the labels on which a posterior is conditioned, each by its own table."""
        weights, axes = [], list[Axis]()
        waiting, seen = list(posterior.labels), set[Expr]()
        while waiting:
            label, axis = waiting.pop(0)
            table = self.posteriors.get(name_of(label))
            if not isinstance(table, Table) or table.labels or label in seen:
                return None
            seen.add(label)
            places = dict(zip(places_of(table.atom), places_of(label), strict=True))
            own = table.probability.symbol.xreplace({**places, table.outcome.index: axis.index})
            weights.append(self._as_seen(table.latent.name, label, axis.index, own))
            axes.append(axis)
        return Sum(Mul(value, *weights), *(axis.limits for axis in axes)) if axes else value

    def _as_seen(self, name: str, label: Expr, outcome: Symbol, weight: Expr) -> Expr:
        """The probability of an outcome, 0 or 1 of a label that was seen."""
        variables, datum = self.program.derivation.model.variables, name.removesuffix("_missing")
        if datum == name or f"observed_{datum}" not in variables:
            return weight
        symbols = (variables[each].symbol for each in (datum, f"observed_{datum}"))
        places = places_of(label)
        value, seen = (each[places] if places else each for each in symbols)
        return seen * Iverson(Eq(value, outcome)) + (1 - seen) * weight

    def _in_support(self, posterior: Posterior, value: Expr, text: str) -> str:
        """A mean that is not surely in the latent's range has no value where it is not."""
        low, _ = posterior.interval
        if isinstance(posterior, Table) or not low.is_number or low == -oo or (value - low).is_nonnegative:
            return text
        return f"_mean_above({text}, {low})"

    def _where_missing(self, posterior: Posterior, text: str) -> str:
        """What was seen of data is told as it was."""
        name = posterior.latent.name.removesuffix("_missing")
        if name == posterior.latent.name or f"observed_{name}" not in self.layouts:
            return text
        self.nodes += [self._load(name), self._load(f"observed_{name}")]
        datum, seen = self.layouts[name].name, self.layouts[f"observed_{name}"].name
        first = int(posterior.latent.support.first)
        return f"np.where({seen} > 0, {datum}{f' + {first}' if first else ''}, {text})"

    def _load(self, name: str) -> Node:
        variable = self.program.derivation.model.variables[name]
        lower = Lowering(self.layouts, self.rank, {axis.index: axis.size for axis in variable.axes})
        places = tuple(axis.index for axis in variable.axes)
        return lower(variable.symbol[places] if places else variable.symbol)


def _expected(posterior: Posterior) -> tuple[Expr | None, Axes]:
    """The mean of a latent in what is reported of it, of a label its table; and its own axes, outcomes last."""
    own = places_of(posterior.atom)
    if isinstance(posterior, Table):
        return posterior.probability.symbol, (*own, posterior.outcome.index)
    shown = {each.symbol for each in reported(posterior)}
    mean = posterior.expectations.get(posterior.atom)
    if mean in shown or (mean is not None and posterior.inline):
        return mean, own
    found = getattr(posterior, "mean", None)
    return (found(posterior.atom) if callable(found) else None), own
