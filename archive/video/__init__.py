"""Videos: frames and their packs, shots and moments, the clip vector, and what a player needs."""
