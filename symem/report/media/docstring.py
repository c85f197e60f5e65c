"""A derivation as the docstring of a module, by the printer that prints for terminals."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from symem.derivation import Certificate, Claim, Conditional, Derivation, Status
from symem.report.media.terminal import algorithm
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import plain, plain_letter
from symem.report.sections.certificates import open_conditions

_WIDTH = 106
_MARGIN = 12
_BETWEEN = " " * 5


def docstring(derivation: Derivation) -> str:
    """Model, E-step, statistics and updates; how far the updates are established, and what they need."""
    found = algorithm(derivation)
    shown = [*found["e_step"], f"{found['objective']}(θ) = {found['log_likelihood']}"]
    parts = [("E-step", shown), ("Statistics", found["statistics"]), ("M-step", found["updates"])]
    told = [_filled(title, lines) for title, lines in parts if lines]
    closing = textwrap.fill(" ".join(filter(None, (*_claims(derivation), derivation.approximation))), _WIDTH)
    text = "\n".join([*_model(derivation), "", *told, *([closing] if closing else [])])
    return text.replace("\\", "").replace('"""', "'''")


def _model(derivation: Derivation) -> list[str]:
    """The distributions as they were declared, else what is latent."""
    kind = "MAP-EM" if derivation.model.log_prior != 0 else "EM"
    declared = [
        f"{', '.join(map(str, each.entries))} ~ {each.distribution}{' at roots' if each.at_roots else ''}"
        for each in derivation.model.declarations
    ]
    latent = ", ".join(each.name for each in derivation.model.latents)
    counted = [f" Row {each.axis.index} counts {each.entry} times." for each in derivation.model.weights]
    text = f"{kind} for {', '.join(declared) or f'a likelihood with latent {latent}'}.{''.join(counted)}"
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ", break_long_words=False)


def _filled(title: str, lines: Sequence[str]) -> str:
    """Equations beside their title, as many on a line as fit."""
    rows: list[str] = []
    for line in lines:
        if rows and len(rows[-1]) + len(_BETWEEN) + len(line) <= _WIDTH - _MARGIN:
            rows[-1] += _BETWEEN + line
        else:
            rows.append(line)
    wrapped = [each for row in rows for each in _wrapped(row)]
    return "\n".join(
        f"{title if place == 0 else '':{_MARGIN}}{each}".rstrip() for place, each in enumerate(wrapped)
    )


def _wrapped(row: str) -> list[str]:
    if len(row) <= _WIDTH - _MARGIN:
        return [row]
    return textwrap.wrap(row, _WIDTH - _MARGIN, subsequent_indent="    ", break_long_words=False)


def _claims(derivation: Derivation) -> Iterator[str]:
    """How far it is established that the updates maximise Q, and under which conditions they exist."""
    lexicon = Lexicon.of(derivation)
    by_status: dict[Status, list[str]] = {}
    steps = set(derivation.one_step)
    for certificate in (each for each in derivation.certificates if each.parameter not in steps):
        weakest = max((claim.status for claim in certificate.claims), key=tuple(Status).index)
        by_status.setdefault(weakest, []).append(plain_letter(certificate.parameter, lexicon))
    held = "in turn, the others held, " if _conditional(derivation) else ""
    what = f"{held}maximises Q"
    if set(by_status) == {Status.PROVED}:
        unique = all(claim.unique for each in derivation.certificates for claim in _of_maxima(each))
        each = f"Each{' other' if steps else ''}"
        yield f"{each} {f'is {held}the unique maximum of Q' if unique else what} (proved)."
    else:
        yield from (f"{', '.join(names)}: {what} ({status.value})." for status, names in by_status.items())
    if steps:
        names = ", ".join(plain_letter(each, lexicon) for each in derivation.one_step)
        yield f"{names}: one Newton step, which raises Q and does not maximise it (Lange 1995)."
    needed = (condition for each in derivation.certificates for condition in open_conditions(each))
    conditions = list(dict.fromkeys(plain(condition, lexicon) for condition in needed))
    if conditions:
        yield f"Needs {', '.join(conditions)}."


def _of_maxima(certificate: Certificate) -> list[Claim]:
    return [claim for claim in certificate.claims if claim.name == "second order"]


def _conditional(derivation: Derivation) -> bool:
    return any(isinstance(update, Conditional) for update in derivation.updates)
