"""A figure that follows a slider must show what a figure drawn from nothing shows."""

import gc
import io
import itertools
import re

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from PIL import Image

from spe_lab.core import registry
from spe_lab.core.curve import Curve
from spe_lab.core.reader.prediction import predict, predict_curve
from spe_lab.ui import svg_layer
from spe_lab.ui.figure import LabFigure
from spe_lab.ui.sheet import HEIGHT, WIDTH, pair_title
from spe_lab.ui.sheet_store import LEFT_OF_DRESS, LEFT_OF_SHEET, MANY, STORE
from spe_lab.ui.static import dense, ratios


@pytest.fixture(scope="module")
def lab():
    return registry.get("memory.working_set")


@pytest.fixture(scope="module")
def recorded(lab):
    return lab.joined(lab.fitted(lab.recorded()), lab.point())


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_frame_after_many_moves_equals_a_figure_drawn_from_nothing(lab, recorded):
    x, figure = dense(lab, recorded.x), LabFigure(lab)
    for latency in (60, 100, 80):
        point = lab.point({"l_L3": latency})
        last = figure.draw(
            lab.predict(point, x, lab.recorded_fit),
            recorded.measured,
            ratios(lab.joined(lab.fitted(recorded), point)),
            at=2.0**20,
        )
    fresh = LabFigure(lab).draw(
        lab.predict(point, x, lab.recorded_fit),
        recorded.measured,
        ratios(lab.joined(lab.fitted(recorded), point)),
        at=2.0**20,
    )
    assert np.array_equal(pixels(last), pixels(fresh))


def test_other_curves_points_and_predictions_on_the_same_axes_leave_nothing_behind(lab, recorded):
    """Every state after every other one: 30 ways, each picture the same as that of a figure which
    had no state before.
    """
    point = lab.point()
    predicted, alone = (
        lab.predict(point, dense(lab, recorded.x), lab.recorded_fit),
        lab.predict(lab.point({"l_L3": 1000}), lab.x(), lab.recorded_fit),
    )
    band = predict_curve(lab.id, {"16KiB": 1, "256KiB": 5, "1MiB": 80})
    states = [
        ((alone,), {}),
        ((predicted, recorded.measured, ratios(recorded)), {"at": 2.0**20}),
        ((predicted, recorded.measured, ratios(recorded)), {"at": 2.0**20, "stale": True}),
        (
            (predicted,),
            {"prediction": predict(lab.id, at="1MiB", low=50, high=200), "marks": lab.marks(point, lab.recorded_fit)},
        ),
        ((predicted, recorded.measured), {"prediction": band}),
        ((alone, (), None), {"elsewhere": recorded.measured, "at": 2.0**22}),
    ]
    fresh = [LabFigure(lab).draw(*curves, **more) for curves, more in states]
    assert len(set(fresh)) == len(states)
    figure = LabFigure(lab)
    for before, after in itertools.permutations(range(len(states)), 2):
        figure.draw(*states[before][0], **states[before][1])
        assert figure.draw(*states[after][0], **states[after][1]) == fresh[after], (before, after)


def test_limits_grow_with_a_curve_and_shrink_only_when_asked(lab, recorded):
    x, figure = dense(lab, recorded.x), LabFigure(lab)

    def top(latency):
        return (
            figure.place(lab.predict(lab.point({"l_L3": latency, "k_L3": 0}), x, lab.recorded_fit))
            .axes[0]
            .get_ylim()[1]
        )

    before, grown, after = top(8), top(1000), top(8)
    assert before < grown == after
    figure.refit()
    assert top(8) == before


def test_stale_points_and_a_committed_prediction_are_seen(lab, recorded):
    x = dense(lab, recorded.x)
    predicted = lab.predict(lab.point(), x, lab.recorded_fit)
    pictures = {
        LabFigure(lab).draw(predicted, recorded.measured, at=2.0**20, stale=stale, prediction=prediction)
        for stale in (False, True)
        for prediction in (None, predict(lab.id, at="1MiB", low=50, high=200))
    }
    assert len(pictures) == 4


def test_an_open_prediction_draws_nothing(lab, recorded):
    predicted = lab.predict(lab.point(), dense(lab, recorded.x), lab.recorded_fit)
    assert LabFigure(lab).draw(predicted) == LabFigure(lab).draw(predicted, prediction=predict(lab.id, at="1MiB"))


def test_points_without_a_clean_sample_are_left_out(lab, recorded):
    curve = recorded.measured[0]
    holes = np.where(np.arange(curve.values.size) % 2, curve.values, np.nan)
    with_holes = Curve(curve.name, "measured", curve.x, curve.unit, holes, holes, holes)
    predicted = lab.predict(lab.point(), dense(lab, recorded.x), lab.recorded_fit)
    assert LabFigure(lab).draw(predicted, [with_holes]) != LabFigure(lab).draw(predicted, [curve])


