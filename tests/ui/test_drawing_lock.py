"""matplotlib is made for one thread: whatever we draw is drawn under the lock of all pages, and with its defaults."""

import threading
import traceback
from functools import wraps

import matplotlib
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spe_lab import explore, sketch
from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.reader.track_record import Scored, TrackRecord
from spe_lab.ui import static
from spe_lab.ui.figure import LabFigure
from spe_lab.ui.journal import draw
from spe_lab.ui.noise import observed
from spe_lab.ui.page_lock import TURN

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
TOUCHES = (
    (Artist, "__init__"),
    (Axis, "reset_ticks"),
    (Axes, "draw_artist"),
    (FigureCanvasAgg, "draw"),
    (FigureCanvasAgg, "copy_from_bbox"),
    (FigureCanvasAgg, "restore_region"),
    (FigureCanvasAgg, "print_png"),
    (Figure, "savefig"),
)


@pytest.fixture
def touches(monkeypatch):
    """What touches matplotlib, and from where if that is without the lock or with the reader's settings; to be empty
    but for counts.
    """
    counts, unlocked = dict.fromkeys(TOUCHES, 0), set()
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 33)

    def watch(owner, name):
        original = getattr(owner, name)

        @wraps(original)  # savefig looks at the signature
        def watched(*args, **kwargs):
            counts[owner, name] += 1
            if not TURN._is_owned() or (matplotlib.rcParams["font.size"] == 33 and owner is not Axis):
                ours = [f for f in traceback.extract_stack() if "spe_lab" in f.filename and "tests" not in f.filename]
                unlocked.add(f"{owner.__name__}.{name} by {ours[-1].filename}:{ours[-1].lineno}" if ours else name)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    for owner, name in TOUCHES:
        watch(owner, name)
    yield counts
    assert not unlocked, "\n".join(sorted(unlocked))
    assert any(counts.values())


# All labs draw by the same code: of points and bars, simulated at each move, and over counts.
@pytest.mark.parametrize("lab_id", ["memory.stride", "branches.rate", "scaling.usl"])
def test_an_explorer_draws_under_the_lock(lab_id, touches):
    explorer = explore(lab_id)
    explorer.show_recorded()
    explorer.overlay(explorer.lab.recorded())
    slider = explorer.lab.sliders[explorer.lab.axis]
    explorer.set(**{slider.name: slider.low})
    explorer._repr_mimebundle_()


@needs_compiler
def test_a_measurement_draws_under_the_lock(touches):
    explorer = explore("memory.stride")
    before = touches[Axes, "draw_artist"]
    explorer.start()
    explorer.measured()
    assert touches[Axes, "draw_artist"] > before


def test_a_sketch_draws_under_the_lock(touches):
    drawing = sketch("memory.stride")
    next(iter(drawing.sliders.values())).value = 20
    drawing.commit()


def test_a_picture_for_a_file_is_drawn_under_the_lock(touches):
    lab = registry.get("memory.stride")
    static.picture(lab.joined(lab.fitted(lab.recorded()), lab.point()))


@needs_compiler
def test_a_picture_of_noise_is_drawn_under_the_lock(touches):
    observed(0.3).png()


def test_the_journal_is_drawn_under_the_lock(touches):
    draw(TrackRecord([Scored("memory.stride", "at 64 B", "ns", 1, 2, 1.5, 1.4, 1.6)]))


def test_a_figure_that_goes_is_closed_under_the_lock_with_the_next_frame(touches):
    """Python ends a figure in whatever thread its collector runs, and at any moment of another figure's drawing."""
    figures = [LabFigure(registry.get("memory.stride")) for _ in range(2)]
    lab = figures[0].lab
    for figure in figures:
        figure.draw(lab.predict(lab.point(), lab.x(), lab.recorded_fit))
    before = touches[Axis, "reset_ticks"]
    ending = threading.Thread(target=figures.pop)
    ending.start()
    ending.join()
    del figure
    assert touches[Axis, "reset_ticks"] == before
    figures[0].draw(lab.predict(lab.point(), lab.x(), lab.recorded_fit))
    assert touches[Axis, "reset_ticks"] > before
