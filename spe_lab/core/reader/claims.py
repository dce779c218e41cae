"""Claims of a chapter, checked against the reader's own runs: `claims("memory", run1, run2, …)`.

A topic's claims.py has CLAIMS, the sentences of its *Explain* sections that name a number or an order and that a
machine can contradict. What is true by the model is not a claim; a test shows it.
"""

import importlib
import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core import registry
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.recording import Run

CONTRADICTED, SHOWN, UNDECIDED, WAITING = "contradicted here", "shown here", "not decided", "not measured yet"
MARKS = {CONTRADICTED: "✘", SHOWN: "✔", UNDECIDED: "≈", WAITING: "○"}
MEANING = (
    "A contradiction is a finding, not your mistake. Measure once more; if the contradiction stays, an assumption of"
    " the model does not hold on this machine. *Where the model breaks* says which one to suspect."
)


@dataclass(frozen=True)
class Claim:
    """A sentence that a run can contradict.

    - lab: id of the lab whose run decides
    - sentence: as in the chapter's *Explain*, in Markdown
    - holds: `holds(run)` returns True or False, or None if this run does not decide (other settings, noise)
    - otherwise: what a contradiction means, if it means something particular
    """

    lab: str
    sentence: str
    holds: Callable[[Run], bool | None]
    otherwise: str = ""


class Interval(NamedTuple):
    """A measured value with its interval."""

    low: float
    value: float
    high: float


class ClaimTable:
    """The claims of a chapter with what the reader's runs say, those that are contradicted first.

    Claims that wait for a measurement are counted and not shown: their sentences give answers away.
    """

    def __init__(self, rows: Sequence[tuple[str, Claim]]) -> None:
        order = list(MARKS)
        self.rows = sorted(rows, key=lambda row: order.index(row[0]))

    def of(self, state: str) -> list[Claim]:
        """Return the claims in this state."""
        return [claim for found, claim in self.rows if found == state]

    @property
    def verdict(self) -> str:
        """The table in one or two sentences."""
        contradicted, shown, n = len(self.of(CONTRADICTED)), len(self.of(SHOWN)), len(self.rows)
        if contradicted:
            return f"This machine contradicts {contradicted} of the chapter's {n} claims. {MEANING}"
        if shown:
            return f"This machine shows {shown} of the chapter's {n} claims and contradicts none."
        return f"None of the chapter's {n} claims is decided yet. Measure in the labs above, then run this cell again."

    @property
    def told(self) -> list[tuple[str, Claim]]:
        """The claims that a run says something about."""
        return [(state, claim) for state, claim in self.rows if state != WAITING]

    @property
    def waiting(self) -> str:
        """How many claims wait for a measurement, and of which labs; empty for none."""
        claims_ = self.of(WAITING)
        if not claims_:
            return ""
        labs = ", ".join(dict.fromkeys(registry.get(claim.lab).title for claim in claims_))
        number = "1 claim is" if len(claims_) == 1 else f"{len(claims_)} claims are"
        return f"{MARKS[WAITING]} {number} {WAITING} ({labs}), and so not shown."

    def __repr__(self) -> str:
        lines = [f"{MARKS[state]} {state}: {_sentence(state, claim)} ({claim.lab})" for state, claim in self.told]
        return "\n".join(filter(None, [self.verdict, *lines, self.waiting]))

    def _repr_markdown_(self) -> str:
        rows = ["| on this machine | claim | lab |", "|---|---|---|"]
        for state, claim in self.told:
            sentence = _sentence(state, claim).replace("|", r"\|")
            rows.append(f"| {MARKS[state]} {state} | {sentence} | {registry.get(claim.lab).title} |")
        parts = [self.verdict, "\n".join(rows) if self.told else "", self.waiting]
        return "\n\n".join(filter(None, parts))


def _sentence(state: str, claim: Claim) -> str:
    return f"{claim.sentence} {claim.otherwise}" if state == CONTRADICTED and claim.otherwise else claim.sentence


def claims(stem: str, *runs: Any) -> ClaimTable:
    """Return the claims of a chapter beside what these runs say. Runs that are missing or recorded decide nothing."""
    own: dict[str, list[Run]] = {}
    for run in runs:
        if isinstance(run, Run) and run.measured and all(curve.source != "recorded" for curve in run.measured):
            own.setdefault(run.lab, []).append(run)
    return ClaimTable([(_state(claim, own.get(claim.lab, ())), claim) for claim in claims_of(stem)])


def claims_of(stem: str) -> Sequence[Claim]:
    """Return the claims in a topic's claims.py."""
    try:
        return importlib.import_module(f"spe_lab.topics.{stem}.claims").CLAIMS
    except ModuleNotFoundError:
        known = [each for each in registry.stems() if _has_claims(each)]
        raise SpeLabError(f"stem must be one of {', '.join(known)}, got {stem!r}; name one of them") from None


def _has_claims(stem: str) -> bool:
    return importlib.util.find_spec(f"spe_lab.topics.{stem}.claims") is not None


def _state(claim: Claim, runs: Sequence[Run]) -> str:
    if not runs:
        return WAITING
    found = [_holds(claim, run) for run in runs]
    return CONTRADICTED if False in found else SHOWN if True in found else UNDECIDED


def _holds(claim: Claim, run: Run) -> bool | None:
    try:
        held = claim.holds(run)
    except MeasurementError:  # too noisy to be fitted
        return None
    return None if held is None else bool(held)


# ---- What claims are made of


def at(run: Run, name: str, x: float) -> Interval | None:
    """Return the value of a curve at x with its interval; None if the run has no clean sample there.

    `name` is the curve's name, or enough of its beginning.
    """
    curve = next((curve for curve in run.curves if curve.name.startswith(name)), None)
    places = np.flatnonzero(np.isclose(run.x.values, x))
    if curve is None or places.size == 0:
        return None
    interval = Interval(*(float(part[places[0]]) for part in (curve.low, curve.values, curve.high)))
    return interval if all(map(math.isfinite, interval)) else None


def less(a: Interval | float | None, b: Interval | float | None, factor: float = 1.0) -> bool | None:
    """Return True if a < factor · b, False if a > factor · b, None where the intervals overlap or are missing."""
    if a is None or b is None:
        return None
    a, b = (each if isinstance(each, Interval) else Interval(each, each, each) for each in (a, b))
    return True if a.high < factor * b.low else False if a.low > factor * b.high else None


def between(a: Interval | None, low: float, high: float) -> bool | None:
    """Return True if the interval lies between low and high, False if it lies outside, None if it overlaps an end."""
    if a is None:
        return None
    return True if low <= a.low and a.high <= high else False if a.high < low or a.low > high else None


def both(*parts: bool | None) -> bool | None:
    """Return True if all parts are True, False if one is False, else None."""
    return False if False in parts else None if None in parts else True


def fit_of(run: Run) -> Any:
    """Return the fit of a run's own data. Raise MeasurementError if they are too noisy."""
    return registry.get(run.lab).fit(run)
