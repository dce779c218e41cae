"""The cell magic `%%c`, and a notebook's additions to a compiled cell: sliders, timing, explorer.

%load_ext spe_lab

%%c own --limit 2s
double half(double x) { return x / 2; }

own.half(3.0)
"""

import builtins
import copy
import html
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from spe_lab.core import units
from spe_lab.core.c import native
from spe_lab.core.c.ctype import Type, prototype
from spe_lab.core.curve import Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.own_c.arguments import named
from spe_lab.core.own_c.beside import CellLab
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.timing import timed
from spe_lab.core.own_c.values import number_of
from spe_lab.ui import cell_options
from spe_lab.ui.cell_options import OptionError
from spe_lab.ui.explorer import Explorer
from spe_lab.ui.page import bundle, page_of
from spe_lab.ui.standins import Failed, Uncompiled

SLIDER_LIMIT_S = 1.0  # of a call behind a slider, so that the slider responds
_STEPS = 100
_MOST = 2**53  # a browser's numbers are exact up to here


class NotebookCell(Cell):
    """A Cell made by `%%c`."""

    def sliders(self, name: str, **arguments: Any) -> "Sliders":
        """Return sliders for the function's numeric parameters; each move calls the function.

        In `arguments`, a pair is the range of a slider, any other value is fixed. Arrays must be given.
        """
        return Sliders(self, name, arguments)

    def time(
        self,
        name: str,
        over: Mapping[str, Sequence[float] | np.ndarray],
        *,
        unit: str = "",
        budget_s: float = 2.0,
        **arguments: Any,
    ) -> Curve:
        """Return the time per call, or per unit of work of a work kernel, as a measured curve in ns.

        `over` names one numeric parameter and its values in `unit`; `arguments` are the other parameters.
        """
        return timed(self, name, over, unit=unit, budget_s=budget_s, **arguments)

    def beside(
        self,
        name: str,
        model: Callable[..., Any],
        over: Mapping[str, Sequence[float] | np.ndarray],
        *,
        unit: str = "",
        **arguments: Any,
    ) -> Explorer:
        """Return an explorer with the function's measured times beside `model`, which gives ns.

        The model gets the swept values under their parameter's name, and the `arguments` that C does not take.
        """
        return Explorer(CellLab(cell=self, name=name, model=model, over=over, axis_unit=unit, arguments=arguments))


class Sliders:
    """Sliders for a C function's numbers; below them its result, output and changed arrays.

    Each call gets fresh copies of the arrays. An error is shown, not raised.
    """

    def __init__(self, cell: Cell, name: str, arguments: Mapping[str, Any]) -> None:
        function = cell.function(name)
        if function.refusal:
            raise CellError(function.refusal)
        parameters = {each.name: each.type for each in function.declared.parameters}
        arguments = named(parameters, arguments)
        if unknown := [each for each in arguments if each not in parameters]:
            raise CellError(
                f"the arguments must be those of {prototype(function.declared)}, got {', '.join(unknown)}; leave out"
                " what it does not know"
            )
        numbers = {each for each, kind in parameters.items() if _slides(kind)}
        missing = [each for each in parameters if each not in numbers and each not in arguments]
        if missing:
            raise CellError(
                f"the sliders of {name} need a value for {', '.join(missing)}, since a slider gives a number; pass it"
                " by name"
            )
        self.cell, self.name, self.text = cell, name, ""
        ranges = {key for key, value in arguments.items() if isinstance(value, tuple) and key in numbers}
        self._fixed = {key: value for key, value in arguments.items() if key not in ranges}
        free = {key: kind for key, kind in parameters.items() if key not in self._fixed}
        self.sliders = {key: _slider(key, kind, arguments.get(key)) for key, kind in free.items()}
        self.twin = widgets.HTML()
        for slider in self.sliders.values():
            slider.observe(lambda _: self._show(), "value")
        row = widgets.HBox([*self.sliders.values()], layout=widgets.Layout(flex_flow="row wrap"))
        self.page = page_of(self, widgets.VBox([row, self.twin]))
        self._show()

    def _show(self) -> None:
        here = {key: slider.value for key, slider in self.sliders.items()}
        arguments = copy.deepcopy({**self._fixed, **here})
        shown = ", ".join(
            f"{key}={value:.6g}" if isinstance(value, float) else f"{key}={value}" for key, value in here.items()
        )
        try:
            result = self.cell.call(self.name, arguments, limit_s=min(SLIDER_LIMIT_S, self.cell.limit_s))
        except SpeLabError as error:
            lines, role = [str(error)], "alert"
        else:
            lines, role = [f"{self.name}({shown})" + (f" = {result}" if result is not None else "")], "status"
            changed = (key for key, value in arguments.items() if _changed(value, self._fixed.get(key, value)))
            lines += [f"{key} is now {_brief(arguments[key])}" for key in changed]
        self.text = "\n".join([*lines, *self.cell.output.rstrip().splitlines()])
        self.twin.value = f'<pre role="{role}" style="white-space: pre-wrap">{html.escape(self.text)}</pre>'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return bundle(self.page, kwargs, text=f"Sliders for {', '.join(self.sliders) or 'nothing'}. {self.text}")


