"""What every solver runs: the loop, the checks of arrays, numeric kernels, starts. Copied into modules; NumPy only."""
