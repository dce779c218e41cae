"""Whether the workbook stays as it is when it is used for hours: memory, threads, open files, files left, and
complaints.

    python benchmarks/soak.py [cells] [sliders] [--runs N] [--minutes N] [--seed N]

cells: every notebook once in a kernel of its own, and then its cells that measure, N times over in the same kernel
(100). sliders: all labs on one page of a real JupyterLab, one kernel; for N minutes (60) random keys, drags, choices,
presets, folds, "Recorded", "Measure" and "Cancel", some three a second, ten seconds for each lab in turn.

What one round of all labs, or the first ten runs, leave behind is warm-up; what comes after must add less than 20 MiB.
Prints Markdown to standard output and progress to standard error; exit status 1 says that something grew, stayed, or
complained.
"""

import argparse
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import psutil

# The driver belongs to the browser tests, which are no package, so that they can run beside an installed spe_lab.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser.jupyter import MissingError, Notebook, jupyterlab, write_notebook
from browser.touch import Touch

from spe_lab.core import registry

os.environ |= {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}  # as in `make lab`
NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MEASURES = re.compile(r"\bexplore\(|\.measured\(|\.run\(|calibrat|^%%c|\bown\.", re.MULTILINE)
WARM_RUNS = 10
LIMIT_MIB = 20.0
# ipykernel's pipes of threads that have ended, which ZeroMQ closes a while later: 0 to 13 of them over 270 measurements
PIPES = 16
STAY_S = 10.0
APART_S = 0.33
PATIENCE_MS = 5000
WEIGHTS = {"key": 66, "drag": 10, "list": 6, "preset": 6, "measure": 5, "recorded": 3, "fold": 4}
KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End")

# The large frame has pyzmq start its own garbage collector now, three threads and seven files, and not at the first
# large message that happens to be sent without a copy, which is any time in an hour.
PROBE = """
import os, threading, zmq
zmq.Frame(bytes(1 << 20), copy=False)
print(os.getpid(), *sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("measure")), sep=chr(10))
"""

# The controls of the lab in sight, by kind; `a` is the number of its cell.
CONTROLS = """
const root = document.querySelector(`.jp-Cell[data-windowed-list-index='${a}'] .jp-OutputArea`);
const all = selector => [...root.querySelectorAll(selector)].filter(each => visible(each) && !each.disabled);
const pressable = all('button:not(.lm-Accordion-title)').filter(each => !each.classList.contains('widget-upload'));
const said = each => each.textContent.trim();
window.controls = {
  key: all('.noUi-handle'), drag: all('.noUi-handle'), list: all('select'), fold: all('.jupyter-widget-Collapse-header'),
  measure: pressable.filter(each => /^(Measure|Simulate|Cancel)$/.test(said(each))), recorded: pressable.filter(each => said(each) === 'Recorded'),
  preset: pressable.filter(each => !/^(Measure|Simulate|Cancel|Recorded)$/.test(said(each))),
};
return Object.fromEntries(Object.entries(controls).map(([kind, found]) => [kind, found.length]));
"""
TOUCH = """
window.touched = controls[a.kind][a.number];
touched.scrollIntoView({block: 'center'});
await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
if (a.kind === 'key') touched.focus({preventScroll: true});
if (a.kind === 'list') { touched.selectedIndex = Math.floor(a.share * touched.options.length); touched.dispatchEvent(new Event('change', {bubbles: true})); }
if (!['key', 'drag', 'list'].includes(a.kind)) touched.click();
const {left, top, width, height} = touched.getBoundingClientRect(), track = touched.closest('.noUi-target')?.getBoundingClientRect();
return {x: left + width / 2, y: top + height / 2, to: track && track.left + a.share * track.width};
"""
# What the reader is told must be what the sliders say, soon after each move.
AGREES = f"""
const page = touched.closest('.spe-page');
const text = each => each?.textContent?.replace('−', '-');
const wrong = () => [...page.querySelectorAll('.widget-inline-hbox')].filter(visible).map(each => {{
  const name = text(each.querySelector('.widget-label')), value = text(each.querySelector('.widget-readout'));
  const said = text(page.querySelector('.spe-state')).split(' · ').find(part => part.startsWith(`${{name}} `) && !part.includes(' at '));
  if (!value || !said) return null;  // a model's slider at its default is not named
  const number = Number(value), told = Number(said.split(' ').at(name.split(' ').length)); // of 1.125 one says 1.13, the other 1.12
  const agree = isNaN(number) || isNaN(told) ? said === `${{name}} ${{value}}` : Math.abs(number - told) <= 0.01 * Math.abs(told);
  return agree ? null : `${{name}} stands at ${{value}}, the text says ${{said}}`;
}}).filter(each => each)[0];
let late = null;  // what was wrong last, even if it was put right since
const differs = () => (late = wrong() ?? late) && wrong();
if (await within({PATIENCE_MS}, () => !differs())) return null;
return `${{late}} after {PATIENCE_MS / 1000:g} s ${{await within(6 * {PATIENCE_MS}, () => !differs()) ? 'and no longer later' : 'and for good'}}`;
"""
IDLE = (
    "return within(20000, () => ![...document.querySelectorAll('.spe-page button')].some(each =>"
    " each.textContent.trim() === 'Cancel'))"
)


