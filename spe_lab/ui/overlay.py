"""What can stand beside a lab's own curves: a run recorded elsewhere, or the model of a machine whose numbers are
published.
"""

import dataclasses
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ipywidgets as widgets

from spe_lab.core import machine as machines
from spe_lab.core import units
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Overlay:
    """Curves of another time or machine. `said` tells in words where they come from and at which settings they were
    taken.
    """

    name: str
    said: str
    curves: Callable[[Mapping[str, Value], Axis], Sequence[Curve]]


def recorded(lab: Lab, run: Recording | Path | str) -> Overlay:
    """The measured curves of a run of this lab, as recorded ones; a path is loaded. Another lab's run is refused."""
    run = run if isinstance(run, Recording) else Recording.load(Path(run))
    found = (run.lab, run.x.name, run.x.unit, *{curve.unit for curve in run.measured})
    if found != (lab.id, lab.axis, lab.sliders[lab.axis].unit, lab.unit):
        rule = f"a run to show beside must be of {lab.id} over {lab.axis}, in the units of this version"
        raise SpeLabError(f"{rule}, got one of {run.lab} over {run.x.name}; save one with spe-lab run {lab.id} --json")
    facts = run.machine.get("facts")
    cpu = _short(str(facts.get("cpu"))) if isinstance(facts, dict) and facts.get("cpu") else "another machine"
    kept = [
        f"{name} {_rendered(lab, name, value)}"
        for name, value in run.point.items()
        if name in lab.sliders and lab.sliders[name].measured
    ]
    curves = [dataclasses.replace(curve.recorded(), name=f"{_plain(curve.name)}, {cpu}") for curve in run.measured]
    where = " ".join(
        [
            f"recorded on {cpu}",
            *{str(curve.provenance["taken"]): None for curve in run.measured if "taken" in curve.provenance},
        ]
    )
    return Overlay(where, ", ".join([where, *kept]), lambda _point, _axis: curves)


def published(lab: Lab) -> list[Overlay]:
    """The lab's model on each documented machine: those of its curves that follow from published numbers alone."""
    return [overlay for name, machine in _published().items() if (overlay := _modelled(lab, name, machine))]


_published = cache(machines.published)


def _modelled(lab: Lab, name: str, machine: Machine) -> Overlay | None:
    other = lab.on(machine)
    model = [slider for slider in other.sliders.values() if not slider.measured]
    numbers = {slider.name: slider.default for slider in model if slider.source.startswith("published")}
    if not numbers:
        return None
    x, point = other.x(), other.point()
    # What the profile lacks is assumed, or claimed by the system that this runs on: it is not the other machine's.
    foreign = [slider for slider in model if slider.source.partition(":")[0] in set(machines.ORIGINS) - {"published"}]
    ends = [(slider.name, end) for slider in foreign for end in slider.choices or (slider.low, slider.high)]
    fit = other.recorded_fit
    moved = [other.predict({**point, name: end}, x, fit) for name, end in ends]
    known = [
        a.name
        for a, *rest in zip(other.predict(point, x, fit), *moved, strict=True)
        if all((a.values == b.values).all() for b in rest)
    ]
    if not known:
        return None

    def curves(here: Mapping[str, Value], axis: Axis) -> list[Curve]:
        predicted = other.predict({**here, **numbers}, axis, fit)
        return [dataclasses.replace(curve, name=f"{curve.name}, {name}") for curve in predicted if curve.name in known]

    return Overlay(
        f"model of {name}",
        f"model of {name} ({machine.facts['cpu']}) from published numbers: {', '.join(numbers)}",
        curves,
    )


class Chooser:
    """A list of what can stand beside, and a button that adds a run from a file. `chosen` is None at first.

    The published machines join the list with `look_up`: asking the model of each can take a second, which a first
    figure need not wait for.
    """

    def __init__(self, lab: Lab, changed: Callable[[], None]) -> None:
        self._lab = lab
        self._complete = False
        shipped = lab.recorded()
        found = [recorded(lab, shipped)] if shipped else []
        layout = widgets.Layout(width="auto", max_width="100%")
        self.choice = widgets.Dropdown(
            options=[("nothing", None), *((each.name, each) for each in found)],
            description="beside",
            layout=layout,
            tooltip="what is drawn beside this machine's curves",
            style={"description_width": "55px"},
        )
        self.file = widgets.FileUpload(
            accept=".json",
            description="A run from a file",
            tooltip="what spe-lab run --json or the download JSON wrote",
            layout=widgets.Layout(width="auto"),
        )
        self.choice.disabled = not found  # until a file brings something to choose
        self.status = widgets.HTML()
        self.choice.observe(lambda _: changed(), "value")
        self.file.observe(lambda _: self._uploaded(), "value")
        self.page = widgets.VBox(
            [widgets.HBox([self.choice, self.file], layout=widgets.Layout(flex_flow="row wrap")), self.status]
        )

    @property
    def chosen(self) -> Overlay | None:
        return self.choice.value

    def look_up(self) -> None:
        """Completes the list; what is chosen stays."""
        if self._complete:
            return
        self._complete = True
        if found := published(self._lab):
            self._offer([*self.choice.options, *((each.name, each) for each in found)], self.chosen)

    def add(self, run: Recording | Path | str) -> None:
        """Adds a run to the list and chooses it."""
        overlay = recorded(self._lab, run)
        self._offer(
            [*(option for option in self.choice.options if option[0] != overlay.name), (overlay.name, overlay)], overlay
        )

    def _offer(self, options: Sequence[tuple[str, Overlay | None]], chosen: Overlay | None) -> None:
        self.choice.options = options
        self.choice.disabled = False
        self.choice.value = chosen

    def _uploaded(self) -> None:
        for file in self.file.value:
            try:
                self.add(Recording.from_json(bytes(file["content"]).decode(errors="replace"), file["name"]))
                self.status.value = ""
            except SpeLabError as error:
                self.status.value = html.escape(str(error))


def _rendered(lab: Lab, name: str, value: Value) -> str:
    return units.render(value, lab.sliders[name].unit) if isinstance(value, int | float) else str(value)


def _short(cpu: str) -> str:
    """A processor's name without marks, clock and brackets, for a legend."""
    return _plain(re.sub(r"\((R|TM)\)|\bCPU\b|@.*|\((?!R\)|TM\)).*|\bProcessor\b.*", "", cpu))[:28] or _plain(cpu)[:28]


def _plain(text: str) -> str:
    """Without what a legend would take for a formula."""
    return " ".join(text.replace("$", "").split())
