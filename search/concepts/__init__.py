"""Keeping concepts: what one would do before it is saved, the pages of curators, and judging."""
