"""How long a reader waits for a slider: from key press to new pixels, in a real browser.

    python benchmarks/slider_latency.py [LAB ...] [--slider NAME] [--presses N] [--json]

For each lab, in one run: the slider of its axis (or NAME) in the explorer, the same while a measurement of full length
runs, as a slide of `make lecture` (1920 × 1080), and the same figure as `ipywidgets.interact` and pyplot draw it.
Presses are 120 ms apart, and none comes before the last one was answered: a press into the drawing of an earlier one
could not be told from it. That flatters whatever is slower than 120 ms. Two more answers that a reader waits for: the
first key press after the explorer's cell has run, and `import spe_lab`. Needs a quiet machine, a C compiler, what the
browser tests need and what shows slides (spe-lab[lecture]). Measures for about a minute a lab.
"""

import argparse
import importlib.util
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# The driver belongs to the browser tests, which are no package, so that they can run beside an installed spe_lab.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from jupyter import Explorer, MissingError, Notebook, jupyterlab, write_notebook

from spe_lab.core import registry
from spe_lab.ui.slides import slides

APART_S = 0.12
PATIENCE_MS = 2000  # a press without new pixels after this is a miss
WARM_UP = 5
WAYS = ("explorer", "while measuring", "lecture", "interact")
LECTURE = Path(__file__).parents[1] / ".jupyter" / "lecture"  # the settings of `make lecture`
LEG = 10  # steps to the right; then twice as many to the left, and so on about where the slider stood

EXPLORER = """
from spe_lab import explore
explorer = explore("LAB")
explorer
"""
PLAIN = """
import matplotlib.pyplot as plt
from ipywidgets import interact
from spe_lab.ui.controls import control
from spe_lab.ui.static import dense

lab = explorer.lab
axis, slider = dense(lab, lab.x()), lab.sliders[lab.axis]

@interact(value=control(slider))
def plain(value):
    figure, (top, bottom) = plt.subplots(2, 1, sharex=True, height_ratios=[3, 1], figsize=(8.2, 5))
    for curve in lab.predict({**explorer.point, lab.axis: slider.checked(value)}, axis, explorer.fit):
        top.plot(curve.x.values, curve.values, label=f"predicted: {curve.name}")
    if slider.scale == "log":
        top.set_xscale("log", base=2)
    top.set(yscale=lab.scale, ylabel=f"{lab.quantity} [{lab.unit}]", title=f"at {lab.axis} {value:.6g} {slider.unit}")
    top.legend()
    bottom.set_yscale("log", base=2)
    bottom.set(ylim=(0.25, 4), xlabel=f"{slider.meaning} [{slider.unit}]", ylabel="measured ÷ predicted")
    bottom.axhspan(1 / 1.2, 1.2, color="green", alpha=0.2)
    for axes in (top, bottom):
        axes.axvline(value, color="grey", linestyle=":")
        axes.grid(True)
    plt.show()
"""

# A key press makes a promise. It is kept in the first frame after a picture that differs from the one before: an SVG as
# soon as it is there, an image once it was decoded.
STOPWATCH = """
let source = null, drawn = null, answer = null;
document.addEventListener('keydown', () => {
  const pressed = performance.now();
  window.answered = new Promise(keep => { answer = () => keep({ms: performance.now() - pressed, at: performance.now()}); });
}, true);
new MutationObserver(async records => {
  const added = records.flatMap(record => record.type === 'attributes' ? [record.target] : [...record.addedNodes]);
  const found = kind => added.flatMap(node => node.matches?.(kind) ? [node] : [...node.querySelectorAll?.(kind) ?? []]);
  const [drawing, images] = [found('svg.spe-moving')[0], found('img')];
  if (drawing && drawing.innerHTML !== drawn) {
    drawn = drawing.innerHTML;
    if (answer) { requestAnimationFrame(answer); answer = null; }
  }
  for (const image of images) {
    if (image.src === source) continue;
    source = image.src;
    await image.decode().catch(() => null);  // replaced before it was decoded: the next one answers
    if (image.isConnected && answer) { requestAnimationFrame(answer); answer = null; }
  }
}).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
"""


def press(notebook: Notebook, handle: Any, right: bool = True) -> dict[str, float] | None:
    """Milliseconds until the press was answered and the page's time of that; None for a miss. At its end a slider goes
    back.
    """
    now, end = (float(handle.get_attribute(f"aria-value{which}")) for which in ("now", "max" if right else "min"))
    handle.press("ArrowRight" if right == (now != end) else "ArrowLeft")
    return notebook.evaluate(
        "return await Promise.race([window.answered, new Promise(keep => setTimeout(() => keep(null), a))])",
        PATIENCE_MS,
    )


