"""The printer of one target: programs as NumPy."""
