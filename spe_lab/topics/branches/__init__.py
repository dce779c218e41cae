"""Branch prediction as a Markov chain: selections with and without a branch, and simulated predictors."""

from spe_lab.models.predictor import (
    average_rate,
    crossovers,
    element_time,
    even_form,
    limit_of_many_states,
    misprediction,
    stationary,
    symbol,
    transition_matrix,
)
from spe_lab.topics.branches.counted import counted_by_hardware, counted_by_valgrind
from spe_lab.topics.branches.diagram import steps_through
from spe_lab.topics.branches.exercises import EXERCISES, PREDICATE_TEMPLATE
from spe_lab.topics.branches.fitting import IDEAL, Fitted, fit, rate
from spe_lab.topics.branches.formulas import (
    branch_pays_above,
    branch_pays_below,
    even_counter,
    many_states,
    time_of_an_element,
    two_bit_counter,
)
from spe_lab.topics.branches.memorisation import Memorisation
from spe_lab.topics.branches.predictor import Predictor
from spe_lab.topics.branches.selection import Rate, Selectivity
from spe_lab.topics.branches.simulator import follow, simulate

__all__ = [
    "EXERCISES",
    "IDEAL",
    "PREDICATE_TEMPLATE",
    "Fitted",
    "Memorisation",
    "Predictor",
    "Rate",
    "Selectivity",
    "average_rate",
    "branch_pays_above",
    "branch_pays_below",
    "counted_by_hardware",
    "counted_by_valgrind",
    "crossovers",
    "element_time",
    "even_counter",
    "even_form",
    "fit",
    "follow",
    "limit_of_many_states",
    "many_states",
    "misprediction",
    "rate",
    "simulate",
    "stationary",
    "steps_through",
    "symbol",
    "time_of_an_element",
    "transition_matrix",
    "two_bit_counter",
]