def latencies(
    notebook: Notebook, handle: Any, presses: int, warm_up: int = WARM_UP, before: int = 0
) -> list[float | None]:
    """Milliseconds for each press; None for a miss. `before`: presses that came before these, on the same way to and
    fro.
    """
    answers = []
    for i in range(before, before + warm_up + presses):
        began = time.monotonic()
        answer = press(notebook, handle, right=(i + LEG) // (2 * LEG) % 2 == 0)
        answers.append(answer and answer["ms"])
        notebook.page.wait_for_timeout(max(0.0, began + APART_S - time.monotonic()) * 1000)
    return answers[warm_up:]


def summary(answers: list[float | None]) -> dict[str, float]:
    known = [ms for ms in answers if ms is not None]
    p50, p95 = np.quantile(known, (0.5, 0.95)) if known else (np.inf, np.inf)
    return {
        "presses": len(answers),
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "misses": len(answers) - len(known),
    }


def measure(ids: Sequence[str], presses: int, name: str | None = None) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for lab_id in ids:
            write_notebook(Path(folder) / f"{lab_id}.ipynb", EXPLORER.replace("LAB", lab_id), PLAIN)
        # Measurements of full length: that many points are what a reader has on the figure.
        with jupyterlab(Path(folder), SPE_LAB_QUICK="0") as lab:
            for lab_id in ids:
                with lab.open(f"{lab_id}.ipynb") as notebook:
                    found[lab_id] = _measure(notebook, name or registry.labs()[lab_id].axis, presses)
                print(lab_id, found[lab_id], file=sys.stderr)  # at once, since all labs take half an hour
        for lab_id in ids:
            path = Path(folder) / f"{lab_id}.ipynb"
            path.write_text(json.dumps(slides(json.loads(path.read_text(encoding="utf-8")))), encoding="utf-8")
        with jupyterlab(Path(folder), JUPYTER_CONFIG_DIR=str(LECTURE)) as lab:
            for lab_id in ids:
                with lab.open(f"{lab_id}.ipynb") as notebook:
                    found[lab_id]["lecture"] = _lecture(notebook, name or registry.labs()[lab_id].axis, presses)
                print(lab_id, "on a slide", found[lab_id]["lecture"], file=sys.stderr)
    return {"labs": found, "import_adds_s": round(import_time(), 4), "load_average": round(os.getloadavg()[0], 2)}


def _measure(notebook: Notebook, name: str, presses: int) -> dict[str, Any]:
    notebook.evaluate(STOPWATCH)
    finished = notebook.evaluate("await jupyterapp.commands.execute('notebook:run-cell'); return performance.now()")
    explorer = Explorer(notebook)
    first = press(notebook, explorer.slider(name))
    found = {"explorer": summary(latencies(notebook, explorer.slider(name), presses))}
    # The first of these presses come while arrays are built and warmed; where the measurement ends early, another one
    # is started.
    answers = []
    while len(answers) < presses:
        if not explorer.button("Cancel").is_visible():
            explorer.root.get_by_role("button", name=re.compile("Measure|Simulate")).click()
        answers += latencies(
            notebook, explorer.slider(name), min(LEG, presses - len(answers)), warm_up=0, before=len(answers)
        )
    found["while measuring"] = summary(answers)
    if explorer.button("Cancel").is_visible():
        explorer.button("Cancel").click()
    explorer.root.get_by_role("button", name=re.compile("Measure|Simulate")).wait_for()
    notebook.run(1)
    found["interact"] = summary(
        latencies(notebook, notebook.page.locator(".widget-interact .noUi-handle"), math.ceil(presses / 2))
    )
    if wrong := notebook.cell_errors() + notebook.console_errors:
        raise RuntimeError(f"the notebook must run without errors, got {wrong}")
    return found | {"first_answer_after_cell_s": first and round((first["at"] - finished) / 1000, 3)}


def _lecture(notebook: Notebook, name: str, presses: int) -> dict[str, float]:
    """The explorer as the first of a lecture's slides, on a projector's screen."""
    notebook.page.set_viewport_size({"width": 1920, "height": 1080})
    notebook.page.locator(".jp-Deck").wait_for()
    notebook.evaluate(STOPWATCH)
    notebook.run(0)
    handle = Explorer(notebook).slider(name)
    press(notebook, handle)
    return summary(latencies(notebook, handle, presses))


def import_time(repetitions: int = 10) -> float:
    """Seconds that `import spe_lab` adds to Python's start: least of each, taken in turn, so that both have the same
    minutes.
    """

    def seconds(program: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - began

    pairs = [(seconds("import spe_lab"), seconds("pass")) for _ in range(repetitions)]
    with_import, without = map(min, zip(*pairs, strict=True))
    return with_import - without


def table(report: dict[str, Any]) -> str:
    columns = f"{'':28}" + f"{'p50':>9}{'p95':>6}{'missed':>7}" * len(WAYS) + f"{'p95 ÷ p95':>11}{'first [s]':>11}"
    head = [f"{'key press to new pixels [ms]':28}" + "".join(f"{way:>22}" for way in WAYS), columns]
    rows = [_row(lab_id, found) for lab_id, found in report["labs"].items()]
    return "\n".join(
        [*head, *rows, f"import spe_lab adds {report['import_adds_s']} s; load average {report['load_average']}"]
    )


def _row(lab_id: str, found: dict[str, Any]) -> str:
    cells = "".join(f"{found[way]['p50_ms']:9.0f}{found[way]['p95_ms']:6.0f}{found[way]['misses']:7}" for way in WAYS)
    return f"{lab_id:28}{cells}{found['interact']['p95_ms'] / found['explorer']['p95_ms']:11.1f}{found['first_answer_after_cell_s'] or math.nan:11.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "labs", metavar="LAB", nargs="*", default=list(registry.labs()), help="labs to measure (default: all)"
    )
    parser.add_argument(
        "--slider",
        metavar="NAME",
        help="the one that is moved (default: that of each lab's axis, where nothing is simulated anew)",
    )
    parser.add_argument("--presses", type=int, default=60, help="for each slider (default: 60)")
    parser.add_argument("--json", action="store_true", help="the report as JSON instead of a table")
    arguments = parser.parse_args()
    if arguments.presses < 1:
        parser.error(f"--presses must be at least 1, got {arguments.presses}")
    if not importlib.util.find_spec("jupyterlab_slideshow"):
        parser.error("lecture mode needs what shows the slides: pip install 'spe-lab[lecture]'")
    try:
        report = measure(arguments.labs, arguments.presses, arguments.slider)
    except MissingError as error:
        sys.exit(str(error))
    print(json.dumps(report, indent=1) if arguments.json else table(report))


if __name__ == "__main__":
    main()
