"""What every registered lab must pass by itself. A new topic is tested here without a line being added."""

import dataclasses
import io
import math
import random
import time
from pathlib import Path

import numpy as np
import pytest
from kinds import ALL_LABS, tier

from spe_lab.core import machine as machines
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.curve import Axis
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.lab import NO_FIT, SHORT_BUDGET_S, Lab
from spe_lab.core.recording import Run
from spe_lab.ui.static import dense, lab_of

ROOT = Path(__file__).parents[2]
needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


@pytest.fixture(scope="module", params=sorted(registry.labs()))
def lab(request):
    return registry.get(request.param)


def live():
    """Every lab, to be run here."""
    for lab_id in sorted(registry.labs()):
        timed = [] if registry.labs()[lab_id].simulated else [pytest.mark.machine, pytest.mark.may_skip_busy]
        yield pytest.param((lab_id, "live"), id=f"{lab_id}-live", marks=tier(lab_id) + timed)


LIVE = list(live())
RECORDED = [pytest.param((lab_id, "recorded"), id=f"{lab_id}-recorded") for lab_id in sorted(registry.labs())]


@pytest.fixture(scope="module", params=[*LIVE, *RECORDED])  # the live ones first, as in tests of these alone: run once
def run(request):
    """A lab, its run and the processor time that took: a short run made here, or the recorded one (NaN) with the lab of
    the machine that it was recorded on.
    """
    lab_id, source = request.param
    lab = registry.get(lab_id)
    if source == "live":
        return lab, *run_here(lab)
    recorded = lab.recorded()
    there = lab_of(recorded)
    return there, there.joined(there.fitted(recorded)), math.nan


def run_here(lab):
    """A short run of the lab, and the processor time it took. On a busy machine a short run may be too short for
    intervals, or for a single round of threads that must run at the same time: then another one is made, twice at most.
    """
    if not native.available():
        pytest.skip("needs a C compiler to measure")
    (
        lab.point(),
        lab.predict(lab.point(), lab.x(), lab.recorded_fit),
    )  # imports and compilation are paid once in a session, not by a run
    native.load("measurement")
    last, refused, spent = None, None, math.inf
    for _ in range(3):
        began = time.process_time()
        try:
            last = list(lab.runs(short=True))[-1][1]
        except MeasurementError as error:
            refused = error
            continue
        spent = min(
            spent, time.process_time() - began
        )  # programs on the other cores slow down what shares their caches
        if spent < 2.0 and all(np.isfinite(curve.low).mean() > 0.5 for curve in last.measured):
            break
    if last is None:
        pytest.skip(f"this machine is too busy: {refused}")
    return last, spent


def ends(slider):
    return slider.choices if slider.scale == "choice" else (slider.low, slider.high)


def test_the_stem_names_every_place(lab):
    stem = lab.id.partition(".")[0]
    for place in (f"notebooks/{lab.chapter}_*{stem}.ipynb", f"kernels_c/{stem}.c", f"tests/topics/{stem}/test_*.py"):
        assert list(ROOT.glob(place)), f"{lab.id} needs {place}"


def test_it_says_what_it_asks_and_where_it_breaks(lab):
    assert lab.question.endswith("?")
    assert lab.breaks.endswith(".") and len(lab.breaks) > 40
    assert all(slider.meaning and slider.source for slider in lab.sliders.values())
    assert lab.axis in lab.sliders


LONGEST_LABEL = 24


def test_the_first_view_has_at_most_four_sliders_and_the_axis_among_them(lab):
    first = lab.first_view
    assert len(first) <= 4 and len(set(first)) == len(first) and lab.axis in first
    assert set(first) <= set(lab.sliders)


def test_every_slider_has_a_label_in_words(lab):
    for slider in lab.sliders.values():
        assert len(slider.label) <= LONGEST_LABEL, slider.label
    assert lab.first or len(lab.sliders) <= 4, "choose the sliders of the first view"
    labels = [slider.label for slider in lab.sliders.values()]
    assert len(set(labels)) == len(labels)
    for slider in lab.sliders.values():
        word = len(slider.name) > 3 and slider.name.isalpha()
        assert slider.label != slider.name or word, f"{slider.name} needs a label in words"
        assert slider.label[0].isupper() or not slider.label[0].isalpha(), slider.label
    folded = [slider for name, slider in lab.sliders.items() if name not in lab.first_view]
    assert len(folded) <= 4 or all(slider.group for slider in folded), "more than four folded sliders need headings"


