"""Transfer of models: fit them to one run, and predict a run with other records or another search."""

import math

import numpy as np

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.waiting import waits
from spe_lab.core.recording import Run
from spe_lab.core.text import Text
from spe_lab.topics.numerical.fitting import Sample, share
from spe_lab.topics.numerical.labs import SearchLab
from spe_lab.topics.numerical.searching import KINDS, LEAST, MOST, RECORDS
from spe_lab.topics.numerical.tuning import tune

POINTS = 20  # to which the models are fitted, evenly spaced over log n
DESCRIBED, TUNED = "analytical, as the machine is described", "analytical, tuned to the same points"


@waits
def transfer(lab: SearchLab, fitted_on: Run, tried_on: Run, basis: str = "monotone spline") -> Text:
    """Return a table: median errors of three models in the run that they were fitted on, and in another.

    The first model is a function fitted to points of the first run. The others are the analytical model with the
    parameters of the lab's machine, and with parameters tuned to the same points. These two take the second run's
    record and search as parameters; the function has no such parameters.
    """
    home, away = (
        lab.point({name: run.point[name] for name in ("search", "record") if name in run.point})
        for run in (fitted_on, tried_on)
    )
    if home["search"] != KINDS[0]:
        rule = f"fitted_on must be a run of the {KINDS[0]} search"
        raise SpeLabError(f"{rule}, got {home['search']}; exchange the two runs, or measure one")
    settings = {"points": POINTS, "spacing": "log", "low": LEAST, "high": MOST, "terms": 4}
    sample = Sample.of(fitted_on.measured[0], settings)
    n, times, given = sample.n, sample.times, sample.given
    tuned, function = tune(n[given], times[given], RECORDS[home["record"]], lab.values(home)), sample.fit(basis)
    models = {
        basis: lambda n, point: function(n),
        DESCRIBED: lambda n, point: lab.analytical_time(point, n),
        TUNED: lambda n, point: lab.analytical_time(point | tuned, n),
    }
    held_out = np.setdiff1d(np.arange(len(n)), given)
    seen = np.isfinite(tried_on.measured[0].values)
    sizes, there = tried_on.x.values[seen], tried_on.measured[0].values[seen]
    elsewhere_error = {}
    rows = ["| model | where it was fitted, between the points | elsewhere | at worst |", "|---|---|---|---|"]
    for name, model in models.items():
        here, moved = np.abs(model(n[held_out], home) / times[held_out] - 1), np.abs(model(sizes, away) / there - 1)
        errors = [float(np.median(here)) if here.size else math.nan, float(np.median(moved)), float(moved.max())]
        elsewhere_error[name] = errors[1]
        rows.append(f"| {name} | {' | '.join(map(share, errors))} |")
    return Text("\n".join([*rows, "", verdict(elsewhere_error[TUNED], elsewhere_error[basis])]))


def verdict(tuned: float, function: float) -> str:
    """Return in a sentence which of two models with these median errors moved better to the other run.

    >>> verdict(0.04, 0.2)
    'Here, the tuned analytical model is the better one elsewhere: its error is 5.0 times smaller.'
    >>> verdict(0.1, 0.11)
    'Here, the tuned analytical model and the function are about equally good elsewhere.'
    """
    tuned, function = max(tuned, 1e-6), max(function, 1e-6)
    if max(tuned / function, function / tuned) < 1.3:
        return "Here, the tuned analytical model and the function are about equally good elsewhere."
    better, factor = (
        ("the tuned analytical model", function / tuned) if tuned < function else ("the function", tuned / function)
    )
    return f"Here, {better} is the better one elsewhere: its error is {factor:.1f} times smaller."
