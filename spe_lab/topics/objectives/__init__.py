"""Service objectives: tails of fan-outs, head-room of pools, energy, and costs of late answers."""

from spe_lab.topics.objectives.energy import Energy, energy_table
from spe_lab.topics.objectives.exercises import EXERCISES
from spe_lab.topics.objectives.fan_out import Slo
from spe_lab.topics.objectives.formulas import formula
from spe_lab.topics.objectives.hedging import (
    Hedging,
    highest_load_with_copies,
    simulate_fork_join,
    simulate_hedging,
    together,
)
from spe_lab.topics.objectives.models import (
    energy_per_request,
    exponential_mean,
    exponential_quantile,
    hedged_miss,
    hourly_cost,
    large_pool_miss,
    leaf_share,
    least_load,
    most_load,
    own_load,
    power,
    proportionality,
    score,
    slow_share,
    symbol,
    waiting_share,
    worth_a_server,
)
from spe_lab.topics.objectives.omission import corrected, latencies, table
from spe_lab.topics.objectives.pools import (
    erlang_c,
    fewest_servers,
    highest_load,
    late,
    load_table,
    spare_servers,
    spare_table,
    square_roots,
    waits_longer,
)
from spe_lab.topics.objectives.sla import Sla
from spe_lab.topics.objectives.utilisation import Utilisation
from spe_lab.topics.objectives.watts import measured_power, power_here

__all__ = [
    "EXERCISES",
    "Energy",
    "Hedging",
    "Sla",
    "Slo",
    "Utilisation",
    "corrected",
    "energy_per_request",
    "energy_table",
    "erlang_c",
    "exponential_mean",
    "exponential_quantile",
    "fewest_servers",
    "formula",
    "hedged_miss",
    "highest_load",
    "highest_load_with_copies",
    "hourly_cost",
    "large_pool_miss",
    "late",
    "latencies",
    "leaf_share",
    "least_load",
    "load_table",
    "measured_power",
    "most_load",
    "own_load",
    "power",
    "power_here",
    "proportionality",
    "score",
    "simulate_fork_join",
    "simulate_hedging",
    "slow_share",
    "spare_servers",
    "spare_table",
    "square_roots",
    "symbol",
    "table",
    "together",
    "waiting_share",
    "waits_longer",
    "worth_a_server",
]
