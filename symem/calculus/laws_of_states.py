"""The laws of states that are Gaussian given their neighbours, in the order of their use."""

from __future__ import annotations

from symem.derivation import Relation, Rule

ROWS = (
    Rule(
        "states and links",
        "Along {along} each state stands beside its neighbours and no others, in a quadratic. The next state is Normal about {mean} "
        "with variance {variance}, the first about {start} with variance {spread}; what each place says of its state $h$ by itself "
        "is $−Λ h²/2 + η h$, where",
        "Shumway & Stoffer 1982, equations 1 and 2",
        Relation.EQUAL,
    ),
    Rule(
        "vectors of states and links",
        "Along {along} each state stands beside its neighbours and no others, in a quadratic form. The next state is Normal about "
        "{mean} with covariance {variance}, the first about {start} with covariance {spread}; what each place says of its state $h$ "
        "by itself is $−hᵀΛh/2 + ηᵀh$, where",
        "Shumway & Stoffer 1982, equations 1 and 2",
        Relation.EQUAL,
    ),
    Rule(
        "first state of one sequence",
        "One sequence has one first state, whose mean may take up all that its variance {spread} would: ℓ rises as that falls, and "
        "every step brings it nearer to 0. Let the mean or the variance be known.",
        "Shumway & Stoffer 1982, section 3",
        Relation.EQUAL,
    ),
    Rule(
        "predicted variances",
        "Integrated out from the first place on, the states before a place leave a Gaussian over its own state: the predicted one, "
        "given what was seen before. Its spread is that of the state before, moved on, and that of the noise:",
        "Kalman 1960; Shumway & Stoffer 1982, equation A4",
        Relation.EQUAL,
    ),
    Rule(
        "filtered variances",
        "With what is seen at its own place a state is known better, filtered: precisions add,",
        "Kalman 1960; Shumway & Stoffer 1982, equations A5 and A7",
        Relation.EQUAL,
    ),
    Rule(
        "predicted means",
        "The means move on alike:",
        "Kalman 1960; Shumway & Stoffer 1982, equation A3",
        Relation.EQUAL,
    ),
    Rule(
        "filtered means",
        "and are corrected by what was not predicted; the filtered spread is the gain:",
        "Kalman 1960; Shumway & Stoffer 1982, equation A6",
        Relation.EQUAL,
    ),
    Rule(
        "innovations",
        "With the last state integrated out too, the log-normaliser is left: what each place says at the predicted mean, with what "
        "the spread about it adds, which is the log-density of what is new at each place given those before:",
        "Schweppe 1965",
        Relation.EQUAL,
    ),
    Rule(
        "smoothed means",
        "Filtered, the last state is given all data. Back from there, each is corrected by what is known of the next one beyond "
        "what was predicted of it:",
        "Rauch, Tung & Striebel 1965; Shumway & Stoffer 1982, equations A8 and A9",
        Relation.EQUAL,
    ),
    Rule(
        "smoothed variances",
        "and its variance is less by what they know:",
        "Rauch, Tung & Striebel 1965; Shumway & Stoffer 1982, equation A10",
        Relation.EQUAL,
    ),
    Rule(
        "neighbours of a chain",
        "The M-step will need the covariance of a state with the one before:",
        "de Jong & Mackinnon 1988; Shumway & Stoffer 1982, equation A12",
        Relation.EQUAL,
    ),
)
