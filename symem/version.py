"""The version of symem, as modules and saved fits carry it."""

__version__ = "0.1.0"
