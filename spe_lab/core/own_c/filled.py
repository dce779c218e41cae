"""Arrays for arguments that are given in words: zeros, ones, a range, random numbers, a list, a file of numpy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spe_lab.core.c.ctype import Number
from spe_lab.core.own_c.messages import CellError
from spe_lab.core.own_c.values import scalar

HOW = ("zeros", "ones", "range", "random")
_CHAR = np.dtype("S1")
_BOUNDS = {"S": (97, 123), "b": (0, 2)}  # of random letters a to z and bools, without the end, by numpy's kinds
_WHOLE = (0, 100)  # of other whole numbers


def filled(
    how: str, shape: Sequence[int], dtype: np.dtype, bounds: Sequence[float], seed: int, name: str
) -> np.ndarray:
    """Return an array for the argument `name`; random numbers may have two `bounds`, the second one excluded."""
    stored = _stored(dtype)
    count = int(np.prod(shape))
    if how == "random":
        return _random(shape, dtype, bounds, np.random.default_rng([seed, *name.encode()]), name).view(dtype)
    if how == "range":
        _check_fits(max(0, count - 1), stored, name)
        return np.arange(count).astype(stored).reshape(shape).view(dtype)
    return np.full(shape, how == "ones").astype(stored).view(dtype)


def _random(
    shape: Sequence[int], dtype: np.dtype, bounds: Sequence[float], rng: np.random.Generator, name: str
) -> np.ndarray:
    stored = _stored(dtype)
    if stored.kind in "fc":
        low, high = bounds or (0.0, 1.0)
        for end in (low, high):
            _check_fits(end, stored, name)
        drawn = low + (high - low) * rng.random(shape)
        return (drawn + 1j * rng.random(shape) if stored.kind == "c" else drawn).astype(stored)
    low, high = (int(bound) for bound in bounds or _BOUNDS.get(dtype.kind, _WHOLE))
    if low >= high:
        raise CellError(f"{name} must have bounds with numbers between them, got {low} and {high}; raise the second")
    for end in (low, high - 1):
        _check_fits(end, stored, name)
    drawn = rng.integers(low, high, shape, dtype=stored)
    if dtype == _CHAR and drawn.size:
        drawn.reshape(-1)[-1] = 0  # the end of a string
    return drawn


def listed(values: Sequence[Any], dtype: np.dtype, number: Number, name: str) -> np.ndarray:
    """Return an array of these numbers, checked against C's type."""
    stored = _stored(dtype)
    checked = [scalar(value, number, name) for value in values]
    if dtype == _CHAR:
        checked = [value % 256 for value in checked]
    return np.array(checked, dtype=stored).view(dtype)


def load(path: Path, name: str) -> np.ndarray:
    """Return the array of a file that ends in .npy. Raises OSError if there is none."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        raise CellError(
            f"{name} must be a file of one numpy array of numbers, got {path}; write it with numpy.save"
        ) from None


def _stored(dtype: np.dtype) -> np.dtype:
    """Return the type that numpy computes with: that of bytes for chars."""
    return np.dtype(np.uint8) if dtype == _CHAR else dtype


def _check_fits(number: float, dtype: np.dtype, name: str) -> None:
    low, high = 0.0, 1.0  # of a bool
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    elif dtype.kind in "fc":
        low, high = float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    if not low <= number <= high:
        raise CellError(f"{name} must hold numbers that fit {dtype}, got {number:g}; choose closer bounds")
