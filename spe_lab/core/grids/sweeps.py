"""A lab over a grid of its sliders, on one machine or on many.

The curves of a simulated lab follow from its settings alone, seeds included. So each grid point is a task of its own,
and any executor may run it. A lab that measures sweeps its axis as one task, on this machine.
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
STEPS = 10  # values of a range that gives no number


class Part(NamedTuple):
    """A task: a lab, the values of all its sliders, and some values of its axis."""

    lab: Lab
    point: Mapping[str, Value]
    over: tuple[float, ...]
    effort: Effort

    def __str__(self) -> str:
        """Return the grid point as it is written on the command line."""
        axis, sliders = self.lab.axis, self.lab.sliders
        shown = {name: value for name, value in self.point.items() if name != axis and value != sliders[name].default}
        if len(self.over) == 1:
            shown = {axis: self.over[0]} | shown
        settings = ", ".join(f"{name}={_written(sliders[name], value)}" for name, value in shown.items())
        return f"{self.lab.id}, {settings or 'defaults'}"

    @property
    def key(self) -> str:
        return json.dumps([{**self.point, self.lab.axis: None}, self.over], sort_keys=True)


@dataclass(frozen=True)
class Swept:
    """The state of a grid: its `parts` in order, and `found`, the results of finished parts by index."""

    lab: Lab
    parts: Sequence[Part]
    found: Mapping[int, Measured]

    @cached_property
    def runs(self) -> list[Run]:
        """One run per setting of the sliders other than the axis, over its finished values, with predictions."""
        runs, lab = [], self.lab
        for _, group in itertools.groupby(range(len(self.parts)), lambda i: {**self.parts[i].point, lab.axis: None}):
            if done := [i for i in group if i in self.found]:
                results, point = [self.found[i] for i in done], self.parts[done[0]].point
                curves = joined([result.curves for result in results])
                runs.append(lab.joined(lab.fitted(lab.recording(point, curves, results[0].training))))
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
        """Return each run as a table, headed by the values of the sliders that the grid moves."""
        runs, sliders = self.runs, self.lab.sliders
        moved = [name for name in runs[0].point if len({run.point[name] for run in runs}) > 1]
        heads = [", ".join(f"{name}={_written(sliders[name], run.point[name])}" for name in moved) for run in runs]
        return "\n\n".join(f"{head}\n{run.summary()}".lstrip("\n") for head, run in zip(heads, runs, strict=True))


def sweep(
    lab: Lab | str,
    grid: Mapping[str, Sequence[Value] | str],
    executor: Workers = None,
    *,
    progress: Callable[[float, Swept], None] | None = None,
    **options: Any,
) -> Swept:
    """Return the last result of `sweeps`; call `progress(share done, result so far)` with each of them.

    Ctrl-C and Jupyter's stop button end the sweep.

    >>> swept = sweep("branches.predictor", {"p": [0.2, 0.4], "states": [2, 4]}, short=True)
    >>> [(run.point["states"], run.x.values.tolist()) for run in swept.runs]
    [(2, [0.2, 0.4]), (4, [0.2, 0.4])]
    """
    swept = None
    for share, swept in sweeps(lab, grid, executor, **options):
        if progress:
            progress(share, swept)
    return swept


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
    """Yield (share done, result so far) after each finished part of the grid.

    - grid: values of each slider that moves, or a text for `values_of`; without the axis, its default sweep is used
    - executor, tries, at_once: as in `executors.answers`; None computes in this thread
    - settings: values of other sliders
    - budget_s: seconds for each run of a lab that measures
    - short: True for each lab's first answer instead of its best
    - keep: a file for finished parts; the same call later finds them there and computes the others
    - cancel: once it is set, the sweep ends with the parts that it has, or raises CancelledError if it has none

    All settings are checked before the first part is computed.
    """
    lab = named_lab(lab) if isinstance(lab, str) else lab
    if not lab.simulated and executor is not None:
        rule = f"executor must be None for {lab.id}, which measures: concurrent measurements disturb each other"
        raise SpeLabError(f"{rule}, got {executor!r}; leave it out")
    if executor == "processes" and type(lab).__module__ == "__main__":
        rule = f"lab must be importable by other processes, got {lab.id} of a notebook or script"
        raise SpeLabError(f"{rule}; write it into a module, or take threads")
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
    """Return the last answer for one part; workers run this."""
    results = list(part.lab.measure(part.point, part.lab.x(part.over), part.effort, cancel))
    if not results:
        raise CancelledError("the measurement was cancelled; start it again")
    return results[-1]


def joined(curves: Sequence[Sequence[Curve]]) -> list[Curve]:
    """Join the curves of each name over the parts of an axis, with the first part's provenance."""
    whole = []
    for parts in zip(*curves, strict=True):
        first = parts[0]
        x = Axis(first.x.name, first.x.unit, np.concatenate([part.x.values for part in parts]))
        names = ("values", "low", "high", "kept", "tried")
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        notes = list(dict.fromkeys(note for part in parts for note in part.provenance.get("notes", ())))
        whole.append(dataclasses.replace(first, x=x, **arrays, provenance={**first.provenance, "notes": notes}))
    return whole


