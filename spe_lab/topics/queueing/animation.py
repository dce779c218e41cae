"""Traces for the animation: the same few hundred customers in several systems of this chapter."""

from collections.abc import Callable, Mapping

from spe_lab.core.slider import Slider, Value
from spe_lab.models.queues import Law, Priority, Shared, Sharing, Split, System, bimodal, poisson, simulate
from spe_lab.models.queues.trace import Trace

CUSTOMERS = 300
RUN = 4000  # customers of the simulation that the trace is a part of
SYSTEMS: dict[str, dict[str, Callable[[float], System]]] = {
    "one server": {
        "FCFS": lambda cut: Shared(1),
        "short jobs first": lambda cut: Priority(1, cut),
        "PS": lambda cut: Sharing(1),
    },
    "four servers": {"one queue": lambda cut: Shared(4), "a queue each": lambda cut: Split(4)},
    "four servers, two choices": {"random": lambda cut: Split(4), "the shorter of two": lambda cut: Split(4, 2)},
}


class Watched:
    """Source of `spe_lab.ui.player.Player`: its sliders, and the traces at their settings."""

    title = "Customers in queues"

    def __init__(self) -> None:
        ratio = "length of a long job over that of a short one; one job in twenty is long"
        sliders = (
            Slider(
                *("load", "", 0.7, "share of time that a server is busy", 0.1, 0.95),
                source="a usual target",
                label="Load",
                symbol="ρ",
            ),
            Slider.choice("systems", SYSTEMS, "systems that are compared", "the clearest case", label="Systems"),
            Slider(
                *("ratio", "", 20, ratio, 1, 100, "log"),
                source="long enough to see",
                label="Long job ÷ short job",
                symbol="r",
            ),
            Slider.count("seed", 1, "seed of the random numbers", 1, 1000, "any", label="Seed"),
        )
        self.sliders = {slider.name: slider for slider in sliders}

    def traces(self, point: Mapping[str, Value]) -> list[Trace]:
        """Simulate the same customers in each system; this takes about 2 ms."""
        law = bimodal(1.0, 0.05, float(point["ratio"]))
        long, short, _ = law.parameters
        cut = (long + short) / 2 if long > short else long * 2
        return [self._trace(name, make(cut), law, cut, point) for name, make in SYSTEMS[point["systems"]].items()]

    def _trace(self, name: str, system: System, law: Law, cut: float, point: Mapping[str, Value]) -> Trace:
        gaps = poisson(float(point["load"]) * system.capacity)
        return Trace.of(name, simulate(system, gaps, law, RUN, int(point["seed"]), who=True), CUSTOMERS, cut)
