"""Foundations of all topics: kernels, measurement, models, curves, labs. No matplotlib, no ipywidgets."""
