"""The score of a range: the interval score of Gneiting and Raftery, and what it says in words.

Source: T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and estimation, Journal of the
American Statistical Association 102 (2007), section 6.2. On average the score is smallest for a reader who names the
5 % and the 95 % quantile of what they believe; so neither a wider nor a narrower range pays.
"""

import math

SURE = 0.9  # probability with which a range should hold
PENALTY = 2 / 0.1  # 2 ÷ (1 − SURE): the weight of the distance by which a range misses
SILLY = 5.0  # a range so many times wider than needed is told so
MOST_TIMES = 1000.0  # larger ratios are not told in digits


def interval_score(low: float, high: float, value_low: float, value_high: float, logarithmic: bool) -> float | None:
    """Return the width of a range plus PENALTY times its distance from the measured interval; smaller is better.

    - low, high: the ends of the range
    - value_low, value_high: the ends of the measured interval; equal for a single value
    - logarithmic: True to score the logarithms. The score is then None if an end is not above 0
    """
    if logarithmic:
        if min(low, high, value_low, value_high) <= 0:
            return None
        low, high, value_low, value_high = map(math.log, (low, high, value_low, value_high))
    return high - low + PENALTY * max(low - value_high, value_low - high, 0.0)


def score_in_words(
    low: float, high: float, value: float, value_low: float, value_high: float, logarithmic: bool
) -> str:
    """Return one sentence on the score of a range, and a second one if the range was far too wide."""
    score = interval_score(low, high, value_low, value_high, logarithmic)
    if score is None:
        return ""
    width = interval_score(low, high, low, high, logarithmic) or 0.0
    scale = ", both on a logarithmic scale" if logarithmic else ""
    if score > width:
        parts = (
            f"the width of your range ({_told(width)}) plus {PENALTY:.0f} times the distance by which it missed{scale}"
        )
    else:
        parts = "the width of your range" + (", on a logarithmic scale" if logarithmic else "")
    said = f"Your score is {_told(score)}, and smaller is better: it is {parts}."
    times = _times_too_wide(low, high, value, value_low, value_high, logarithmic)
    if score == width and times >= SILLY:
        count = f"{times:.0f}" if times < MOST_TIMES else f"more than {MOST_TIMES:.0f}"
        said += f" Your range was {count} times wider than needed."
    return said


def _told(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}"


def _times_too_wide(
    low: float, high: float, value: float, value_low: float, value_high: float, logarithmic: bool
) -> float:
    """Return the width of a range ÷ the width that would have sufficed.

    A factor of two about the measured value suffices (a factor of √2 to each side), or else the measured interval.
    """
    if logarithmic:
        needed = max(math.log(2), math.log(value_high / value_low))
        return math.log(high / low) / needed
    needed = max(abs(value) * (math.sqrt(2) - math.sqrt(0.5)), value_high - value_low)
    return (high - low) / needed if needed > 0 else 0.0
