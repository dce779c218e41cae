"""The lab scaling.critical_path: a task graph on N workers, with its hot or critical path parallel."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.errors import MeasurementError, SpeLabError
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Recording, Slider, TeamLab, Value, register
from spe_lab.core.machine import Machine
from spe_lab.core.sampling.teams import Setting, Trials
from spe_lab.core.text import Text
from spe_lab.core.units import render
from spe_lab.models.schedule import bounds, list_schedule
from spe_lab.models.task_graph import GRAPHS, ORDERS, Graph, Task
from spe_lab.topics.scaling.execution import run_trials

PATHS = ("nothing", "hot path", "critical path")
OWN = "your own"
# A chain of sleeps: its time beyond the span shows how late a sleep ends.
CHAIN = Graph(tuple(Task(f"c{i}", 1_000_000, (f"c{i - 1}",) if i else ()) for i in range(8)))
CHAIN_WORKERS = 2


@lru_cache(maxsize=256)
def parallelised(graph: Graph, what: str, pieces: int) -> Graph:
    """Return the graph with each task of its hot path or critical path (one of PATHS) cut into pieces."""
    return graph.parallelised(_path(graph, what), pieces)


def _path(graph: Graph, what: str) -> tuple[str, ...]:
    return {"nothing": (), "hot path": graph.hot_path, "critical path": graph.critical_path}[what]


def compared(graph: Graph, workers: int = 4, pieces: int = 4, order: str = ORDERS[0]) -> Text:
    """Return a table of the predictions for each path: Amdahl's law, work, span and list schedule."""
    cut, before = min(pieces, workers), graph.work
    rows = [
        "| made parallel | share P of the work | Amdahl, for the tasks in a row | work | span | list schedule |",
        "|---|---|---|---|---|---|",
    ]
    for what in PATHS:
        share, after = graph.share(_path(graph, what)), parallelised(graph, what, pieces)
        amdahl, total = before * (1 - share + share / cut), list_schedule(after, workers, order).total
        times = " | ".join(render(ms, "ms") for ms in (amdahl, after.work, after.span, total))
        rows.append(f"| {what} | {share:.0%} | {times} |")
    return Text("\n".join(rows))


@register
class CriticalPath(TeamLab):
    """Time of a graph of waiting tasks against the workers; `own`: the reader's graph, text or parsed."""

    id = "scaling.critical_path"
    title = "Critical path"
    question = (
        "Some tasks must wait for others. How long do N workers need, and should the hot path or the critical path be"
        " made parallel?"
    )
    axis = "N"
    quantity = "time until all tasks are done"
    unit = "ms"
    scale = "linear"
    first = ("N", "graph", "cut", "pieces")
    compared = ("executed", "late sleeps")
    exact = True
    within = 0.02
    breaks = (
        "The schedule assumes known times and equal workers. Real tasks vary and share caches and memory, and a task"
        " that computes instead of waiting needs a core of its own."
    )

    own: str | Graph | None

    def __init__(self, machine: Machine | None = None, own: str | Graph | None = None) -> None:
        super().__init__(machine, own=own)
        _ = self.graphs  # a graph that cannot be read is refused here

    @cached_property
    def graphs(self) -> dict[str, Graph]:
        """The graphs to choose from, by name; the reader's own graph comes first."""
        parsed = {name: Graph.parse(text) for name, text in GRAPHS.items()}
        if self.own is None:
            return parsed
        return {OWN: self.own if isinstance(self.own, Graph) else Graph.parse(self.own), **parsed}

    def make_sliders(self) -> list[Slider]:
        cut = "tasks that are cut into pieces which may run at the same time"
        return [
            Slider.count("N", 4, "workers that take tasks from one list", 1, 16, "a small server", label="Workers"),
            Slider.choice("graph", self.graphs, "which tasks wait for which", "an example", label="Graph"),
            Slider.choice("cut", PATHS, cut, "where a profiler points", default=PATHS[1], label="Cut"),
            Slider.count("pieces", 4, "pieces that a task is cut into", 1, 8, "one for each worker", label="Pieces"),
            Slider.choice("order", ORDERS, "which ready task a worker takes first", "a good rule", label="Order"),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Cut the critical path": Preset(
                {"graph": "page", "cut": "critical path"},
                "Eight workers need less than 6 ms; with the hot path cut, they need 17 ms.",
            ),
            "Nothing cut": Preset(
                {"graph": "page", "cut": "nothing"},
                "From three workers on the time is 17 ms, as with the hot path cut: the longest chain is another path.",
            ),
            "An anomaly": Preset(
                {"graph": "anomaly", "cut": "nothing", "order": "as written"},
                "Four workers take longer than three: the schedule starts another task first.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [1, 2, 3, 4, 8] if short else [1, 2, 3, 4, 5, 6, 8, 10, 12, 16]

    def graph(self, point: Mapping[str, Value]) -> Graph:
        """Return the graph that the sliders describe; a run of a reader's own graph needs the same graph here."""
        if point["graph"] not in self.graphs:
            rule = f"graph must be one of {', '.join(self.graphs)}, got {point['graph']!r}"
            raise SpeLabError(f"{rule}; give its text: CriticalPath(own=text)")
        return parallelised(self.graphs[point["graph"]], point["cut"], int(point["pieces"]))

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        graph, n = self.graph(point), len(x.values)
        settings = [self.setting(graph, int(workers), point["order"], cancel) for workers in x.values]
        chain = self.setting(CHAIN, CHAIN_WORKERS, ORDERS[0], cancel)

        def training(result: Trials) -> dict[str, Any]:
            late_ms = (result.estimate.value[n] - CHAIN.span) / len(CHAIN.tasks)
            return {"late_us": max(0.0, round(1e3 * late_ms, 3))} if np.isfinite(late_ms) else {}

        return Plan(
            [*settings, chain], self.compared[:1], native.load("scaling"), training=training, options={"burst": 1}
        )

    def setting(self, graph: Graph, workers: int, order: str, cancel: Cancel) -> Setting:
        def run(trials: int) -> tuple[np.ndarray, np.ndarray]:
            elapsed = run_trials(graph, workers, order, trials, cancel)[0] / 1e6
            return elapsed, np.ones(trials, bool)  # sleeping workers may be late without being disturbed

        return Setting(f"{workers} workers", run)

    def fit(self, recording: Recording) -> int:
        """Return the delay of a task after a sleep in ns, from the chain measured along with the graph."""
        if "late_us" not in recording.training:
            raise MeasurementError("the chain needs a clean trial, got none; close other programs")
        return round(recording.training["late_us"] * 1e3)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: int) -> list[Curve]:
        graph, order = self.graph(point), point["order"]
        plain, late = ([list_schedule(graph, int(n), order, ns).total for n in x.values] for ns in (0, fit))
        least, most = np.array([bounds(graph.work, graph.span, int(n)) for n in x.values]).T
        named = (("list schedule", plain), ("late sleeps", late), ("at least", least), ("at most", most))
        return [Curve(name, "predicted", x, "ms", np.array(values)) for name, values in named]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return work ÷ span: with more workers the span limits the time, not the work."""
        graph = self.graph(point)
        return {"work ÷ span": round(graph.work / graph.span, 3)}
