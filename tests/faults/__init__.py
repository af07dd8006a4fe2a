"""Drills with real processes. The two marks are what tests put into pictures and drilled workers die of."""

DEADLY = (255, 0, 255)  # this colour kills the process that prepares the picture for the model
POISON = b"kills the decoder"  # a JPEG comment
