"""How fast searching is, beside the bare statement."""
