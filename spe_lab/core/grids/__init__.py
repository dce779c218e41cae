"""Grids: a lab over many settings of its sliders, on any executor, kept in a file while it goes on."""
