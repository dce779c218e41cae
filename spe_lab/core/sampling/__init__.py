"""Sampling: trials run in C, gated, interleaved, and turned into estimates with intervals."""