def test_shares_in_per_cent_are_shares(lab):
    assert not lab.percent or lab.unit == ""
    for slider in lab.sliders.values():
        assert not slider.percent or (slider.unit == "" and slider.low >= 0 and slider.high <= 1), slider.name


def test_a_pair_that_is_fitted_to_its_own_measurement_has_a_fit(lab):
    assert not lab.fitted_here or type(lab).fit is not Lab.fit


@pytest.mark.filterwarnings("error::RuntimeWarning")  # would stand red below the reader's cell
def test_a_model_warns_of_nothing_where_sliders_stand_at_their_ends(lab):
    chance = random.Random(1)
    for _ in range(20):
        point = lab.point(
            {slider.name: chance.choice([*ends(slider), slider.default]) for slider in lab.sliders.values()}
        )
        lab.predict(point, lab.x(), lab.recorded_fit)
        lab.marks(point, lab.recorded_fit)


def test_sliders_take_both_ends_and_the_model_is_finite_there(lab):
    """Some settings have no model, a percentile without a closed form for example: then there is none at all, and a
    curve of NaN says so.
    """
    for slider in lab.sliders.values():
        for end in ends(slider):
            point = lab.point({slider.name: end})
            for curve in lab.predict(point, lab.x(short=True), lab.recorded_fit):
                there = np.isfinite(curve.values).all() and (curve.values >= 0).all()
                assert there or np.isnan(curve.values).all(), f"{slider.name}={end}"


def moved(curves_of, slider, settings):
    return differ(*(curves_of({**settings, slider.name: end}) for end in (ends(slider)[0], ends(slider)[-1])))


def differ(before, after):
    return any(not np.array_equal(a.values, b.values, equal_nan=True) for a, b in zip(before, after, strict=True))


def test_every_slider_moves_a_prediction(lab):
    """At the defaults, or with another choice of another slider; a seed moves what is simulated alone."""
    x = lab.x()
    for slider in lab.sliders.values():
        if slider.name == lab.axis:
            continue
        others = [
            {other.name: choice} for other in lab.sliders.values() if other is not slider for choice in other.choices
        ]
        if any(
            moved(lambda settings: lab.predict(lab.point(settings), x, lab.recorded_fit), slider, settings)
            for settings in ({}, *others)
        ):
            continue
        assert lab.simulated and slider.measured, f"{slider.name} moves nothing"
        if native.available():
            assert moved(lambda settings: simulated(lab, settings), slider, {}), f"{slider.name} moves nothing"


def simulated(lab, settings):
    return next(lab.runs(settings, short=True))[1].measured


def test_a_model_s_values_depend_neither_on_the_marker_nor_on_their_neighbours(lab):
    """An explorer asks once for the line, the marker and the measured points, and takes each its own."""
    x = lab.x()
    every = Axis(x.name, x.unit, dense(lab, x).values)
    some = Axis(x.name, x.unit, x.values[::2])
    there = lab.point() | {lab.axis: float(x.values[-1])}
    for whole, part in zip(
        lab.predict(lab.point(), every, lab.recorded_fit), lab.predict(there, some, lab.recorded_fit), strict=True
    ):
        assert np.allclose(whole.at(some).values, part.values, rtol=1e-9, equal_nan=True)


@needs_compiler
@pytest.mark.parametrize("lab_id", [lab_id for lab_id, kind in registry.labs().items() if kind.live])
def test_a_live_lab_answers_a_move_with_the_same_points_each_time(lab_id):
    lab = registry.get(lab_id)
    first, again = (lab.first_answer(lab.point()) for _ in range(2))
    assert lab.simulated and first.to_dict()["measured"] == again.to_dict()["measured"]


def test_presets_have_short_names_change_a_prediction_and_say_what_to_look_for(lab):
    x, presets = lab.x(), lab.presets()
    assert 2 <= len(presets) <= 4, f"{lab.id} needs something to try"
    for name, (settings, look) in presets.items():
        assert 0 < len(name) <= 24 and look.endswith(".") and len(look) > 30, name
        if differ(*(lab.predict(lab.point(each), x, lab.recorded_fit) for each in ({}, settings))):
            continue
        assert lab.simulated and any(lab.sliders[slider].measured for slider in settings), f"{name} moves nothing"
        if native.available():
            assert differ(*(simulated(lab, each) for each in ({}, settings))), f"{name} moves nothing"


def test_on_another_machine_it_is_the_lab_that_is_made_for_that_machine(lab):
    for machine in machines.published().values():
        there, made = lab.on(machine), registry.get(lab.id, machine)
        assert there.machine is machine and there.point() == made.point()
        x = made.x(short=True)
        for a, b in zip(
            there.predict(there.point(), x, there.recorded_fit),
            made.predict(made.point(), x, made.recorded_fit),
            strict=True,
        ):
            assert np.array_equal(a.values, b.values, equal_nan=True)
    assert lab.machine is not machine


