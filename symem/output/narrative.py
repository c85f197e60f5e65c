"""A derivation as a story, in the textbook's order: model, E-step, likelihood, surrogate, M-step, algorithm.

The story derives nothing: it reads the records and writes them down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Expr

from symem.derivation import Derivation
from symem.language.model import Role, Variable
from symem.output.layout import LINE, width
from symem.output.lexicon import Lexicon, index_names
from symem.output.notation import letter
from symem.output.options import PLAIN, Options
from symem.output.reading import over_common_denominators
from symem.output.sets import counted, members
from symem.output.story import Block, Display, Items, Maths, Prose, Section, said
from symem.output.telling_e import e_step
from symem.output.telling_m import m_step
from symem.output.voice import Voice

ROLES = (
    (Role.DATA, "Data"),
    (Role.KNOWN, "Known"),
    (Role.LATENT, "Latent"),
    (Role.PARAMETER, "Parameters"),
)


def tell(derivation: Derivation, options: Options = PLAIN) -> tuple[Section, ...]:
    """The whole story."""
    return tuple(_sections(Voice(derivation, options)))


def _sections(voice: Voice) -> Iterator[Section]:
    yield _model(voice)
    yield from e_step(voice)
    yield _observed(voice)
    yield _surrogate(voice)
    yield from m_step(voice)
    yield _algorithm(voice)


# the model -------------------------------------------------------------------------------------------


def _model(voice: Voice) -> Section:
    model = voice.model
    entries = [_role(role, title, voice) for role, title in ROLES if _of(role, voice)]
    theta = f"{voice.theta} = ({_names(voice, Role.PARAMETER)})"
    blocks: list[Block] = [
        Items(tuple(entries)),
        said("With @, the log-likelihood of the complete data is", theta),
        Display((voice.equation(_density(voice), model.log_likelihood, voice.free),)),
    ]
    if model.log_prior != 0:
        blocks.append(said("and the logarithm of the prior density is, up to a constant,"))
        blocks.append(Display((voice.equation(rf"\log p({voice.theta})", model.log_prior, voice.free),)))
    return Section(said("The model"), tuple(blocks))


def _of(role: Role, voice: Voice) -> list[Variable]:
    return [variable for variable in voice.model.variables.values() if variable.role is role]


def _names(voice: Voice, *roles: Role) -> str:
    variables = [variable for role in roles for variable in _of(role, voice)]
    return ", ".join(voice.name(each.symbol.label if each.sizes else each.symbol) for each in variables)


def _density(voice: Voice) -> str:
    """log p(x, z | θ), by name where there are few names."""
    names = _names(voice, Role.DATA, Role.LATENT)
    arguments = names if width(names) <= LINE / 4 else r"\text{data}, \text{latents}"
    return rf"\log p({arguments} \mid {voice.theta})"


def _latents(voice: Voice) -> str:
    """z | x, by name where there are few names."""
    latents, data = _names(voice, Role.LATENT), _names(voice, Role.DATA)
    few = width(latents + data) <= LINE / 4
    return rf"{latents} \mid {data}" if few else r"\text{latents} \mid \text{data}"


def _role(role: Role, title: str, voice: Voice) -> Prose:
    parts: list[str | Maths] = [f"{title}: "]
    joint = {name for simplex in voice.model.simplexes for name in simplex}
    for variable in _of(role, voice):
        if variable.name not in joint:
            parts += [*_entry(variable, voice), "; "]
    if role is Role.PARAMETER:
        for simplex in voice.model.simplexes:
            parts += [*_simplex(simplex, voice), "; "]
    return (*parts[:-1], ".")


def _simplex(names: tuple[str, ...], voice: Voice) -> Prose:
    """Scalars that form a simplex together."""
    letters = [voice.name(voice.model.variables[name].symbol) for name in names]
    return said("@ with @", f"{', '.join(letters)} > 0", f"{' + '.join(letters)} = 1")


def _entry(variable: Variable, voice: Voice) -> Prose:
    """x_i in its set, for i = 1, …, n."""
    indices = index_names(variable.sizes, voice.free.axes)
    atom = variable.symbol[indices] if indices else variable.symbol
    head = f"{voice.name(atom)} {members(variable, indices, voice.free)}"
    slots = enumerate(zip(indices, variable.sizes, strict=True))
    ranges = [
        counted(index, size, voice.free, name=variable.name, place=place) for place, (index, size) in slots
    ]
    return said("@ for @", head, r",\ ".join(ranges)) if ranges else said("@", head)


# between the steps -------------------------------------------------------------------------------------


def _observed(voice: Voice) -> Section:
    left = rf"\ell({voice.old})"
    return Section(
        said("The log-likelihood of the observed data"),
        (
            said("Nothing latent is left. What the normalisers leave behind is"),
            Display((voice.equation(left, voice.derivation.log_likelihood, voice.now),)),
        ),
    )


def _surrogate(voice: Voice) -> Section:
    surrogate, now = voice.derivation.surrogate, voice.old
    identity = rf"\ell({now}) = {voice.Q(now)} + H(q)"
    blocks: list[Block] = [
        said(
            "Replace what is latent by its expectation. The sums that hold no new parameter are the expected "
            "sufficient statistics"
        ),
        voice.definitions(surrogate.statistics, voice.now),
        said("and in terms of them, up to a constant free of @,", voice.theta),
        Display((voice.equation(voice.surrogate, over_common_denominators(surrogate.value), voice.free),)),
        said("With @ and its entropy @, @.", f"q = p({_latents(voice)}, {now})", "H(q)", identity),
    ]
    return Section(said("The surrogate"), tuple(blocks))


def _algorithm(voice: Voice) -> Section:
    derivation = voice.derivation
    steps = (
        said("Choose @; set @.", voice.at(voice.pack.start), "t = 0"),
        _listed("E-step: compute ", [each.symbol for each in derivation.definitions], voice.free),
        _listed("Add up ", [each.symbol for each in derivation.surrogate.statistics], voice.free),
        _listed("M-step: set, in this order, ", [each.parameter for each in derivation.updates], voice.new),
        said(
            "Stop when @ no longer rises; else add 1 to @ and go back to the E-step.",
            rf"\ell({voice.old})",
            "t",
        ),
    )
    return Section(said("The algorithm"), (Items(steps, ordered=True),))


def _listed(verb: str, symbols: Sequence[Expr], lexicon: Lexicon) -> Prose:
    return said(verb + ", ".join("@" * len(symbols)) + ".", *(letter(symbol, lexicon) for symbol in symbols))
