"""What chapter 05a says that a machine can contradict, decided by the reader's runs."""

import numpy as np

from spe_lab.core.machine import cpus
from spe_lab.core.reader.claims import Claim, Interval, at, between, both, less
from spe_lab.core.recording import Run

SMALL, LARGE, HUGE = 4096, 1 << 17, 1 << 22  # elements: in the first-level cache; beyond it; in memory
MANY = (16, 32, 64)  # threads
ALIKE = 1.1  # ratio below which two times count as equal


def _over_model(run: Run, measured: str, predicted: str, x: float) -> Interval | None:
    """Return a measured value over a predicted one at the same x; None if the run has no clean sample there."""
    value, model = at(run, measured, x), _model(run, predicted)
    return None if value is None or not model.get(x) else Interval(*(each / model[x] for each in value))


def _model(run: Run, name: str) -> dict[float, float]:
    curve = next(curve for curve in run.predicted if curve.name == name)
    return dict(zip(curve.x.values.tolist(), curve.values.tolist(), strict=True))


def _errors(run: Run, measured: str, predicted: str) -> dict[float, float]:
    """Return the relative error of a predicted curve at each x with a clean sample."""
    ratios = {x: _over_model(run, measured, predicted, x) for x in run.x.values.tolist()}
    return {x: abs(ratio.value - 1) for x, ratio in ratios.items() if ratio}


def _waiting(run: Run) -> bool:
    return run.point["work"] == "waiting"


def _created(run: Run) -> bool:
    return _waiting(run) and run.point["threads"] == "created"


def below_the_law(run: Run) -> bool | None:
    return both(*(less(_over_model(run, "speed-up", "Amdahl's law", n), 1) for n in MANY)) if _waiting(run) else None


def gap_grows(run: Run) -> bool | None:
    many, few = (_over_model(run, "speed-up", "Amdahl's law", n) for n in (32, 4))
    return less(many, few) if _waiting(run) else None


def costs_explain(run: Run) -> bool | None:
    plain, paid = (_errors(run, "speed-up", name) for name in ("Amdahl's law", "with costs"))
    many = [n for n in plain if n in MANY]
    return max(paid[n] for n in many) < max(plain[n] for n in many) if many and _waiting(run) else None


def cores_limit(run: Run) -> bool | None:
    if _waiting(run):
        return None
    return both(*(less(at(run, "speed-up", n), 1.05 * cpus.current().cores) for n in MANY))


def beyond_the_limit(run: Run) -> bool | None:
    if not _waiting(run) or run.point["P"] >= 1:
        return None
    past = less(at(run, "scaled speed-up", 64), 1 / (1 - run.point["P"]))
    return None if past is None else not past


def has_a_maximum(run: Run) -> bool | None:
    return less(at(run, "speed-up", 64), at(run, "speed-up", 12)) if _created(run) else None


def costs_explain_coherency(run: Run) -> bool | None:
    errors = _errors(run, "speed-up", "σ = 1 − P and κ = c/T₁")
    return float(np.median(list(errors.values()))) < 0.1 if _created(run) and errors else None


def chain_is_constant(run: Run) -> bool | None:
    few, many = (at(run, "one chain", n) for n in (2048, 1 << 15))
    return both(less(many, few, ALIKE), less(few, many, ALIKE))


def chains_are_not_eightfold(run: Run) -> bool | None:
    one, eight = (at(run, name, SMALL) for name in ("one chain", "instructions"))
    return both(less(eight, one), less(one, eight, 7))


def vectors_take_a_quarter(run: Run) -> bool | None:
    one, vectors = (at(run, name, SMALL) for name in ("one chain", "data"))
    return None if one is None or vectors is None else between(Interval(*(v / one.value for v in vectors)), 0.22, 0.3)


def _two_threads(run: Run, each: str) -> bool:
    return run.point["each"] == each and run.point["threads"] >= 2 and cpus.current().cores >= 2


def threads_need_length(run: Run) -> bool | None:
    if not _two_threads(run, "one chain"):
        return None
    (short, alone), (long, slow) = ([at(run, name, n) for name in ("tasks", "one chain")] for n in (64, LARGE))
    return both(less(alone, short), less(long, slow))


def memory_slows_vectors(run: Run) -> bool | None:
    return less(at(run, "data", SMALL), at(run, "data", HUGE), 1 / ALIKE)


def _slowed(run: Run, name: str) -> float | None:
    small, huge = (at(run, name, n) for n in (SMALL, HUGE))
    return None if small is None or huge is None else huge.value / small.value


def memory_spares_one_chain(run: Run) -> bool | None:
    chain, vectors = _slowed(run, "one chain"), _slowed(run, "data")
    return None if chain is None or vectors is None else chain < vectors


def levels_multiply(run: Run) -> bool | None:
    return less(at(run, "tasks", LARGE), at(run, "data", LARGE)) if _two_threads(run, BEST) else None


def memory_levels_them(run: Run) -> bool | None:
    return less(at(run, "tasks", LARGE), at(run, "tasks", HUGE), 1 / 2) if _two_threads(run, BEST) else None


def _page(run: Run, cut: str) -> bool:
    return run.point["graph"] == "page" and run.point["cut"] == cut


def hot_path_does_not_help(run: Run) -> bool | None:
    three, more = (at(run, "executed", n) for n in (3, 16))
    return less(three, more, 1 / 0.95) if _page(run, "hot path") else None


def critical_path_helps(run: Run) -> bool | None:
    three, more = (at(run, "executed", n) for n in (3, 12))
    return less(more, three, 0.7) if _page(run, "critical path") else None


def tasks_end_late(run: Run) -> bool | None:
    late = [_over_model(run, "executed", "list schedule", n) for n in run.x.values.tolist()]
    return both(*(less(Interval(1, 1, 1), ratio) for ratio in late if ratio)) if any(late) else None


def small_ones_win_in_between(run: Run) -> bool | None:
    (one, other), (many, big) = ([at(run, way, n) for way in ("scale-out", "scale-up")] for n in (2, 32))
    return both(less(other, one), less(many, big))


BEST = "eight chains of vectors"
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
    Claim(
        "scaling.parallelism",
        "One chain costs the same per element at 2,048 and at 32,768 elements.",
        chain_is_constant,
    ),
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
