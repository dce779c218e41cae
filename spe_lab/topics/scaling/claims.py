"""What chapter 05a says that a machine can contradict, decided by the reader's runs."""

import math

import numpy as np

from spe_lab.core.machine import cpus
from spe_lab.core.reader.claims import Claim
from spe_lab.core.recording import Run

SMALL, LARGE = 4096, 1 << 17  # elements: both arrays fit into the first-level cache; they do not, by far
ALIKE = 1.1  # ratio below which two times count as equal


def _values(run: Run, name: str, source: str = "measured") -> dict[float, float]:
    """Return a curve of the run as a dict, without points that have no clean sample."""
    curves = run.measured if source == "measured" else run.predicted
    found = next((curve for curve in curves if curve.name == name), None)
    pairs = [] if found is None else zip(found.x.values.tolist(), found.values.tolist(), strict=True)
    return {x: value for x, value in pairs if math.isfinite(value)}


def _ratios(run: Run, one: str, other: str, source: str = "predicted") -> dict[float, float]:
    """Return the ratio of a measured curve to another curve where both are known."""
    above, below = _values(run, one), _values(run, other, source)
    return {x: above[x] / below[x] for x in above if below.get(x)}


def _waiting(run: Run) -> bool:
    return run.point["work"] == "waiting"


def below_the_law(run: Run) -> bool | None:
    ratios = {n: r for n, r in _ratios(run, "speed-up", "Amdahl's law").items() if n >= 16}
    return all(r < 1 for r in ratios.values()) if ratios and _waiting(run) else None


def gap_grows(run: Run) -> bool | None:
    ratios = _ratios(run, "speed-up", "Amdahl's law")
    if not _waiting(run) or not ({4, 32} <= ratios.keys()):
        return None
    return ratios[32] < ratios[4]


def costs_explain(run: Run) -> bool | None:
    plain, paid = (_ratios(run, "speed-up", name) for name in ("Amdahl's law", "with costs"))
    many = [n for n in plain if n >= 16]
    if not many or not _waiting(run):
        return None
    return max(abs(paid[n] - 1) for n in many) < max(abs(plain[n] - 1) for n in many)


def cores_limit(run: Run) -> bool | None:
    measured = _values(run, "speed-up")
    return None if _waiting(run) or not measured else max(measured.values()) < 1.05 * cpus.current().cores


def beyond_the_limit(run: Run) -> bool | None:
    measured = _values(run, "scaled speed-up")
    if not _waiting(run) or not measured or not run.point["P"] < 1:
        return None
    return max(measured.values()) > 1 / (1 - run.point["P"]) if max(measured) >= 16 else None


def has_a_maximum(run: Run) -> bool | None:
    measured = _values(run, "speed-up")
    if run.point["threads"] != "created" or not _waiting(run) or max(measured, default=0) < 32:
        return None
    return measured[max(measured)] < 0.95 * max(measured.values())


def costs_explain_coherency(run: Run) -> bool | None:
    ratios = _ratios(run, "speed-up", "σ = 1 − P and κ = c/T₁")
    if run.point["threads"] != "created" or not _waiting(run) or not ratios:
        return None
    return float(np.median([abs(r - 1) for r in ratios.values()])) < 0.1


def last_points_are_far(run: Run) -> bool | None:
    ratios = _ratios(run, "speed-up", "fitted")
    errors = [abs(ratios[n] - 1) for n in sorted(ratios)]
    return max(errors[-2:]) > max(errors[:-2]) if len(errors) >= 6 else None


def _in_cache(run: Run, *names: str) -> list[float] | None:
    found = [_values(run, name).get(SMALL) for name in names]
    return None if None in found else [value for value in found if value is not None]


def chain_is_constant(run: Run) -> bool | None:
    chain = [value for n, value in _values(run, "one chain").items() if 1024 <= n <= 1 << 16]
    return max(chain) < ALIKE * min(chain) if len(chain) >= 3 else None


def chains_are_not_eightfold(run: Run) -> bool | None:
    found = _in_cache(run, "one chain", "instructions")
    return None if found is None else ALIKE < found[0] / found[1] < 8 / ALIKE


def vectors_take_a_quarter(run: Run) -> bool | None:
    found = _in_cache(run, "one chain", "data")
    return None if found is None else 0.22 < found[1] / found[0] < 0.3


def threads_need_length(run: Run) -> bool | None:
    ratios = _ratios(run, "tasks", "one chain", "measured")
    if run.point["each"] != "one chain" or run.point["threads"] < 2 or cpus.current().cores < 2:
        return None
    return ratios[min(ratios)] > 1 > ratios[LARGE] if LARGE in ratios and min(ratios) <= 128 else None


