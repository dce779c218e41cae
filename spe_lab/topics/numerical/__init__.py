"""Numerical models: functions fitted to the measured time of a search, and their limits."""

from spe_lab.topics.numerical.analytical import (
    growth_of_cubic,
    interpolant_growth,
    law_in_logarithms,
    logarithms,
    lookup_formula,
    lookup_time,
    missed_steps,
    missing_steps,
    noise_outside,
    normal_equations,
    slope,
    symbol,
)
from spe_lab.topics.numerical.bases import BASES, cross_validated, fit
from spe_lab.topics.numerical.exercises import EXERCISES, LOOK_UP_TEMPLATE
from spe_lab.topics.numerical.fitting import Errors, Sample
from spe_lab.topics.numerical.labs import Fit
from spe_lab.topics.numerical.points import Points, held_out
from spe_lab.topics.numerical.sampling import SPACINGS, choose
from spe_lab.topics.numerical.transfer import transfer
from spe_lab.topics.numerical.tuning import tune

__all__ = [
    "BASES",
    "EXERCISES",
    "LOOK_UP_TEMPLATE",
    "SPACINGS",
    "Errors",
    "Fit",
    "Points",
    "Sample",
    "choose",
    "cross_validated",
    "fit",
    "growth_of_cubic",
    "held_out",
    "interpolant_growth",
    "law_in_logarithms",
    "logarithms",
    "lookup_formula",
    "lookup_time",
    "missed_steps",
    "missing_steps",
    "noise_outside",
    "normal_equations",
    "slope",
    "symbol",
    "transfer",
    "tune",
]
