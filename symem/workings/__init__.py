"""Every line between two steps of a derivation, as it is written at the board."""
