"""A picture of a machine's noise: run sequence and histogram of the times of two loops."""

import io

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.sampling.noise import Noise, observe
from spe_lab.core.text import Text
from spe_lab.ui.drawing import draws
from spe_lab.ui.sheet import DPI, MEASURED
from spe_lab.ui.static import figure_html

_WIDTH, _HEIGHT = 820, 340


def observed(seconds: float = 3.0) -> "NoisePicture | Text":
    """Sample two loops for `seconds` and return a picture; without a compiler, return the reason."""
    return Text(missing) if (missing := native.missing()) else NoisePicture(observe(seconds))


class NoisePicture:
    """The noise as a picture in a notebook; `text` has the same in words."""

    def __init__(self, noise: Noise) -> None:
        self.noise = noise
        self.text = Text(f"Run sequence and histogram of two loops. {noise.sentence}")

    def _repr_mimebundle_(self, **_kwargs) -> dict[str, str]:
        return {
            "text/html": figure_html(self.png(), self.text, _WIDTH, _HEIGHT) + f"<p>{self.noise.sentence}</p>",
            "text/plain": str(self.text),
        }

    @draws
    def png(self) -> bytes:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(_WIDTH / DPI, _HEIGHT / DPI), dpi=DPI, layout="constrained", facecolor="white")
        canvas = FigureCanvasAgg(figure)
        sequence, histogram = figure.subplots(1, 2, sharey=True, width_ratios=[3, 1])
        top = max(1.2, 1.05 * max(np.nanquantile(x, 0.98) for x in (self.noise.additions, self.noise.cache)))
        bins = np.linspace(1, top, 60)
        loops = {"additions (core alone)": self.noise.additions, "random cycle (cache)": self.noise.cache}
        for (colour, marker), (name, x) in zip(MEASURED, loops.items(), strict=False):
            shown = np.minimum(x, top)
            dots = {"linestyle": "", "marker": marker, "markersize": 3, "color": colour, "alpha": 0.6}
            sequence.plot(np.arange(x.size), shown, label=f"measured: {name}", **dots)
            steps = {"orientation": "horizontal", "histtype": "step", "linewidth": 1.8, "color": colour}
            histogram.hist(np.minimum(x[np.isfinite(x)], top), bins=bins, **steps)
        sequence.set_xlabel("sample, in the order of time", fontsize=11)
        sequence.set_ylabel("time ÷ fastest", fontsize=11)
        histogram.set_xlabel("samples", fontsize=11)
        sequence.legend(loc="upper right", fontsize=10)
        for axes in (sequence, histogram):
            axes.grid(True, color="#dddddd")
            axes.spines[["top", "right"]].set_visible(False)
        out = io.BytesIO()
        canvas.print_png(out)
        return out.getvalue()
