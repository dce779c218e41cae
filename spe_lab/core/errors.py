"""The errors a reader may see: one sentence that names the argument, the rule, the value and the cure."""


class SpeLabError(ValueError):
    """Something that the reader can put right; its text is shown as it is. The command line exits with status 2."""


class UnavailableError(SpeLabError):
    """This machine lacks a means (a compiler, memory, huge pages). Labs fall back to their model and recorded data."""


class MeasurementError(SpeLabError):
    """A measurement that could not be had cleanly. The command line exits with status 3."""


class CancelledError(MeasurementError):
    """The reader ended a measurement before it had a first result."""
