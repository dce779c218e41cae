"""The lab coherence.false_sharing: threads whose words are some bytes apart, on real cores."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.files import plain
from spe_lab.core.kinds import Plan, TeamLab
from spe_lab.core.lab import Effort
from spe_lab.core.machine import cpus
from spe_lab.core.recording import Recording
from spe_lab.core.registry import register
from spe_lab.core.sampling.teams import Setting, Trials
from spe_lab.core.slider import Preset, Slider, Value
from spe_lab.models.mesi import follow
from spe_lab.topics.coherence import models
from spe_lab.topics.coherence.tenure import Tenure
from spe_lab.topics.coherence.tenure import fit as fit_tenure
from spe_lab.topics.coherence.words import COUNTING, FARTHEST, MOST_THREADS, OPERATIONS, Handing, Words, kernels

ACCESSES = dict(zip(OPERATIONS, ("W", "RW", "RW", "W", "W", "R"), strict=True))
TRAINING = (12, 28, 320)  # offsets that the tenure is fitted to, none of them on the figure
BESIDE = ("same word", "alone", "hand-off")  # settings that are measured in turn with the figure's, in this order
MIDDLE = (
    0.5  # a fight for a line is another one in each trial: the median, since the lowest tenth is that of the lucky ones
)
ONE_CPU = (
    "false sharing needs two processors, and this process may use one only; give it another one (taskset -c, docker"
    " --cpuset-cpus)"
)
HYPER_THREADS = "two of the threads ran on one core, as hyper-threads: a line need not move between them"


@register
class FalseSharing(TeamLab):
    """Time of an operation against the distance of the threads' words."""

    id = "coherence.false_sharing"
    title = "False sharing"
    question = "What does an operation cost if each thread has a word of its own, and the words lie some bytes apart?"
    axis = "offset"
    quantity = "time per operation"
    unit = "ns"
    compared = ("together", "fitted tenure")
    within = 0.02
    breaks = (
        "The owner of a line does several operations before it is taken away; how many depends on the core's buffers,"
        " so that the hand-off alone bounds the cost and does not predict it. Stores without a load wait in a store"
        " buffer, and hardly any of them moves the line."
    )

    def make_sliders(self) -> list[Slider]:
        line, quantity = self.machine.parameters["line_size"], models.QUANTITIES
        in_a_row = "operations that a thread does before the line is taken away"
        return [
            Slider(
                "offset",
                "B",
                8,
                "distance from one thread's word to the next one's",
                4,
                FARTHEST,
                "log",
                multiple_of=4,
                source="two counters of 64 bits",
            ),
            Slider(
                "threads",
                "",
                2,
                "threads, each with a word and a core of its own",
                2,
                MOST_THREADS,
                multiple_of=1,
                source="the fewest that can share",
            ),
            Slider(
                "operation",
                "",
                "store + fence",
                "what each thread does to its word",
                scale="choice",
                choices=tuple(OPERATIONS),
                source="waits for the line",
            ),
            Slider(
                "line",
                "B",
                line.value,
                "size of a cache line",
                16,
                512,
                "log",
                multiple_of=16,
                measured=False,
                source=f"{line.origin}: {line.source}",
            ),
            Slider(
                "c",
                "ns",
                2.0,
                quantity["c"].meaning,
                0.1,
                100,
                "log",
                measured=False,
                source="assumed: an atomic operation in the first cache",
            ),
            Slider(
                "H",
                "ns",
                30.0,
                quantity["H"].meaning,
                1,
                1000,
                "log",
                measured=False,
                source="assumed: two cores under one last cache",
            ),
            Slider(
                "k",
                "",
                4.0,
                in_a_row,
                1,
                1000,
                "log",
                measured=False,
                source="assumed: between 1 and 10 on cores of today",
            ),
        ]

    def presets(self) -> dict[str, Preset]:
        long = self.slider("line").rounded(2 * self.slider("line").default)
        return {
            "Lines 2 × as long": Preset(
                {"line": long},
                "The step moves to twice the distance: words that had lines of their own then share one.",
            ),
            "Eight threads": Preset(
                {"threads": 8.0},
                "The step becomes a flight of stairs: the farther the words lie apart, the fewer of the eight share a"
                " line.",
            ),
            "A hand-off each time": Preset(
                {"k": 1.0},
                "The curve by c, H and k alone rises: each operation waits until the line has gone round all that"
                " share it.",
            ),
            "Only loads": Preset(
                {"operation": "load only"}, "The step is gone: a line that is only read stays with every core."
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [8, 32, 60, 64, 128, 512] if short else [4, 8, 16, 32, 48, 60, 64, 68, 96, 128, 192, 256, 384, 512]

    def plan(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Plan:
        operation, threads, here = point["operation"], int(point["threads"]), cpus.current()
        if len(here.usable) < 2:
            raise UnavailableError(ONE_CPU)
        if threads > len(here.usable):
            raise SpeLabError(
                f"threads must be at most {len(here.usable)} to be measured here, a processor for each, got {threads};"
                " choose fewer"
            )
        own = [Words(operation, threads, int(offset), cancel) for offset in (*x.values, *TRAINING)]
        same = Words(operation, threads, 0, cancel)
        beside = zip(BESIDE, (same.run, Words(operation, 1, 4, cancel).run, Handing(cancel).run), strict=True)
        settings = [*(Setting(f"{words.offset} B", words.run) for words in own), *(Setting(*each) for each in beside)]
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
        tenure, threads, line, moves = (
            fit,
            int(point["threads"]),
            point["line"],
            transfers(point["operation"]),
        )
        measured = (tenure.local, tenure.hand_off)
        parts = {
            "by c, H and k": (point["c"], point["H"], point["k"]),
            "bound": (*measured, 1.0),
            "fitted tenure": (*measured, tenure.k),
        }
        times = {name: models.shared_time(x.values, threads, line, *values, moves) for name, values in parts.items()}
        return [
            Curve(name, "predicted", x, "ns", t, provenance=tenure.to_dict() if name == "fitted tenure" else {})
            for name, t in times.items()
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        return {"line size": float(point["line"])}


def lost_updates(words: Sequence[Words]) -> list[int]:
    """[lost updates, updates] of these words."""
    return [sum(each.lost for each in words), sum(each.done for each in words)]


def blocks(result: Trials, n: int) -> dict[str, list]:
    """What a fit is given: blocks of the settings that follow the figure's n, at TRAINING's offsets and BESIDE them."""
    values = plain(result.blocks()[:, n:])
    columns = zip(BESIDE, list(zip(*values, strict=True))[len(TRAINING) :], strict=True)
    return {"blocks": [row[: len(TRAINING)] for row in values], **{name: list(column) for name, column in columns}}


@cache
def transfers(operation: str) -> float:
    """How often an operation moves the line if two cores take turns at each, counted in a trace that follows the
    protocol.

    >>> [transfers(operation) for operation in ("atomic add", "load + store", "load only")]
    [1.0, 1.0, 0.0]
    """
    turn = [f"{core}:{kind} {'ab'[core]}" for core in (0, 1) for kind in ACCESSES[operation]]
    once, twice = (follow(", ".join(turn * n), layout="a b").counts()["transfers"] for n in (10, 20))
    return (twice - once) / 20
