"""What a frame of an explorer costs in the kernel, without a browser: processor milliseconds and bytes for each move of
each slider.

    python benchmarks/frame_cost.py [LAB ...] [--moves N] [--recorded]

The budget of a key press is 75 ms, of which JupyterLab and the browser take some 40. `predict` is the model's share of
a frame; `worst` names the slider whose moves cost most. With --recorded, measured points are on the figure. Every
explorer is made once before, so that imports, lambdified models and fits are not counted: a reader has paid for them
when the figure appears (`opens`).
"""

import argparse
import itertools
import time
from collections.abc import Iterator

import ipywidgets as widgets
import numpy as np

from spe_lab import explore
from spe_lab.core import registry
from spe_lab.core.slider import Slider, Value
from spe_lab.ui.explorer import Explorer

STEPS = 24  # moves up, then down


def values(slider: Slider, widget: widgets.Widget, moves: int) -> Iterator[Value]:
    """What a reader's key presses set a slider to: to and fro about where it stands."""
    if isinstance(widget, widgets.FloatSlider):
        stops = np.arange(widget.min, widget.max + widget.step / 2, widget.step).tolist()
    else:
        stops = [option[1] if isinstance(option, tuple) else option for option in widget.options]
    start = min(
        range(len(stops)),
        key=lambda i: abs(stops[i] - widget.value) if isinstance(widget.value, float) else stops[i] != widget.value,
    )
    end = min(start + STEPS, len(stops) - 1) if start < len(stops) - 1 else max(start - STEPS, 0)
    way = stops[start : end + 1] if end > start else stops[end : start + 1][::-1]
    return itertools.islice(itertools.cycle(way[1:] + way[-2::-1]), moves if len(way) > 1 else 0)


def costs(explorer: Explorer, name: str, moves: int) -> list[float]:
    """Processor milliseconds of each move."""
    widget, spent = explorer.sliders[name], []
    for value in values(explorer.lab.sliders[name], widget, moves):
        began = time.process_time()
        widget.value = value
        spent.append((time.process_time() - began) * 1000)
    return spent


def row(lab_id: str, moves: int, recorded: bool) -> str:
    began = time.process_time()
    explorer = explore(lab_id)
    opens = (time.process_time() - began) * 1000
    if recorded:
        explorer.show_recorded()
    costs(explorer, explorer.lab.axis, 2)
    by_slider = {name: costs(explorer, name, moves) for name in explorer.sliders}
    worst = max(
        (name for name, spent in by_slider.items() if spent), key=lambda name: np.quantile(by_slider[name], 0.95)
    )
    every = np.concatenate(list(by_slider.values()))
    predicts = []
    for _ in range(5):
        began = time.process_time()
        explorer.lab.predict(explorer.point, explorer._axis, explorer.lab.recorded_fit)
        predicts.append((time.process_time() - began) * 1000)
    bytes_sent = len(explorer.parts.moving.value) + len(explorer.parts.twin.value)
    cells = (
        f"{np.median(every):8.1f}{np.quantile(every, 0.95):8.1f}{np.quantile(by_slider[worst], 0.95):8.1f} {worst:16}"
    )
    return f"{lab_id:28}{cells}{min(predicts):8.2f}{bytes_sent / 1024:8.1f}{opens:8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "labs", metavar="LAB", nargs="*", default=list(registry.labs()), help="labs to measure (default: all)"
    )
    parser.add_argument("--moves", type=int, default=48, help="of each slider (default: 48)")
    parser.add_argument("--recorded", action="store_true", help="with the recorded points on the figure")
    arguments = parser.parse_args()
    if arguments.moves < 1:
        parser.error(f"--moves must be at least 1, got {arguments.moves}")
    print(
        f"{'a frame [ms of processor]':28}{'p50':>8}{'p95':>8}{'worst':>8}"
        f" {'slider':16}{'predict':>8}{'KiB':>8}{'opens':>8}"
    )
    for lab_id in arguments.labs:
        print(row(lab_id, arguments.moves, arguments.recorded), flush=True)


if __name__ == "__main__":
    main()
