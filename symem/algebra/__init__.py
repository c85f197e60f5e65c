"""Rules that keep a value: squares, sums of products, matrices as words."""
