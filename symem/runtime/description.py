"""What the runtime knows of a model: tables of its arrays, and the functions that are its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Array(NamedTuple):
    """What an array must be: its dimensions (names of sizes, or numbers) and the kind of its values.

    The last `entries` dimensions are those of a vector or a matrix.
    """

    shape: tuple[Any, ...]
    kind: str = "real"
    labels: Any = None
    origin: int = 0
    missing: bool = False
    simplex_axes: int = 1
    entries: int = 0


class Rows(dict[str, Any]):
    """A chunk of the data by name: its rows, what all rows share, and what is computed of them once."""

    first = 0
    length = 1
    features: Any = None
    buffer: Any = None
    peaks: Any = None


class Data(dict[str, Any]):
    """The data, checked: by name what all rows share, sizes among it; and the chunks of rows."""

    chunks: tuple[Rows, ...] = ()
    scale = 1
    #: For how many E-steps more the statistics are taken from the chunks, as products have lost their digits.
    apart = 0


class NaturalForm(NamedTuple):
    """log p(data, labels) as a product of coefficients (labels, F) and features (F, rows).

    `features` fills the features of a chunk. Where `exact_form` says that there is a form to fall back on, the product
    is used in every chunk in which none of its terms is so large that digits are lost. Where F is a number every chunk keeps its
    features; where it depends on sizes, chunks share room for them.
    """

    labels: tuple[Any, ...]
    width: int | Callable[[Mapping[str, int]], int]
    features: Callable[[Rows, Any], None]
    coefficients: Callable[[Any, Data], Any]
    exact_form: bool = False


class Sums(NamedTuple):
    """Sums of the data, taken once, by name; and the statistics from them, where these suffice for an E-step."""

    of_rows: Callable[[Rows], Mapping[str, Any]]
    e_step: Callable[[Any, Data], Any] | None = None


class Moments(NamedTuple):
    """Statistics of all rows from weights times features, summed over chunks; the place of the weights among the latents.

    `of_products(products, data, log_likelihood)` also says whether digits were lost: then those of the chunks are pooled.
    """

    of_products: Callable[[Any, Data, Any], tuple[Any, bool]]
    weights: int


class Steps(NamedTuple):
    """What every model has: its records of parameters, and its functions.

    `e_step(theta, rows, coefficients)` gives the latents' posterior in a chunk and its log-likelihood; `summarise`
    turns them into the statistics of the chunk, and `merge` pools those of two parts, for `m_step` to take.
    `show` gives a chunk's posterior as it is declared, `impute` latents to start from.
    """

    Parameters: Callable[..., Any]
    e_step: Callable[[Any, Rows, Any], tuple[tuple[Any, ...], Any]]
    summarise: Callable[[Rows, tuple[Any, ...], Any], Any]
    merge: Callable[[Any, Any], Any]
    m_step: Callable[..., Any]
    show: Callable[[Rows, tuple[Any, ...]], Any]
    impute: Callable[[Any, Rows, Any], tuple[Any, ...]]


class Plates(NamedTuple):
    """Sizes that must be known, and sizes that values of the data show; how data are cut.

    `rows` is the size along which data are cut, None if they cannot be; `scale` the number of observations, `rows` if
    it is None. `tables` are the shapes beside the rows of what is computed for each row, `shown` the axis of the rows
    in each array of the posterior, None where it has none.
    """

    sizes: tuple[str, ...]
    rows: str | None
    shown: tuple[int | None, ...]
    tables: tuple[tuple[Any, ...], ...] = ()
    scale: str | int | None = None
    shown_sizes: tuple[str, ...] = ()


class Labels(NamedTuple):
    """Tables whose outcomes may be empty, with the axis of these; the size that prototypes start, from which data."""

    components: tuple[tuple[str, int], ...] = ()
    prototypes: tuple[Any, tuple[str, ...]] | None = None


class Parts(NamedTuple):
    """The functions that only some models have.

    What the E-step needs of the parameters, once an iteration; points near the data; the terms of the
    log-likelihood that belong to no row; the log-prior; what is computed of a chunk once; what data ask of one another;
    what is left, as a share of its terms, of each difference in the updates, by parameter.
    """

    coefficients: Callable[[Any, Data], tuple[Any, ...]] | None = None
    points: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    constant: Callable[[Any, Data], Any] | None = None
    log_prior: Callable[[Any, Data], Any] | None = None
    prepare: Callable[[Rows], Mapping[str, Any]] | None = None
    check: Callable[[Mapping[str, Any], dict[str, int]], None] | None = None
    shares: Callable[..., list[tuple[str, Any]]] | None = None


class Model(NamedTuple):
    """A model as the runtime sees it.

    `known` is what the M-step needs besides the statistics; if it is `conditional`, also the parameters before it.
    `simplexes` are parameters that sum to 1 together, `patterns` data that are grouped by what is missing.
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
    natural: NaturalForm | None = None
    sums: Sums | None = None
    moments: Moments | None = None
