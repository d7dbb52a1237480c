"""Kasane's engine: a neural network in NumPy, its training and its data. Knows nothing of any screen."""