def test_values_outside_the_domain_are_refused_with_the_rule_the_value_and_the_cure(lab):
    for slider in lab.sliders.values():
        bad = (
            ["nonsense"]
            if slider.scale == "choice"
            else [math.nan, math.inf, -math.inf, slider.low - 1, 10 * slider.high + 1, "5 parsec", "", True, None]
        )
        for value in bad:
            with pytest.raises(SpeLabError, match=rf"^{slider.name} must .*got .*; "):
                lab.point({slider.name: value})
    with pytest.raises(SpeLabError, match="has no slider"):
        lab.point({"no_such_slider": 1})


def test_an_empty_sweep_is_refused(lab):
    with pytest.raises(SpeLabError, match="at least one value"):
        lab.x([])


def test_a_run_has_measured_and_predicted_curves_with_their_sources(run):
    lab, result, spent = run
    source = "simulated" if lab.simulated else "recorded" if math.isnan(spent) else "measured"
    assert result.measured and all(curve.source == source for curve in result.measured)
    assert result.predicted and all(curve.source == "predicted" for curve in result.predicted)
    assert result.comparison is not None and np.isfinite(result.comparison.median_relative_error)


def test_measured_values_lie_in_their_intervals_and_count_their_samples(run):
    _, result, _ = run
    for curve in result.measured:
        seen = np.isfinite(curve.low)
        if not seen.any() and any("too few for intervals" in note for note in result.notes):
            pytest.skip(f"this machine is too busy: {'; '.join(result.notes)}")
        assert seen.any()
        assert (curve.low[seen] <= curve.values[seen]).all() and (curve.values[seen] <= curve.high[seen]).all()
        assert (curve.kept <= curve.tried).all() and (curve.tried > 0).all()


def test_measured_curves_say_how_they_came_about(run):
    _, result, _ = run
    for curve in result.measured:
        assert {"compiler", "flags", "source", "sha256", "seed", "clock", "estimator", "taken"} <= set(curve.provenance)
    assert result.machine["facts"]["cpu"]


def test_a_run_survives_json(run):
    _, result, _ = run
    text = result.to_json()
    assert Run.from_json(text).to_json() == text


@pytest.mark.parametrize("run", LIVE, indirect=True)
def test_a_saved_run_is_predicted_as_it_was_when_it_was_measured(run):
    """A model that was fitted is fitted to the run's own points again, not to those of the shipped recording."""
    _, saved, _ = run
    if NO_FIT in saved.notes:
        pytest.skip("this machine is too busy: too few clean trials to fit the model to this run")
    loaded = Run.from_json(saved.to_json())
    there = lab_of(loaded)
    again = there.joined(there.fitted(loaded)).predicted
    for then, now in zip(loaded.predicted, again, strict=True):
        assert np.allclose(then.values, now.values, rtol=1e-9, equal_nan=True), then.name


def values(curves):
    return [curve.values.tolist() for curve in curves]


def test_nothing_flows_back_into_a_lab(lab):
    """It predicts, is given a recording, and predicts the same again from the old fit; the new fit is a value of its
    own, and the lab holds what it held.
    """
    point, x = lab.point(), lab.x(short=True)
    old = lab.fitted()
    before, held = lab.predict(point, x, old.fit), set(vars(lab)) | {"recorded_fit", "machine_dict", "sliders"}
    shown = lab.joined(lab.fitted(lab.recorded()), point)
    halved = [dataclasses.replace(curve, values=curve.values / 2) for curve in lab.recorded().measured]
    new = lab.fitted(dataclasses.replace(lab.recorded(), measured=halved))
    lab.predict(point, x, new.fit)
    lab.marks(point, new.fit)
    assert np.array_equal(values(before), values(lab.predict(point, x, old.fit)), equal_nan=True)
    again = lab.joined(lab.fitted(lab.recorded()), point)
    assert np.array_equal(values(shown.predicted), values(again.predicted), equal_nan=True)
    cached = {name for kind in type(lab).__mro__ for name, value in vars(kind).items() if hasattr(value, "attrname")}
    assert set(vars(lab)) <= held | cached
    with pytest.raises(AttributeError, match="a lab never changes"):
        lab.machine = None


