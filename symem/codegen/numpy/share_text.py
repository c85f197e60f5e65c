"""What is left of the differences in the updates, as lines."""

from __future__ import annotations

from symem.codegen.ir.instructions import Assign, Difference, Entry, reads
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.bodies import Bodies, Lines
from symem.codegen.numpy.wrapping import listed, unpacked
from symem.codegen.passes.cancelling import terms


def shares_body(bodies: Bodies) -> Lines:
    """The lines of the M-step that the differences rest on, and the share that is left of each."""
    program, differences = bodies.program, bodies.program.differences
    wanted = bodies.names_in(each.node for each in differences)
    lines: list[Assign | Entry] = []
    for line in reversed(program.m_step):
        if line.name in wanted:
            lines.append(line)
            nodes = [line.node, *((line.fresh or ()) if isinstance(line, Entry) else ())]
            wanted |= set().union(*(reads(node) for node in nodes))
    fields = [each.name for each in program.statistics] + [
        program.layouts[name].name for name in program.sizes
    ]
    body = unpacked((name, f"statistics.{name}") for name in fields if name in wanted)
    if bodies.old:
        body.append("theta = _as_record(Parameters, theta)")
        body += unpacked((local, f"theta.{name}") for local, name in bodies.old.items() if local in wanted)
    body += [f'{name} = known["{bodies.declared[name]}"]' for name in bodies.known if name in wanted]
    body += [text for line in reversed(lines) for text in bodies.update(line)]
    before, items = bodies.items(
        f"({quoted(each.parameter)}, {_share(bodies, each)})" for each in differences
    )
    return [*body, *before, *listed("return [", items, "]")]


def _share(bodies: Bodies, difference: Difference) -> str:
    """Of a matrix, that of its diagonal: other entries may be 0."""
    node = difference.node
    texts = ", ".join(bodies.spell.aligned(each, node.axes) for each in terms(node))
    return f"np.diagonal(_share({texts}), 0, -2, -1)" if difference.matrix else f"_share({texts})"
