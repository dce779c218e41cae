"""Scaling (chapter 05a): laws of speed-up, and the same work in one thread and in several."""

from spe_lab.topics.scaling.amdahl import Amdahl
from spe_lab.topics.scaling.gustafson import Gustafson
from spe_lab.topics.scaling.usl import Usl

__all__ = ["Amdahl", "Gustafson", "Usl"]
