"""The kind of a model by what is not observed, read off its variables and posteriors."""

from __future__ import annotations

from symem.derivation import Derivation, Table
from symem.language.supports import Binary, Counts, Labels


def kind_of_latents(derivation: Derivation) -> str:
    """In words, for a heading.

    Entries that may be missing are latents too; where they are all that is not observed, they are what the model is
    about.
    """
    model = derivation.model
    gaps = {f"{each.name}_missing" for each in model.data if each.missing}
    latents = [each for each in model.latents if each.name not in gaps and each.seen is None]
    if not model.latents:
        return "Nothing latent"
    if not latents:
        return "Missing and censored entries"
    labels = [each for each in latents if isinstance(each.support, Binary | Labels)]
    tabulated = [each for each in derivation.posteriors if isinstance(each, Table)]
    if len(labels) == len(latents) or (tabulated and len(tabulated) == len(derivation.posteriors)):
        return "Labels: mixtures, classes, and which of two"
    if labels:
        return "Labels and numbers"
    if all(isinstance(each.support, Counts) for each in latents):
        return "Counts of which totals were seen"
    return "Latent vectors" if any(each.shape for each in latents) else "Latent numbers"
