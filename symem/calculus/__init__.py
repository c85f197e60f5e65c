"""What follows from a statement: E-step, likelihood, surrogate, M-step, and what is proved of each update."""