@dataclass
class Watched:
    """A process, and what was seen of it."""

    process: psutil.Process
    samples: list[dict[str, float]] = field(default_factory=list)

    def look(self, round_number: int) -> None:
        with self.process.oneshot():
            now = {
                "round": round_number,
                "rss": self.process.memory_info().rss / 2**20,
                "threads": self.process.num_threads(),
                "files": self.process.num_fds(),
            }
        self.samples.append(now)

    def rounds(self) -> list[int]:
        return sorted({int(each["round"]) for each in self.samples})

    def median(self, what: str, rounds: Sequence[int]) -> float:
        return median(each[what] for each in self.samples if each["round"] in rounds)


@dataclass
class Report:
    """One row of the table."""

    name: str
    extent: str
    before: dict[str, float]
    after: dict[str, float]
    complaints: list[str]

    @classmethod
    def of(
        cls, name: str, extent: str, watched: Watched, first: Sequence[int], last: Sequence[int], complaints: list[str]
    ) -> "Report":
        before, after = (
            {what: watched.median(what, rounds) for what in ("rss", "threads", "files")} for rounds in (first, last)
        )
        return cls(name, extent, before, after, complaints)

    @property
    def good(self) -> bool:
        same = self.after["threads"] <= self.before["threads"] and self.after["files"] <= self.before["files"] + PIPES
        return self.after["rss"] - self.before["rss"] < LIMIT_MIB and same and not self.complaints

    def __str__(self) -> str:
        def way(what: str, digits: int = 0) -> str:
            return f"{self.before[what]:.{digits}f} → {self.after[what]:.{digits}f}"

        growth = self.after["rss"] - self.before["rss"]
        return (
            f"| {self.name} | {self.extent} | {way('rss', 1)} | {growth:+.1f} | {way('threads')} | {way('files')} |"
            f" {len(self.complaints)} |"
        )


HEAD = """| what | how much | memory after warm-up → at the end [MiB] | growth | threads | open files | complaints |
|---|---|---|---|---|---|---|"""


