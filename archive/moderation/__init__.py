"""Moderation: policies raise flags, flags hide, people decide, and the log keeps what happened."""
