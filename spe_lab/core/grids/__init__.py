"""Grids: run a lab over many settings of its sliders, on any executor, and save the results as they come."""