def note(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


# ---- cells
# -------------------------------------------------------------------------------------------------------------


def cells(path: Path, runs: int) -> Report:
    """The measuring cells of a notebook, `runs` times in one kernel."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    measuring = [(i, cell) for i, cell in code if MEASURES.search(cell.source)]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=120,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    complaints: list[str] = []

    def run(which: Sequence[tuple[int, Any]]) -> None:
        for i, cell in which:
            try:
                client.execute_cell(cell, i)
            except CellExecutionError as error:
                complaints.append(f"{path.stem}, cell {cell.id}: {error.ename}: {error.evalue}")
            complaints.extend(
                f"{path.stem}, cell {cell.id} wrote {each.text[:300]}"
                for each in cell.outputs
                if each.get("name") == "stderr"
            )

    with client.setup_kernel():
        probe = nbformat.v4.new_code_cell(PROBE)
        notebook.cells.append(probe)
        client.execute_cell(probe, len(notebook.cells) - 1)
        watched = Watched(psutil.Process(int(probe.outputs[0].text.split()[0])))
        run(code)
        for number in range(runs):
            run(measuring)
            watched.look(number)
            if number % 10 == 9 or number == 0:
                note(f"{path.stem}: run {number + 1}, {watched.samples[-1]}, {len(complaints)} complaints")
        client.execute_cell(probe, len(notebook.cells) - 1)
        complaints += [f"{path.stem}: a thread goes on: {name}" for name in probe.outputs[0].text.splitlines()[1:]]
    warm = min(WARM_RUNS, runs // 2)
    few = max(1, warm // 2)
    return Report.of(
        path.stem,
        f"{runs} × {len(measuring)} cells",
        watched,
        range(warm - few, warm),
        range(runs - few, runs),
        complaints,
    )


# ---- sliders
# -----------------------------------------------------------------------------------------------------------


def sliders(folder: Path, minutes: float, seed: int) -> Iterator[Report]:
    """Random events on every lab in turn; the kernel's row and the server's."""
    ids, chance = [*registry.labs()], random.Random(seed)
    write_notebook(
        folder / "labs.ipynb", PROBE, *(f'from spe_lab import explore\nexplore("{lab_id}")' for lab_id in ids)
    )
    events, complaints = 0, []
    with jupyterlab(folder) as lab, lab.open("labs.ipynb") as notebook:
        touch = Touch(notebook)
        notebook.run_all(timeout_s=180)
        kernel = psutil.Process(int(notebook.cells()[0]["outputs"][0]["text"].split()[0]))
        both = {"kernel": Watched(kernel), "server": Watched(kernel.parent())}
        began, turn = time.monotonic(), 0
        while time.monotonic() - began < 60 * minutes or turn < len(ids):
            lab_id = ids[turn % len(ids)]
            made, said = _visit(notebook, turn % len(ids) + 1, chance)
            events += made
            complaints += [f"{lab_id}: {each}" for each in [*said, *notebook.evaluate("return complaints.splice(0)")]]
            for watched in both.values():
                watched.look(turn // len(ids))
            turn += 1
            if turn % len(ids) == 0:
                note(
                    f"round {turn // len(ids)}: {events} events, {both['kernel'].samples[-1]}, {len(complaints)}"
                    f" complaints {complaints[-3:]}"
                )
        took = (time.monotonic() - began) / 60
        if not notebook.evaluate(IDLE, timeout_s=30):
            complaints.append("a measurement did not end")
        threads = "".join(output["text"] for output in notebook.run(0)).splitlines()[1:]
        complaints += [f"a thread goes on: {name}" for name in threads] + notebook.console_errors
        assert touch.notebook is notebook
    extent = f"{took:.0f} min, {events} events, {turn // len(ids)} rounds of {len(ids)} labs"
    for name, watched in both.items():
        rounds = watched.rounds()  # the last one may be cut short
        yield Report.of(
            f"all labs: {name}",
            extent,
            watched,
            rounds[1:2] or rounds,
            rounds[-2:-1] or rounds,
            complaints if name == "kernel" else [],
        )


def _visit(notebook: Notebook, cell: int, chance: random.Random) -> tuple[int, list[str]]:
    """Ten seconds of events on the lab below this cell: how many, and what went wrong."""
    notebook.evaluate("await jupyterapp.shell.currentWidget.content.scrollToItem(a, 'start')", cell)
    notebook.page.locator(f".jp-Cell[data-windowed-list-index='{cell}'] .widget-html img").first.wait_for()
    events, wrong, began = 0, [], time.monotonic()
    while time.monotonic() - began < STAY_S:
        found = notebook.evaluate(CONTROLS, cell)
        kind = chance.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
        if found[kind]:
            share = chance.random()
            place = notebook.evaluate(TOUCH, {"kind": kind, "number": chance.randrange(found[kind]), "share": share})
            if kind == "key":
                for _ in range(chance.randint(1, 4)):
                    notebook.page.keyboard.press(chance.choice(KEYS))
            elif kind == "drag":
                notebook.page.mouse.move(place["x"], place["y"])
                notebook.page.mouse.down()
                notebook.page.mouse.move(place["to"], place["y"], steps=5)
                notebook.page.mouse.up()
            if disagreement := notebook.evaluate(AGREES, timeout_s=90):
                wrong.append(f"after {kind}: {disagreement}")
            events += 1
        notebook.page.wait_for_timeout(1000 * chance.expovariate(1 / APART_S))
    return events, wrong


# ------------------------------------------------------------------------------------------------------------------------


def left_behind(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", metavar="PART", nargs="*", help="cells, sliders (default: both)")
    parser.add_argument("--runs", type=int, default=100, help="of each notebook's measuring cells (default: 100)")
    parser.add_argument("--minutes", type=float, default=60, help="of slider events (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of the events (default: 1)")
    parser.add_argument("--notebook", default="", help="only notebooks whose name holds this")
    arguments = parser.parse_args()
    parts = arguments.parts or ["cells", "sliders"]
    if unknown := set(parts) - {"cells", "sliders"}:
        parser.error(f"PART must be cells or sliders, got {', '.join(unknown)}")
    if arguments.runs < 2 or not arguments.minutes > 0:
        parser.error(f"--runs must be at least 2 and --minutes positive, got {arguments.runs} and {arguments.minutes}")
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="spe-lab-soak-") as folder:
        private = {name: Path(folder) / name for name in ("cache", "config", "temporary", "work")}
        for each in private.values():
            each.mkdir()
        os.environ |= {
            "SPE_LAB_QUICK": "1",
            "SPE_LAB_PREDICTIONS": "skip",
            "SPE_LAB_CACHE_DIR": str(private["cache"]),
            "SPE_LAB_CONFIG_DIR": str(private["config"]),
            "TMPDIR": str(private["temporary"]),
            "IPYTHONDIR": str(Path(folder) / "ipython"),
        }
        tempfile.tempdir = None
        try:
            if "cells" in parts:
                reports += [cells(path, arguments.runs) for path in NOTEBOOKS if arguments.notebook in path.stem]
            if "sliders" in parts:
                reports += sliders(private["work"], arguments.minutes, arguments.seed)
        except MissingError as error:
            sys.exit(str(error))
        left = left_behind(private["temporary"])
    print(HEAD, *reports, "", f"Temporary files left: {', '.join(left) or 'none'}.", sep="\n")
    for report in reports:
        print(*(f"- {complaint}" for complaint in report.complaints[:50]), sep="\n")
    return 0 if all(report.good for report in reports) and not left else 1


if __name__ == "__main__":
    sys.exit(main())
