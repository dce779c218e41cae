"""Scaling: speed-up laws, measured speed-ups, task graphs, and cost of ownership."""

from spe_lab.models.schedule import Schedule, bounds, graham_bound, list_schedule
from spe_lab.models.task_graph import GRAPHS, Graph, Task
from spe_lab.topics.scaling.amdahl import Amdahl
from spe_lab.topics.scaling.cost import Cost, simulate_fleet, where_out_pays
from spe_lab.topics.scaling.cost_models import availability, break_even, shortfall, throughput, yearly_cost
from spe_lab.topics.scaling.critical_path import CriticalPath, compared, parallelised
from spe_lab.topics.scaling.drawing import paths, schedules
from spe_lab.topics.scaling.execution import execute
from spe_lab.topics.scaling.exercises import EXERCISES
from spe_lab.topics.scaling.formulas import formula
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
from spe_lab.topics.scaling.parallelism import KINDS, Parallelism, element_time, threads_pay_from
from spe_lab.topics.scaling.usl import Usl, fit_law

__all__ = [
    "EXERCISES",
    "GRAPHS",
    "KINDS",
    "Amdahl",
    "Cost",
    "CriticalPath",
    "Graph",
    "Gustafson",
    "Parallelism",
    "Schedule",
    "Task",
    "Usl",
    "amdahl_law",
    "amdahl_limit",
    "amdahl_with_costs",
    "availability",
    "bounds",
    "break_even",
    "compared",
    "element_time",
    "execute",
    "fit_law",
    "formula",
    "graham_bound",
    "gustafson_law",
    "list_schedule",
    "parallelised",
    "paths",
    "schedules",
    "shortfall",
    "simulate_fleet",
    "symbol",
    "threads_for",
    "threads_pay_from",
    "throughput",
    "time_of",
    "usl_law",
    "usl_maximum",
    "usl_of_thread_costs",
    "where_out_pays",
    "yearly_cost",
]
