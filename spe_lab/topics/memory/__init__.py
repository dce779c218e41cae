"""The memory hierarchy: the time of one access against stride and working-set size."""

from spe_lab.topics.memory.exercises import EXERCISES, TWO_WALKS_TEMPLATE
from spe_lab.topics.memory.labs import Stride, WorkingSet
from spe_lab.topics.memory.models import (
    LEVELS,
    access_time,
    bandwidth_by_size,
    bandwidth_by_stride,
    in_memory,
    misses_by_size,
    misses_by_stride,
    prefetched,
    ramp,
    refined,
    skipping,
    skips_by_stride,
    staircase,
    staircase_of,
    stride_equation,
    stride_time,
    symbol,
)
from spe_lab.topics.memory.pages import translation
from spe_lab.topics.memory.selftuning import SelfTuning

__all__ = [
    "EXERCISES",
    "LEVELS",
    "TWO_WALKS_TEMPLATE",
    "SelfTuning",
    "Stride",
    "WorkingSet",
    "access_time",
    "bandwidth_by_size",
    "bandwidth_by_stride",
    "in_memory",
    "misses_by_size",
    "misses_by_stride",
    "prefetched",
    "ramp",
    "refined",
    "skipping",
    "skips_by_stride",
    "staircase",
    "staircase_of",
    "stride_equation",
    "stride_time",
    "symbol",
    "translation",
]
