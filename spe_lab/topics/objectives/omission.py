"""Latency measured with a clock that starts too late ("coordinated omission"), and with one that does not.

A server that answers in a millisecond stands still for a second every ten. Simulated, so that the truth is known. The
name is Gil Tene's ("How NOT to Measure Latency", 2013), and so is the correction.
"""

from collections.abc import Mapping

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError
from spe_lab.core.text import Text

CLIENTS = ("closed", "open")
MOST_REQUESTS = 10_000_000
NS = 1e9


def latencies(
    client: str,
    gap_s: float = 0.01,
    service_s: float = 0.001,
    period_s: float = 10.0,
    frozen_s: float = 1.0,
    duration_s: float = 100.0,
) -> np.ndarray:
    """What a client measures, in seconds, one for each request.

    "closed": it waits for each answer before it sends the next request, and starts its clock when it sends. "open": it
    sends every `gap_s`, whatever comes back, and the clock starts when the request is due. Raises SpeLabError outside
    the domain.

    >>> len(latencies("open")), float(latencies("closed").max())
    (10000, 1.001)
    """
    if client not in CLIENTS:
        raise SpeLabError(f"client must be closed or open, got {client!r}; write for example 'open'")
    given = {
        "gap_s": gap_s,
        "service_s": service_s,
        "period_s": period_s,
        "frozen_s": frozen_s,
        "duration_s": duration_s,
    }
    for name, value in given.items():
        if not (0 if name == "frozen_s" else 1e-9) <= value <= 1e6:
            raise SpeLabError(
                f"{name} must be between a nanosecond and 1e6 s, got {value}; choose a value in that range"
            )
    library = native.load("objectives")
    with_ = library.struct("stalling")(*(round(value * NS) for value in given.values()))
    if with_.service + with_.frozen >= with_.period:
        raise SpeLabError(
            f"period_s must be longer than service_s + frozen_s = {service_s + frozen_s:g}, got {period_s}; let the"
            " server run for a while"
        )
    gaps = with_.duration // with_.gap + 1  # of the whole nanoseconds that C counts in
    if gaps > MOST_REQUESTS:
        raise SpeLabError(f"duration_s must be at most {MOST_REQUESTS:,} gaps, got {gaps:,}; take a shorter one")
    found = np.empty(gaps + 1)
    count = (library.replay_closed if client == "closed" else library.replay_open)(with_, found)
    check(count, library)
    return found[:count] / NS


def corrected(measured: np.ndarray, gap_s: float = 0.01) -> np.ndarray:
    """A closed client's latencies, with those that it did not send put in: behind one of time v, others of v − gap, v −
    2·gap, …

    >>> corrected(np.array([0.001, 0.035]), 0.01).round(3).tolist()
    [0.001, 0.035, 0.025, 0.015]
    """
    if not gap_s > 0:
        raise SpeLabError(
            f"gap_s must be above 0, got {gap_s}; it is the time between the requests that were meant to be sent"
        )
    missing = [
        np.arange(value - gap_s, gap_s * (1 - 1e-9), -gap_s) for value in measured[measured > 2 * gap_s * (1 - 1e-9)]
    ]
    return np.concatenate([measured, *missing])


def table(named: Mapping[str, np.ndarray]) -> Text:
    """Latencies in milliseconds by name: how many, their mean, and their percentiles."""
    rows = ["| simulated | requests | mean | p50 | p99 | p99.9 |", "|---|---|---|---|---|---|"]
    for name, measured in named.items():
        marks = np.quantile(measured, [0.5, 0.99, 0.999], method="inverted_cdf")
        rows.append(
            f"| {name} | {len(measured)} | {1e3 * measured.mean():.1f} ms | "
            + " | ".join(f"{1e3 * mark:.0f} ms" for mark in marks)
            + " |"
        )
    return Text("\n".join(rows))
