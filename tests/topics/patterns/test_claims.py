"""The claims of 03c on curves that show them, and on curves that contradict them."""

import numpy as np
import pytest

from spe_lab.core import registry
from spe_lab.core.curve import Curve
from spe_lab.topics.patterns import claims


def run_of(lab_id, values, settings=(), second=None):
    """A run of a lab with these measured values: one number for each place, or a function of the places."""
    lab = registry.get(lab_id)
    recorded = lab.joined(lab.fitted(lab.recorded()))
    x = recorded.x
    columns = [values] if second is None else [values, second]
    measured = [
        Curve(old.name, "measured", x, old.unit, np.broadcast_to(new(x.values), x.values.shape).astype(float))
        for old, new in zip(recorded.measured, columns, strict=False)
    ]
    point = {**recorded.point, **dict(settings)}
    return type(recorded)(**{**vars(recorded), "point": point, "measured": measured})


HILL = run_of("patterns.conditional", lambda s: np.where(s < 0.1, 3, 1 + s))
LOW_HILL = run_of("patterns.conditional", lambda s: np.where(s < 0.1, 2, 1 + 3 * s))
SLOPE = run_of("patterns.conditional", lambda s: 20 * s)


@pytest.mark.parametrize(
    ("holds", "run", "expected"),
    [
        (claims.a_hill, HILL, True),
        (claims.a_hill, LOW_HILL, True),
        (claims.a_hill, SLOPE, False),
        (claims.higher_than_all, HILL, True),
        (claims.higher_than_all, LOW_HILL, False),
        (claims.every_tenth_is_cheaper, SLOPE, True),
        (claims.the_hill_ends_early, SLOPE, True),
        (claims.random_visits_rise, run_of("patterns.time", lambda size: size / 4096), True),
        (claims.random_visits_rise, run_of("patterns.time", lambda size: 3.0), False),
        (claims.random_visits_rise, run_of("patterns.time", lambda size: 3.0, {"pattern": "nest"}), None),
        (claims.sweeps_stay_cheap, run_of("patterns.time", lambda size: 3.0, {"pattern": "s_trav"}), True),
        (claims.sweeps_stay_cheap, run_of("patterns.time", lambda size: size, {"pattern": "s_trav"}), False),
        (claims.nest_is_better, run_of("patterns.time", lambda size: 1000.0, {"pattern": "nest"}), False),
        (claims.many_clusters_are_expensive, run_of("patterns.partition", lambda b: b), True),
        (claims.many_clusters_are_expensive, run_of("patterns.partition", lambda b: 1.0), False),
        (claims.flat_before_the_mark, run_of("patterns.partition", lambda b: np.where(b < 9, 1, 9)), True),
        (claims.flat_before_the_mark, run_of("patterns.partition", lambda b: np.where(b == 6, 2, 1)), False),
        (claims.two_passes_are_flat, run_of("patterns.partition", lambda b: b, (), lambda b: 2.4), True),
        (claims.two_passes_are_flat, run_of("patterns.partition", lambda b: b, (), lambda b: b), False),
        (claims.two_passes_pay, run_of("patterns.partition", lambda b: b, (), lambda b: 2.4), True),
        (claims.two_passes_pay, run_of("patterns.partition", lambda b: 1.0, (), lambda b: 2.4), False),
    ],
)
def test_a_claim_is_shown_contradicted_or_left_open(holds, run, expected):
    assert holds(run) is expected
