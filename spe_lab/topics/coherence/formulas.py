"""The chapter's results in the form of a textbook, each held to its derivation."""

from typing import TYPE_CHECKING

from spe_lab.core.formula import Formula
from spe_lab.topics.coherence import models

if TYPE_CHECKING:
    import sympy


def _symbols(names: str) -> "list[sympy.Symbol]":
    return [models.symbol(name) for name in names]


def messages_of_two_cores() -> Formula:
    """Return the bus messages per access of two cores."""
    w, s = _symbols("ws")
    written = s * w * (2 - w) / (w + s * (1 - w))
    return Formula(r"m = \frac{s\,w\,(2 - w)}{w + s\,(1 - w)}", written, models.messages(2))


def change_of_core() -> Formula:
    """Return the probability that the other of two cores makes a line's next access."""
    k, lines = _symbols("kL")
    return Formula(r"s = \frac{L}{k + 2\,(L - 1)}", lines / (k + 2 * (lines - 1)), models.change(2))


def time_of_an_operation() -> Formula:
    """Return the time of an operation that writes, if T threads share the line."""
    c, k = _symbols("ck")
    threads, hand_off = _symbols("TH")
    return Formula(r"t = c + \frac{T\,H}{k}", c + threads * hand_off / k, models.operation_time().expression)
