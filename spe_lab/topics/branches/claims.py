"""Claims of chapter 03d that a machine can contradict."""

import numpy as np

from spe_lab.core.reader.claims import Claim, at, between, both, fit_of, less
from spe_lab.core.recording import Run
from spe_lab.models import predictor as models
from spe_lab.topics.branches.selection import KEYS

SLACK = 1.1  # the share by which times that the text calls equal may differ
RARE = 0.02  # the share by which a simulated rate may miss the ideal one: the learning of 256 counters


def independent(run: Run, least: int = 100_000) -> bool:
    """Return True if a run of lab branches.predictor has long sequences of independent outcomes."""
    point = run.point
    return point["law"] == "random" and point["correlation"] == 0 and point["branches"] >= least


def nothing_beats_the_rarer_outcome(run: Run) -> bool | None:
    if not independent(run):
        return None
    ideal = models.ideal_rate(run.x.values)
    return all((curve.high >= ideal - 0.005).all() for curve in run.measured)


def history_needs_time(run: Run) -> bool | None:
    """In a short sequence of mostly taken branches a table mispredicts more often than one counter."""
    if run.point["branches"] != 100 or run.point["start"] != "strongly not taken" or run.point["law"] != "random":
        return None
    return less(at(run, "saturating counter", 0.9), at(run, "gshare", 0.9))


def history_learns_nothing(run: Run) -> bool | None:
    if not independent(run):
        return None
    ideal = float(models.ideal_rate(np.array([0.3]))[0])
    return both(*(between(at(run, name, 0.3), ideal - RARE, 0.37) for name in ("gshare", "local history")))


def repeats_are_easier(run: Run) -> bool | None:
    if run.point["law"] != "random" or run.point["correlation"] < 0.5 or run.point["states"] != 4:
        return None
    return less(at(run, "saturating counter", 0.3), at(run, "long run", 0.3))


def plain(run: Run) -> bool:
    """Return True if a run of lab branches.selectivity sums keys alone."""
    return run.point["payload"] == "none"


def worst_in_the_middle(run: Run) -> bool | None:
    values = run.measured[0].values
    if not plain(run) or not np.isfinite(values).all():
        return None
    return bool(0.35 <= run.x.values[values.argmax()] <= 0.65)


def flat(run: Run) -> bool | None:
    values = run.measured[1].values
    if not plain(run) or not np.isfinite(values).any():
        return None
    low, high = np.nanquantile(values, (0.1, 0.9))  # a single disturbed point contradicts nothing
    return bool(high <= SLACK * low)


def predication_wins_in_the_middle(run: Run) -> bool | None:
    return less(at(run, "predicated", 0.5), at(run, "branching", 0.5)) if plain(run) else None


def branch_wins_when_rarely_selected(run: Run) -> bool | None:
    return less(at(run, "branching", 0), at(run, "predicated", 0)) if plain(run) else None


def branch_wins_when_always_selected(run: Run) -> bool | None:
    return less(at(run, "branching", 1), at(run, "predicated", 1)) if plain(run) else None


def better_than_two_bits(run: Run) -> bool | None:
    return less(at(run, "inferred", 0.3), float(models.rate(np.array([0.3]), 4)[0]))


def not_better_than_ideal(run: Run) -> bool | None:
    return less(0.3 * 0.97, at(run, "inferred", 0.3))


def short_patterns_are_memorised(run: Run) -> bool | None:
    return less(at(run, "repeated pattern", 64), at(run, "repeated pattern", 2.0**20), 0.5)


def loops_lie_beyond(run: Run) -> bool | None:
    step = fit_of(run).span()
    return None if step is None else bool(step.capacity_high < KEYS)


CLAIMS = (
    Claim(
        "branches.predictor",
        "In a sequence of 100 branches that are mostly selected, a table of 256 counters mispredicts more often than"
        " one counter: each of its counters must learn.",
        history_needs_time,
    ),
    Claim(
        "branches.predictor",
        "On independent outcomes no predictor mispredicts less than the rarer outcome occurs, min(p, 1 − p).",
        nothing_beats_the_rarer_outcome,
    ),
    Claim(
        "branches.predictor",
        "On long independent sequences a history lies between the ideal and the four-state counter.",
        history_learns_nothing,
    ),
    Claim(
        "branches.predictor",
        "If outcomes tend to repeat, the counter mispredicts less than on independent outcomes.",
        repeats_are_easier,
    ),
    Claim(
        "branches.selectivity",
        "The branching loop is slowest near the middle, at a share p between 0.35 and 0.65.",
        worst_in_the_middle,
    ),
    Claim("branches.selectivity", "The predicated loop takes the same time for each p, within 10 %.", flat),
    Claim(
        "branches.selectivity",
        "At p = 0.5 the predicated loop is faster than the branching loop.",
        predication_wins_in_the_middle,
        "Look at the assembly: the compiler may have removed the branch, or vectorised one of the loops.",
    ),
    Claim(
        "branches.selectivity",
        "If no element is selected (p = 0), the branching loop is faster.",
        branch_wins_when_rarely_selected,
        "Compilers often invert the jump, so that it is *taken* when an element is not selected; a taken jump can cost"
        " as much as the masked addition.",
    ),
    Claim(
        "branches.selectivity",
        "If every element is selected (p = 1), the branching loop is faster.",
        branch_wins_when_always_selected,
    ),
    Claim(
        "branches.rate",
        "At p = 0.3 this machine mispredicts less often than a counter with four states (36 %).",
        better_than_two_bits,
    ),
    Claim(
        "branches.rate",
        "At p = 0.3 this machine does not mispredict less often than the ideal (30 %).",
        not_better_than_ideal,
        "The inference is off, not the theory: the base times between p = 0 and p = 1 do not lie on a straight line.",
    ),
    Claim(
        "branches.memorisation",
        "A random pattern of 64 branches costs less than half as much per element as a million fresh ones.",
        short_patterns_are_memorised,
    ),
    Claim(
        "branches.memorisation",
        "The million keys of labs 2 and 3 are more than this machine memorises.",
        loops_lie_beyond,
    ),
)
