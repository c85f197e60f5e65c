"""symem derives EM algorithms."""
