"""Distributions of service and of gaps, by the names of sliders; the unit is a mean service."""

from collections.abc import Callable, Mapping

from spe_lab.core.errors import SpeLabError
from spe_lab.models.queues import (
    Law,
    bimodal,
    bursty,
    deterministic,
    exponential,
    hyperexponential,
    lognormal,
    poisson,
    regular,
)

ONE_IN_TEN, ONE_IN_A_THOUSAND = "1 in 10 takes 11 ×", "1 in 1000 takes 1000 ×"

# By name, as functions of the squared coefficient of variation; distributions with a fixed one ignore it.
SERVICES: Mapping[str, Callable[[float], Law]] = {
    "deterministic": lambda _: deterministic(1.0),
    "exponential": lambda _: exponential(1.0),
    "lognormal": lambda scv: lognormal(1.0, scv),
    "hyperexponential": lambda scv: hyperexponential(1.0, scv),
    ONE_IN_TEN: lambda _: bimodal(1.0, 0.1, 11.0),
    ONE_IN_A_THOUSAND: lambda _: bimodal(1.0, 0.001, 1000.0),
}
ARRIVALS: Mapping[str, Callable[[float], Law]] = {"Poisson": poisson, "regular": regular, "bursty": bursty}
FOUR = ("deterministic", "exponential", ONE_IN_TEN, ONE_IN_A_THOUSAND)  # of the table that compares disciplines


def service(name: str, scv: float = 1.0) -> Law:
    """Return the distribution of service with this name.

    >>> [round(service(name).scv, 2) for name in FOUR]
    [0.0, 1.0, 2.25, 249.5]
    """
    if name not in SERVICES:
        raise SpeLabError(f"service must be one of {', '.join(SERVICES)}, got {name!r}; choose one")
    return SERVICES[name](scv)
