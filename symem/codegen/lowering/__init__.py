"""From SymPy expressions to array nodes with named axes."""
