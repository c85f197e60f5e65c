"""A derivation told to a reader."""
