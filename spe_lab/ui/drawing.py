"""The one way to draw with matplotlib: under the lock of all pages, and with matplotlib's defaults.

The reader's settings (a matplotlibrc, `plt.style.use`, rcParams) are for the reader's own figures. Ours have a fixed
layout: large fonts would not fit it, TeX may not be installed, and a dark style would hide black curves. So the
defaults stand in for the settings that differ while one of our figures is drawn.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from spe_lab.core import folders
from spe_lab.core.errors import SpeLabError
from spe_lab.ui.page_lock import TURN

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_LEFT_ALONE = ("backend", "backend_fallback", "interactive", "toolbar")  # the window system's


def draws(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Run `function`, which draws with matplotlib, under the lock and with matplotlib's defaults."""

    @wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        with TURN, _default_look():
            return function(*args, **kwargs)

    return call


@contextlib.contextmanager
def _default_look() -> Iterator[None]:
    """Put matplotlib's defaults in place of the reader's settings.

    matplotlib has one set of settings for all threads. What another thread sets meanwhile stays.
    """
    settings, defaults = _settings()
    # As plain dicts (30 µs): RcParams checks each value that it gives or takes, which takes as long as a frame.
    if dict.__eq__(settings, defaults | {name: dict.get(settings, name) for name in _LEFT_ALONE}):
        yield
        return
    before = dict(dict.items(settings))
    dict.update(settings, defaults)
    try:
        yield
    finally:
        unchanged = (name for name, value in defaults.items() if dict.get(settings, name) is value)
        dict.update(settings, {name: before[name] for name in unchanged})


@cache
def _settings() -> tuple[Any, dict[str, Any]]:
    """Return matplotlib's settings (RcParams), and the defaults of those that a figure depends on."""
    try:
        if not folders.home_known() and "MPLCONFIGDIR" not in os.environ:  # or matplotlib warns, or is not imported
            os.environ["MPLCONFIGDIR"] = tempfile.mkdtemp(prefix="spe-lab-matplotlib-")
            atexit.register(shutil.rmtree, os.environ["MPLCONFIGDIR"], ignore_errors=True)
        import matplotlib
    except OSError as error:
        cure = "set MPLCONFIGDIR to a folder that can be written"
        raise SpeLabError(f"matplotlib needs a folder for its settings, and got none: {error}; {cure}") from None
    except ValueError as error:
        cure = "mend the file matplotlibrc, or unset MPLBACKEND"
        raise SpeLabError(f"matplotlib must be able to read its settings, got: {error}; {cure}") from None
    known: Any = matplotlib.rcParamsDefault
    return matplotlib.rcParams, {name: value for name, value in dict.items(known) if name not in _LEFT_ALONE}
