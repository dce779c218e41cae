"""Scaling (chapter 05a): laws of speed-up, and the same work in one thread and in several."""

from spe_lab.topics.scaling.amdahl import Amdahl
from spe_lab.topics.scaling.exercises import EXERCISES, LOCK_TEMPLATE
from spe_lab.topics.scaling.gustafson import Gustafson
from spe_lab.topics.scaling.models import (
    amdahl_law,
    amdahl_limit,
    amdahl_with_costs,
    gustafson_law,
    symbol,
    threads_for,
    time_of,
    usl_law,
    usl_maximum,
    usl_of_thread_costs,
)
from spe_lab.topics.scaling.usl import Usl, fit

__all__ = [
    "EXERCISES", "LOCK_TEMPLATE", "Amdahl", "Gustafson", "Usl", "amdahl_law", "amdahl_limit", "amdahl_with_costs", "fit", "gustafson_law", "symbol",
    "threads_for", "time_of", "usl_law", "usl_maximum", "usl_of_thread_costs",
]  # fmt: skip
