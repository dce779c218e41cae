"""Queueing (chapter 09b): single queues, disciplines, head-of-line blocking and load balancing, simulated and predicted."""

from spe_lab.topics.queueing.balancing import Balancing
from spe_lab.topics.queueing.disciplines import Disciplines, highest_load, table
from spe_lab.topics.queueing.head_of_line import HeadOfLine
from spe_lab.topics.queueing.single import Single, allen_cunneen

__all__ = ["Balancing", "Disciplines", "HeadOfLine", "Single", "allen_cunneen", "highest_load", "table"]
