"""Predictions that a reader commits before measuring, and their scores: a range, an order or a curve.

All three follow the protocol `Prediction`; the reader's journal keeps committed predictions.
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
