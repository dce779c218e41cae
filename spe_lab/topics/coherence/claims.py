"""Claims of chapter 04c that a machine can contradict."""

import numpy as np

from spe_lab.core.reader.claims import Claim, at, fit_of, less
from spe_lab.core.recording import Run

SLACK = 1.25  # factor by which times that the text calls equal may differ: contention differs from trial to trial
ALONE = 512.0  # bytes, at which no words share a line
SERIAL = ("atomic add", "compare-and-swap", "store + fence")  # each operation completes on the line before the next
FAR_LESS = 0.1
STORE_BUFFER = 100  # entries that a store buffer has at most, on cores of today


def line(run: Run) -> float:
    return float(run.machine["parameters"]["line_size"]["value"])


def split(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return the clean times on a shared line and on lines apart, for two threads."""
    x, values = run.x.values, run.measured[0].values
    clean = np.isfinite(values)
    return values[clean & (x < line(run))], values[clean & (x >= line(run))]


def contended(run: Run) -> bool:
    return run.point["operation"] in SERIAL and run.point["threads"] == 2


def step_at_the_line(run: Run) -> bool | None:
    shared, apart = split(run)
    if not contended(run) or not (shared.size and apart.size):
        return None
    return bool(shared.min() > apart.max())


def same_below_the_line(run: Run) -> bool | None:
    shared, _ = split(run)
    if not contended(run) or shared.size < 3:
        return None
    return bool(shared.max() <= SLACK * shared.min())


def below_the_bound(run: Run) -> bool | None:
    if not contended(run):
        return None
    bound = next(curve for curve in run.predicted if curve.name == "bound")
    return less(at(run, "together", 8), float(bound.values[np.argmin(np.abs(bound.x.values - 8))]))


def one_owner(run: Run) -> bool | None:
    if not contended(run):
        return None
    shared, apart = at(run, "together", 8), at(run, "together", ALONE)
    return None if apart is None else less(2 * apart.value, shared)


def stores_do_not_wait(run: Run) -> bool | None:
    """Return True if a store takes far less than the hand-off that moves the line."""
    if run.point["operation"] != "store only":
        return None
    return less(at(run, "together", 8), fit_of(run).hand_off, FAR_LESS)


def more_than_a_buffer_holds(run: Run) -> bool | None:
    if run.point["operation"] != "store only":
        return None
    fit = fit_of(run)
    return bool(not fit.seen or fit.k > STORE_BUFFER)


def updates_are_lost(run: Run) -> bool | None:
    counts = run.training["lost_updates"]
    if run.point["operation"] != "load + store" or counts is None:
        return None
    return bool(counts["same word"][0] > 0 and counts["own words"][0] == 0)


def peak_between(run: Run) -> bool | None:
    """Return True if messages peak between w = 1/2 and w = 1; None for settings at which the chain says otherwise."""
    point = run.point
    if (point["cores"], point["tenure"], point["lines"], point["layout"]) != (2, 4.0, 1, "shared lines"):
        return None
    messages = run.measured[0]
    return bool(0.5 <= run.x.values[np.argmax(messages.values)] < 1)


CLAIMS = (
    Claim(
        "coherence.mesi",
        "With two cores, a tenure of 4 and one line, messages peak between w = 50 % and w = 100 %.",
        peak_between,
    ),
    Claim(
        "coherence.false_sharing",
        "Two threads: every distance below the line size costs more than every distance from there on.",
        step_at_the_line,
        "Some processors fetch lines in pairs, and some have longer lines: then the step lies at 128 B.",
    ),
    Claim(
        "coherence.false_sharing",
        "Two threads: below the line size the distance does not matter, within 25 %.",
        same_below_the_line,
        "Contention differs from trial to trial; on a busy machine measure again.",
    ),
    Claim(
        "coherence.false_sharing",
        "Two threads at 8 B: an operation takes less than the bound, c + T·H.",
        below_the_bound,
        "The hand-off H was measured while the two threads ran closer together, or the virtual machine was moved.",
    ),
    Claim(
        "coherence.false_sharing",
        "Two threads at 8 B: an operation that must complete on the line takes at least twice as long as at 512 B.",
        one_owner,
        "Then the owner does much work for each hand-off, or the two threads run on one core.",
    ),
    Claim(
        "coherence.false_sharing",
        "*Store only*: 8 B apart, a store takes less than a tenth of a hand-off.",
        stores_do_not_wait,
    ),
    Claim(
        "coherence.false_sharing",
        "*Store only*: one hand-off serves more stores than a store buffer holds.",
        more_than_a_buffer_holds,
    ),
    Claim(
        "coherence.false_sharing",
        "*Load + store*: on one word some updates are lost, on words of their own none.",
        updates_are_lost,
    ),
)
