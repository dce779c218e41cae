"""What every topic stands on: kernels, measurement, models, curves, labs. Imports neither matplotlib nor ipywidgets."""
