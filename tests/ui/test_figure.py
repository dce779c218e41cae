"""A figure that follows a slider must show what a figure drawn from nothing shows."""

import numpy as np
import pytest

from spe_lab.core import lab as labs
from spe_lab.core.curve import Curve
from spe_lab.core.prediction import predict
from spe_lab.ui.figure import LabFigure
from spe_lab.ui.static import dense, ratios


@pytest.fixture(scope="module")
def lab():
    return labs.get("memory.working_set")


@pytest.fixture(scope="module")
def recorded(lab):
    return lab.beside(lab.recorded(), lab.point())


def pixels(png):
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_frame_after_many_moves_equals_a_figure_drawn_from_nothing(lab, recorded):
    x, figure = dense(lab, recorded.x), LabFigure(lab)
    for latency in (60, 100, 80):
        point = lab.point({"l4": latency})
        last = figure.draw(lab.predict(point, x), recorded.measured, ratios(lab.beside(recorded, point)), at=2.0**20)
    fresh = LabFigure(lab).draw(lab.predict(point, x), recorded.measured, ratios(lab.beside(recorded, point)), at=2.0**20)
    assert np.array_equal(pixels(last), pixels(fresh))


def test_limits_grow_with_a_curve_and_shrink_only_when_asked(lab, recorded):
    x, figure = dense(lab, recorded.x), LabFigure(lab)

    def top(latency):
        figure.draw(lab.predict(lab.point({"l4": latency, "k4": 0}), x))
        return figure.axes[0].get_ylim()[1]

    before, grown, after = top(8), top(1000), top(8)
    assert before < grown == after
    figure.refit()
    assert top(8) == before


def test_stale_points_and_a_committed_prediction_are_seen(lab, recorded):
    x = dense(lab, recorded.x)
    predicted = lab.predict(lab.point(), x)
    pictures = {
        LabFigure(lab).draw(predicted, recorded.measured, at=2.0**20, stale=stale, prediction=prediction)
        for stale in (False, True)
        for prediction in (None, predict(lab.id, at="16MiB", low=50, high=200))
    }
    assert len(pictures) == 4


def test_an_open_prediction_draws_nothing(lab, recorded):
    predicted = lab.predict(lab.point(), dense(lab, recorded.x))
    assert LabFigure(lab).draw(predicted) == LabFigure(lab).draw(predicted, prediction=predict(lab.id, at="16MiB"))


def test_points_without_a_clean_sample_are_left_out(lab, recorded):
    curve = recorded.measured[0]
    holes = np.where(np.arange(curve.values.size) % 2, curve.values, np.nan)
    with_holes = Curve(curve.name, "measured", curve.x, curve.unit, holes, holes, holes)
    predicted = lab.predict(lab.point(), dense(lab, recorded.x))
    assert LabFigure(lab).draw(predicted, [with_holes]) != LabFigure(lab).draw(predicted, [curve])
