"""A player for queue simulations: play, pause, step by event, back and forth, beside a strip.

C simulates the traces at the sliders' values. The page plays them without the kernel (player.js).
"""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import ipywidgets as widgets
import numpy as np
import traitlets
from anywidget import AnyWidget

from spe_lab.core import mode
from spe_lab.core.errors import SpeLabError
from spe_lab.core.slider import Slider, Value
from spe_lab.core.text import Text
from spe_lab.models.queues.trace import Trace
from spe_lab.ui import controls, style
from spe_lab.ui.page import bundle, page_of

WIDTH, ROW, STRIP = 860, 34, 58
SCRIPT, STYLE = (Path(__file__).with_name(name) for name in ("player.js", "player.css"))
SPEEDS = ("0.5", "1", "2", "5", "10", "20")
_KEY = (
    ('<circle class="short" cx="10" cy="10" r="8"/>', 20, "a short job"),
    ('<rect class="long" x="2" y="1" width="36" height="18" rx="3"/>', 40, "a long job"),
    ('<circle class="short blocked" cx="11" cy="10" r="8"/>', 22, "a short job behind a long one"),
    ('<rect class="short" x="2" y="8" width="36" height="4"/>', 40, "remaining service"),
)


class Traced(Protocol):
    """The interface of a player's subject: sliders, and traces of the same duration for a point of them."""

    title: str

    @property
    def sliders(self) -> Mapping[str, Slider]: ...

    def traces(self, point: Mapping[str, Value]) -> Sequence[Trace]: ...


class Stage(AnyWidget):
    """The widget that player.js plays: `markup` with a section for each scene of `traces`."""

    _esm, _css = SCRIPT, STYLE
    markup = traitlets.Unicode().tag(sync=True)
    traces = traitlets.Dict().tag(sync=True)

    def show(self, title: str, traces: Sequence[Trace]) -> None:
        """Play these traces from now on."""
        with self.hold_sync():  # one message, so that the script gets both at once
            self.markup = playable(title, traces)
            self.traces = {"end": round(traces[0].end, 4), "scenes": [_scene(trace) for trace in traces]}


class Player:
    """A page that plays `traced`, simulated again at each slider move; `settings` are slider values."""

    def __init__(self, traced: Traced, **settings: Value) -> None:
        self.traced = traced
        if unknown := set(settings) - set(traced.sliders):
            rule = f"settings must be sliders ({', '.join(traced.sliders)}), got {', '.join(sorted(unknown))}"
            raise SpeLabError(f"{rule}; leave them out")
        point = {name: slider.checked(settings.get(name, slider.default)) for name, slider in traced.sliders.items()}
        self.sliders = controls.group(list(traced.sliders.values()), point, lambda _: self._refresh())
        self.stage = Stage()
        row = widgets.Box(list(self.sliders.values()))
        row.add_class("spe-controls")
        rows = [row, self.stage, widgets.HTML(style.SHEET)]
        self.page = page_of(self, widgets.VBox(rows, layout=widgets.Layout(max_width="900px")))
        self._refresh()

    @property
    def point(self) -> dict[str, Value]:
        return {name: self.traced.sliders[name].checked(widget.value) for name, widget in self.sliders.items()}

    @property
    def text(self) -> Text:
        """The traces in words."""
        return Text(f"{self.traced.title}, simulated. " + " ".join(trace.said() for trace in self.traces))

    def _refresh(self) -> None:
        self.traces = self.traced.traces(self.point)
        self.stage.show(self.traced.title, self.traces)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        still = stills(self.traced.title, self.traces)
        if mode.building_book():
            return {"text/html": still, "text/plain": str(self.text)}, {}
        return bundle(self.page, kwargs, html=still, text=str(self.text))


