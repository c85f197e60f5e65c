"""What the runtime knows of a model: tables of its arrays, and the functions that are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.sequences import Ragged


class Array(NamedTuple):
    """What an array must be: its dimensions (names of sizes, or numbers, as in "K, 2") and the kind of its values.

    The last `entries` dimensions are those of a vector or a matrix; `ends` are numbers that no value passes.
    """

    axes: str = ""
    kind: str = "real"
    labels: Any = None
    origin: int = 0
    missing: bool = False
    simplex_axes: int = 1
    entries: int = 0
    ends: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[Any, ...]:
        """The dimensions one by one."""
        return tuple(int(each) if each.isdigit() else each for each in self.axes.split(", ") if each)


class Rows(dict[str, Any]):
    """A chunk of the data by name: its rows, what all rows share, and what is computed of them once.

    `blocks` say where its features lie, in room of their own or, if it `shares_room`, in that of all chunks. `counts` say how often each
    row counts, None where each does once; `count` for how many they count together. Arrays of vectors and matrices are laid out, their entries first, when they are asked for.
    """

    def __init__(self, shared: Mapping[str, Any]) -> None:
        super().__init__(shared)
        #: Those that were not asked for yet, as they came.
        self.late: dict[str, Any] = {}

    def __missing__(self, name: str) -> Any:
        self[name] = found = np.ascontiguousarray(self.late[name])
        return found

    first = 0
    length = 1
    counts: Any = None
    count: float = 1
    blocks: tuple[Any, ...] = ()
    references: tuple[Reference, ...] = ()
    shares_room = False
    #: The names of the features that need not be put in it, for they lie there.
    placed: frozenset[tuple[str, ...]] = frozenset()
    constant = 0.0
    features: Any = None
    buffer: Any = None
    peaks: Any = None


class Data(dict[str, Any]):
    """The data, checked: by name what all rows share, sizes among it; the arrays with rows that are `given`, and how often
    each of their rows counts (None: once).
    """

    given: Mapping[str, Any] = {}
    counts: Any = None
    #: The dimension of each of these arrays along which its rows lie.
    slots: Mapping[str, int] = {}
    scale = 1
    #: The rows, each as often as it counts, and how many observations a row is, on average.
    count: float = 1
    per_row: float = 1

    def taken(self, chosen: Any) -> dict[str, Any]:
        """These rows of every array that has some, by their numbers in ascending order."""
        return {name: np.take(self.given[name], chosen, slot) for name, slot in self.slots.items()}


class Cut(Data):
    """Data in chunks of rows."""

    chunks: Iterable[Rows] = ()
    #: Of how many rows a chunk is; where the features lie in it; room for its labels.
    length = 1
    layout: tuple[Any, ...] = ()
    labels: Any = None
    #: The features that are arrays of the rows as they are, by name.
    places: Mapping[str, Any] = {}
    #: The size of the constants in the log-likelihoods of all rows.
    constant = 0.0
    #: For how many E-steps more the statistics are taken from the chunks, as products have lost their digits.
    apart = 0

    @cached_property
    def noted(self) -> dict[int, Latents]:
        """Room for the latents of every chunk as an E-step left them, by its first row."""
        return {}


class Unheld(Cut):
    """Data whose rows are not held here: what all rows share."""


class Elsewhere(Unheld):
    """Data whose rows are held elsewhere: who holds them is asked."""

    def ask(self, what: str, about: Any) -> Any:
        """What is found of all rows together."""
        raise NotImplementedError


class Moments(NamedTuple):
    """Statistics of all rows from weights times features, summed over chunks; the place of the weights among the latents.

    `of_products(products, data, log_likelihood)` also says whether digits were lost: then those of the chunks are pooled.
    """

    of_products: Callable[[Any, Data, Any], tuple[Any, bool]]
    weights: int


class NaturalForm(NamedTuple):
    """log p(data, labels) as a product of coefficients (labels, F) and features (F, rows).

    A feature is a product of arrays of the rows by name, "x x" for all x_a x_b of a vector, "1" for the constant;
    `coefficients` gives those of each. Where `exact_form` says that there is a form to fall back on, the product is
    used in every chunk in which none of its terms is so large that digits are lost.
    """

    labels: tuple[Any, ...]
    features: tuple[str, ...]
    coefficients: Callable[[Any, Data], tuple[Any, ...]]
    exact_form: bool = False


class Reference(NamedTuple):
    """A function of data that is measured from a point near most of its values: `about` is function - `point`."""

    about: str
    point: str
    data: str
    function: Callable[[Any], Any] = np.asarray


Latents = tuple[Any, ...]


class Steps(NamedTuple):
    """What every model has: its records of parameters, and its functions.

    `e_step(theta, rows, coefficients)` gives the posterior in a chunk as it is declared, what the statistics read of
    the latents, and the log-likelihood, by row where it has that by name; `summarise` turns these into the statistics of the chunk, and `merge` pools
    those of two parts, for `m_step` to take. `impute` gives latents to start from.
    """

    Parameters: Callable[..., Any]
    e_step: Callable[[Any, Rows, Any], tuple[Any, Latents, Any]]
    summarise: Callable[[Rows, Latents, Any], Any]
    merge: Callable[[Any, Any], Any]
    m_step: Callable[..., Any]
    impute: Callable[[Any, Rows, Any], Latents]


class Plates(NamedTuple):
    """Sizes that must be known, and sizes that values of the data show; how data are cut.

    `rows` is the size along which data are cut, None if they cannot be; `scale` the number of observations, `rows` if
    it is None. `nodes` are the sizes that are numbers of nodes of quadratures, with by how much more are taken next. `tables` are the shapes beside the rows of what is computed for each row, `shown` the axis of the rows
    in each array of the posterior, None where it has none. `counted` is the size of which rows may count more than
    once, where that is not `rows`. `places` are the sizes by which a row is several observations: those of its chain.
    `ragged` are plates whose size differs between sequences.
    """

    sizes: tuple[str, ...]
    rows: str | None
    shown: tuple[int | None, ...]
    tables: tuple[tuple[Any, ...], ...] = ()
    scale: str | int | None = None
    shown_sizes: tuple[str, ...] = ()
    counted: str | None = None
    places: tuple[Any, ...] = ()
    nodes: tuple[tuple[str, int], ...] = ()
    ragged: tuple[Ragged, ...] = ()


class Labels(NamedTuple):
    """Tables whose outcomes may be empty, with the axis of these; the size that prototypes start, from which data."""

    components: tuple[tuple[str, int], ...] = ()
    prototypes: tuple[Any, tuple[str, ...]] | None = None


class Parts(NamedTuple):
    """The functions that only some models have.

    What the E-step needs of the parameters, once an iteration; the terms of the log-likelihood that belong to no row;
    the log-prior; what is computed of a chunk once; what data ask of one another; what is left, as a share of its terms,
    of each difference in the updates, by parameter; sums of the data, taken once; the log-likelihood of each row,
    where the E-step only gives their sum; the most probable labels of chains and trees together.
    """

    coefficients: Callable[[Any, Data], tuple[Any, ...]] | None = None
    constant: Callable[[Any, Data], Any] | None = None
    log_prior: Callable[[Any, Data], Any] | None = None
    prepare: Callable[[Rows], Mapping[str, Any]] | None = None
    check: Callable[[dict[str, Any], dict[str, int]], None] | None = None
    shares: Callable[..., list[tuple[str, Any]]] | None = None
    sums: Callable[[Rows], Mapping[str, Any]] | None = None
    log_likelihoods: Callable[[Any, Rows, Any], Any] | None = None
    paths: Callable[[Any, Rows, Any], dict[str, Any]] | None = None


class Rise(NamedTuple):
    """A part of Q that is climbed, in parameters by name and place.

    `of_rows(statistics, theta, rows, latents)` and `once(statistics, theta, data)` give what a chunk of rows, and what no row
    adds to its value, its slopes by each parameter, and its second derivatives by each and every later one; `plates` are the
    numbers of axes of each parameter that come before the entries of vectors; `charts`, if any is climbed by a coordinate of
    its own, say by which: "positive", itself where it is so, "log", "times", itself times the parameter of this number, "power",
    its log times that, or "logit". `one_step`: it is raised by one of Newton's steps, not to its maximum.
    """

    of_rows: Callable[[Any, Any, Rows, Latents], list[Any]] | None
    once: Callable[[Any, Any, Data], list[Any]]
    parameters: tuple[tuple[str, tuple[int | None, ...]], ...]
    plates: tuple[int, ...]
    charts: tuple[tuple[str, int], ...] = ()
    one_step: bool = False


class Draws(NamedTuple):
    """How data arise: `draw(rng, theta, given)` gives latents and `data` by name; the known arrays and the sizes that it reads."""

    draw: Callable[[np.random.Generator, Any, dict[str, Any]], dict[str, Any]]
    data: tuple[str, ...]
    known: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()


class Model(NamedTuple):
    """A model as the runtime sees it.

    `known` is what the M-step needs besides the statistics; if it is `conditional`, also the parameters before it.
    `simplexes` are parameters that sum to 1 together, `patterns` data that are grouped by what is missing. Rows that
    are the same in all other data enter through the mean and covariance of the `condensed` alone. `weights` say how often
    each row counts. `predicted` says of each latent where its table has the outcomes and which is the first, or what its mean
    is called; None where neither is there; left out where all are labels that count from 0. `draws` is how data arise, or
    why none are drawn; `means(posterior, theta, data)` is what else is predicted, by latent; `slopes(theta, statistics, data)` are those
    of Q in the parameters. `factors` are parameters that are arguments of factors of a mean field: the log-likelihood is then a free energy.
    """

    parameters: Mapping[str, Array]
    data: Mapping[str, Array]
    plates: Plates
    steps: Steps
    parts: Parts = Parts()
    labels: Labels = Labels()
    known: tuple[str, ...] = ()
    conditional: bool = False
    simplexes: tuple[tuple[str, ...], ...] = ()
    patterns: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    natural: NaturalForm | None = None
    moments: Moments | None = None
    rises: tuple[Rise, ...] = ()
    condensed: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    predicted: tuple[Any, ...] = ()
    draws: Draws | str = ""
    means: Callable[[Any, Any, dict[str, Any]], dict[str, Any]] | None = None
    slopes: Callable[[Any, Any, Data], Any] | None = None
    factors: tuple[str, ...] = ()
