"""Compare what two versions of a function gave: results, arrays and structures after one call of each."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

_NUMERIC = "biufc"  # numpy's kinds of numbers


def difference(a: Mapping[str, Any], b: Mapping[str, Any], tolerance: float = 0.0) -> str:
    """Return in words where two outcomes differ; "" if they are equal.

    - a, b: result and arguments after the call, by name: numbers, bytes, arrays, dicts and lists of them
    - tolerance: 0 asks for equal bits. Otherwise numbers may differ by this share of the largest value in their array

    >>> difference({"result": 1.5}, {"result": 1.5}), difference({"result": 2.0}, {"result": 1.5})
    ('', 'result is 2.0 and 1.5, a relative difference of 0.25')
    """
    ours, theirs = dict(_leaves(a)), dict(_leaves(b))
    if ours.keys() != theirs.keys():
        return f"only one of them has {', '.join(sorted(ours.keys() ^ theirs.keys()))}"
    apart = (_apart(name, np.asarray(ours[name]), np.asarray(theirs[name]), tolerance) for name in ours)
    return next(filter(None, apart), "")


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names of arguments that a call changed; members that were not given do not count.

    >>> changes({"n": 1, "s": {"x": 1}}, {"n": 2, "s": {"x": 1, "y": 0}})
    ['n']
    """
    return [name for name in before if difference({name: before[name]}, {name: _like(before[name], after[name])})]


def _like(before: Any, after: Any) -> Any:
    """Return what `after` has of the members of `before`."""
    if not isinstance(before, Mapping):
        return after
    return {name: _like(inner, after[name]) for name, inner in before.items()}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (name, number, bytes or array) for everything inside `value`."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{i}]")
    elif isinstance(value, np.ndarray | np.void) and value.dtype.names:
        for member in value.dtype.names:
            yield from _leaves(value[member], f"{name}.{member}")
    else:
        yield name, value


def _apart(name: str, a: np.ndarray, b: np.ndarray, tolerance: float) -> str:
    if a.shape != b.shape:
        return f"{name} has {a.size} elements and {b.size} elements"
    if a.dtype == b.dtype and a.tobytes() == b.tobytes():
        return ""
    far = _shares(a, b)
    worst = float(far.max(initial=0.0))
    if worst == 0:
        same = bool(tolerance) or a.dtype != b.dtype or a.dtype.kind not in "fc"
        return "" if same else f"{name} differs in the bits of zeros or NaN, which --tolerance accepts"
    if worst <= tolerance:
        return ""
    place = np.unravel_index(int(far.argmax()), far.shape)
    index = "".join(f"[{i}]" for i in place)
    text = f"{name}{index} is {a[place].item()!r} and {b[place].item()!r}"
    if np.isfinite(worst) and (a.dtype.kind in "fc" or b.dtype.kind in "fc"):
        scale = "a difference of {:.2g} of the largest value" if a.shape else "a relative difference of {:.2g}"
        text += f", {scale.format(worst)}"
    return f"{text}; {int((far > 0).sum())} of {far.size} elements differ" if a.shape else text


def _shares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return |a − b| as shares of the largest finite value of both; infinite where they cannot be subtracted."""
    if a.dtype.kind not in _NUMERIC or b.dtype.kind not in _NUMERIC:  # bytes, or None for a null pointer
        return np.where(a == b, 0.0, np.inf)
    differ = (a != b) & ~((a != a) & (b != b))  # NaN in both is equal
    with np.errstate(invalid="ignore", over="ignore"):
        far = np.abs(np.subtract(a, b, dtype=np.result_type(a, b, np.float64))).astype(float)
        largest = np.maximum(np.abs(a.astype(complex)), np.abs(b.astype(complex)))
        scale = float(np.max(largest, where=np.isfinite(largest), initial=0.0)) or 1.0
        shares = np.where(np.isfinite(far), far / scale, np.inf)
    return np.where(differ, np.maximum(shares, np.finfo(float).tiny), 0.0)  # large integers differ by less than a float