def playable(title: str, traces: Sequence[Trace]) -> str:
    """Return the markup that player.js plays: controls, and a section for each trace."""
    options = "".join(f"<option>{speed}</option>" for speed in SPEEDS)
    labels = {"play": "Play", "next": "Next event", "again": "To the start"}
    buttons = "".join(f'<button type="button" class="{kind}">{label}</button>' for kind, label in labels.items())
    time = (
        f'<label class="time">time <input type="range" min="0" max="{traces[0].end:.4f}" step="any" value="0"><output'
        ' aria-live="off">0.0</output></label>'
    )
    speed = f'<label class="speed">mean services per second <select>{options}</select></label>'
    sections = "".join(_section(trace, most(traces), _moving(trace)) for trace in traces)
    # While a control has the focus, keys are for it and not for JupyterLab's shortcuts.
    return (
        f'<div class="spe-player" role="group" aria-label="{html.escape(title, quote=True)}"'
        f' data-lm-suppress-shortcuts="true"><div class="controls">{buttons}{time}{speed}</div>{_key()}{sections}'
        f'<p class="said" role="status"></p>{_in_words(traces)}</div>'
    )


def stills(title: str, traces: Sequence[Trace]) -> str:
    """Return the markup of a page without a kernel: the strips, and the traces in words."""
    sections = "".join(_section(trace, most(traces)) for trace in traces)
    return (
        '<div class="spe-player" role="group"'
        f' aria-label="{html.escape(title, quote=True)}"><style>{STYLE.read_text(encoding="utf-8")}</style>'
        f"{sections}{_in_words(traces)}</div>"
    )


def _scene(trace: Trace) -> dict[str, Any]:
    def numbers(values: np.ndarray) -> list[float]:
        return np.round(values, 4).tolist()

    times = {name: numbers(getattr(trace, name)) for name in ("arrival", "start", "departure", "service")}
    whole = {"server": trace.server.tolist(), "long": trace.long.astype(int).tolist()}
    elapsed = [numbers(part) for part in trace.elapsed] if trace.elapsed else None
    servers = 1 if trace.shape == "sharing" else trace.servers
    return {"name": trace.name, "shape": trace.shape, "servers": servers, **times, **whole, "elapsed": elapsed}


def most(traces: Sequence[Trace]) -> int:
    """Return the largest number of customers present in any trace, the common scale of the strips."""
    return max(int(trace.present()[1].max()) for trace in traces)


def _section(trace: Trace, top: int, moving: str = "") -> str:
    live = ': <span class="live"></span>' if moving else ""
    return f'<div class="scene"><div><b>{html.escape(trace.name)}</b>{live}</div>{moving}{strip(trace, top)}</div>'


def _moving(trace: Trace) -> str:
    view = f"0 0 {WIDTH} {ROW * (1 if trace.shape == 'sharing' else trace.servers)}"
    return f'<svg class="moving" aria-hidden="true" viewBox="{view}" preserveAspectRatio="xMinYMin"></svg>'


def strip(trace: Trace, top: int) -> str:
    """Return an SVG of the customers present over time, with bars where a long job is in service."""
    times, present = trace.present()
    times = np.clip(times, 0, trace.end)
    x, y = times / trace.end * WIDTH, STRIP - 2 - present / top * (STRIP - 22)
    steps = "".join(f"H{across:.1f}V{up:.1f}" for across, up in zip(x, y, strict=True))
    path = f"M0 {STRIP - 2}{steps}H{WIDTH}V{STRIP - 2}Z"
    long, scale = trace.long, WIDTH / trace.end
    ends = zip(np.maximum(0.0, trace.start[long]), np.minimum(trace.end, trace.departure[long]), strict=True)
    bars = "".join(
        f'<rect class="long" x="{a * scale:.1f}" y="14" width="{(b - a) * scale:.1f}" height="4"/>'
        for a, b in ends
        if b > a
    )
    label = f"customers present over time, {present.max()} at most; bars: a long job is in service"
    return (
        f'<svg role="img" aria-label="{html.escape(trace.said(), quote=True)}" viewBox="0 0 {WIDTH} {STRIP}"><path'
        f' class="area" d="{path}"/>{bars}<text x="2" y="11">{label}</text><line class="cursor" y1="14" y2="{STRIP}"'
        ' x1="0" x2="0"/></svg>'
    )


def _key() -> str:
    drawn = ((f'<svg aria-hidden="true" viewBox="0 0 {width} 20">{shape}</svg>', label) for shape, width, label in _KEY)
    return "<div>" + "".join(f'<span class="key">{svg}{label}</span>' for svg, label in drawn) + "</div>"


def _in_words(traces: Sequence[Trace]) -> str:
    items = "".join(f"<li>{html.escape(trace.said())}</li>" for trace in traces)
    return f"<details open><summary>The whole trace in words</summary><ul>{items}</ul></details>"
