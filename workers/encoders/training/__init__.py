"""Trains the model that ships with the project: `python -m workers.encoders.training --out FOLDER`."""
