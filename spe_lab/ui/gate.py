"""What an explorer holds back while a prediction is open: points, marks and other machines' data."""

from collections.abc import Callable, Mapping, Sequence

from spe_lab.core.curve import Curve
from spe_lab.core.reader.prediction import Prediction
from spe_lab.core.reader.waiting import Waiting


class Gate:
    """Closed while `prediction` is open. `follow` is called when the reader commits or skips."""

    def __init__(self, prediction: Prediction | None, follow: Callable[[], None]) -> None:
        self.prediction = prediction
        if prediction is not None:
            prediction.on_change(follow)

    @property
    def closed(self) -> bool:
        return self.prediction is not None and self.prediction.open

    @property
    def advice(self) -> str:
        """How to open it, in one sentence; "" while it is open."""
        return self.prediction.advice if self.prediction is not None and self.closed else ""

    @property
    def waiting(self) -> Waiting:
        return Waiting.until(self.advice)

    def marks(self, marks: Mapping[str, float]) -> Mapping[str, float]:
        return {} if self.closed else marks

    def elsewhere(self, curves: Sequence[Curve]) -> Sequence[Curve]:
        """Return those curves of another machine that may be shown: its models, and its data if the gate is open."""
        return [curve for curve in curves if curve.source == "predicted"] if self.closed else curves
