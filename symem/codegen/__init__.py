"""From the record of a derivation to the source of a solver."""
