"""Cache coherence: MESI step by step, simulated and as a Markov chain, and false sharing on real cores."""

from spe_lab.models.mesi import follow, react
from spe_lab.topics.coherence.diagram import steps_through
from spe_lab.topics.coherence.exercises import EXERCISES, PADDING_TEMPLATE
from spe_lab.topics.coherence.formulas import change_of_core, messages_of_two_cores, time_of_an_operation
from spe_lab.topics.coherence.mesi import Mesi
from spe_lab.topics.coherence.models import (
    change,
    messages,
    operation_time,
    per_access,
    stationary,
    symbol,
    transition_matrix,
    write_backs,
)
from spe_lab.topics.coherence.sharing import FalseSharing
from spe_lab.topics.coherence.simulator import Bus
from spe_lab.topics.coherence.tables import changes, counted, lost

__all__ = [
    "EXERCISES",
    "PADDING_TEMPLATE",
    "Bus",
    "FalseSharing",
    "Mesi",
    "change",
    "change_of_core",
    "changes",
    "counted",
    "follow",
    "lost",
    "messages",
    "messages_of_two_cores",
    "operation_time",
    "per_access",
    "react",
    "stationary",
    "steps_through",
    "symbol",
    "time_of_an_operation",
    "transition_matrix",
    "write_backs",
]
