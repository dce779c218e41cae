"""The lab coherence.false_sharing: threads on real cores whose words lie some bytes apart."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.files import plain
from spe_lab.core.frame import Axis, Cancel, Curve, Effort, Plan, Preset, Recording, Slider, TeamLab, Value, register
from spe_lab.core.machine import cpus
from spe_lab.core.sampling.teams import Setting, Trials
from spe_lab.models.mesi import follow
from spe_lab.topics.coherence import models
from spe_lab.topics.coherence.tenure import Tenure
from spe_lab.topics.coherence.tenure import fit as fit_tenure
from spe_lab.topics.coherence.words import COUNTING, FARTHEST, MOST_THREADS, OPERATIONS, Handing, Words, kernels

ACCESSES = dict(zip(OPERATIONS, ("W", "RW", "RW", "W", "W", "R"), strict=True))
TRAINING = (12, 28, 320)  # offsets that the tenure is fitted to; the figure shows none of them
BESIDE = ("same word", "alone", "hand-off")  # settings interleaved with those of the figure, in this order
MIDDLE = 0.5  # the median: contention differs in each trial, and the lowest tenth holds the lucky trials only
ONE_CPU = (
    "false sharing needs two processors, and this process may use one only; give it another one (taskset -c, docker"
    " --cpuset-cpus)"
)
HYPER_THREADS = "two threads ran on one core as hyper-threads, between which a line does not move"


@register
class FalseSharing(TeamLab):
    """Lab: time of an operation against the distance of the threads' words."""

    id = "coherence.false_sharing"
    title = "False sharing"
    question = (
        "How long does an operation take if each thread has a word of its own, and the words lie some bytes apart?"
    )
    axis = "offset"
    quantity = "time per operation"
    unit = "ns"
    compared = ("together", "fitted tenure")
    first = ("offset", "threads", "operation", "line")
    fitted_here = True
    within = 0.02
    breaks = (
        "The owner of a line does several operations before another core takes it. Their number depends on the core's"
        " buffers, so the hand-off alone bounds the time and does not predict it. Stores without a load wait in a store"
        " buffer, and hardly any of them moves the line."
    )

    def make_sliders(self) -> list[Slider]:
        local, hand_off = (models.QUANTITIES[name].meaning for name in "cH")
        line, two = self.machine.parameters["line_size"], "two counters of 64 bits"
        distance, own = (
            "distance between neighbouring threads' words",
            "threads, each with a word and a core of its own",
        )
        does, size, known = "each thread's operation", "size of a cache line", f"{line.origin}: {line.source}"
        turn = "operations that a thread does before another core takes the line"
        first, last = "assumed: an atomic operation in the first-level cache", "assumed: cores under one last cache"
        few = "assumed: between 1 and 10 on current cores"
        model: dict[str, Any] = {"scale": "log", "measured": False, "group": "Model of one operation"}
        return [
            Slider(
                "offset", "B", 8, distance, 4, FARTHEST, "log", multiple_of=4, source=two, label="Distance of the words"
            ),
            Slider.count("threads", 2, own, 2, MOST_THREADS, "the fewest that can share", label="Threads", symbol="T"),
            Slider.choice(
                "operation", OPERATIONS, does, "waits for the line", default="store + fence", label="Operation"
            ),
            Slider("line", "B", line.value, size, 16, 512, multiple_of=16, source=known, label="Line size", **model),
            Slider("c", "ns", 2.0, local, 0.1, 100, source=first, label="Operation alone", **model),
            Slider("H", "ns", 30.0, hand_off, 1, 1000, source=last, label="Hand-off", **model),
            Slider("k", "", 4.0, turn, 1, 1000, source=few, label="Tenure", **model),
        ]

    def presets(self) -> dict[str, Preset]:
        long = self.slider("line").rounded(2 * self.slider("line").default)
        return {
            "Lines 2 × as long": Preset(
                {"line": long},
                "The step moves to twice the distance: words that had separate lines then share one.",
            ),
            "Eight threads": Preset(
                {"threads": 8.0},
                "The step becomes a staircase: the farther the words lie apart, the fewer of the eight share a line.",
            ),
            "A hand-off each time": Preset(
                {"k": 1.0},
                "Only the curve by c, H and k rises: each operation waits until the line has visited all threads that"
                " share it.",
            ),
            "Only loads": Preset(
                {"operation": "load only"},
                "The step is gone: a line that is only read stays in the cache of every core.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [8, 32, 60, 64, 128, 512] if short else [4, 8, 16, 32, 48, 60, 64, 68, 96, 128, 192, 256, 384, 512]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        operation, threads, here = point["operation"], int(point["threads"]), cpus.current()
        if len(here.usable) < 2:
            raise UnavailableError(ONE_CPU)
        if threads > len(here.usable):
            rule = f"threads must be at most {len(here.usable)} to be measured here, a processor for each"
            raise SpeLabError(f"{rule}, got {threads}; choose fewer")
        own = [Words(operation, threads, int(offset), cancel) for offset in (*x.values, *TRAINING)]
        same = Words(operation, threads, 0, cancel)
        runs = same.run, Words(operation, 1, 4, cancel).run, Handing(cancel).run
        settings = [Setting(f"{words.offset} B", words.run) for words in own]
        settings += [Setting(name, run) for name, run in zip(BESIDE, runs, strict=True)]
        line = self.machine.parameters["line_size"].value

        def training(result: Trials) -> dict[str, Any]:
            lost: dict[str, Sequence[Words]] = {"same word": [same], "own words": own}
            counts = {name: lost_updates(words) for name, words in lost.items()} if operation in COUNTING else None
            how = {"operation": operation, "threads": threads, "line": line, "offsets": list(TRAINING)}
            return {**how, **blocks(result, len(x.values)), "lost_updates": counts}

        notes = (HYPER_THREADS,) if threads > len(here.usable) - here.siblings else ()
        options = {"level": MIDDLE}
        return Plan(settings, ["together"], kernels(), notes=notes, training=training, options=options)

    def fit(self, recording: Recording) -> Tenure:
        return fit_tenure(recording.training)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Tenure) -> list[Curve]:
        threads, line, moves = int(point["threads"]), point["line"], transfers(point["operation"])
        parts = {
            "by c, H and k": (point["c"], point["H"], point["k"]),
            "bound": (fit.local, fit.hand_off, 1.0),
            "fitted tenure": (fit.local, fit.hand_off, fit.k),
        }
        times = {name: models.shared_time(x.values, threads, line, *values, moves) for name, values in parts.items()}
        return [
            Curve(name, "predicted", x, "ns", time, provenance={} if name == "by c, H and k" else fit.to_dict())
            for name, time in times.items()
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        return {"line size": float(point["line"])}


def lost_updates(words: Sequence[Words]) -> list[int]:
    """Return [lost updates, updates] of these trials."""
    return [sum(trials.lost for trials in words), sum(trials.done for trials in words)]


def blocks(result: Trials, n: int) -> dict[str, list]:
    """Return the blocks to fit to: of the settings after the figure's n, at TRAINING's offsets and in BESIDE."""
    values = plain(result.blocks()[:, n:])
    columns = zip(BESIDE, list(zip(*values, strict=True))[len(TRAINING) :], strict=True)
    return {"blocks": [row[: len(TRAINING)] for row in values], **{name: list(column) for name, column in columns}}


@cache
def transfers(operation: str) -> float:
    """Return how often an operation moves the line if two cores take turns, counted in a trace.

    >>> [transfers(operation) for operation in ("atomic add", "load + store", "load only")]
    [1.0, 1.0, 0.0]
    """
    turn = [f"{core}:{kind} {'ab'[core]}" for core in (0, 1) for kind in ACCESSES[operation]]
    once, twice = (follow(", ".join(turn * n), layout="a b").counts()["transfers"] for n in (10, 20))
    return (twice - once) / 20
