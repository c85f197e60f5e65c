"""A mean field told: the factors that stand for some latents, and the free energy as a function of the others."""

from __future__ import annotations

from collections.abc import Iterator

from symem.derivation import Factor
from symem.report.document import Block, Display, Lines, said
from symem.report.notation.notation import latex
from symem.report.sentence import sentence
from symem.report.writer import Voice


def mean_field(voice: Voice) -> Iterator[Block]:
    """The factors, and what is left of the log-likelihood of complete data when their means stand in it; nothing without one."""
    for step in voice.steps("model"):
        if step.law.name == "mean field":
            yield sentence([step], voice)
            yield Display(tuple(_law(each, voice) for each in voice.derivation.mean_field))
            yield said("What is left is")
            left = r"\mathbb{E}_q\left[\log p\right] + H(q)"
            yield Display((voice.equation(left, voice.model.log_likelihood, voice.free),))


def _law(factor: Factor, voice: Voice) -> Lines:
    """q(u) = Gamma(a, b)."""
    scope = voice.free.within(factor.axes)
    own = ", ".join(latex(each, scope) for each in factor.own)
    return (rf"q({latex(factor.atom, scope)}) &= \mathrm{{{factor.family}}}({own})",)
