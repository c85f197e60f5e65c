"""The E-step of a Gaussian vector told: the quadratic form, the completed square, the second moment."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Mul

from symem.algebra.counting import slots_of
from symem.algebra.matrix_words import gathered_words
from symem.algebra.rewriting import form
from symem.derivation import GaussianVector, Posterior
from symem.language.matrices import transpose
from symem.report.document import Block, Display, Lines, Prose, said
from symem.report.notation.matrix_updates import mean_of
from symem.report.notation.notation import Latex, latex
from symem.report.writer import Voice


def density(posterior: GaussianVector, voice: Voice) -> Display:
    """The log-density as -½ zᵀΛz + zᵀh."""
    u = posterior.atom
    field, precision = map(gathered_words, posterior.natural)
    value = -form(Mul(transpose(u), precision, u)) / 2
    value += form(Mul(transpose(u), field)) if field != 0 else 0
    left = rf"\log p({voice.name(u)} \mid \cdot)"
    return Display((voice.equation(left, value, voice.now.within(posterior.axes)),))


def because(posterior: GaussianVector, voice: Voice) -> Prose:
    """Why this is Gaussian."""
    atom = voice.name(posterior.atom)
    form = _general(posterior.atom, voice)
    if posterior.latent.seen is not None:
        return _because_seen(posterior, voice, form)
    return said(
        "This is the quadratic form @ in @; its square completed, it is that of a multivariate Normal law "
        "with covariance @ and mean @, here",
        form,
        atom,
        r"\boldsymbol{\Lambda}^{-1}",
        r"\boldsymbol{\Lambda}^{-1} \mathbf{h}",
    )


def _because_seen(posterior: GaussianVector, voice: Voice, form: str) -> Prose:
    assert posterior.latent.seen is not None
    data, mask = posterior.latent.seen
    slots = getattr(posterior.atom, "indices", ())
    missing = Latex(voice.free).missing_entries(mask[slots] if slots else mask)
    observed = voice.name(data[slots] if slots else data)
    return said(
        "This is the quadratic form @. The entries of @ that were seen are known, @ has them, and 0 in the places "
        "of the others; in those places, @, the law is a multivariate Normal one, whose precision is their block "
        "of @. With the inverse of that block in its place among zeros,",
        form,
        voice.name(posterior.atom),
        observed,
        missing,
        r"\boldsymbol{\Lambda}",
    )


def _general(atom: Expr, voice: Voice) -> str:
    u = voice.name(atom)
    t = voice_transposed(atom, voice)
    return rf"-\frac{{1}}{{2}} {t} \boldsymbol{{\Lambda}} {u} + {t} \mathbf{{h}}"


def voice_transposed(atom: Expr, voice: Voice) -> str:
    return latex(transpose(atom), voice.free)


def second_moment(posterior: GaussianVector, voice: Voice) -> Iterator[Block]:
    """The second moment with a word before it."""
    for lines in second_moments(posterior, voice):
        yield said("The second moment that the M-step will need is")
        yield Display((lines,))


def second_moments(posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """⟨zzᵀ⟩ = V + ⟨z⟩⟨z⟩ᵀ, if the M-step needs it."""
    if not isinstance(posterior, GaussianVector) or not _needed(posterior, voice):
        return
    mean, covariance = posterior.mean, posterior.covariance
    given = [s for s in slots_of(mean) if s not in slots_of(posterior.atom)]
    square = mean_of(posterior.atom * transpose(posterior.atom), given, voice.meanings)
    scope = voice.now.within(posterior.axes)
    value = covariance + mean * transpose(mean)
    yield voice.equation(latex(square, scope), value, scope)


def _needed(posterior: GaussianVector, voice: Voice) -> bool:
    covariance = posterior.covariance
    held = covariance.atoms(type(posterior.atom)) or {covariance}
    return any(
        each.value.has(*(h.base for h in held if hasattr(h, "base")))
        for each in voice.derivation.surrogate.statistics
    )
