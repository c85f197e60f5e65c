"""What a solver module needs of its own: plain NumPy functions, copied into it when it uses them."""
