"""How fast the workers are, beside what their parts could do alone."""
