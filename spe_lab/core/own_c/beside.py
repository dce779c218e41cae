"""A lab made of the reader's C function: its measured times beside a model."""

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
from spe_lab.core.own_c.arguments import named
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.values import number_of
from spe_lab.core.slider import Slider, Value

_COUNTED = 20  # up to so many whole numbers on a linear axis get a tick each; above, the model is drawn as a line
_LOG_FROM = 16  # an axis whose ends have at least this ratio is logarithmic


class CellLab(Lab):
    """A lab for one function of a cell, swept over one of its parameters, beside `model`.

    `model` is a Model in ns, or a function of numpy arrays. It gets the swept values under the parameter's name, and
    the `arguments` that the C function does not take. Each of these arguments becomes a slider.
    """

    chapter = ""
    quantity = "time"
    unit = "ns"
    question = "Does your model predict how long your own C takes?"
    breaks = "The model contains only what you put into it. All other effects show in the ratio below the figure."

    cell: Cell
    name: str
    model: Model | Callable[..., Any]
    axis_unit: str
    _values: Sequence[float]
    _whole: bool
    _swept: str  # the model's name of the swept parameter
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
        known = timing.fields(function)
        axis, values = timing.axis_of(function, named(known, over))
        arguments = named(known, arguments)
        if isinstance(model, Model) and model.unit != "ns":
            raise CellError(
                f"model must be in ns to stand beside a time, got {model.name} in {model.unit or 'no unit'}; scale its"
                " expression"
            )
        symbols = isinstance(model, Model) and [symbol.name for symbol in model.symbols]
        asked = symbols or list(inspect.signature(model).parameters)
        unknown = [argument for argument in arguments if argument not in known and argument not in asked]
        missing = [each for each in asked if each.removesuffix("_") not in (axis, *arguments) and each not in arguments]
        if unknown or missing:
            fault = f"takes no {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
            raise CellError(
                f"the arguments must be those of {name} and of the model, which {fault}; give each by its name"
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
            _whole=number_of(known[axis]).kind not in ("float", "complex"),
            _arguments={key: value for key, value in arguments.items() if key in known},
            _parameters={key: value for key, value in arguments.items() if key in asked and key != axis},
            _swept=axis if axis in asked else f"{axis}_",
        )

    def make_sliders(self) -> Sequence[Slider]:
        low, high = float(self._values[0]), float(self._values[-1])
        middle, meaning = float(self._values[len(self._values) // 2]), f"{self.axis} of {self.name}"
        step = 1.0 if self._whole and (self.scale == "log" or high - low <= _COUNTED) else 0.0
        source = "the values of over="
        axis = Slider(
            self.axis, self.axis_unit, middle, meaning, low, high, self.scale, multiple_of=step, source=source
        )
        return [axis, *(self._parameter(name, float(value)) for name, value in self._parameters.items())]

    def _parameter(self, name: str, value: float) -> Slider:
        """Return the slider of a number that the model takes and the C function does not."""
        known = self.model.quantities.get(name) if isinstance(self.model, Model) else None
        unit, meaning = (known.unit, known.meaning) if known else ("", "a parameter of your model")
        high = 4 * value or 1.0
        return Slider(name, unit, value, meaning, 0.0, high, measured=False, source="given in the cell")

    def default_values(self, short: bool) -> Sequence[float]:
        return self._values

    def measure(self, point: Mapping[str, Value], x: Axis, effort: Effort, cancel: Cancel) -> Iterator[Measured]:
        over = {self.axis: x.values}
        for progress, curve in timing.sweep(
            self.cell, self.name, over, self.axis_unit, effort.budget_s, self._arguments, cancel
        ):
            yield Measured(progress, [curve])

    def predict(self, point: Mapping[str, Value], x: Axis, fit: Any = None) -> Sequence[Curve]:
        values = self.model(**{self._swept: x.values}, **{name: point[name] for name in self._parameters})
        values = np.broadcast_to(np.asarray(values, dtype=float), x.values.shape)
        return [Curve(self.compared[1], "predicted", x, "ns", values)]
