"""Access patterns: misses by published rules, by our model and by simulation; measured times."""

from spe_lab.models.patterns.algebra import Region, nest, r_trav, rr_acc, rr_trav, rs_trav, s_trav, s_trav_cr
from spe_lab.models.patterns.footprints import published
from spe_lab.models.patterns.formulas import alone, lines_per_visit, lines_touched, revisit_hits, symbol
from spe_lab.models.patterns.formulas import misses as formula
from spe_lab.models.patterns.levels import PricedLevel, cost, levels_of, misses, table
from spe_lab.models.patterns.traces import simulated, trace
from spe_lab.models.patterns.uses import reuse
from spe_lab.topics.patterns.exercises import EXERCISES, MATRIX_TEMPLATE, loops
from spe_lab.topics.patterns.kernels import time_per_visit
from spe_lab.topics.patterns.labs import BasicPatterns, Compose
from spe_lab.topics.patterns.partition import Partition, published_cliff
from spe_lab.topics.patterns.textbook import (
    example_misses,
    lines_of_a_traversal,
    lines_of_a_visit,
    most_random_misses,
    random_accesses,
    random_traversal,
    revisits,
)
from spe_lab.topics.patterns.timed import Conditional, Time

__all__ = [
    "EXERCISES",
    "MATRIX_TEMPLATE",
    "BasicPatterns",
    "Compose",
    "Conditional",
    "Partition",
    "PricedLevel",
    "Region",
    "Time",
    "alone",
    "cost",
    "example_misses",
    "formula",
    "levels_of",
    "lines_of_a_traversal",
    "lines_of_a_visit",
    "lines_per_visit",
    "lines_touched",
    "loops",
    "misses",
    "most_random_misses",
    "nest",
    "published",
    "published_cliff",
    "r_trav",
    "random_accesses",
    "random_traversal",
    "reuse",
    "revisit_hits",
    "revisits",
    "rr_acc",
    "rr_trav",
    "rs_trav",
    "s_trav",
    "s_trav_cr",
    "simulated",
    "symbol",
    "table",
    "time_per_visit",
    "trace",
]
