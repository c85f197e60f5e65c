"""The model told: how the data arise, every symbol with its role and values, the plate diagram, the likelihood."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from sympy import Add, Expr, Mul, Product, Sum

from symem.algebra.squares import merged_sums
from symem.language.model import Role, Variable
from symem.report.document import Block, Display, Exercise, Figure, Prose, Section, Table, said
from symem.report.figures.plate_diagram import plate_diagram
from symem.report.line_breaking import LINE, width
from symem.report.notation.letters import index_names
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import exponentiated, merged_logs, printed
from symem.report.notation.printed_sets import counted, members
from symem.report.sections.field_section import mean_field
from symem.report.sections.matrix_section import remarks
from symem.report.sections.observed_relations import lines as relation_lines
from symem.report.sections.observed_relations import observed_of, without
from symem.report.sections.sampling_statement import stated
from symem.report.sentence import told
from symem.report.writer import Voice

ROLES = (
    (Role.DATA, "data"),
    (Role.KNOWN, "known"),
    (Role.LATENT, "latent"),
    (Role.FACTOR, "latent, approximated"),
    (Role.PARAMETER, "parameter"),
)


def model(voice: Voice) -> Section:
    """The section on the model."""
    return Section(said("The model"), tuple(_blocks(voice)), anchor="model")


def brief_model(voice: Voice) -> Section:
    """The declarations; where there are none, the likelihood and its symbols."""
    blocks = (*_stated(voice), _roles(voice)) if stated(voice) else (symbols(voice), *_likelihood(voice))
    return Section(said("The model"), blocks, anchor="model")


def _roles(voice: Voice) -> Prose:
    """What is what, in a line."""
    told = (
        (Role.DATA, "Observed"),
        (Role.KNOWN, "known"),
        (Role.LATENT, "latent"),
        (Role.FACTOR, "latent, approximated"),
        (Role.PARAMETER, "parameters"),
    )
    found = [(title, voice.names(role)) for role, title in told if voice.names(role)]
    return said("; ".join(f"{title}: @" for title, _ in found) + ".", *(letters for _, letters in found))


def _blocks(voice: Voice) -> Iterator[Block]:
    yield from _stated(voice)
    yield symbols(voice)
    yield _diagram(voice)
    task = said("Write down the density of the complete data, latents included, and its logarithm.")
    yield Exercise(task, tuple(_likelihood(voice)))


def _stated(voice: Voice) -> Iterator[Block]:
    lines = stated(voice)
    if lines:
        plates = (
            "" if any(each.back for each in voice.model.declarations) else ", independently over the plates"
        )
        yield said(f"The data arise as follows{plates}:")
        yield Display(lines)
    for parent in dict.fromkeys(each.parent for each in voice.model.declarations if each.parent):
        yield said(
            "A place whose parent @ is 0 is a root; there may be many.",
            letter(voice.model.formula(parent, parent.indices, {}).value.as_coeff_Add()[1], voice.complete),
        )
    observed = observed_of(voice.model)
    if observed:
        yield said("Of the latents it is observed that" if lines else "It is observed that")
        yield Display(tuple(relation_lines(observed, voice)))
    for weight in voice.model.weights:
        index, entry = (letter(each, voice.complete) for each in (weight.axis.index, weight.entry))
        yield said(
            "Row @ counts @ times, as that many independent rows would that are like it.", index, entry
        )


# symbols -----------------------------------------------------------------------------------------------


def symbols(voice: Voice) -> Table:
    """Every symbol with its role, its values and its range."""
    joint = {name for simplex in voice.model.simplexes for name in simplex}
    counting = {weight.name for weight in voice.model.weights}
    rows: list[tuple[Prose, ...]] = [
        (
            said("@", _head(variable, voice)),
            (_role(variable, title, voice, counting),),
            *_place(variable, voice),
        )
        for role, title in ROLES
        for variable in voice.of(role)
        if variable.name not in joint
    ]
    rows += [_simplex(names, voice) for names in voice.model.simplexes]
    header = (("symbol",), ("role",), ("values",), ("for",))
    return Table(header, tuple(rows), caption=("The symbols of the model.",), align="llll")


def _role(variable: Variable, title: str, voice: Voice, counting: Container[str]) -> str:
    if variable.name in counting:
        return "weights"
    if variable.name in voice.model.arguments_of_factors:
        return "of a factor"
    if variable.name in voice.model.left_out:
        return f"{title}, left out where missing"
    return f"{title}, latent where missing" if variable.missing else title


def _head(variable: Variable, voice: Voice) -> str:
    indices = index_names(variable.sizes, voice.free.axes)
    return letter(variable.symbol[indices] if indices else variable.symbol, voice.complete)


def _place(variable: Variable, voice: Voice) -> tuple[Prose, Prose]:
    indices = index_names(variable.sizes, voice.free.axes)
    values = members(variable, indices, voice.free)
    ranges = [
        counted(index, size, voice.free, name=variable.name, place=place)
        for place, (index, size) in enumerate(zip(indices, variable.sizes, strict=True))
    ]
    shown = (*said("@", values.removeprefix(r"\in ")), *remarks(variable, voice))
    return shown, said("@", r",\ ".join(ranges)) if ranges else ()


def _simplex(names: tuple[str, ...], voice: Voice) -> tuple[Prose, ...]:
    """Scalars that form a simplex together."""
    letters = [voice.name(voice.model.variables[name].symbol) for name in names]
    return (
        said("@", ", ".join(letters)),
        ("parameters",),
        said("@", rf"> 0,\ {' + '.join(letters)} = 1"),
        (),
    )


# diagram and likelihood ----------------------------------------------------------------------------------


def _diagram(voice: Voice) -> Figure:
    shown = plate_diagram(voice.derivation, voice.complete)
    legend = "Plate diagram. Shaded: observed; open: latent; dots: parameters; squares: known."
    if any(each.missing for each in voice.model.data):
        legend += f" Half shaded: {'left out' if voice.model.left_out else 'latent'} where missing."
    words = shown.split("<desc>", 1)[1].split("</desc>", 1)[0]
    return Figure(shown, (legend,), words)


def _as_product(voice: Voice) -> Iterator[Block]:
    """p as a product over plates, where every line is told."""
    steps = [step for step in voice.steps("model") if step.law.name == "joint density"]
    if steps:
        whole = voice.model.log_likelihood
        (together,) = _factors([merged_sums(whole)], voice)
        apart = _factors(Add.make_args(whole), voice)
        shown = apart if width(together) > LINE else [together]
        if max(map(width, shown)) <= LINE:
            yield from told(steps, [tuple(shown)], voice)


def _factors(parts: Iterable[Expr], voice: Voice) -> list[str]:
    """p as a product: of the factors that these parts of its logarithm are, a line for each."""
    found = [latex(Mul(*map(_factor, Add.make_args(part)), evaluate=False), voice.free) for part in parts]
    return [
        rf"& \qquad \times {each}" if place else f"{voice.density} &= {each}"
        for place, each in enumerate(found)
    ]


def _factor(part: Expr) -> Expr:
    if isinstance(part, Sum):
        return Product(exponentiated(merged_logs(printed(part.function))), *part.limits)
    return exponentiated(merged_logs(printed(part)))


def _likelihood(voice: Voice) -> Iterator[Block]:
    yield from _as_product(voice)
    inside = voice.names(Role.PARAMETER)
    if inside == voice.theta:
        yield said("The log-likelihood of the complete data, latents included, is")
    else:
        together = f"{voice.theta} = {inside}" if inside.count(",") == 0 else f"{voice.theta} = ({inside})"
        yield said("With @, the log-likelihood of the complete data, latents included, is", together)
    stated = voice.model.stated or voice.model
    complete = without(stated.log_likelihood, observed_of(stated))
    yield Display((voice.equation(rf"\log {voice.density}", complete, voice.free),))
    yield from mean_field(voice)
    if voice.model.log_prior != 0:
        yield said("The logarithm of the prior density is, up to a constant,")
        yield Display((voice.equation(rf"\log p({voice.theta})", voice.model.log_prior, voice.free),))