def _slides(kind: Type) -> bool:
    number = number_of(kind)
    return number is not None and number.kind != "complex"


def _slider(name: str, kind: Type, span: tuple | None) -> widgets.Widget:
    """Return a slider over `span`; by default over 0 to 100 for whole numbers, 0 to 1 for others."""
    style = {"style": {"description_width": "initial"}, "description": name, "layout": widgets.Layout(width="340px")}
    number = number_of(kind)
    fractional = number.kind == "float"
    low, high = (-np.inf, np.inf) if fractional else number.bounds
    if span is None:
        if number.kind == "bool":
            return widgets.Checkbox(value=False, **style)
        span = (0.0, 1.0) if fractional else (0, min(100, high))
    if len(span) != 2 or not all(isinstance(end, int | float | np.number) for end in span) or not span[0] < span[1]:
        raise CellError(
            f"{name} must be a range (low, high) with low < high, or one value, got {span!r:.60}; write for example"
            f" {name}=(0, 10)"
        )
    least, most = (units.finite(end.item() if isinstance(end, np.generic) else end, name) for end in span)
    if not (low <= least and most <= high) or (not fractional and max(-least, most) > _MOST):
        fits = f"between {max(low, -_MOST)} and {min(high, _MOST)}" if not fractional else "finite"
        raise CellError(
            f"the range of {name} must lie {fits} for C's {number.name}, got {span[0]} to {span[1]}; choose another"
        )
    if fractional:
        return widgets.FloatSlider(
            least, min=least, max=most, step=(most - least) / _STEPS, readout_format=".4g", **style
        )
    if not (least.is_integer() and most.is_integer()):
        raise CellError(
            f"the range of {name} must be whole numbers for C's {number.name}, got {span[0]} to {span[1]}; round them"
        )
    return widgets.IntSlider(int(least), min=int(least), max=int(most), **style)


def _changed(value: Any, before: Any) -> bool:
    """Return True if an array, or a number or array in a dict, differs from before the call."""
    if isinstance(value, np.ndarray):
        return value.tobytes() != before.tobytes()
    return isinstance(value, dict) and any(
        key not in before or _changed(each, before[key]) or (not isinstance(each, np.ndarray) and each != before[key])
        for key, each in value.items()
    )


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_brief(each)}" for key, each in value.items()) + "}"
    return np.array2string(value, threshold=12, precision=4) if isinstance(value, np.ndarray) else str(value)


def c(line: str, text: str, shell: Any) -> NotebookCell | Uncompiled:
    """Compile the cell's C. Call its functions as name.function(…), with numbers and numpy arrays.

    %%c [name] [--limit 5s] [--memory 1GiB] [--flags -O3 -march=native]

    name: the variable that holds the compiled functions (default: cell)
    --limit: how long a call may take (default: 5s)
    --memory: how much memory a call may allocate (default: 1GiB)
    --flags: options for the compiler, after the default ones; quotes around them may be left out
    """
    source = f"\n{text}"  # an empty line for the magic's own, so that line numbers are those that the reader sees
    name = ""
    made: NotebookCell | Uncompiled
    try:
        options = cell_options.parse(line)
        name = options.name
        if isinstance(shell.user_ns.get(name), types.ModuleType):
            raise CellError(f"name must not hide a module, and {name} is one; write for example %%c own")
        limit_s, memory = units.parse(options.limit, "s", "limit"), units.parse(options.memory, "B", "memory")
        flags = [*native.CELL_FLAGS, *options.flags]
        made = NotebookCell(source, name, limit_s=limit_s, memory_bytes=memory, flags=flags)
    except UnavailableError as error:
        made = Uncompiled(source, str(error))
    except SpeLabError as error:
        failure = error if isinstance(error, CellError) else CellError(str(error))
        _stand_in(shell, error.name if isinstance(error, OptionError) else name, failure)
        raise failure from None
    _close(shell, name)
    shell.push({name: made})
    return made


def _close(shell: Any, name: str) -> None:
    """End the process of an older cell of this name."""
    if isinstance(before := shell.user_ns.get(name), Cell):
        before.close()


def _stand_in(shell: Any, name: str, failure: CellError) -> None:
    """Put a stand-in for a cell that failed under its name, unless that is empty or names something else."""
    free = name not in shell.user_ns and not hasattr(builtins, name)
    if name and (free or isinstance(shell.user_ns.get(name), Cell | Uncompiled | Failed)):
        _close(shell, name)
        lines = str(failure).splitlines()
        reason = next((line for line in lines if line.startswith("line ")), lines[0])
        shell.push({name: Failed(name, reason.replace(": error:", ":", 1))})


def register(shell: Any) -> None:
    """Register `%%c` with this shell."""

    def magic(line: str, cell: str) -> NotebookCell | Uncompiled:
        return c(line, cell, shell)

    magic.__doc__ = c.__doc__
    shell.register_magic_function(magic, magic_kind="cell", magic_name="c")
