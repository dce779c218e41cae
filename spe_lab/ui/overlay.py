"""Curves beside a lab's own: a run recorded elsewhere, or the model of a published machine."""

import dataclasses
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import ipywidgets as widgets

from spe_lab.core import machine as machines
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError
from spe_lab.core.lab import Lab
from spe_lab.core.machine import Machine
from spe_lab.core.recording import Recording
from spe_lab.core.slider import Value


@dataclass(frozen=True)
class Overlay:
    """Curves of another time or machine. `said` gives their origin and settings in words."""

    name: str
    said: str
    curves: Callable[[Mapping[str, Value], Axis], Sequence[Curve]]


def recorded(lab: Lab, run: Recording | Path | str) -> Overlay:
    """Return the measured curves of a run or its file. Raise SpeLabError for another lab's run."""
    run = run if isinstance(run, Recording) else Recording.load(Path(run))
    kind = (run.lab, run.x.name, run.x.unit, *{curve.unit for curve in run.measured})
    if kind != (lab.id, lab.axis, lab.sliders[lab.axis].unit, lab.unit):
        rule = f"a run to draw beside this lab must be of {lab.id} over {lab.axis}, in the units of this version"
        raise SpeLabError(f"{rule}, got one of {run.lab} over {run.x.name}; save one with spe-lab run {lab.id} --json")
    facts = run.machine.get("facts")
    cpu = _short(str(facts.get("cpu"))) if isinstance(facts, dict) and facts.get("cpu") else "another machine"
    point = {name: value for name, value in run.point.items() if name in lab.sliders and lab.sliders[name].measured}
    settings = [f"{name} {lab.sliders[name].rendered(value)}" for name, value in point.items()]
    curves = [dataclasses.replace(curve.recorded(), name=f"{_plain(curve.name)}, {cpu}") for curve in run.measured]
    taken = {str(curve.provenance["taken"]): None for curve in run.measured if "taken" in curve.provenance}
    where = " ".join([f"recorded on {cpu}", *taken])
    return Overlay(where, ", ".join([where, *settings]), lambda _point, _axis: curves)


def published(lab: Lab) -> list[Overlay]:
    """Return the model of each published machine: the curves that need published parameters alone."""
    return [overlay for name, machine in _published().items() if (overlay := _modelled(lab, name, machine))]


_published = cache(machines.published)


def _modelled(lab: Lab, name: str, machine: Machine) -> Overlay | None:
    other = lab.on(machine)
    model = [slider for slider in other.sliders.values() if not slider.measured]
    numbers = {slider.name: slider.default for slider in model if slider.source.startswith("published")}
    if not numbers:
        return None
    x, point = other.x(), other.point()
    # Parameters that the profile lacks are assumed, or claimed by this system: they do not describe the other machine.
    foreign = [slider for slider in model if slider.source.partition(":")[0] in set(machines.ORIGINS) - {"published"}]
    ends = [(slider.name, end) for slider in foreign for end in slider.choices or (slider.low, slider.high)]
    fit = other.recorded_fit
    moved = [other.predict({**point, name: end}, x, fit) for name, end in ends]
    versions = zip(other.predict(point, x, fit), *moved, strict=True)
    independent = [a.name for a, *others in versions if all((a.values == b.values).all() for b in others)]
    if not independent:
        return None

    def curves(here: Mapping[str, Value], axis: Axis) -> list[Curve]:
        predicted = other.predict({**here, **numbers}, axis, fit)
        chosen = (curve for curve in predicted if curve.name in independent)
        return [dataclasses.replace(curve, name=f"{curve.name}, {name}") for curve in chosen]

    said = f"model of {name} ({machine.facts['cpu']}) from published numbers: {', '.join(numbers)}"
    return Overlay(f"model of {name}", said, curves)


class Chooser:
    """A list of overlays, and a button that adds a run from a file. `chosen` is None at first.

    `look_up` adds the published machines. It can take a second, since it evaluates the model of each; so the first
    figure does not wait for it.
    """

    def __init__(self, lab: Lab, changed: Callable[[], None]) -> None:
        self._lab = lab
        self._complete = False
        shipped = lab.recorded()
        overlays = [recorded(lab, shipped)] if shipped else []
        self.choice = widgets.Dropdown(
            options=[("nothing", None), *((overlay.name, overlay) for overlay in overlays)],
            description="beside",
            layout=widgets.Layout(width="auto", max_width="100%"),
            tooltip="curves to draw beside those of this machine",
            style={"description_width": "55px"},
        )
        self.file = widgets.FileUpload(
            accept=".json",
            description="A run from a file",
            tooltip="a file from spe-lab run --json or from the JSON download",
            layout=widgets.Layout(width="auto"),
        )
        self.choice.disabled = not overlays  # until a file adds one
        self.status = widgets.HTML()
        self.choice.observe(lambda _: changed(), "value")
        self.file.observe(lambda _: self._uploaded(), "value")
        row = widgets.HBox([self.choice, self.file], layout=widgets.Layout(flex_flow="row wrap"))
        self.page = widgets.VBox([row, self.status])

    @property
    def chosen(self) -> Overlay | None:
        return self.choice.value

    def look_up(self) -> None:
        """Add the published machines to the list, once; the choice stays."""
        if self._complete:
            return
        self._complete = True
        if overlays := published(self._lab):
            self._offer([*self.choice.options, *((overlay.name, overlay) for overlay in overlays)], self.chosen)

    def add(self, run: Recording | Path | str) -> None:
        """Add a run to the list and choose it."""
        overlay = recorded(self._lab, run)
        others = (option for option in self.choice.options if option[0] != overlay.name)
        self._offer([*others, (overlay.name, overlay)], overlay)

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


def _short(cpu: str) -> str:
    """Return a processor's name for a legend, without trade marks, clock rate and brackets."""
    return _plain(re.sub(r"\((R|TM)\)|\bCPU\b|@.*|\((?!R\)|TM\)).*|\bProcessor\b.*", "", cpu))[:28] or _plain(cpu)[:28]


def _plain(text: str) -> str:
    """Return text without dollar signs, which a legend would read as a formula."""
    return " ".join(text.replace("$", "").split())
