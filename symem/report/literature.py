"""The works that laws name as their sources, in full, as a list of references gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Who wrote it and when, its title, and where it appeared."""

    authors: str
    year: int
    title: str
    place: str


#: By the words with which a law names them.
WORKS: Mapping[str, Work] = {
    f"{named} {year}": Work(authors, year, title, place)
    for named, authors, year, title, place in (
        ("Anderson", "T. W. Anderson", 2003,
         "An Introduction to Multivariate Statistical Analysis", "3rd edition, Wiley"),
        ("Baum, Petrie, Soules & Weiss", "L. E. Baum, T. Petrie, G. Soules and N. Weiss", 1970,
         "A maximization technique occurring in the statistical analysis of probabilistic functions of Markov chains",
         "Annals of Mathematical Statistics 41, 164–171"),
        ("Bishop", "C. M. Bishop", 2006, "Pattern Recognition and Machine Learning", "Springer"),
        ("Boyd & Vandenberghe", "S. Boyd and L. Vandenberghe", 2004, "Convex Optimization", "Cambridge University Press"),
        ("Chan, Golub & LeVeque", "T. F. Chan, G. H. Golub and R. J. LeVeque", 1983,
         "Algorithms for computing the sample variance: analysis and recommendations",
         "The American Statistician 37, 242–247"),
        ("Chou, Willsky & Benveniste", "K. C. Chou, A. S. Willsky and A. Benveniste", 1994,
         "Multiscale recursive estimation, data fusion, and regularization",
         "IEEE Transactions on Automatic Control 39, 464–478"),
        ("Crouse, Nowak & Baraniuk", "M. S. Crouse, R. D. Nowak and R. G. Baraniuk", 1998,
         "Wavelet-based statistical signal processing using hidden Markov models",
         "IEEE Transactions on Signal Processing 46, 886–902"),
        ("Dempster, Laird & Rubin", "A. P. Dempster, N. M. Laird and D. B. Rubin", 1977,
         "Maximum likelihood from incomplete data via the EM algorithm",
         "Journal of the Royal Statistical Society B 39, 1–38"),
        ("Durand, Gonçalvès & Guédon", "J.-B. Durand, P. Gonçalvès and Y. Guédon", 2004,
         "Computational methods for hidden Markov tree models: an application to wavelet trees",
         "IEEE Transactions on Signal Processing 52, 2551–2560"),
        ("Efron", "B. Efron", 1975, "Defining the curvature of a statistical problem (with applications to second order efficiency)",
         "Annals of Statistics 3, 1189–1242"),
        ("Felsenstein", "J. Felsenstein", 1973,
         "Maximum-likelihood estimation of evolutionary trees from continuous characters",
         "American Journal of Human Genetics 25, 471–492"),
        ("Felsenstein", "J. Felsenstein", 1981, "Evolutionary trees from DNA sequences: a maximum likelihood approach",
         "Journal of Molecular Evolution 17, 368–376"),
        ("Figueiredo & Jain", "M. A. T. Figueiredo and A. K. Jain", 2002,
         "Unsupervised learning of finite mixture models",
         "IEEE Transactions on Pattern Analysis and Machine Intelligence 24, 381–396"),
        ("Fisher", "R. A. Fisher", 1925, "Theory of statistical estimation",
         "Proceedings of the Cambridge Philosophical Society 22, 700–725"),
        ("Heckerman", "D. Heckerman", 1989, "A tractable inference algorithm for diagnosing multiple diseases",
         "Uncertainty in Artificial Intelligence 5, 163–171"),
        ("Heckerman & Breese", "D. Heckerman and J. S. Breese", 1996,
         "Causal independence for probability assessment and inference using Bayesian networks",
         "IEEE Transactions on Systems, Man and Cybernetics A 26, 826–831"),
        ("Koller & Friedman", "D. Koller and N. Friedman", 2009, "Probabilistic Graphical Models", "MIT Press"),
        ("Lange", "K. Lange", 1995, "A gradient algorithm locally equivalent to the EM algorithm",
         "Journal of the Royal Statistical Society B 57, 425–437"),
        ("Liu & Pierce", "Q. Liu and D. A. Pierce", 1994, "A note on Gauss-Hermite quadrature", "Biometrika 81, 624–629"),
        ("Little & Rubin", "R. J. A. Little and D. B. Rubin", 2002,
         "Statistical Analysis with Missing Data", "2nd edition, Wiley"),
        ("Louis", "T. A. Louis", 1982, "Finding the observed information matrix when using the EM algorithm",
         "Journal of the Royal Statistical Society B 44, 226–233"),
        ("Magnus & Neudecker", "J. R. Magnus and H. Neudecker", 2019,
         "Matrix Differential Calculus with Applications in Statistics and Econometrics", "3rd edition, Wiley"),
        ("Mardia & Jupp", "K. V. Mardia and P. E. Jupp", 2000, "Directional Statistics", "Wiley"),
        ("McCullagh & Nelder", "P. McCullagh and J. A. Nelder", 1989,
         "Generalized Linear Models", "2nd edition, Chapman & Hall"),
        ("Meng & Rubin", "X.-L. Meng and D. B. Rubin", 1993,
         "Maximum likelihood estimation via the ECM algorithm: a general framework", "Biometrika 80, 267–278"),
        ("Minka", "T. P. Minka", 2002, "Estimating a Gamma distribution", "Microsoft Research"),
        ("Neal & Hinton", "R. M. Neal and G. E. Hinton", 1998,
         "A view of the EM algorithm that justifies incremental, sparse, and other variants",
         "Learning in Graphical Models (M. I. Jordan, ed.), 355–368, Kluwer"),
        ("Nocedal & Wright", "J. Nocedal and S. J. Wright", 2006, "Numerical Optimization", "2nd edition, Springer"),
        ("Oakes", "D. Oakes", 1999, "Direct calculation of the information matrix via the EM algorithm",
         "Journal of the Royal Statistical Society B 61, 479–482"),
        ("Orchard & Woodbury", "T. Orchard and M. A. Woodbury", 1972, "A missing information principle: theory and applications",
         "Proceedings of the Sixth Berkeley Symposium 1, 697–715"),
        ("Pearl", "J. Pearl", 1988, "Probabilistic Reasoning in Intelligent Systems", "Morgan Kaufmann"),
        ("Petersen & Pedersen", "K. B. Petersen and M. S. Pedersen", 2012,
         "The Matrix Cookbook", "Technical University of Denmark"),
        ("Pinheiro & Bates", "J. C. Pinheiro and D. M. Bates", 1995,
         "Approximations to the log-likelihood function in the nonlinear mixed-effects model",
         "Journal of Computational and Graphical Statistics 4, 12–35"),
        ("Kalman", "R. E. Kalman", 1960, "A new approach to linear filtering and prediction problems",
         "Journal of Basic Engineering 82, 35–45"),
        ("Rauch, Tung & Striebel", "H. E. Rauch, F. Tung and C. T. Striebel", 1965,
         "Maximum likelihood estimates of linear dynamic systems", "AIAA Journal 3, 1445–1450"),
        ("Schweppe", "F. C. Schweppe", 1965, "Evaluation of likelihood functions for Gaussian signals",
         "IEEE Transactions on Information Theory 11, 61–70"),
        ("Shumway & Stoffer", "R. H. Shumway and D. S. Stoffer", 1982,
         "An approach to time series smoothing and forecasting using the EM algorithm",
         "Journal of Time Series Analysis 3, 253–264"),
        ("de Jong & Mackinnon", "P. de Jong and M. J. Mackinnon", 1988,
         "Covariances for smoothed estimates in state space models", "Biometrika 75, 601–602"),
        ("Parisi", "G. Parisi", 1988, "Statistical Field Theory", "Addison-Wesley"),
        ("Rabiner", "L. R. Rabiner", 1989,
         "A tutorial on hidden Markov models and selected applications in speech recognition",
         "Proceedings of the IEEE 77, 257–286"),
        ("Rothenberg", "T. J. Rothenberg", 1971, "Identification in parametric models", "Econometrica 39, 577–591"),
        ("Saul & Jordan", "L. K. Saul and M. I. Jordan", 1996, "Exploiting tractable substructures in intractable networks",
         "Advances in Neural Information Processing Systems 8, 486–492"),
        ("Sundberg", "R. Sundberg", 1974,
         "Maximum likelihood theory for incomplete data from an exponential family",
         "Scandinavian Journal of Statistics 1, 49–58"),
        ("Rue & Held", "H. Rue and L. Held", 2005,
         "Gaussian Markov Random Fields: Theory and Applications", "Chapman & Hall"),
        ("Wainwright & Jordan", "M. J. Wainwright and M. I. Jordan", 2008,
         "Graphical models, exponential families, and variational inference",
         "Foundations and Trends in Machine Learning 1, 1–305"),
    )
}  # fmt: skip


def cited(sources: Iterable[str]) -> Mapping[str, list[str]]:
    """The works of these sources by their names, and the places in each that they name.

    >>> cited(["Bayes' rule; Heckerman 1989", "Bishop 2006, section 2.3", "Bishop 2006, section 9.2"])
    {'Bishop 2006': ['section 2.3', 'section 9.2'], 'Heckerman 1989': []}
    """
    found: dict[str, list[str]] = {}
    for name, place in dict.fromkeys(pair for source in sources for pair in _read(source)):
        found.setdefault(name, []).extend([place] if place else [])
    return dict(sorted(found.items()))


def _read(source: str) -> Iterator[tuple[str, str]]:
    """Each work of a source, and where in it; a rule that everybody knows has none."""
    for each in source.split("; "):
        work = re.fullmatch(r"(\D+ \d{4})(?:, (.*))?", each)
        if work:
            yield work[1], work[2] or ""
