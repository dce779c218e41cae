"""Coordinated omission: latency of a simulated server, measured by a closed and by an open client.

The server answers in a millisecond and stalls for a second every ten seconds. The term and the correction are Gil
Tene's ("How NOT to Measure Latency", 2013).
"""

from collections.abc import Mapping

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError
from spe_lab.core.text import Folded, Text

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
    """Return the latency that a client measures for each request, in seconds.

    - `client`: "closed" waits for each answer before the next request, and starts its clock when it sends;
      "open" sends every `gap_s` in any case, and starts its clock when the request is due
    - `gap_s`, `service_s`: time between due requests, and service time
    - `period_s`, `frozen_s`: the server stalls for `frozen_s` in every `period_s`
    - `duration_s`: length of the simulation

    Raise SpeLabError for an argument outside its domain.

    >>> len(latencies("open")), float(latencies("closed").max())
    (10000, 1.001)
    """
    if client not in CLIENTS:
        raise SpeLabError(f"client must be closed or open, got {client!r}; write for example 'open'")
    names = ("gap_s", "service_s", "period_s", "frozen_s", "duration_s")
    times = (gap_s, service_s, period_s, frozen_s, duration_s)
    for name, value in zip(names, times, strict=True):
        if not (0 if name == "frozen_s" else 1e-9) <= value <= 1e6:
            rule = f"{name} must be between a nanosecond and 1e6 s"
            raise SpeLabError(f"{rule}, got {value}; choose a value in that range")
    library = native.load("objectives")
    server = library.struct("stalling")(*(round(value * NS) for value in times))
    if server.service + server.frozen >= server.period:
        rule = f"period_s must be longer than service_s + frozen_s = {service_s + frozen_s:g}"
        raise SpeLabError(f"{rule}, got {period_s}; make the period longer")
    gaps = server.duration // server.gap + 1  # computed from the whole nanoseconds that C uses
    if gaps > MOST_REQUESTS:
        raise SpeLabError(f"duration_s must be at most {MOST_REQUESTS:,} gaps, got {gaps:,}; take a shorter one")
    latency = np.empty(gaps + 1)
    count = (library.replay_closed if client == "closed" else library.replay_open)(server, latency)
    check(count, library)
    return latency[:count] / NS


def corrected(measured: np.ndarray, gap_s: float = 0.01) -> np.ndarray:
    """Return a closed client's latencies, with v − gap, v − 2·gap, … added for each latency v.

    >>> corrected(np.array([0.001, 0.035]), 0.01).round(3).tolist()
    [0.001, 0.035, 0.025, 0.015]
    """
    if not gap_s > 0:
        raise SpeLabError(f"gap_s must be above 0, got {gap_s}; give the time between due requests")
    least = gap_s * (1 - 1e-9)
    missing = [np.arange(value - gap_s, least, -gap_s) for value in measured[measured > 2 * least]]
    return np.concatenate([measured, *missing])


def table(named: Mapping[str, np.ndarray], folded: str = "") -> Text:
    """Return a table of latencies by name: number, mean and percentiles in milliseconds.

    With a title `folded` the reader has to unfold it: "Run All" gives nothing away.
    """
    rows = ["| simulated | requests | mean | p50 | p99 | p99.9 |", "|---|---:|---:|---:|---:|---:|"]
    for name, measured in named.items():
        marks = np.quantile(measured, [0.5, 0.99, 0.999], method="inverted_cdf")
        percentiles = " | ".join(f"{1e3 * mark:.0f} ms" for mark in marks)
        rows.append(f"| {name} | {len(measured)} | {1e3 * measured.mean():.1f} ms | {percentiles} |")
    shown = "\n".join(rows)
    return Folded((folded, shown)) if folded else Text(shown)
