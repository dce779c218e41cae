"""Grids: run a lab over many settings of its sliders, on any executor, and save finished parts."""
