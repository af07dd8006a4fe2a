"""Trains the shipped model that knows photographs: `python -m workers.encoders.training.photographs --out FOLDER`."""
