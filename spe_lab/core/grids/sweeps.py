"""A lab over a grid of its sliders, on one machine or on many.

A simulated lab's curves follow from its settings alone, seeds included: each point of the grid is a task of its own,
and the XX
"""

import csv
import dataclasses
import io
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from spe_lab.core import units
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.core.grids.executors import TRIES, Workers, answers
from spe_lab.core.grids.grid_file import GridFile
from spe_lab.core.lab import Effort, Lab, Measured, version
from spe_lab.core.recording import Run
from spe_lab.core.registry import get as named_lab
from spe_lab.core.slider import Slider, Value

MOST_POINTS = 10_000
STEPS = 10  # of a range whose number of values is not given


class Part(NamedTuple):
    """A task: a lab at all its sliders' values, over some values of its axis."""

    lab: Lab
    point: Mapping[str, Value]
    over: tuple[float, ...]
    effort: Effort

    def __str__(self) -> str:
        """The grid point as it would be written on the command line."""
        axis = self.lab.axis
        differing = {
            name: value
            for name, value in self.point.items()
            if name != axis and value != self.lab.sliders[name].default
        }
        shown = {axis: self.over[0]} | differing if len(self.over) == 1 else differing
        return f"{self.lab.id}, " + (
            ", ".join(f"{name}={_written(self.lab.sliders[name], value)}" for name, value in shown.items())
            or "defaults"
        )

    @property
    def key(self) -> str:
        return json.dumps([{**self.point, self.lab.axis: None}, self.over], sort_keys=True)


