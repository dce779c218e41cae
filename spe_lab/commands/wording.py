"""Findings about C functions in words, for the terminal."""

import math
from collections.abc import Sequence

from spe_lab.core import units
from spe_lab.core.own_c.findings import UNEQUAL, Finding
from spe_lab.core.own_c.versus import FASTER, OPEN, SAME, SLOWER, Interval

_DIGITS = 4  # of a time: intervals of 0.1 % are common


def text(function: str, unit: str, names: Sequence[str], threshold: float, axis: str, found: Sequence[Finding]) -> str:
    """Return what was found: sentences for one setting, a table for several values of `axis`.

    `unit` is what a time is for, `names` are those of one version or of two.
    """
    if not axis:
        return _sentences(function, names, unit, threshold, found[0])
    head = [axis, *(f"{name}, per {unit}" for name in names), *(["difference", "verdict"] if len(names) == 2 else [])]
    rows = [head, *(_row(axis, names, finding) for finding in found)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *_footer(axis, found)])


def _row(axis: str, names: Sequence[str], finding: Finding) -> list[str]:
    times = [_interval(finding.times.time(i)) if finding.times else "–" for i in range(len(names))]
    if len(names) == 1:
        return [finding.words[axis], *times]
    difference = _signed(finding.times.ratio()) if finding.times else finding.difference
    return [finding.words[axis], *times, difference, finding.verdict]


def _footer(axis: str, found: Sequence[Finding]) -> list[str]:
    times = [finding.times for finding in found if finding.times]
    kept, tried = (int(sum(getattr(each, name).sum() for each in times)) for name in ("kept", "tried"))
    places = [f" ({axis}={finding.words[axis]})" if axis else "" for finding in found]
    notes = [f"note{place}: {note}" for place, finding in zip(places, found, strict=True) for note in finding.notes]
    return ([f"{kept} of {tried} samples clean"] if times else []) + notes


def _sentences(function: str, names: Sequence[str], unit: str, threshold: float, finding: Finding) -> str:
    if finding.times is None:
        return f"{UNEQUAL}: {finding.difference} ({names[0]} and {names[1]}); nothing was timed, see --tolerance"
    lines = [] if len(names) == 1 else [_judgement(names, threshold, finding)]
    width = max(map(len, names))
    for i, name in enumerate(names):
        place = f"builds at different places differ by up to {units.percent(finding.times.spread(i), 2)}"
        shown = function if len(names) == 1 else name.ljust(width)
        lines.append(f"{shown}  {_interval(finding.times.time(i))} per {unit}; {place}")
    return "\n".join([*lines, *_footer("", [finding])])


def _judgement(names: Sequence[str], threshold: float, finding: Finding) -> str:
    ratio, (a, b) = finding.times.ratio(), names
    limit = units.percent(threshold)
    found = f"{b} takes {_more_or_less(ratio)} than {a}"
    if finding.verdict in (FASTER, SLOWER):
        return f"{finding.verdict}: {found}"
    if finding.verdict == SAME:
        return f"no difference larger than {limit}: {found}"
    if math.isnan(ratio.low):
        return f"{OPEN}: too few clean samples for an interval; close other programs, or raise --budget"
    return f"{OPEN}: {found}; raise --budget or --threshold ({limit}), or close other programs"


def _more_or_less(ratio: Interval) -> str:
    """Return a ratio of times in words.

    >>> _more_or_less(Interval(0.97, 0.968, 0.972)), _more_or_less(Interval(1.001, 0.998, 1.004))
    ('3.00 % less time (2.80 to 3.20 % less)', '0.1 % more time (0.2 % less to 0.4 % more)')
    """
    shares = [100 * (x - 1) for x in (ratio.value, ratio.low, ratio.high)]
    places = 2 if shares[2] - shares[1] < 0.5 else 1
    value, low, high = (f"{abs(share):.{places}f}" for share in shares)
    ways = ["less" if share < 0 else "more" for share in shares]
    if ways[1] != ways[2]:
        between = f"{low} % {ways[1]} to {high} % {ways[2]}"
    else:
        between = " to ".join(sorted((low, high), key=float)) + f" % {ways[1]}"
    return f"{value} % {ways[0]} time ({between})"


def _signed(ratio: Interval) -> str:
    value, low, high = (f"{100 * (x - 1):+.1f}".replace("-", "−") for x in (ratio.value, ratio.low, ratio.high))
    return f"{value} % ({low} to {high} %)" if math.isfinite(ratio.value) else "–"


def _interval(time: Interval) -> str:
    value, low, high = (units.render(x, "ns", _DIGITS) for x in (time.value, time.low, time.high))
    return f"{value} (no interval)" if math.isnan(time.low) else f"{value} ({low} to {high})"
