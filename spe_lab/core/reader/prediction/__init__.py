"""Predictions that a reader commits before the machine answers, and how close they came: a range, an order, a curve.

All three follow one protocol, `Prediction`; what is committed is kept in the reader's journal.
"""

from spe_lab.core.reader.prediction.base import Prediction, Sketch, reveal
from spe_lab.core.reader.prediction.curves import CurvePrediction, predict_curve
from spe_lab.core.reader.prediction.orders import Order, predict_order
from spe_lab.core.reader.prediction.ranges import Range, predict

__all__ = [
    "CurvePrediction",
    "Order",
    "Prediction",
    "Range",
    "Sketch",
    "predict",
    "predict_curve",
    "predict_order",
    "reveal",
]
