"""Claims of chapter 03c that a machine can contradict."""

from collections.abc import Sequence

import numpy as np

from spe_lab.core.reader.claims import Claim, Interval, at, both, less
from spe_lab.core.recording import Run

KIB, MIB = 1 << 10, 1 << 20
ALIKE = 1.25  # the factor by which times that the text calls equal may differ


def eight_ways_are_enough(run: Run) -> bool | None:
    """Evenly spread addresses: a level with 8 ways misses nearly as often as a fully associative one."""
    if run.point["w"] & (run.point["w"] - 1) == 0 and run.point["w"] > 64:
        return None  # items a power of two apart compete for a few sets
    full, ways = run.measured[0].values, run.measured[1].values
    return bool((np.abs(ways - full) <= 0.1 * full).all()) if np.isfinite([ways, full]).all() else None


def stream_evicts_the_table(run: Run) -> bool | None:
    if run.point["plan"] != "look-ups and a stream":
        return None
    return less(at(run, "published rules", 128 * KIB), at(run, "fully associative", 128 * KIB), 0.5)


def windows_see_it(run: Run) -> bool | None:
    if run.point["plan"] != "look-ups and a stream":
        return None
    ours, found = at(run, "stack distances", 128 * KIB), at(run, "fully associative", 128 * KIB)
    return both(less(found, ours, 1.1), less(ours, found, 1.1))


def random_visits_rise(run: Run) -> bool | None:
    if run.point["pattern"] != "r_trav" or run.point["w"] < 64:
        return None
    return less(at(run, "dependent visits", 4 * KIB), at(run, "dependent visits", 4 * MIB), 0.5)


def sweeps_stay_cheap(run: Run) -> bool | None:
    if run.point["pattern"] != "s_trav" or run.point["w"] > 64:
        return None
    return less(at(run, "dependent visits", 4 * MIB), at(run, "dependent visits", 4 * KIB), 4)


def nest_is_better(run: Run) -> bool | None:
    if run.point["pattern"] != "nest":
        return None
    return less(at(run, "dependent visits", 4 * MIB), at(run, "model", 4 * MIB))


def a_hill(run: Run) -> bool | None:
    """Some share up to 10 % costs more than a larger one, 15 % or 30 %."""
    return _costs_more(run, 0.1, [at(run, "dependent visits", s) for s in (0.15, 0.3)])


def higher_than_all(run: Run) -> bool | None:
    return _costs_more(run, 0.2, [at(run, "dependent visits", 1.0)])


def _costs_more(run: Run, most: float, larger: Sequence[Interval | None]) -> bool | None:
    """Return True if a share up to `most` costs more than one of the `larger` shares, False if surely none does."""
    few = [at(run, "dependent visits", float(s)) for s in run.x.values if s <= most]
    found = [less(whole, each) for whole in larger for each in few if whole is not None and each is not None]
    return True if True in found else False if found and None not in found else None


def the_hill_ends_early(run: Run) -> bool | None:
    return less(at(run, "dependent visits", 0.1), at(run, "in order and at random", 0.1))


def every_tenth_is_cheaper(run: Run) -> bool | None:
    return less(at(run, "dependent visits", 0.1), at(run, "dependent visits", 1.0))


def many_clusters_are_expensive(run: Run) -> bool | None:
    return less(at(run, "one pass", 2), at(run, "one pass", 14), 1 / ALIKE)


def flat_before_the_mark(run: Run) -> bool | None:
    """Before half of the first level's lines are open, the number of clusters does not matter."""
    mark = np.log2(run.point.get("C_L1", 32 * KIB) / 64)
    values = run.measured[0].values[run.x.values <= mark - 2]
    if values.size < 2 or not np.isfinite(values).all():
        return None
    return bool(values.max() <= ALIKE * values.min())


def two_passes_are_flat(run: Run) -> bool | None:
    values = run.measured[1].values
    return bool(values.max() <= ALIKE * values.min()) if np.isfinite(values).all() else None


def two_passes_pay(run: Run) -> bool | None:
    return less(at(run, "two passes", 14), at(run, "one pass", 14))


CLAIMS = (
    Claim(
        "patterns.basic",
        "With evenly spread addresses, a level with 8 ways misses as often as a fully associative one, within 10 %.",
        eight_ways_are_enough,
    ),
    Claim(
        "patterns.compose",
        "*Look-ups and a stream* at 128 KiB: the published rules count less than half of the misses.",
        stream_evicts_the_table,
    ),
    Claim(
        "patterns.compose",
        "*Look-ups and a stream* at 128 KiB: the model by stack distances is right within 10 %.",
        windows_see_it,
    ),
    Claim(
        "patterns.time",
        "A random traversal of 4 MiB costs more than twice as much per visit as one of 4 KiB.",
        random_visits_rise,
    ),
    Claim(
        "patterns.time",
        "A sweep over 4 MiB costs less than four times as much per visit as one over 4 KiB: the prefetcher works.",
        sweeps_stay_cheap,
    ),
    Claim(
        "patterns.time",
        "A nest over 4 MiB costs less than the model says: a prefetcher follows its cursors.",
        nest_is_better,
        "This processor's prefetcher does not follow that many cursors at a time.",
    ),
    Claim(
        "patterns.conditional",
        "There is a hill: a share up to 10 % costs more than a larger one, 15 % or 30 %.",
        a_hill,
    ),
    Claim(
        "patterns.conditional",
        "The hill is higher than the right end: some share up to 20 % costs more than all items.",
        higher_than_all,
        "On this machine the loop itself costs more than the misses that its prefetcher leaves.",
    ),
    Claim("patterns.conditional", "Reading every tenth item costs less than reading all.", every_tenth_is_cheaper),
    Claim(
        "patterns.conditional",
        "The measured hill ends earlier than the model's: at a share of 10 % an item costs less than predicted.",
        the_hill_ends_early,
    ),
    Claim(
        "patterns.partition",
        "A row costs at least 25 % more with 14 bits in one pass than with 2 bits.",
        many_clusters_are_expensive,
    ),
    Claim(
        "patterns.partition",
        "One pass: up to a quarter of the first level's lines, the number of clusters does not matter (within 25 %).",
        flat_before_the_mark,
        "Something smaller than the first-level cache limits this machine, such as a first-level TLB.",
    ),
    Claim(
        "patterns.partition",
        "Two passes cost the same for each number of bits, within 25 %, as the model says.",
        two_passes_are_flat,
        "Each pass of a few bits costs more here than the model of one pass says, and two passes pay that twice.",
    ),
    Claim("patterns.partition", "With 14 bits, two passes are cheaper than one.", two_passes_pay),
)
