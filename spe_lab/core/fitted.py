"""Labs whose model is fitted to points that are measured beside those of the figure."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from spe_lab.core.curve import Curve
from spe_lab.core.errors import MeasurementError
from spe_lab.core.lab import Lab

Fitted = TypeVar("Fitted")
NO_FIT = "too little was clean for a new fit: it is still that of an earlier measurement"


class FittedLab(Lab, Generic[Fitted]):
    """The model follows from the last measurement that could be fitted; before one, from the recorded run.

    `training` is what a fit is given, as it stands in the provenance of the measured curves: JSON, None where not
    clean.
    """

    # Points and their fit together: a slider must not find points that still await theirs.
    _known: tuple[dict[str, Any], Fitted] | None = None

    @abstractmethod
    def fit(self, training: dict[str, Any]) -> Fitted:
        """The fit to these points. Raises MeasurementError if too few are clean."""

    def refit(self, training: dict[str, Any]) -> tuple[str, ...]:
        """Fits to a new measurement. Where that cannot be done, all stays as it was, and a note for
        the figure says so.
        """
        try:
            self._known = training, self.fit(training)
        except MeasurementError:
            return (NO_FIT,)
        return ()

    def learn(self, measured: Sequence[Curve]) -> None:
        super().learn(measured)
        self.refit(measured[0].provenance["training"])

    def training(self) -> dict[str, Any]:
        """What the fit was given. UnavailableError where nothing was measured and nothing is recorded."""
        return self._latest()[0]

    def fitted(self) -> Fitted:
        """The fit to it."""
        return self._latest()[1]

    def _latest(self) -> tuple[dict[str, Any], Fitted]:
        if self._known is None:
            self.learn_from_recorded()
        return self._known
