"""Predictions that a reader commits before measuring, and their scores: a range, a mark, an order, a choice, a curve.

All follow the protocol `Prediction`; the reader's journal keeps committed predictions. The functions here know no
widgets; `spe_lab.predict` and the others of its name show a form (spe_lab.ui.ask).
"""

from spe_lab.core.reader.prediction.asked import Asked
from spe_lab.core.reader.prediction.base import JournalEntry, Prediction, Sketch, reveal
from spe_lab.core.reader.prediction.choices import Choice, predict_choice
from spe_lab.core.reader.prediction.curves import CurvePrediction, predict_curve
from spe_lab.core.reader.prediction.orders import Order, predict_order
from spe_lab.core.reader.prediction.ranges import Place, Range, predict

__all__ = [
    "Asked",
    "Choice",
    "CurvePrediction",
    "JournalEntry",
    "Order",
    "Place",
    "Prediction",
    "Range",
    "Sketch",
    "predict",
    "predict_choice",
    "predict_curve",
    "predict_order",
    "reveal",
]
