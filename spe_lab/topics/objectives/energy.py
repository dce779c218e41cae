"""The lab objectives.energy: energy of a request against load, with all or with the fewest servers on.

Power is not measured: virtual machines hide it, and the meter of one processor does not describe a pool. The simulation
gives the utilisation, and an assumed straight line from idle to peak converts it into watts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, growing, register
from spe_lab.core.reader.waiting import Waiting, waits
from spe_lab.core.recording import Run
from spe_lab.core.text import Text
from spe_lab.models.queues import Shared, Simulated, batches, exponential, poisson, simulate
from spe_lab.topics.objectives import models, pools
from spe_lab.topics.objectives.sharing import SEED, share

CUSTOMERS = 15_000  # at each load, in a first answer
BATCHES = 20
PERCENTILE = 0.99


@register
class Energy(SimulatedLab):
    """Energy of a request against the load of a pool of servers."""

    id = "objectives.energy"
    title = "Energy of a request"
    question = (
        "How much energy does a request take on partly idle servers, and how much can be saved without late answers?"
    )
    axis = "load"
    quantity = "energy of a request"
    unit = "J"
    stem = "queueing"
    steps = 3
    live = True
    exact = True
    compared = ("all on", "all on")
    within = 0.02
    first = ("load", "servers", "idle", "k")
    breaks = (
        "Real power curves are not straight. A server that was switched off needs minutes to restart, while the load"
        " changes; a real pool needs more servers than the fewest of this model."
    )

    def make_sliders(self) -> list[Slider]:
        def slider(name: str, symbol: str, *domain: Any, unit: str = "", **shown: Any) -> Slider:
            known, (default, low, high, scale) = models.QUANTITIES[symbol], domain
            return Slider(name, unit or known.unit, default, known.meaning, low, high, scale, symbol=symbol, **shown)

        load, usual = "load, as a share of the capacity of all servers", "usual servers: between 10 and 50 %"
        objective = f"time within which {PERCENTILE:.0%} must be answered, in mean service times"
        return [
            Slider(
                *("load", "", 0.23, load, 0.05, 0.95),
                source=usual,
                label="Load",
                symbol="u",
                percent=True,
            ),
            Slider.count(
                *("servers", 32, "servers in the pool", 1, 128, "a rack", "log"),
                label="Servers",
                symbol="c",
            ),
            slider(
                *("idle", "P_idle", 100, 0, 250, "linear"),
                source="assumed: two fifths of peak",
                label="Idle power",
            ),
            slider(
                *("peak", "P_peak", 250, 250, 1000, "log"),
                source="assumed: a server with two sockets",
                label="Peak power",
                group="Server",
            ),
            slider(
                *("service", "S", 2, 0.1, 100, "log"),
                unit="ms",
                source="assumed",
                label="Service time",
                group="Server",
            ),
            Slider("k", "", 10.0, objective, 1, 100, "log", source="assumed", label="Time limit"),
        ]

    def default_values(self, short: bool) -> list[float]:
        if short:
            return [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9]
        return [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]

    def presets(self) -> dict[str, Preset]:
        return {
            "Proportional": Preset(
                {"idle": 0},
                "Idle servers draw no power: a request takes the same energy at any load, and switching off saves"
                " nothing.",
            ),
            "Always the same": Preset(
                {"idle": 250},
                "Idle servers draw as much as busy ones: at a tenth of the load a request takes ten times the energy.",
            ),
            "A small pool": Preset(
                {"servers": 4},
                "The last server cannot be switched off: steps of a quarter of the pool save less.",
            ),
        }

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        def at(customers: int) -> list[Curve]:
            on = {"all on": np.full(x.values.shape, point["servers"]), "fewest on": self.fewest(point, x.values)}

            def estimate(load: float, servers: float) -> batches.Estimate:
                return energy(run(self.offered(point, load), int(servers), customers, cancel), point)

            estimator = "power linear in utilisation; 95 % by batch means, without the first requests"
            return [
                self.curve(name, x, list(map(estimate, x.values, servers)), customers, estimator)
                for name, servers in on.items()
            ]

        yield from map(at, growing(CUSTOMERS))

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        known = {"P_idle": point["idle"], "P_peak": point["peak"], "S": point["service"] / 1000}
        loads = {
            "all on": x.values,
            "fewest on": self.offered(point, x.values) / self.fewest(point, x.values),
            "proportional": np.ones(x.values.shape),
        }
        return [
            Curve(name, "predicted", x, self.unit, models.energy_per_request()(u=load, **known))
            for name, load in loads.items()
        ]

    def offered(self, point: Mapping[str, Value], load: np.ndarray | float) -> Any:  # as `load`: an array or one number
        """Return the mean number of busy servers."""
        return load * point["servers"]

    def fewest(self, point: Mapping[str, Value], load: np.ndarray) -> np.ndarray:
        """Return the fewest servers that meet the latency objective, or all servers if none meet it."""
        return pools.fewest_servers(self.offered(point, load), point["k"], PERCENTILE, int(point["servers"]))

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the load from which on a request takes at most 1 J with all servers on, or NaN if none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = models.least_load()(P_idle=point["idle"], P_peak=point["peak"], S=point["service"] / 1000, J=1.0)
        return {"1 J": float(found) if 0 < found <= 1 else np.nan}

    def table(self, settings: Mapping[str, Value] | None = None, customers: int = 2_000_000) -> Text:
        """Return a table of energy and late share at a few loads, simulated and by Erlang's formula; and in words."""
        point, worst, expected = self.point(settings), 0.0, 0.0
        rows = [
            "| load | servers on | energy of a request | late, simulated (95 % interval) | late, predicted |",
            "|---:|---:|---:|---:|---:|",
        ]
        for load in (0.1, 0.2, 0.3, 0.5):
            offered, on = self.offered(point, load), int(self.fewest(point, np.array([load]))[0])
            for servers in sorted({int(point["servers"]), on}, reverse=True):
                simulated = run(offered, servers, customers)
                late = share(simulated.sojourn > point["k"])
                predicted = float(pools.late(point["k"], servers, offered / servers))
                worst, expected = max(worst, late.value), max(expected, predicted)
                value, low, high = (f"{100 * each:.3f} %" for each in (late.value, late.low, late.high))
                joules = f"{energy(simulated, point).value:.2f} J"
                rows.append(
                    f"| {100 * load:.0f} % | {servers} | {joules} | {value} ({low} to {high})"
                    f" | {100 * predicted:.3f} % |"
                )
        found = f"At most {100 * worst:.2f} % are late in the simulation, and {100 * expected:.2f} % in the prediction"
        allowed = f"{100 * (1 - PERCENTILE):.0f} % is allowed"
        reason = "Servers come in whole numbers, so the objective is met with something to spare"
        return Text("\n".join([*rows, "", f"{found}; {allowed}. {reason}."]))


@waits
def energy_table(after: Run) -> Text | Waiting:
    """Return the lab's table at the settings of this run; wait while its prediction is open."""
    return Energy().table({name: value for name, value in after.point.items() if name != Energy.axis})


def run(offered: float, servers: int, customers: int, cancel: Cancel | None = None) -> Simulated:
    """Simulate Poisson requests to a pool, with times in mean service times."""
    return simulate(Shared(servers), poisson(offered), exponential(1.0), customers, SEED, cancel=cancel)


def energy(run: Simulated, point: Mapping[str, Value]) -> batches.Estimate:
    """Estimate the energy of a request in J: idle power of the servers that are on, plus its service."""
    idle, peak = (np.float64(point[name]) for name in ("idle", "peak"))
    gaps = run.all_gaps[run.warm :]
    watt_services = idle * run.system.servers * gaps + (peak - idle) * run.service
    return batches.mean(watt_services * (point["service"] / 1000), BATCHES)
