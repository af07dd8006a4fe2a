"""Drills with real processes. The two marks are what tests put into pictures and drilled workers die of."""

DEADLY = (255, 0, 255)  # all of this colour kills the process that prepares it for the model
POISON = b"kills the decoder"  # a JPEG comment
