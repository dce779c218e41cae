"""Queueing: single queues, disciplines, head-of-line blocking and load balancing."""

from spe_lab.topics.queueing.animation import Watched
from spe_lab.topics.queueing.balancing import Balancing
from spe_lab.topics.queueing.blocking import blame, by_endpoint, incident
from spe_lab.topics.queueing.disciplines import NAMES, Disciplines, highest_load, table
from spe_lab.topics.queueing.exercises import EXERCISES
from spe_lab.topics.queueing.formulas import formula
from spe_lab.topics.queueing.head_of_line import HeadOfLine
from spe_lab.topics.queueing.laws import FOUR, service
from spe_lab.topics.queueing.lessons import intervals, simulators, warm_up
from spe_lab.topics.queueing.models import (
    behind_a_long_job,
    drift,
    sharing_balance,
    sharing_jobs,
    sharing_mean,
    step,
    supermarket,
    supermarket_mean,
    thinned,
)
from spe_lab.topics.queueing.single import Single, allen_cunneen

__all__ = [
    "EXERCISES",
    "FOUR",
    "NAMES",
    "Balancing",
    "Disciplines",
    "HeadOfLine",
    "Single",
    "Watched",
    "allen_cunneen",
    "behind_a_long_job",
    "blame",
    "by_endpoint",
    "drift",
    "formula",
    "highest_load",
    "incident",
    "intervals",
    "service",
    "sharing_balance",
    "sharing_jobs",
    "sharing_mean",
    "simulators",
    "step",
    "supermarket",
    "supermarket_mean",
    "table",
    "thinned",
    "warm_up",
]
