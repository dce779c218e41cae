"""The memory hierarchy (chapter 03b): what one access costs, by stride and by working-set size."""

from spe_lab.topics.memory.exercises import EXERCISES
from spe_lab.topics.memory.labs import Stride, WorkingSet
from spe_lab.topics.memory.models import access_time, refined, staircase, stride_time

__all__ = ["EXERCISES", "Stride", "WorkingSet", "access_time", "refined", "staircase", "stride_time"]
