"""Errors that a reader sees: one sentence that names the argument, rule, value and cure."""


class SpeLabError(ValueError):
    """An error that the reader can correct. Its text is shown; the command line exits with status 2."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows in place of a traceback: IPython asks for them."""
        return [str(self)]


class UnavailableError(SpeLabError):
    """This machine lacks a compiler, memory or the like. Labs fall back to their model and recorded data."""


class MeasurementError(SpeLabError):
    """A measurement failed or was not clean enough. The command line exits with status 3."""


class CancelledError(MeasurementError):
    """The reader cancelled a measurement before its first result."""
