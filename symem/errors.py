"""What could not be done: where it stopped, what was seen, and what to write instead."""

from __future__ import annotations


class SymemError(Exception):
    """Base of every error that symem raises on purpose."""


class ModelError(SymemError, ValueError):
    """The model as stated is not a model: a symbol, a role, a range or a density is at fault."""


class UndeclaredSymbolError(ModelError):
    """A symbol occurs that nothing declares, or a declared one occurs nowhere."""


class PlateError(ModelError):
    """An index is free, has no range, or two ranges meet in one slot."""


class NameClashError(ModelError):
    """Two symbols share a name, or a name cannot be an identifier of the emitted module."""


class SupportError(ModelError):
    """A support is missing, depends on a parameter, or cannot hold the quantity."""


class ShapeError(ModelError):
    """Matrices do not fit, or one stands where a number is needed."""


class NormalisationError(ModelError):
    """A density does not integrate to a constant."""


class NotDerivedError(SymemError):
    """The algebra stopped: the message names the parameters or latents and the term in the way."""


class BudgetError(SymemError):
    """A derivation took longer than it was given; the message says where it stood and how to give it longer."""


class SourceError(SymemError):
    """An emitted source would not run: an error of symem's own, to be reported with the model."""


class DataError(SymemError, ValueError):
    """Data, sizes or a start that the model cannot take; the message names the array and the row."""


class UnknownSymbolError(SymemError, LookupError):
    """A formula holds a symbol or a function to which nothing gives a value."""


class VerificationError(SymemError):
    """A rung of the verification ladder failed, so nothing was emitted."""


class ExistingFileError(SymemError, FileExistsError):
    """The file is there already, and replacing it was not asked for."""


class NotationError(SymemError, ValueError):
    """A name that a reader gave cannot be set: it says more than a name may, or prints as another does."""


class SharedLatentWarning(UserWarning):
    """Items that a datum counts share one latent as the model is stated; rows that count several times do not."""
