"""Our figures look the same whatever the reader has told matplotlib, and the reader's settings stay as they are."""

import sys

import matplotlib
import pytest
from matplotlib.figure import Figure

from spe_lab import sketch
from spe_lab.core import folders, registry
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.track_record import Scored, TrackRecord
from spe_lab.ui import drawing, static
from spe_lab.ui.drawing import draws
from spe_lab.ui.journal import draw
from spe_lab.ui.lecture_notes import _formula

ODD = {
    "text.usetex": True,
    "font.size": 40,
    "font.family": ["monospace"],
    "axes.grid": True,
    "axes.facecolor": "black",
    "axes.edgecolor": "white",
    "axes.titlecolor": "red",
    "axes.formatter.use_locale": True,
    "axes.unicode_minus": False,
    "axes.prop_cycle": matplotlib.cycler(color=["red"]),
    "figure.figsize": [1, 1],
    "figure.dpi": 300,
    "figure.autolayout": True,
    "figure.facecolor": "black",
    "legend.fontsize": 40,
    "lines.linewidth": 9,
    "mathtext.fontset": "cm",
    "path.sketch": (1, 100, 2),
    "savefig.bbox": "tight",
    "savefig.dpi": 20,
    "savefig.transparent": True,
    "text.color": "white",
    "xtick.labelsize": 40,
    "ytick.minor.visible": True,
}


def run():
    lab = registry.get("memory.stride")
    return lab.joined(lab.fitted(lab.recorded()), lab.point())


PICTURES = {
    "a lab's": lambda: static.picture(run()),
    "the journal's": lambda: draw(TrackRecord([Scored("memory.stride", "at 64 B", "ns", 1, 2, 1.5, 1.4, 1.6)])),
    "a sketch's": lambda: sketch("memory.stride").picture.value,
    "a formula": lambda: _formula(r"\frac{\lambda}{c\mu}"),
}


@pytest.fixture
def odd():
    with matplotlib.rc_context(ODD):
        yield


@pytest.mark.parametrize("whose", PICTURES)
def test_a_picture_is_the_same_with_the_reader_s_settings(whose, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # an SVG holds its date
    plain = PICTURES[whose]()
    with matplotlib.rc_context(ODD):
        assert PICTURES[whose]() == plain
        assert {name: matplotlib.rcParams[name] for name in ODD} == ODD


def test_what_the_reader_sets_while_a_figure_is_drawn_stays(odd):
    @draws
    def drawing_meanwhile():
        assert matplotlib.rcParams["font.size"] == 10
        matplotlib.rcParams["lines.linewidth"] = 5

    drawing_meanwhile()
    assert (matplotlib.rcParams["lines.linewidth"], matplotlib.rcParams["font.size"]) == (5, 40)


def test_the_reader_s_own_figures_keep_the_reader_s_settings(odd):
    PICTURES["a formula"]()
    assert Figure().get_dpi() == 300


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("Key backend: 'nope' is not a valid value"), "must be able to read its settings, got: Key backend"),
        (OSError("no writable directory"), "needs a folder for its settings, and got none: no writable directory"),
    ],
)
def test_a_matplotlib_that_cannot_be_imported_is_said(error, sentence, monkeypatch):
    class Broken:
        def find_spec(self, name, *_):
            if name == "matplotlib":
                raise error

    drawing._settings.cache_clear()
    monkeypatch.delitem(sys.modules, "matplotlib")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(SpeLabError, match=sentence):
        PICTURES["a lab's"]()


def test_without_a_home_folder_matplotlib_gets_one_of_its_own(monkeypatch):
    drawing._settings.cache_clear()
    monkeypatch.setattr(folders, "home_known", lambda: False)
    monkeypatch.setenv("MPLCONFIGDIR", "")
    monkeypatch.delenv("MPLCONFIGDIR")
    PICTURES["a formula"]()
    assert drawing.os.environ["MPLCONFIGDIR"]
