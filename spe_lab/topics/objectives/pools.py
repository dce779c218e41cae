"""Pools of servers behind one queue (M/M/c): late answers, highest load and fewest servers.

Times are in mean service times. The functions are vectorised over servers and loads, so that a slider can move
smoothly; `spe_lab.models.queues.birth_death` derives the formulas.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.waiting import Waiting, waits
from spe_lab.core.recording import Run
from spe_lab.core.text import Text
from spe_lab.topics.objectives import models

MOST_SERVERS = 100_000


def erlang_c(servers: np.ndarray | float, load: np.ndarray | float) -> np.ndarray:
    """Return the share of requests that wait, from Erlang's B in terms of the incomplete gamma function.

    >>> erlang_c(np.array([4, 16]), 0.8).round(6).tolist()
    [0.596432, 0.304884]
    """
    from scipy.special import gammaincc, gammaln, xlogy

    servers, load = np.asarray(servers, dtype=float), np.asarray(load, dtype=float)
    offered = servers * load
    lost = np.exp(xlogy(servers, offered) - offered - gammaln(servers + 1)) / gammaincc(servers + 1, offered)
    return lost / (1 - load * (1 - lost))


def late(k: float, servers: np.ndarray | float, load: np.ndarray | float) -> np.ndarray:
    """Return the share of requests whose sojourn time exceeds k, for loads below 1."""
    from scipy.special import exprel

    waiting, drain = erlang_c(servers, load), servers * (1 - np.asarray(load, dtype=float))
    after_wait = np.exp(-drain * k) + drain * k * math.exp(-k) * exprel((1 - drain) * k)
    return (1 - waiting) * math.exp(-k) + waiting * after_wait


def waits_longer(w: float, servers: np.ndarray | float, load: np.ndarray | float) -> np.ndarray:
    """Return the share of requests that wait longer than w."""
    return erlang_c(servers, load) * np.exp(-servers * (1 - np.asarray(load, dtype=float)) * w)


def highest_load(servers: np.ndarray, k: float, p: float, no_wait: bool = False) -> np.ndarray:
    """Return the highest load at which a share p of requests meet the objective; 0 if there is none.

    The objective is an answer within k, or with `no_wait` no waiting at all.

    >>> highest_load(np.array([1, 4, 16]), 5, 0.99).round(3).tolist()
    [0.079, 0.606, 0.873]
    """
    servers = np.asarray(servers, dtype=float)
    low, high = np.zeros(servers.shape), np.ones(servers.shape)
    for _ in range(44):
        middle = (low + high) / 2
        missed = (erlang_c(servers, middle) if no_wait else late(k, servers, middle)) > 1 - p
        low, high = np.where(missed, low, middle), np.where(missed, middle, high)
    return low


@lru_cache(maxsize=64)
def most_offered(most: int, k: float, p: float) -> np.ndarray:
    """Return the largest offered loads, in ascending order, that 1, 2, … `most` servers bear."""
    servers = np.arange(1, most + 1)
    return servers * highest_load(servers, k, p)


def fewest_servers(offered: np.ndarray | float, k: float, p: float, most: int) -> np.ndarray:
    """Return the fewest servers for a share p of requests within k; `most` if that is not enough.

    >>> int(fewest_servers(12.0, 5.0, 0.99, 64))
    14
    """
    if not 1 <= most <= MOST_SERVERS:
        rule = f"most must be between 1 and {MOST_SERVERS:,} servers"
        raise SpeLabError(f"{rule}, got {most}; choose a number in that range")
    return np.minimum(np.searchsorted(most_offered(int(most), float(k), float(p)), offered) + 1, most)


@lru_cache(maxsize=64)
def spare_servers(k: float, p: float) -> float:
    """Return the spare servers δ of a very large pool; infinite if no pool meets the objective."""
    from scipy.optimize import brentq

    if math.exp(-k) >= 1 - p:
        return math.inf
    return brentq(lambda delta: float(models.large_pool_miss()(k=k, delta=delta)) - (1 - p), 1e-9, 1e9)


@lru_cache(maxsize=64)
def square_roots(p: float) -> float:
    """Return the β for which a share p of the requests do not wait in a pool of a + β√a servers."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(beta: float) -> float:
        return 1 / (1 + beta * ndtr(beta) * math.sqrt(2 * math.pi) * math.exp(beta**2 / 2)) - (1 - p)

    return brentq(excess, 1e-9, 10.0)


@waits
def load_table(
    *after: Run, servers: Sequence[int] = (1, 2, 4, 8, 16, 64, 256), limits: Sequence[float] = (5, 10)
) -> Text | Waiting:
    """Return a table of the highest loads at which 99 % of the requests meet each of these limits.

    `after`: runs whose predictions the table would give away; it waits for them.
    """
    loads = [highest_load(np.array(servers), k, 0.99) for k in limits]
    head = " | ".join(f"99 % within {k:g} S" for k in limits)
    rows = [f"| servers | {head} |", f"|---:|{'---:|' * len(limits)}"]
    rows += [
        f"| {c} | {' | '.join(f'{100 * load:.1f} %' for load in each)} |"
        for c, *each in zip(servers, *loads, strict=True)
    ]
    return Text("\n".join(rows))


def spare_table(
    k: float = 5.0, p: float = 0.99, no_wait: float = 0.9, offered: Sequence[int] = (10, 100, 1000, 10_000)
) -> Text:
    """Return a table of spare servers, exactly and by the rules for large pools, for two objectives.

    The objectives: a share `p` of requests take at most k, and a share `no_wait` of requests do not wait.
    """
    rows = [
        f"| busy on average | {100 * p:.3g} % within {k:g} S | rule δ | {100 * no_wait:.3g} % do not wait | rule β√a |",
        "|---:|---:|---:|---:|---:|",
    ]
    for a in offered:
        spare = np.arange(1, 40 + int(4 * math.sqrt(a)))
        servers, load = a + spare, a / (a + spare)
        missed = ((late(k, servers, load), p), (erlang_c(servers, load), no_wait))
        within, idle = (int(spare[np.argmax(shares <= 1 - share)]) for shares, share in missed)
        root = square_roots(no_wait) * math.sqrt(a)
        rows.append(f"| {a} | {within} | {spare_servers(k, p):.2f} | {idle} | {root:.1f} |")
    return Text("\n".join(rows))
