"""Concepts: named ideas that a model looks for: words, vectors, scores, tags, and what judgements teach."""
