"""The lab scaling.cost: cost of a throughput from many small machines or one big one, with failures."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError
from spe_lab.core.frame import Axis, Cancel, Curve, Preset, SimulatedLab, Slider, Value, accumulated, register
from spe_lab.core.reader.waiting import waits
from spe_lab.core.sampling.statistics import two_standard_errors
from spe_lab.core.text import Text
from spe_lab.topics.scaling import cost_models as models

BATCHES = (7, 12, 24, 48)  # independent seeds after each step, whose spread gives the interval
EVENTS_PER_POINT = 6000  # in each batch
MOST_MACHINES = 256
MOST_LIFETIMES = 1_000_000
WAYS = ("scale-out", "scale-up")
# The sliders that are symbols of the model, by name.
SYMBOLS = {
    "N": "N",
    "sigma": "sigma",
    "price": "p",
    "beta": "beta",
    "years": "Y",
    "upkeep": "u",
    "power": "w",
    "PUE": "E",
    "tariff": "e",
    "MTTF": "F",
    "MTTR": "R",
    "repair": "r",
    "value": "v",
}
GREEK = {"sigma": "σ", "beta": "β"}
# group and label of each slider
LABELS = {
    "sigma": ("Machines", "Contention"),
    "price": ("Machines", "Price"),
    "beta": ("Machines", "Price exponent"),
    "years": ("Machines", "Years of use"),
    "upkeep": ("Machines", "Upkeep"),
    "power": ("Electricity", "Power"),
    "PUE": ("Electricity", "PUE of the building"),
    "tariff": ("Electricity", "Electricity price"),
    "MTTF": ("Failures", "Time to failure"),
    "MTTR": ("Failures", "Time to repair"),
    "repair": ("Failures", "Cost of a repair"),
    "value": ("Failures", "Value of an hour"),
}


def simulate_fleet(
    machines: int,
    missing: np.ndarray,
    mttf_years: float,
    mttr_hours: float,
    years: float,
    lifetimes: int = 1,
    *,
    seed: int = 1,
    cancel: Cancel | None = None,
) -> np.ndarray:
    """Simulate a fleet; return yearly failures, machines up and missing throughput of each lifetime.

    - `machines`, `lifetimes`: size of the fleet, and number of independent simulations of it
    - `missing[k]`: missing throughput while k machines are up
    - `mttf_years`, `mttr_hours`, `years`: mean times to failure and to repair, and length of a simulation

    Raise SpeLabError for an argument outside its domain, CancelledError if `cancel` is set.
    """
    for name, value, high in (("mttf_years", mttf_years, 1e6), ("mttr_hours", mttr_hours, 1e6), ("years", years, 1e6)):
        if not 0 < value <= high:
            raise SpeLabError(f"{name} must be above 0 and at most {high:g}, got {value}; choose a value in that range")
    if not (1 <= machines <= 10**6 and 1 <= lifetimes <= MOST_LIFETIMES):
        got = f"got {machines} machines and {lifetimes:,} lifetimes"
        rule = f"machines must be between 1 and a million, lifetimes between 1 and {MOST_LIFETIMES:,}"
        raise SpeLabError(f"{rule}, {got}; simulate fewer")
    missing = np.ascontiguousarray(missing, dtype=float)
    if missing.shape != (machines + 1,):
        raise SpeLabError(
            f"missing must have machines + 1 = {machines + 1} values, got shape {missing.shape}; give one value for"
            " each number of machines that can be up"
        )
    library = native.load("scaling")
    fleet = library.struct("fleet")(
        machines, 1 / mttf_years, models.HOURS / mttr_hours, years, missing.ctypes.data, seed
    )
    found = np.zeros((3, lifetimes))
    status = library.simulate_fleet(fleet, lifetimes, *found, (cancel or Cancel()).flag)
    check(status, library)
    return found / years


@register
class Cost(SimulatedLab):
    """Yearly cost per unit of throughput, from a fleet of small machines or one big machine."""

    id = "scaling.cost"
    title = "Cost of ownership"
    question = (
        "What does a throughput cost from many small machines and from one big one, and where do the costs cross?"
    )
    axis = "N"
    quantity = "yearly cost per throughput"
    unit = "k€"
    scale = "linear"
    stem = "scaling"
    first = ("N", "sigma", "beta", "spares")
    compared = (WAYS[0], WAYS[0])
    exact = True
    within = 0.002
    breaks = (
        "The model assumes independent failures at a constant rate; a lost power feed, a bad batch of disks or old age"
        " break that. It assumes that the big machine fails as rarely as a small one, and that the software for a"
        " distributed system is free."
    )

    def make_sliders(self) -> list[Slider]:
        def slider(
            name: str, default: float, low: float, high: float, scale: str = "linear", source: str = "assumed"
        ) -> Slider:
            symbol, (group, label) = SYMBOLS[name], LABELS[name]
            quantity = models.QUANTITIES[symbol]
            shown: dict[str, Any] = {"label": label, "group": group, "symbol": GREEK.get(symbol, symbol)}
            return Slider(name, quantity.unit, default, quantity.meaning, low, high, scale, source=source, **shown)

        machines, spares = models.QUANTITIES["N"].meaning, "spare machines, which replace failed ones"
        return [
            Slider.count("N", 8, machines, 1, MOST_MACHINES, "a small service", "log", label="Small machines"),
            slider("sigma", 0.01, 0, 0.2, source="assumed: Amdahl's P = 0.99"),
            Slider.count(
                "spares", 0, spares, 0, 8, "no machine is idle", label="Spare machines", symbol="Spare machines"
            ),
            slider("price", 5, 0.5, 50, "log", "assumed: a server with one socket"),
            slider("beta", 1.4, 1, 2, source="assumed: twice the machine costs 2.6 times as much"),
            slider("years", 4, 1, 10, "log", "assumed: usual depreciation"),
            slider("upkeep", 1, 0, 5),
            slider("power", 300, 50, 2000, "log"),
            slider("PUE", 1.5, 1, 3, source="assumed: an average building; the best reach 1.1"),
            slider("tariff", 0.2, 0.02, 1, "log"),
            slider("MTTF", 3, 0.02, 30, "log"),
            slider("MTTR", 24, 1, 720, "log", "assumed: the next working day"),
            slider("repair", 0.5, 0, 5),
            slider("value", 1, 0, 100),
        ]

    def presets(self) -> dict[str, Preset]:
        return {
            "Price without premium": Preset(
                {"beta": 1.0},
                "The big machine never costs more: its price is proportional to its throughput, and the small ones"
                " lose some throughput to contention.",
            ),
            "No contention": Preset(
                {"sigma": 0.0},
                "The cost per throughput of the small machines no longer rises with their number; from four machines"
                " on they stay cheaper.",
            ),
            "Contention × 10": Preset(
                {"sigma": 0.1},
                "The big machine always costs less: contention takes too much of each further small machine.",
            ),
        }

    def default_values(self, short: bool) -> list[float]:
        return [2.0**k for k in range(8)] if short else [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192]

    def draw(self, point: Mapping[str, Value], x: Axis, cancel: Cancel) -> Iterator[list[Curve]]:
        lifetimes = np.zeros((len(WAYS), len(x.values)), dtype=int)

        def costs(batch: int) -> np.ndarray:
            found = np.empty((len(WAYS), len(x.values)))
            for i, machines in enumerate(x.values):
                seed = 1 + batch * len(x.values) + i
                for k, way in enumerate(WAYS):
                    found[k, i], lifetimes[k, i] = self.simulated_cost(point, int(machines), way, seed, cancel)
            return found

        for batches in accumulated(costs, BATCHES):
            estimator = f"mean of {len(batches)} seeds, two standard errors"
            yield [
                self.curve(way, x, two_standard_errors(batches[:, k]), len(batches) * lifetimes[k], estimator)
                for k, way in enumerate(WAYS)
            ]

    def simulated_cost(
        self, point: Mapping[str, Value], machines: int, way: str, seed: int, cancel: Cancel
    ) -> tuple[float, int]:
        """Return (k€ per year and throughput, lifetimes) with simulated failures and uptime."""
        big = self.big(point, float(machines))
        missing = models.missing(machines + int(point["spares"]), machines, float(point["sigma"]))
        if way == "scale-up":
            point, missing = big, big["throughput"] * models.missing(1 + int(point["spares"]), 1, 0.0)
        fleet = len(missing) - 1
        events = 2 * fleet * point["years"] / (point["MTTF"] + point["MTTR"] / models.HOURS)
        lifetimes = int(min(max(EVENTS_PER_POINT / (1 + events), 4), 400))
        failures, up, short = simulate_fleet(
            fleet, missing, point["MTTF"], point["MTTR"], point["years"], lifetimes, seed=seed, cancel=cancel
        ).mean(axis=1)
        energy = up * point["power"] * point["PUE"] * point["tariff"] * models.HOURS / 1e6
        bought = fleet * (point["price"] / point["years"] + point["upkeep"])
        total = bought + energy + failures * point["repair"] + point["value"] * models.HOURS * short / 1000
        return float(total / big["throughput"]), lifetimes

    def big(self, point: Mapping[str, Value], machines: np.ndarray | float) -> dict[str, Value]:
        """Return the settings of one machine with the throughput of `machines` small ones."""
        x = models.throughput()(N=machines, sigma=point["sigma"])
        return {**point, "price": point["price"] * x ** point["beta"], "power": point["power"] * x, "throughput": x}

    def costs(
        self, point: Mapping[str, Value], machines: np.ndarray, failing: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (many small, one big) in k€ per year and throughput; `failing` False: no failures, no spares."""
        big, up, spares = self.big(point, machines), 1.0, 0
        short: np.ndarray | float = 0.0
        if failing:
            mttf_hours, spares = point["MTTF"] * models.HOURS, int(point["spares"])
            up = mttf_hours / (mttf_hours + point["MTTR"])
            short = models.mean_missing(machines, spares, up, point["sigma"])

        def cost(of: Mapping[str, Value], fleet: np.ndarray | int, missing: np.ndarray | float) -> np.ndarray:
            values = {symbol: of[name] for name, symbol in SYMBOLS.items()}
            values |= {"A": up, "H": models.HOURS, "M": fleet, "m": missing} | ({} if failing else {"r": 0.0})
            return models.yearly_cost()(**values) / big["throughput"]

        all_down = big["throughput"] * (1 - up) ** (1 + spares)
        return cost(point, machines + spares, short), cost(big, 1 + spares, all_down)

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> list[Curve]:
        named = zip(WAYS, self.costs(point, x.values), self.costs(point, x.values, failing=False), strict=True)
        pairs = [((way, real), (f"{way} without failures", ideal)) for way, real, ideal in named]
        return [
            Curve(name, "predicted", x, self.unit, values)
            for curve in zip(*pairs, strict=True)
            for name, values in curve
        ]

    def marks(self, point: Mapping[str, Value], fit: Any = None) -> dict[str, float]:
        """Return the numbers of machines between which the small ones cost less, by the closed forms."""
        n = np.unique(np.round(np.geomspace(1, MOST_MACHINES, 120)))
        many, one = self.costs(point, n)
        gain = np.log(one / many)
        # At one machine without spares both costs are equal, so the gain must exceed a tolerance.
        rising = next((i for i in range(len(n) - 1) if gain[i + 1] > 1e-9 and gain[i] <= 1e-9), None)
        falling = next((i for i in range(len(n) - 2, -1, -1) if gain[i] > 1e-9 and gain[i + 1] <= 1e-9), None)

        def crossing(i: int | None) -> float:
            if i is None:
                return math.nan
            pairs = sorted(zip(gain[i : i + 2], n[i : i + 2], strict=True))
            return round(float(np.interp(0, *np.array(pairs).T)), 2)

        return {"out pays from": crossing(rising), "out pays up to": crossing(falling)}


@waits
def where_out_pays(marks: Mapping[str, float]) -> Text:
    """Return between which numbers of machines scale-out costs less, in a sentence; `marks` of the lab."""
    first, last = marks["out pays from"], marks["out pays up to"]
    if math.isnan(first):
        return Text("By the closed form, scale-out never becomes cheaper than one big machine.")
    until = f" up to {math.floor(last)} machines" if math.isfinite(last) else " machines on"
    return Text(f"By the closed form, scale-out costs less from {math.ceil(first)}{until}.")