def _slowed(run: Run, name: str) -> float | None:
    """Return the time at the longest length over that in the first-level cache; None if the run has neither."""
    values = _values(run, name)
    longest = max(values, default=0)
    return values[longest] / values[SMALL] if SMALL in values and longest >= 1 << 22 else None


def memory_slows_vectors(run: Run) -> bool | None:
    slowed = _slowed(run, "data")
    return None if slowed is None else slowed > ALIKE


def memory_spares_one_chain(run: Run) -> bool | None:
    chain, vectors = _slowed(run, "one chain"), _slowed(run, "data")
    return None if chain is None or vectors is None else chain < vectors


def levels_multiply(run: Run) -> bool | None:
    ratios = _ratios(run, "tasks", "data", "measured")
    if run.point["each"] != "eight chains of vectors" or run.point["threads"] < 2 or cpus.current().cores < 2:
        return None
    return ratios[LARGE] < 1 if LARGE in ratios else None


def memory_levels_them(run: Run) -> bool | None:
    tasks = _values(run, "tasks")
    longest = max(tasks, default=0)
    if run.point["each"] != "eight chains of vectors" or longest < 1 << 22:
        return None
    return tasks[longest] > 2 * min(tasks.values())


def hot_path_does_not_help(run: Run) -> bool | None:
    times = _values(run, "executed")
    if (run.point["graph"], run.point["cut"]) != ("page", "hot path") or not {3, 16} <= times.keys():
        return None
    return times[16] > 0.95 * times[3]


def critical_path_helps(run: Run) -> bool | None:
    times = _values(run, "executed")
    if (run.point["graph"], run.point["cut"]) != ("page", "critical path") or not {3, 12} <= times.keys():
        return None
    return times[12] < 0.7 * times[3]


def tasks_end_late(run: Run) -> bool | None:
    ratios = _ratios(run, "executed", "list schedule")
    return min(ratios.values()) > 1 if ratios else None


def small_ones_win_in_between(run: Run) -> bool | None:
    ratios = _ratios(run, "scale-out", "scale-up", "measured")
    return ratios[32] < 1 < ratios[2] if {2, 32} <= ratios.keys() else None


CLAIMS = (
    Claim("scaling.amdahl", "From 16 threads on, waiting work stays below Amdahl's law.", below_the_law),
    Claim("scaling.amdahl", "The gap to Amdahl's law is larger at 32 threads than at 4.", gap_grows),
    Claim("scaling.amdahl", "From 16 threads on, *with costs* is closer than Amdahl's law.", costs_explain),
    Claim("scaling.amdahl", "Spinning work is at most as many times faster as there are cores.", cores_limit),
    Claim("scaling.gustafson", "The scaled speed-up passes 1/(1 − P), Amdahl's limit.", beyond_the_limit),
    Claim("scaling.usl", "With created threads the speed-up has a maximum, and then falls.", has_a_maximum),
    Claim(
        "scaling.usl",
        "The curve of σ = 1 − P and κ = c/T₁, which is not fitted, is within 10 % at the median.",
        costs_explain_coherency,
    ),
    Claim("scaling.usl", "The last two points include the one that is furthest from the fit.", last_points_are_far),
    Claim("scaling.parallelism", "One chain costs the same at all lengths from 1,024 to 65,536.", chain_is_constant),
    Claim("scaling.parallelism", "Eight chains are faster than one, but not eight times.", chains_are_not_eightfold),
    Claim("scaling.parallelism", "One chain of vectors takes a quarter of the time.", vectors_take_a_quarter),
    Claim("scaling.parallelism", "Two threads lose at short lengths and win at long ones.", threads_need_length),
    Claim(
        "scaling.parallelism",
        "Vectors are slower at the longest length than in the first-level cache.",
        memory_slows_vectors,
    ),
    Claim(
        "scaling.parallelism",
        "Between these two lengths one chain slows down by a smaller factor than vectors.",
        memory_spares_one_chain,
    ),
    Claim("scaling.parallelism", "Two threads with the best loop beat one chain of vectors.", levels_multiply),
    Claim(
        "scaling.parallelism",
        "At the longest length the best loop on two threads takes more than twice its shortest time.",
        memory_levels_them,
    ),
    Claim(
        "scaling.critical_path",
        "With the hot path cut, 16 workers are no faster than 3.",
        hot_path_does_not_help,
    ),
    Claim(
        "scaling.critical_path",
        "With the critical path cut, 12 workers are faster than 3 by more than 30 %.",
        critical_path_helps,
    ),
    Claim("scaling.critical_path", "Executed graphs take longer than their list schedule.", tasks_end_late),
    Claim(
        "scaling.cost",
        "Two small machines cost more than one big one, and 32 cost less.",
        small_ones_win_in_between,
    ),
)