def test_the_svg_lies_where_the_pixels_of_a_file_lie():
    """Two routes to one frame: matplotlib's rasteriser, and paths whose corners must be dark in its picture."""
    lab = registry.get("memory.working_set")
    recorded = lab.joined(lab.fitted(lab.recorded()), lab.point())
    figure = LabFigure(lab)
    x = dense(lab, recorded.x)
    _, moving = figure.layers(
        lab.predict(lab.point(), x, lab.recorded_fit), recorded.measured, ratios(recorded), at=2.0**20
    )
    pixels = np.asarray(Image.open(io.BytesIO(figure.picture("png"))).convert("L"))[-HEIGHT:]
    first_line = re.search(r'<path d="([^"]+)"', moving)[1]
    corners = np.array([[float(part) for part in pair.split()] for pair in re.split("[ML]", first_line)[1:]])
    assert len(corners) == len(x.values)
    dots = np.array(
        [[float(part) for part in pair] for pair in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', moving)]
    )
    assert len(dots) == len(recorded.x.values)
    for places, darkest in ((corners, 60), (dots, 150)):
        columns, rows = places.round().astype(int).T
        around = np.min(
            [
                pixels[np.clip(rows + i, 0, HEIGHT - 1), np.clip(columns + j, 0, WIDTH - 1)]
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
            ],
            axis=0,
        )
        inside = (rows > 40) & (rows < HEIGHT - 60)
        assert inside.any() and (around[inside] < darkest).all()


def test_the_ground_is_sent_once_and_holds_no_line_that_moves():
    lab = registry.get("memory.working_set")
    x, figure = dense(lab, lab.x()), LabFigure(lab)
    ground, first = figure.layers(lab.predict(lab.point(), x, lab.recorded_fit), at=2.0**20)
    again, second = figure.layers(lab.predict(lab.point({"l_L1": 3.5}), x, lab.recorded_fit), at=2.0**20)
    assert ground and again is None and first != second


def test_a_line_begins_anew_after_a_hole_and_stays_within_reach():
    assert (
        svg_layer.path(np.array([[1, 2], [np.nan, 3], [4, 5], [6, np.inf], [6, 1e9]]))
        == "M1.0 2.0M4.0 5.0L6.0 9999.0L6.0 9999.0"
    )


@pytest.mark.slow
def test_all_figures_together_keep_a_few_sheets_and_a_figure_that_is_gone_none(lab, recorded):
    shown = [LabFigure(lab) for _ in range(STORE.most + 2)]
    for figure in shown:
        for stale in (False, True, False):
            figure.draw(lab.predict(lab.point(), recorded.x, lab.recorded_fit), recorded.measured, stale=stale)
    assert len(STORE) == STORE.most
    del figure, shown
    gc.collect()
    STORE.collect()
    assert len(STORE) == 0


def test_a_sheet_that_goes_frees_its_ticks_and_pixels_before_the_collector_comes(lab, recorded):
    """What is left to Python's collector stays for minutes on a page of many labs."""
    from matplotlib.axis import Tick

    def ticks():
        return sum(isinstance(each, Tick) for each in gc.get_objects())

    _forget_sheets(lab)
    figure = LabFigure(lab)
    sheet = figure.place(lab.predict(lab.point(), recorded.x, lab.recorded_fit), recorded.measured)
    gc.collect()
    gc.disable()
    try:
        before = ticks()
        del figure
        assert sheet.holds_pixels  # until the next frame: Python may end a figure while another one is drawn
        STORE.collect()
        assert ticks() < before - 10 and not sheet.holds_pixels
    finally:
        gc.enable()


@pytest.mark.slow
def test_what_sheets_and_their_artists_leave_is_collected_once_it_is_much(lab, recorded):
    def left():
        return sum(isinstance(each, Axes | Legend) for each in gc.get_objects())

    def change(figure):
        figure.draw(lab.predict(lab.point(), recorded.x, lab.recorded_fit), recorded.measured, stale=next(stale))

    stale = itertools.cycle((True, False))
    _forget_sheets(lab)
    figure = LabFigure(lab)
    change(figure)
    gc.collect()
    STORE.left = 0
    gc.disable()
    try:
        before = left()
        for _ in range(MANY // LEFT_OF_SHEET - 1):
            LabFigure(lab).place(lab.predict(lab.point(), lab.x(), lab.recorded_fit))
        for _ in range(LEFT_OF_SHEET // LEFT_OF_DRESS - 1):
            change(figure)
            STORE.collect()
            assert left() > before
        change(figure)
        STORE.collect()
        assert left() == before
    finally:
        gc.enable()


def test_a_figure_whose_sheet_is_not_kept_any_more_shows_the_same():
    """With axes that had grown, so that the ground which the page has is not the one that is drawn now."""
    lab = registry.get("memory.working_set")
    recorded, figure = lab.joined(lab.fitted(lab.recorded()), lab.point()), LabFigure(lab)
    frames = [
        lab.predict(lab.point({"l_L3": latency}), dense(lab, recorded.x), lab.recorded_fit) for latency in (1000, 80)
    ]
    for predicted in frames:
        figure.layers(predicted, recorded.measured, ratios(recorded), at=2.0**20)
    _forget_sheets(lab)
    picture, fresh = (
        figure.picture("png"),
        LabFigure(lab).draw(frames[1], recorded.measured, ratios(recorded), at=2.0**20),
    )
    assert np.array_equal(pixels(picture), pixels(fresh))
    ground, moves = figure.layers(frames[1], recorded.measured, ratios(recorded), at=2.0**20)
    expected = LabFigure(lab).layers(frames[1], recorded.measured, ratios(recorded), at=2.0**20)
    assert (ground, moves) == expected
    assert figure.layers(frames[1], recorded.measured, ratios(recorded), at=2.0**20) == (None, moves)


def _forget_sheets(lab):
    """By as many other figures as there are sheets kept."""
    others = [LabFigure(lab) for _ in range(STORE.most)]
    for other in others:
        other.place(lab.predict(lab.point(), lab.x(), lab.recorded_fit))


@pytest.mark.parametrize(
    ("lab_id", "preset"),
    [
        ("memory.stride", ""),
        ("scaling.parallelism", ""),
        ("coherence.false_sharing", "Eight threads"),
        ("queueing.head_of_line", "1 in 10 takes 11 ×"),
    ],
)
def test_the_legend_of_a_file_stands_above_the_axes_and_is_whole(lab_id, preset):
    lab = registry.get(lab_id)
    recorded, point = lab.recorded(), lab.point(lab.presets()[preset].settings if preset else None)
    predicted, marks = lab.predict(point, dense(lab, recorded.x), lab.recorded_fit), lab.marks(point, lab.recorded_fit)
    figure = LabFigure(lab)
    drawn = pixels(figure.draw(predicted, recorded.measured, marks=marks))
    assert figure.place(predicted, recorded.measured, marks=marks).axes[0].get_legend() is None
    strip = drawn[:-HEIGHT]
    assert drawn.shape[1] == WIDTH and 40 < len(strip) < HEIGHT / 2 and (strip < 100).any()
    edge = np.concatenate([strip[:2].ravel(), strip[-2:].ravel(), strip[:, -4:].ravel()])
    assert (edge == 255).all()  # nothing is cut off


def test_the_ratio_panel_names_its_pair_and_says_if_it_is_fitted():
    selectivity, rate = registry.get("branches.selectivity"), registry.get("branches.rate")
    assert pair_title(selectivity) == "branching ÷ fitted (fitted in this run, not a prediction)"
    assert pair_title(rate) == "inferred from time ÷ ideal"
    assert pair_title(registry.get("scaling.cost")) == "scale-out ÷ its prediction"
    sheet = LabFigure(rate).place(rate.predict(rate.point(), rate.x(), rate.recorded_fit))
    assert sheet.axes[1].get_title(loc="left") == pair_title(rate)
    assert all(label.get_text().endswith("%") for label in sheet.axes[0].get_yticklabels() if label.get_text())


@pytest.mark.parametrize(
    "lab_id", ["scaling.parallelism", "patterns.conditional", "objectives.sla", "memory.working_set", "branches.rate"]
)
def test_what_ticks_say_stands_apart(lab_id):
    lab = registry.get(lab_id)
    bottom = LabFigure(lab).place(lab.predict(lab.point(), lab.x(), lab.recorded_fit)).axes[1]
    low, high = bottom.get_xlim()
    said = [
        label.get_window_extent()
        for x, label in zip(bottom.get_xticks(), bottom.get_xticklabels(), strict=True)
        if low <= x <= high
    ]
    assert len(said) >= 4 and all(left.x1 + 9 < right.x0 for left, right in itertools.pairwise(said))


@pytest.mark.parametrize("lab_id", ["objectives.hedging", "objectives.utilisation"])
def test_the_axis_of_shares_ends_at_a_hundred_per_cent(lab_id):
    lab = registry.get(lab_id)
    top = LabFigure(lab).place(lab.predict(lab.point(), lab.x(), lab.recorded_fit)).axes[0]
    assert 1 <= top.get_ylim()[1] <= 1.1
