"""The complete data as an exponential family: the E-step as the mean of statistics, the M-step as the moment equation."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symem.algebra.rewriting import matrix_valued
from symem.derivation import ExponentialFamily, NoExponentialFamily, SufficientStatistic
from symem.derivation.exponential_family import CURVED, FORM, FULL
from symem.language.matrices import is_matrix, shape
from symem.language.supports import Simplex
from symem.report.document import Block, Display, Lines, Mark, Part, Prose, Section, listed, said
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_updates import named_moments
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import printed
from symem.report.writer import Voice, raised


def sources(voice: Voice) -> tuple[str, ...]:
    """The works that the section names."""
    family = voice.derivation.family
    return family.sources if isinstance(family, ExponentialFamily) else ()


def exponential_family(voice: Voice) -> Iterator[Section]:
    """The section, where it was asked whether there is one."""
    family = voice.derivation.family
    if family is not None and not voice.derivation.mean_field:
        told = (
            _Told(voice, family).blocks() if isinstance(family, ExponentialFamily) else _none(voice, family)
        )
        yield Section(said("The exponential family"), tuple(told), anchor="exponential-family")


def _none(voice: Voice, family: NoExponentialFamily) -> Iterator[Block]:
    """Which terms stand in the way."""
    if family.split:
        words = (
            "By the entries of its matrices @ is that of an exponential family, which is not written out here: in these terms "
            "data and latents stand between parameters."
        )
        yield said(words, voice.density)
    else:
        words = (
            "The complete data follow no exponential family, because @ holds what is no product of a function of @ and one of data "
            "and latents:"
        )
        yield said(words, rf"\log {voice.density}", voice.theta)
    yield Display(tuple(voice.equation("", term, voice.complete) for term in family.terms))


#: What statistics, natural parameters, the log-partition and the base measure are called, the first that is free.
_LETTERS = (("s", "T", "u"), ("eta", "phi", "omega"), ("A", "a", "B"), ("h", "b", "g"))


class _Told:
    """What is said of a family."""

    def __init__(self, voice: Voice, family: ExponentialFamily) -> None:
        self.voice, self.family, self.theta = voice, family, voice.theta
        self.numbered = list(enumerate(family.statistics, 1))
        variables = (voice.free.label(name).head for name in voice.model.variables)
        taken = {voice.pack.now, *variables}
        self.s, self.eta, self.A, self.h = (
            next((f"\\{word}" if len(word) > 1 else word for word in choice if word not in taken), choice[-1])
            for choice in _LETTERS
        )

    def blocks(self) -> Iterator[Block]:
        yield from self._form()
        yield from self._means()
        yield self._kind()
        yield from self._equation()
        if self.family.conjugate:
            words = "The prior is conjugate: its logarithm is in functions of @ that stand beside statistics or in @, and adds to these."
            yield said(words, self.theta, f"{self.A}({self.theta})")
        claim = self.family.claim
        yield ("At the updates this is ", Mark(claim.status, claim.points or None), f": {claim.argument}.")

    def _form(self) -> Iterator[Block]:
        """p = exp(ηᵀ s - A) h, and what the letters are."""
        yield said(
            f"Gathered by functions of data and latents, the complete-data likelihood is an exponential family ({FORM}),"
        )
        form = rf"{self.voice.density} &= \exp\left({self._product} - {self.A}({self.theta})\right) {self.h}"
        yield Display(((form,),))
        yield said(
            "in which @ is free of @. The sufficient statistics of the complete data are", self.h, self.theta
        )
        yield self._lines(self.s, [each.function for each in self.family.statistics], self.voice.complete)
        yield said(
            "and the natural parameters, with the log-partition, are"
            if self._has_partition
            else "and the natural parameters are"
        )
        natural = self._lines(self.eta, [each.natural for each in self.family.statistics], self.voice.free)
        partition = self.voice.equation(f"{self.A}({self.theta})", self.family.log_partition, self.voice.free)
        yield Display((*natural.equations, partition)) if self._has_partition else natural
        if not self._has_partition:
            yield said(
                "Here @: what normalises stands beside counts, in @.", f"{self.A}({self.theta}) = 0", self.eta
            )

    @property
    def _has_partition(self) -> bool:
        return bool(self.family.log_partition != 0)

    @property
    def _product(self) -> str:
        """ηᵀ s, of matrices tr(ηᵀ s), summed over all statistics and places."""
        matrices = any(is_matrix(s.function) and shape(s.function)[1] != 1 for s in self.family.statistics)
        one = len(self.family.statistics) == 1
        r = "" if one else "_r"
        product = rf"{self.eta}{r}^{{\mathsf{{T}}}} {self.s}{r}"
        product = rf"\operatorname{{tr}}({product})" if matrices else product
        return product if one else rf"\sum_r {product}"

    def _means(self) -> Iterator[Block]:
        """The two means: given the data, and under the model."""
        at_t = rf"{self.s}^{{{self._now}}} = \mathbb{{E}}[{self.s} \mid \text{{data}}, {self.voice.old}]"
        yield said("The E-step is the mean of the statistics given the data, @:", at_t)
        yield self._lines(
            self.s, [each.expected for each in self.family.statistics], self.voice.now, mark=self._now
        )
        found = [each.mean for each in self.family.statistics]
        if any(each is not None for each in found):
            yield said("Before anything is seen, the model itself gives them the means")
            yield self._lines(self.s, found, self.voice.free, around=rf"\mathbb{{E}}_{{{self.theta}}}[@]")
        if self.family.definitions:
            yield ("with the law of each label by that of the one before,",)
            yield self.voice.definitions(self.family.definitions, self.voice.free)

    # -- the moment equation -------------------------------------------------------------------------------

    def _kind(self) -> Prose:
        """Full or curved, by the directions that were counted."""
        spans = self.family.spans
        if spans is None:
            return said(
                "The M-step makes the two means agree in all directions in which @ moves @:",
                self.theta,
                self.eta,
            )
        counted = f"the statistics vary in {_directions(spans.statistics)}"
        if spans.numbers > spans.statistics:
            counted += f", of {spans.numbers} numbers,"
        all_of_them = "it" if spans.statistics == 1 else "all of them"
        moved = f"{counted} and @ moves @ in {spans.parameters if self.family.curved else all_of_them}"
        words = said(f"{moved}: ", self.theta, self.eta)
        return (*self._counted_at(), *words, *self._conclusion())

    def _conclusion(self) -> Prose:
        if self.family.curved:
            words = f"the family is curved ({CURVED}). No @ matches all statistics; the M-step matches them in the directions of @ alone,"
            return said(words, self.theta, rf"\partial {self.eta} / \partial {self.theta}")
        if self.voice.model.log_prior != 0:
            return said("the family is full. With a prior the two means differ by its slope,")
        end = ":" if any(each.mean is not None for each in self.family.statistics) else "."
        return said(
            f"the family is full, and the M-step solves the moment equation @ ({FULL}){end}", self._agree
        )

    @property
    def _agree(self) -> str:
        return rf"\mathbb{{E}}_{{{self.theta}}}[{self.s}] = {self.s}^{{{self._now}}}"

    def _counted_at(self) -> tuple[Part, ...]:
        """The sizes at which it was counted."""
        sizes = self.family.spans.sizes if self.family.spans else {}
        names = {v.name: self.voice.name(v.symbol) for v in self.voice.model.sizes}
        shown = [f"{names[name]} = {number}" for name, number in sizes.items() if name in names]
        return ("At ", *listed(shown), " ") if shown else ("Here ",)

    def _equation(self) -> Iterator[Block]:
        prior, full = self.voice.model.log_prior != 0, self.family.curved is False
        if full and not prior:
            both = [each for each in self.family.statistics if each.mean is not None]
            if both:
                yield Display(tuple(map(self._agreement, both)))
            if self._has_shares:
                yield (
                    "A multiplier keeps shares on their simplex, in the place of a minimal representation.",
                )
            return
        slope = rf"\frac{{\partial \log p({self.theta})}}{{\partial {self.theta}}}"
        r, over = ("", "") if len(self.family.statistics) == 1 else ("_r", r"\sum_r ")
        turned = rf"\left(\frac{{\partial {self.eta}{r}}}{{\partial {self.theta}}}\right)^{{\mathsf{{T}}}}"
        gap = rf"\left(\mathbb{{E}}_{{{self.theta}}}[{self.s}{r}] - {self.s}{r}^{{{self._now}}}\right)"
        yield Display(((f"{over}{turned} {gap} &= {slope if prior else 0}",),))
        if self._has_shares:
            yield said("along shares that sum to one.")

    def _agreement(self, each: SufficientStatistic) -> Lines:
        new, now = self.voice.new.within(each.axes), self.voice.now.within(each.axes)
        left = latex(printed(self._printed(each, each.mean)), new)
        return self.voice.equation(left, self._printed(each, each.expected), now)

    @property
    def _has_shares(self) -> bool:
        own = any(isinstance(each.support, Simplex) for each in self.voice.model.parameters)
        return own or bool(self.voice.model.simplexes)

    # -- letters -------------------------------------------------------------------------------------------

    @property
    def _now(self) -> str:
        return raised(self.voice.pack.now)

    def _lines(
        self, stem: str, values: list[Expr | None], lexicon: Lexicon, *, mark: str = "", around: str = "@"
    ) -> Display:
        """An equation for each statistic that has a value."""
        shown = []
        for (number, each), value in zip(self.numbered, values, strict=True):
            if value is not None:
                left = around.replace(
                    "@", self._letter(stem, number, each) + (f"^{{{mark}}}" if mark else "")
                )
                shown.append(self.voice.equation(left, self._printed(each, value), lexicon.within(each.axes)))
        return Display(tuple(shown))

    def _letter(self, stem: str, number: int, each: SufficientStatistic) -> str:
        scope = self.voice.free.within(each.axes)
        numbers = [str(number)] if len(self.numbered) > 1 else []
        places = ",".join([*numbers, *(letter(axis.index, scope) for axis in each.axes)])
        return f"{stem}_{{{places}}}" if places else stem

    def _printed(self, each: SufficientStatistic, value: Expr) -> Expr:
        """In the names of moments; a multiple of the identity as a matrix."""
        return named_moments(
            value if value == 0 else matrix_valued(value, each.function), self.voice.meanings
        )


def _directions(count: int) -> str:
    return "one direction" if count == 1 else f"{count} directions"
