"""A simulated log of requests with head-of-line blocking, and the waits behind each endpoint."""

from collections.abc import Iterator
from functools import cache

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.text import Text
from spe_lab.models.queues import Split, empirical, lognormal, poisson, simulate

SERVERS, LOAD, REQUESTS, SEED = 4, 0.4, 20_000, 3
# Share of the requests and mean service in ms. One report in a thousand also reads the archive.
ENDPOINTS = {"home": (0.55, 1.0), "search": (0.2, 5.0), "basket": (0.05, 2.0), "report": (0.2, 0.3)}
ARCHIVE_MS, ARCHIVE_SHARE = 800.0, 0.001
CULPRIT = "report"
_SAMPLE = 100_000  # services to draw from


@cache
def incident() -> np.ndarray:
    """Simulate 20,000 requests to random ones of four servers, each with a queue of its own.

    Return records of `endpoint`, `server`, and the times `arrival`, `start` and `departure` in ms, sorted by arrival.
    """
    values, endpoint = _services()
    law = empirical(values, "requests")
    run = simulate(Split(SERVERS), poisson(LOAD * SERVERS / law.mean), law, REQUESTS, SEED, who=True)
    times = [(name, float) for name in ("arrival", "start", "departure")]
    log = np.zeros(REQUESTS, [("endpoint", "U6"), ("server", int), *times])
    order = np.argsort(values)
    # The lengths of services are distinct, so a length identifies its endpoint.
    log["endpoint"] = endpoint[order[np.searchsorted(values, run.all_services, sorter=order)]]
    log["server"], log["arrival"] = run.server, run.all_arrivals
    log["departure"] = run.all_arrivals + run.all_sojourns
    log["start"] = log["departure"] - run.all_services
    log.flags.writeable = False
    return log


def _services() -> tuple[np.ndarray, np.ndarray]:
    """Return distinct lengths of services, and the endpoint of each."""
    values, endpoint = [], []
    for seed, (name, (share, mean)) in enumerate(ENDPOINTS.items(), 1):
        n = round(share * _SAMPLE)
        drawn = lognormal(mean, 0.5).sample(n, seed)
        if name == CULPRIT:
            drawn[: round(ARCHIVE_SHARE * n)] += ARCHIVE_MS
        values.append(drawn)
        endpoint += [name] * n
    return np.concatenate(values), np.array(endpoint)


def blame(log: np.ndarray) -> dict[str, float]:
    """Return the total wait in ms behind each endpoint during its services, in descending order."""
    _check(log)
    blamed = dict.fromkeys(np.unique(log["endpoint"]).tolist(), 0.0)
    for server in np.unique(log["server"]):
        for name, waited in _waits(log[log["server"] == server]):
            blamed[name] += waited
    return dict(sorted(blamed.items(), key=lambda item: -item[1]))


def _check(log: np.ndarray) -> None:
    fields = {"endpoint", "server", "arrival", "start", "departure"}
    if not isinstance(log, np.ndarray) or log.dtype.names is None or not fields <= set(log.dtype.names):
        rule = "log must have endpoint, server, arrival, start and departure for each request"
        raise SpeLabError(f"{rule}; give queueing.incident() or a part of it")


def _waits(line: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield for each request its endpoint, and the total wait of later requests during its service."""
    for i, (name, start, end) in enumerate(zip(line["endpoint"], line["start"], line["departure"], strict=True)):
        behind = line["arrival"][i + 1 : i + 1 + np.searchsorted(line["arrival"][i + 1 :], end)]
        yield str(name), float((end - np.maximum(behind, start)).sum())


def by_endpoint(log: np.ndarray) -> Text:
    """Return a table of the requests and the mean sojourn of each endpoint."""
    _check(log)
    sojourn = log["departure"] - log["arrival"]
    rows = ["| endpoint | requests | mean sojourn, ms |", "|---|---:|---:|"]
    for name in np.unique(log["endpoint"]).tolist():
        own = log["endpoint"] == name
        rows.append(f"| {name} | {np.count_nonzero(own):,} | {sojourn[own].mean():.1f} |")
    return Text("\n".join(rows))
