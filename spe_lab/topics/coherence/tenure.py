"""Tenure of a contended line: hand-offs per operation, fitted block by block."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spe_lab.core.errors import MeasurementError
from spe_lab.core.sampling.statistics import centre
from spe_lab.core.text import Text
from spe_lab.core.units import render
from spe_lab.topics.coherence import models

RESOLVED = 0.05  # of an operation's time: smaller differences between two settings are lost in noise


@dataclass(frozen=True)
class Tenure:
    """A fitted tenure.

    - local, hand_off: time of an operation on a line of its own, and of a hand-off, in ns
    - rate, low, high: hand-offs per operation, 1/k, and its 95 % interval (NaN for too few blocks)
    """

    local: float
    hand_off: float
    rate: float
    low: float
    high: float
    training: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def k(self) -> float:
        """Operations per hand-off; infinite if no hand-off is visible."""
        return 1 / self.rate if self.seen else math.inf

    @property
    def seen(self) -> bool:
        """True if the time of the hand-offs exceeds the noise."""
        return self.rate * self.hand_off > RESOLVED * self.local

    def __str__(self) -> str:
        if not self.seen:
            operations = render(self.hand_off / (RESOLVED * self.local), "", 2)
            return f"The line is handed on too rarely to be visible: less than once in {operations} operations."
        ends = f" (95 % interval: {render(1 / self.high, '')} to {render(1 / self.low, '')})" if self.low > 0 else ""
        return f"The line is handed on once in {render(self.k, '')} operations{ends}."

    def summary(self) -> Text:
        """Return the measured times, the tenure and the number of lost updates in words."""
        training = self.training
        shared = centre(np.array(training["blocks"], dtype=float)[:, 0])[0]
        slower = f"{shared:.2f} ns on one line (×{shared / self.local:.1f})"
        alone = f"{training['operation']}, {training['threads']} threads: {self.local:.2f} ns on lines apart"
        sentences = [f"{alone}, {slower}, a hand-off takes {self.hand_off:.1f} ns.", str(self)]
        return Text(" ".join([*sentences, *lost_in_words(training["lost_updates"] or {})]))

    def to_dict(self) -> dict[str, Any]:
        return {
            "local_ns": self.local,
            "hand_off_ns": self.hand_off,
            "hand_offs_per_operation": self.rate,
            "interval": [v if math.isfinite(v) else None for v in (self.low, self.high)],
        }


def lost_in_words(counts: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each [lost, done] in the training's `lost_updates`."""
    places = {"same word": "On one word", "own words": "On words of their own"}
    return [
        f"{places[name]} {f'{lost / done:.0%}' if lost else 'none'} of {done:,} updates were lost."
        for name, (lost, done) in counts.items()
    ]


def fit(training: Mapping[str, Any]) -> Tenure:
    """Fit hand-offs per operation: the extra time on a shared line over one hand-off by every sharer.

    `training` holds `offsets`, `threads`, `line`, and for each block the ns per operation at each offset (`blocks`) and
    of a `hand-off`. A block counts if all of its values are clean.
    """
    blocks, hand_off = (np.array(training[name], dtype=float) for name in ("blocks", "hand-off"))
    together = models.sharers(np.array(training["offsets"]), training["threads"], training["line"])
    waits = np.where(together > 1, together, 0).mean(axis=-1)
    local = blocks[:, waits == 0].mean(axis=1)
    shared = waits > 0
    rates = ((blocks[:, shared] - local[:, None]) / (waits[shared] * hand_off[:, None])).mean(axis=1)
    if not np.isfinite(rates).any():
        rule = "a tenure needs clean trials on one line, on lines apart and of the hand-off in one block"
        raise MeasurementError(f"{rule}; measure again on a quieter machine")
    rate, low, high = centre(rates)
    return Tenure(centre(local)[0], centre(hand_off)[0], rate, low, high, training)
