"""Videos: chunks of work, shots, stills, and what players need."""
