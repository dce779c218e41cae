"""The chapter's formulas: the textbook's form equals the derived one, a wrong one is refused, and claims decide."""

import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.claims import claims
from spe_lab.core.reader.waiting import Waiting
from spe_lab.topics import scaling
from spe_lab.topics.scaling import formulas
from spe_lab.topics.scaling.claims import CLAIMS
from spe_lab.topics.scaling.models import symbol


@pytest.mark.parametrize("name", formulas.FORMULAS)
def test_the_textbook_s_form_has_the_values_of_the_derived_one(name):
    """By numbers, beside the check by sympy when a formula is made."""
    made, derived, chance = scaling.formula(name), formulas.FORMULAS[name].derived(), random.Random(1)
    for _ in range(5):
        values = {
            s: chance.uniform(0.1, 0.9 if s.name in ("P", "A", "sigma") else 2) + (s.name in ("N", "beta"))
            for s in derived.free_symbols
        }
        assert float(made.written.subs(values)) == pytest.approx(float(derived.subs(values)))
    assert made.latex.count("=") == 1 and made._repr_latex_().startswith("$")


def test_a_formula_that_is_not_derived_is_refused():
    P, N = symbol("P"), symbol("N")
    with pytest.raises(SpeLabError, match="must equal its derivation"):
        scaling.formula("amdahl", 1 / (P + (1 - P) / N))
    with pytest.raises(SpeLabError, match="name must be one of time, amdahl"):
        scaling.formula("amdahl's")


def test_sympy_prints_the_law_as_a_textbook_does():
    assert scaling.formula("amdahl").latex == r"S(N) = \frac{1}{\left(1 - P\right) + \frac{P}{N}}"
    assert scaling.formula("usl_maximum").latex == r"N_{\max} = \sqrt{\frac{1 - \sigma}{\kappa}}"


def test_steps_of_the_notebook_give_the_formulas():
    N, P, T1 = map(scaling.symbol, ["N", "P", "T1"])
    S = T1 / ((1 - P) * T1 + P * T1 / N)
    scaling.formula("limit", sympy.limit(S, N, sympy.oo))
    scaling.formula("half", sympy.solve(sympy.Eq(S, 1 / (2 * (1 - P))), N)[0])
    scaling.formula("gustafson", S.subs(P, N * P / ((1 - P) + N * P)))


# ---- Claims


def faked(lab_id, settings, change=lambda name, x, values: values):
    """Return a run whose measured curves are the model's, with intervals of 1 %, after a change."""
    lab = registry.get(lab_id)
    point, x = lab.point(settings), lab.x(short=False)
    predicted = lab.predict(point, x, lab.recorded_fit)
    recorded = lab.recorded()
    source = "simulated" if lab.simulated else "measured"
    names = [curve.name for curve in recorded.measured]
    like = {curve.name: curve.values for curve in predicted}
    made = []
    for name in names:
        values = change(name, x.values, np.array(like.get(name, like.get(lab.compared[1]))))
        made.append(
            replace(
                recorded.measured[names.index(name)],
                x=x,
                source=source,
                values=values,
                low=0.99 * values,
                high=1.01 * values,
                kept=(),
                tried=(),
            )
        )
    return lab.joined(lab.fitted(lab.recording(point, made, recorded.training)))


SETTINGS = [
    ("scaling.amdahl", {}),
    ("scaling.gustafson", {}),
    ("scaling.usl", {}),
    ("scaling.critical_path", {}),
    ("scaling.critical_path", {"cut": "critical path"}),
]


def test_a_machine_that_follows_the_models_contradicts_nothing():
    found = claims("scaling", *(faked(*each) for each in SETTINGS))
    assert not found.of("contradicted here")
    assert len(found.of("shown here")) >= 6


@pytest.mark.parametrize(
    ("lab_id", "settings", "change"),
    [
        ("scaling.amdahl", {}, lambda name, x, values: x),  # faster than the law
        ("scaling.gustafson", {}, lambda name, x, values: np.minimum(x, 5.0)),
        ("scaling.usl", {}, lambda name, x, values: x),  # never slower
        ("scaling.critical_path", {}, lambda name, x, values: 41 / x),
        ("scaling.critical_path", {"cut": "critical path"}, lambda name, x, values: 41 + 0 * x),
    ],
)
def test_a_machine_that_does_not_is_told(lab_id, settings, change):
    assert claims("scaling", faked(lab_id, settings, change)).of("contradicted here")


def test_runs_without_clean_samples_decide_nothing():
    run = faked("scaling.amdahl", {}, lambda name, x, values: values * math.nan)
    assert {claim.holds(run) for claim in CLAIMS if claim.lab == run.lab} == {None}


def test_claims_are_sentences_without_idle_words():
    for claim in CLAIMS:
        assert claim.sentence.endswith(".") and len(claim.sentence.split()) <= 25
        assert not re.search(r"\bsigma\b|\bkappa\b", claim.sentence)


# ---- Where scale-out pays, in words


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (4.61, 119.8, "costs less from 5 up to 119 machines."),
        (4.61, math.nan, "costs less from 5 machines on."),
        (math.nan, math.nan, "never becomes cheaper"),
    ],
)
def test_the_places_are_told_in_words(first, last, said):
    assert said in scaling.where_out_pays({"out pays from": first, "out pays up to": last})


def test_an_open_prediction_is_not_answered():
    waiting = Waiting("Commit a range above, or press Skip, and run this cell again.")
    assert scaling.where_out_pays(waiting) is waiting