@dataclass(frozen=True)
class Swept:
    """What is known of a grid: its `parts` in order, and what was `found` for those that are done, by their number."""

    lab: Lab
    parts: Sequence[Part]
    found: Mapping[int, Measured]

    @cached_property
    def runs(self) -> list[Run]:
        """A run for each setting of the sliders beside the axis, in the order of the grid, over the part of the axis
        that is done, with predictions made here.
        """
        runs, lab = [], self.lab
        for _, group in itertools.groupby(range(len(self.parts)), lambda i: {**self.parts[i].point, lab.axis: None}):
            if done := [i for i in group if i in self.found]:
                found, point = [self.found[i] for i in done], self.parts[done[0]].point
                recording = lab.recording(point, joined([each.curves for each in found]), found[0].training)
                runs.append(lab.joined(lab.fitted(recording)))
        return runs

    def to_dict(self) -> dict[str, Any]:
        return {
            "lab": self.lab.id,
            "parts": len(self.parts),
            "done": len(self.found),
            "runs": [run.to_dict() for run in self.runs],
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def to_csv(self) -> str:
        """Return the rows of each run's CSV with its settings before them."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        for number, run in enumerate(self.runs):
            header, *rows = csv.reader(io.StringIO(run.to_csv()))
            if number == 0:
                writer.writerow([*run.point, *header])
            writer.writerows([*run.point.values(), *row] for row in rows)
        return out.getvalue()

    def summary(self) -> str:
        """Each run as a table, the sliders that the grid moves above it."""
        runs = self.runs
        moved = [name for name in runs[0].point if len({run.point[name] for run in runs}) > 1]
        headed = [
            ", ".join(f"{name}={_written(self.lab.sliders[name], run.point[name])}" for name in moved) for run in runs
        ]
        return "\n\n".join(
            f"{head}\n{run.summary()}" if head else run.summary() for head, run in zip(headed, runs, strict=True)
        )


def sweep(
    lab: Lab | str,
    grid: Mapping[str, Sequence[Value] | str],
    executor: Workers = None,
    *,
    progress: Callable[[float, Swept], None] | None = None,
    **options: Any,
) -> Swept:
    """The last of `sweeps`; `progress(share done, what is known)` is called with each of them. Ctrl-C and Jupyter's
    stop button end it.

    >>> found = sweep("branches.predictor", {"p": [0.2, 0.4], "states": [2, 4]}, short=True)
    >>> [(run.point["states"], run.x.values.tolist()) for run in found.runs]
    [(2, [0.2, 0.4]), (4, [0.2, 0.4])]
    """
    known = None
    for share, known in sweeps(lab, grid, executor, **options):
        if progress:
            progress(share, known)
    return known


def sweeps(
    lab: Lab | str,
    grid: Mapping[str, Sequence[Value] | str],
    executor: Workers = None,
    *,
    settings: Mapping[str, Value] | None = None,
    budget_s: float | None = None,
    short: bool | None = None,
    keep: Path | str | None = None,
    cancel: Cancel | None = None,
    tries: int = TRIES,
    at_once: int | None = None,
) -> Iterator[tuple[float, Swept]]:
    """Yields (share done, what is known so far) with each further part of the grid.

    `grid`: values of each slider that moves, or a text that `values_of` reads; without the axis, its default sweep.
    `settings` fixes others. `executor`, `tries` and `at_once` as in `executors.answers`; None computes here.
    `budget_s` is the time of each run of a measured lab. `keep` names a file for the parts that are done: the same call
    finds them there and computes the rest.

    All settings are checked before anything is computed. Once `cancel` is set the sweep ends with what it has;
    CancelledError if that is nothing.
    """
    lab = named_lab(lab) if isinstance(lab, str) else lab
    if not lab.simulated and executor is not None:
        rule = (
            f"executor must be None for {lab.id}, which measures: runs at the same time disturb each other, and those"
            " of several machines make no curve"
        )
        raise SpeLabError(f"{rule}; got {executor!r}; leave it out")
    if executor == "processes" and type(lab).__module__ == "__main__":
        raise SpeLabError(
            f"lab must be importable by other processes, got {lab.id} of a notebook or script; write it into a module,"
            " or take threads"
        )
    parts = _parts(lab, grid, settings, Effort.of(budget_s, short))
    store = GridFile(Path(keep), lab.id, version(), _terms(lab, parts)) if keep else None
    return _sweeps(lab, parts, store, executor, Cancel() if cancel is None else cancel, tries=tries, at_once=at_once)


def _sweeps(
    lab: Lab, parts: list[Part], store: GridFile | None, executor: Workers, cancel: Cancel, **options: int | None
) -> Iterator[tuple[float, Swept]]:
    known = store.load() if store else {}
    found = {i: known[part.key] for i, part in enumerate(parts) if part.key in known}
    left = [i for i in range(len(parts)) if i not in found]
    if found:
        yield len(found) / len(parts), Swept(lab, parts, dict(found))
    for i, answer in answers(measured, [parts[i] for i in left], executor, named=str, cancel=cancel, **options):
        found[left[i]] = answer
        if store:
            store.add(parts[left[i]].key, answer)
        yield len(found) / len(parts), Swept(lab, parts, dict(found))
    if not found:
        raise CancelledError("the sweep was cancelled before a point was done; start it again")


def measured(part: Part, cancel: Cancel) -> Measured:
    """The last answer for one part: what a worker computes."""
    found = list(part.lab.measure(part.point, part.lab.x(part.over), part.effort, cancel))
    if not found:
        raise CancelledError("the measurement was cancelled; start it again")
    return found[-1]


def joined(curves: Sequence[Sequence[Curve]]) -> list[Curve]:
    """One curve of each name from the parts of an axis. The first part says where they come from; notes are those of
    all.
    """
    whole = []
    for parts in zip(*curves, strict=True):
        first = parts[0]
        x = Axis(first.x.name, first.x.unit, np.concatenate([part.x.values for part in parts]))
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("values", "low", "high", "kept", "tried")
        }
        notes = list(dict.fromkeys(note for part in parts for note in part.provenance.get("notes", ())))
        whole.append(dataclasses.replace(first, x=x, **arrays, provenance={**first.provenance, "notes": notes}))
    return whole


def values_of(slider: Slider, text: str) -> list[Value]:
    """The values that a text names: "1,4,16"; "0.5..0.95", ten at equal steps, of equal ratio where the slider is
    logarithmic; "0.5..0.95/4", four. They are rounded to the slider's steps.

    >>> values_of(Slider("load", "", 0.8, "", 0, 1), "0.5..0.8/4")
    [0.5, 0.6, 0.7, 0.8]
    """
    if text in slider.choices:  # some have a comma in their name
        return [text]
    if ".." not in text or slider.scale == "choice":
        return [slider.checked(value.strip()) for value in text.split(",") if value.strip()]
    ends, _, count = text.partition("/")
    low, high = (slider.checked(end.strip()) for end in ends.split("..", 1))
    count = count.strip() or str(STEPS)
    if not count.isdecimal() or not 2 <= int(count) <= MOST_POINTS:
        raise SpeLabError(
            f"a range of {slider.name} must have 2 to {MOST_POINTS} values, got {count!r}; write for example"
            f" {ends}/{STEPS}"
        )
    spaced = np.geomspace if slider.scale == "log" else np.linspace
    values = (slider.rounded(float(f"{value:.12g}")) for value in spaced(low, high, int(count)))
    return list(dict.fromkeys(values))


def _parts(
    lab: Lab,
    grid: Mapping[str, Sequence[Value] | str],
    settings: Mapping[str, Value] | None,
    effort: Effort,
) -> list[Part]:
    """All of the grid, checked, its last slider moving fastest, and the axis faster still."""
    if clash := [name for name in settings or () if name in grid]:
        raise SpeLabError(
            f"settings must fix other sliders than the grid moves, got {clash[0]} in both; leave it out of one"
        )
    columns = {}
    for name, values in grid.items():
        slider = lab.slider(name)
        chosen = (
            values_of(slider, values)
            if isinstance(values, str)
            else [slider.checked(value) for value in (values if np.iterable(values) else [values])]
        )
        if not chosen:
            raise SpeLabError(
                f"the grid must have at least one value of {name}, got none; write for example"
                f" {name}={slider.default}{slider.unit}"
            )
        columns[name] = list(dict.fromkeys(chosen))
    axis = lab.x(columns.pop(lab.axis, None), effort.short)
    if (size := math.prod(map(len, columns.values())) * len(axis.values)) > MOST_POINTS:
        raise SpeLabError(f"the grid must have at most {MOST_POINTS:,} points, got {size:,}; take fewer values")
    whole = axis.values.tolist()
    overs = [(value,) for value in whole] if lab.simulated else [tuple(whole)]
    bare = lab.on(lab.machine)  # without what can be worked out anew, and need not travel
    points = [
        lab.point({**(settings or {}), **dict(zip(columns, row, strict=True))})
        for row in itertools.product(*columns.values())
    ]
    return [Part(bare, point, over, effort) for point in points for over in overs]


def _terms(lab: Lab, parts: Sequence[Part]) -> dict[str, Any]:
    """What kept curves must share beside their settings to stand in for new ones."""
    effort = parts[0].effort
    counts = 0.0 if effort.short else "fixed"  # 0.0: as in files of earlier versions, whose short sweeps were the same
    return {
        "budget_s": counts if lab.simulated else effort.budget_s,
        "machine": None if lab.simulated else lab.machine_dict,
    }


def _written(slider: Slider, value: Value) -> str:
    return str(value) if slider.scale == "choice" else units.render(value, slider.unit)
