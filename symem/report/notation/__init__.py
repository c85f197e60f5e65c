"""How formulas are printed: letters, conventions of books, the shape in which a textbook writes a value."""
