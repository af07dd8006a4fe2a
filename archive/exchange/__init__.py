"""Tables that leave and come back: the vocabulary and the tags, as CSV and as JSON."""
