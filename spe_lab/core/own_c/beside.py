"""The reader's C as a lab of its own: its measured times beside a model, for the explorer and everything else that
takes a lab.
"""

import ctypes
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.lab import Effort, Lab, Measured
from spe_lab.core.machine import Machine
from spe_lab.core.model import Model
from spe_lab.core.own_c import timing
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.slider import Slider, Value

_COUNTED = 20  # whole numbers on a linear axis: each gets its tick; among more of them, the model is drawn as a line
_LOG_FROM = 16  # an axis whose ends are further apart than this is a logarithmic one


class CellLab(Lab):
    """One function of a cell, swept over one of its numbers, beside `model`.

    `model` is a Model in ns, or a function that takes numpy arrays; it is called with the swept values under the
    parameter's name, and with those of `arguments` that the C function does not know: these become sliders.
    """

    chapter = ""
    quantity = "time"
    unit = "ns"
    question = "Does the model say how long your own C takes?"
    breaks = (
        "The model knows what you put into it; whatever else the machine does while your code runs shows in the ratio"
        " below the figure."
    )

    cell: Cell
    name: str
    model: Model | Callable[..., Any]
    axis_unit: str
    _values: Sequence[float]
    _whole: bool
    _arguments: Mapping[str, Any]
    _parameters: Mapping[str, Any]

    def __init__(
        self,
        machine: Machine | None = None,
        *,
        cell: Cell,
        name: str,
        model: Model | Callable[..., Any],
        over: Mapping[str, Sequence[float] | np.ndarray],
        axis_unit: str,
        arguments: Mapping[str, Any],
    ) -> None:
        super().__init__(
            machine, cell=cell, name=name, model=model, over=over, axis_unit=axis_unit, arguments=arguments
        )
        function = cell.function(name).declared
        axis, values = timing.axis_of(function, over)
        if isinstance(model, Model) and model.unit != "ns":
            raise CellError(
                f"model must be in ns to stand beside a time, got {model.name} in {model.unit or 'no unit'}; scale its"
                " expression"
            )
        asked = (
            [symbol.name for symbol in model.symbols]
            if isinstance(model, Model)
            else list(inspect.signature(model).parameters)
        )
        known = timing.fields(function)
        unknown = [each for each in arguments if each not in known and each not in asked]
        missing = [each for each in asked if each != axis and each not in arguments]
        if unknown or missing:
            said = f"takes no {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
            raise CellError(
                f"the arguments must be those of {name} and of the model, which {said}; give each by its name"
            )
        predicted = model.name if isinstance(model, Model) else "your model"
        vars(self).update(
            axis=axis,
            id=f"{cell.name}.{name}",
            title=f"Your own {name}",
            quantity=f"time per {'unit of work' if timing.is_work_kernel(function) else 'call'}",
            scale="log" if values[0] > 0 and values[-1] >= _LOG_FROM * values[0] else "linear",
            compared=(name, predicted),
            _values=values,
            _whole=known[axis] not in (ctypes.c_float, ctypes.c_double),
            _arguments={each: value for each, value in arguments.items() if each in known},
            _parameters={each: value for each, value in arguments.items() if each in asked and each != axis},
        )

    def make_sliders(self) -> Sequence[Slider]:
        low, high = float(self._values[0]), float(self._values[-1])
        scale = self.scale
        described = self.model.quantities if isinstance(self.model, Model) else {}
        counts = self._whole and (scale == "log" or high - low <= _COUNTED)
        axis = Slider(
            self.axis,
            self.axis_unit,
            float(self._values[len(self._values) // 2]),
            f"{self.axis} of {self.name}",
            low,
            high,
            scale,
            multiple_of=1.0 if counts else 0.0,
            source="the values of over=",
        )
        parameters = [
            Slider(
                each,
                described[each].unit if each in described else "",
                float(value),
                described[each].meaning if each in described else "of your model",
                0.0,
                4 * float(value) or 1.0,
                measured=False,
                source="given in the cell",
            )
            for each, value in self._parameters.items()
        ]
        return [axis, *parameters]

    def default_values(self, short: bool) -> Sequence[float]:
        return self._values

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        over = {self.axis: x.values}
        for progress, curve in timing.sweep(
            self.cell, self.name, over, self.axis_unit, effort.budget_s, self._arguments, cancel
        ):
            yield Measured(progress, [curve])

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> Sequence[Curve]:
        values = self.model(**{self.axis: x.values}, **{each: point[each] for each in self._parameters})
        return [
            Curve(
                self.compared[1], "predicted", x, "ns", np.broadcast_to(np.asarray(values, dtype=float), x.values.shape)
            )
        ]
