"""The functions of what is climbed over the rows: Q in some parameters, its slopes and its second derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symem.codegen.ir.instructions import Assign, woven
from symem.codegen.ir.nodes import Load
from symem.codegen.ir.program import Program, Rise
from symem.codegen.ir.shared_values import shared
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.fields_read import Records, names_in
from symem.codegen.numpy.function_text import DATA, LATENTS, ROWS, THETA, Function
from symem.codegen.numpy.in_place import in_place
from symem.codegen.numpy.lines import Given, Lines
from symem.codegen.numpy.wrapping import tupled


class Ascents:
    """Writes them for one program."""

    def __init__(self, program: Program, lines: Lines, records: Records) -> None:
        self.program, self.lines, self.records = program, lines, records

    def __iter__(self) -> Iterator[Function]:
        statistics = ("s", "Statistics")
        for number, rise in enumerate(self.program.rises):
            of_rows, once = _names(number)
            names = ", ".join(dict.fromkeys(name for name, _ in rise.parameters))
            sentence = f"What a chunk of rows adds to Q in {names}, its slopes and its second derivatives."
            given = [statistics, THETA, ROWS, LATENTS]
            if rise.of_rows:
                yield Function(of_rows, given, "list[Any]", sentence, self._body(rise.of_rows, "rows"))
            sentence = "What of these belongs to no row."
            yield Function(
                once, [statistics, THETA, DATA], "list[Any]", sentence, self._body(rise.once, "data")
            )

    @property
    def table(self) -> str:
        """What the runtime is told of them."""
        return tupled(self._entry(number, rise) for number, rise in enumerate(self.program.rises))

    def _entry(self, number: int, rise: Rise) -> str:
        charts = f", {quoted(rise.charts)}" if rise.charts else ""
        one_step = ", one_step=True" if rise.one_step else ""
        of_rows, once = _names(number)
        functions = f"{of_rows if rise.of_rows else None}, {once}"
        return f"Rise({functions}, {quoted(rise.parameters)}, {quoted(rise.plates)}{charts}{one_step})"

    def _body(self, lines: Sequence[Assign], record: str) -> list[str]:
        named, nodes = shared(self.program.names, "e", [line.node for line in lines])
        ends = [Assign(line.name, node, line.axes) for line, node in zip(lines, nodes, strict=True)]
        given = Given(
            tuple((Load(each.axes, each.name, each.axes, each.node.sources), each.axes) for each in ends),
            lambda texts: f"return [{', '.join(texts)}]",
            on_lines=len,
        )
        kept, given = self.lines.compact(woven(named, ends), given)
        made = [each for each in kept if isinstance(each, Assign)]
        read = names_in([*(each.node for each in made), *(node for node, _ in given.values)])
        own = {each.name for each in made}
        latents = set(self.records.latents) if record == "rows" else set()
        body = self.records.taken_apart(self.records.latents, "latents", read) if latents & read else []
        body += self.records.reading(read - own - latents, record)
        body += [
            text
            for each in kept
            for text in (in_place(self.lines, each) if isinstance(each, Assign) else self.lines.update(each))
        ]
        before, items = self.lines.items(self.lines.texts(given))
        return [*body, *before, "return [", *(f"    {each}," for each in items), "]"]


def _names(number: int) -> tuple[str, str]:
    """What the functions of a part are called."""
    more = f"_{number + 1}" if number else ""
    return f"rise{more}", f"rise_once{more}"