def values_of(slider: Slider, text: str) -> list[Value]:
    """Return the values that a text names: "1,4,16"; "0.5..0.95" (ten values); "0.5..0.95/4" (four).

    A range has equal steps, or equal ratios if the slider is logarithmic. Its values are rounded to the slider's steps.

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
        rule = f"a range of {slider.name} must have 2 to {MOST_POINTS} values"
        raise SpeLabError(f"{rule}, got {count!r}; write for example {ends}/{STEPS}")
    spaced = np.geomspace if slider.scale == "log" else np.linspace
    values = (slider.rounded(float(f"{value:.12g}")) for value in spaced(low, high, int(count)))
    return list(dict.fromkeys(values))


def _parts(
    lab: Lab,
    grid: Mapping[str, Sequence[Value] | str],
    settings: Mapping[str, Value] | None,
    effort: Effort,
) -> list[Part]:
    """Return all parts of the grid, validated. The axis varies fastest, then the grid's last slider."""
    if clash := [name for name in settings or () if name in grid]:
        raise SpeLabError(
            f"settings must fix other sliders than the grid moves, got {clash[0]} in both; leave it out of one"
        )
    columns = {}
    for name, values in grid.items():
        slider = lab.slider(name)
        if isinstance(values, str):
            chosen = values_of(slider, values)
        else:
            chosen = [slider.checked(value) for value in (values if np.iterable(values) else [values])]
        if not chosen:
            cure = f"write for example {name}={slider.default}{slider.unit}"
            raise SpeLabError(f"the grid must have at least one value of {name}, got none; {cure}")
        columns[name] = list(dict.fromkeys(chosen))
    axis = lab.x(columns.pop(lab.axis, None), effort.short)
    if (size := math.prod(map(len, columns.values())) * len(axis.values)) > MOST_POINTS:
        raise SpeLabError(f"the grid must have at most {MOST_POINTS:,} points, got {size:,}; take fewer values")
    whole = axis.values.tolist()
    overs = [(value,) for value in whole] if lab.simulated else [tuple(whole)]
    bare = lab.on(lab.machine)  # without cached properties, which need not be sent to workers
    combinations = (dict(zip(columns, values, strict=True)) for values in itertools.product(*columns.values()))
    points = [lab.point({**(settings or {}), **combination}) for combination in combinations]
    return [Part(bare, point, over, effort) for point in points for over in overs]


def _terms(lab: Lab, parts: Sequence[Part]) -> dict[str, Any]:
    """Return what stored curves must share with new ones, other than their settings."""
    effort = parts[0].effort
    counts = 0.0 if effort.short else "fixed"  # 0.0 as in files of earlier versions, whose short sweeps were the same
    return {
        "budget_s": counts if lab.simulated else effort.budget_s,
        "machine": None if lab.simulated else lab.machine_dict,
    }


def _written(slider: Slider, value: Value) -> str:
    return str(value) if slider.scale == "choice" else units.render(value, slider.unit)
