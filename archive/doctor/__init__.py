"""The doctor: every invariant of the archive, checked, and repaired where nothing can be lost by it."""
