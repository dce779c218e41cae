"""Calibration: parameters of this machine, measured, and the steps of a staircase fitted to what was measured."""