@pytest.mark.filterwarnings("error::RuntimeWarning")  # would stand red below the reader's cell
@pytest.mark.parametrize("clean", [0.0, 0.3])
def test_of_a_measurement_that_was_hardly_clean_the_figure_shows_what_there_is(lab, clean):
    """Points, and blocks that a model is fitted to, are missing at random: where no fit can be made, the one to the
    shipped recording stands in.
    """
    recorded, chance = lab.recorded(), np.random.default_rng(round(10 * clean))

    def holes(data):
        """The same without most numbers of a list of lists, which is what blocks are."""
        if not isinstance(data, list):
            return data
        return [
            [v if chance.random() < clean else None for v in each] if isinstance(each, list) else each for each in data
        ]

    measured = []
    for curve in recorded.measured:
        mask = chance.random(len(recorded.x.values)) < clean
        arrays = {name: np.where(mask, getattr(curve, name), np.nan) for name in ("values", "low", "high")}
        measured.append(dataclasses.replace(curve, **arrays, source="measured"))
    training = {name: holes(data) for name, data in recorded.training.items()}
    known = lab.fitted(dataclasses.replace(recorded, measured=measured, training=training))
    before = lab.predict(lab.point(), recorded.x, lab.recorded_fit)
    after = lab.predict(lab.point(), recorded.x, known.fit)
    shown = [[(curve.name, bool(np.isfinite(curve.values).any())) for curve in curves] for curves in (after, before)]
    assert shown[0] == shown[1]
    lab.marks(lab.point(), known.fit)
    lab.joined(known)
    if "blocks" in recorded.training and not clean:
        assert known.notes == (NO_FIT,) and known.fit == lab.recorded_fit


@pytest.mark.parametrize("run", LIVE, indirect=True)
def test_a_short_run_keeps_to_its_budget(run):
    # Processor time, since a sample that waits for another program's turn is no fault of the lab's. Beside its budget a
    # lab derives its model, once, which takes a slow machine up to two seconds; one that measured whole and not briefly
    # would need eight and more.
    assert run[2] < 8 * SHORT_BUDGET_S


def test_the_figure_has_an_alternative_text_and_shows_the_run(run):
    from PIL import Image

    from spe_lab.ui.sheet import HEIGHT, WIDTH
    from spe_lab.ui.static import alt_text, picture

    lab, result, _ = run
    said = alt_text(lab, result)
    assert lab.sliders[lab.axis].meaning in said and lab.quantity.capitalize() in said
    for curve in [*result.measured, *result.predicted]:
        assert f"{curve.source.capitalize()}, {curve.name}" in said or np.isnan(curve.values).all()
    shown = picture(result)
    width, height = Image.open(io.BytesIO(shown)).size
    assert width == WIDTH and HEIGHT < height < 1.5 * HEIGHT  # the legend stands above
    assert shown != picture(dataclasses.replace(result, measured=[], comparison=None))


def test_it_is_held_to_what_it_claims(lab):
    """Simulations live, as they give the same numbers everywhere; measurements by the recorded data and the model of the
    machine that they come from.
    """
    from spe_lab.ui.static import lab_of

    assert "within" in vars(type(lab)), f"{lab.id} must declare how far its compared pair may lie apart, or None"
    recorded = lab.recorded()
    there = lab_of(recorded)
    run = there.joined(there.fitted(recorded))
    runs = [run, lab.run(short=True)] if lab.simulated and native.available() else [run]
    for each in runs:
        error = each.comparison.median_relative_error
        assert math.isfinite(error) and (lab.within is None or error <= lab.within)


def test_recorded_data_are_labelled_and_stand_beside_this_machine_s_model(lab):
    recorded = lab.recorded()
    assert recorded is not None, f"{lab.id} needs spe_lab/recorded/{lab.id}.json for machines without a compiler"
    assert all(curve.source == ("simulated" if lab.simulated else "recorded") for curve in recorded.measured)
    beside = lab.joined(lab.fitted(recorded), lab.point())
    assert beside.comparison is not None and all(curve.source == "predicted" for curve in beside.predicted)
    assert recorded.machine["facts"]["cpu"] and recorded.measured[0].provenance["taken"]


@pytest.mark.parametrize("lab_id", ALL_LABS)
def test_without_a_compiler_the_explorer_opens_with_recorded_data_and_says_so(lab_id, monkeypatch):
    from spe_lab.ui.explorer import Explorer

    lab = registry.get(lab_id)
    monkeypatch.setattr(native, "missing", lambda: native.NO_COMPILER)
    explorer = Explorer(lab)
    source = "simulated" if lab.simulated else "recorded"
    assert explorer.recording.measured[0].source == source
    assert "compiler" in explorer.status and explorer.parts.measure_button.disabled
    assert source.capitalize() in explorer.text
