"""The laws of a mean field: factors in place of a posterior, and the best of them."""

from __future__ import annotations

from symem.derivation import Relation, Rule

OF_FIELDS = (
    Rule(
        "mean field",
        "No order of elimination works. So the posterior is approximated by a product of a factor for each {latent} and a law of all other "
        "latents; the mean over the factors, and their entropy, stand for what holds {latent}. The arguments of the factors are parameters:",
        "Saul & Jordan 1996; Wainwright & Jordan 2008, section 5.4",
        Relation.MEAN,
    ),
    Rule(
        "free energy",
        "Every other latent is summed or integrated out, and its log-normaliser stands in its place. With what the factors add, this is the "
        "free energy, which is at most the log-likelihood,",
        "Neal & Hinton 1998; Koller & Friedman 2009, chapter 9",
        Relation.MARGINAL,
    ),
    Rule(
        "factor",
        "With all else held, {Q} is largest where the logarithm of the factor of {u} is, up to a constant, its expected log-density over "
        "the others (Gibbs' inequality). That is a {family} law with",
        "Parisi 1988; Bishop 2006, section 10.1",
        Relation.POSTERIOR,
    ),
)
