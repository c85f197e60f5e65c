"""What may be said: indices and plates, supports, the table of distributions, the model."""
