"""Adapting a space to what an archive's own captions say: train, judge on held-out captions, derive."""
