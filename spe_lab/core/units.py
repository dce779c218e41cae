"""Quantities: the only place that parses or prints a number with a unit.

Inside the library, numbers are plain floats in a unit that their name or their slider states. Text exists only at the
edges. The library quantiphy parses prefixes.
"""

import math
import numbers
import re
from functools import lru_cache

from spe_lab.core.errors import SpeLabError

_PLAIN_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
# Units that take prefixes. All others are words, or quantiphy would read "users" as micro-"sers".
_SCALED = re.compile(r"([pnuµmkMGT]|[KMGT]i)?(s|Hz|B|bit|W|J|flop)(/\w+)?")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DIMENSIONLESS = ""
LONGEST = 200  # characters of a quantity


def parse(text: str, unit: str, name: str = "value") -> float:
    """Return the number that `text` means, in `unit` ("B", "ns", "GHz", "" …). A bare number is in `unit`.

    >>> parse("16KiB", "B"), parse("1.5 us", "ns"), parse("64", "B")
    (16384.0, 1500.0, 64.0)
    >>> parse("3 ns", "B", "size")
    Traceback (most recent call last):
    spe_lab.core.errors.SpeLabError: size must be a quantity in B, got '3 ns'; write for example size=64KiB
    """
    from quantiphy import InvalidNumber, Quantity

    shown = repr(text) if len(text) <= LONGEST else f"{text[:20]!r}… of {len(text)} characters"
    complaint = SpeLabError(
        f"{name} must be {_expectation(unit)}, got {shown}; write for example {name}={_example(unit)}"
    )
    if len(text) > LONGEST:  # quantiphy needs quadratic time: minutes for the text of a file
        raise complaint
    stripped = text.strip()
    bare = stripped.removesuffix(unit).rstrip() if unit and not _SCALED.fullmatch(unit) else stripped
    if _PLAIN_NUMBER.fullmatch(bare):
        number = float(bare)
    elif not _SCALED.fullmatch(unit) or not re.match(r"[-+.\d]", stripped) or "," in stripped:
        raise complaint
    else:
        try:
            quantity, scale = Quantity(stripped, binary=True), Quantity(f"1 {unit}", binary=True)
        except InvalidNumber:
            raise complaint from None
        # "16K" is neither 16 KiB nor 16 kB: a prefix without a unit is refused rather than guessed.
        if quantity.units != scale.units:
            raise complaint
        number = float(quantity)
        if float(scale) != 1:
            number = float(f"{number / float(scale):.15g}")  # 7 us are 7000 ns, not 6999.999999999999
    if not math.isfinite(number):
        raise complaint
    return number


@lru_cache(maxsize=512)
def render(value: float, unit: str, digits: int = 3) -> str:
    """Return `value` as text in `unit`: binary prefixes for bytes, decimal ones for other units.

    >>> render(65536, "B"), render(1.234, "ns"), render(1500, "ns"), render(3.1, "GHz")
    ('64 KiB', '1.23 ns', '1.5 µs', '3.1 GHz')
    >>> render(0.25, ""), render(32768, "")
    ('0.25', '32768')
    """
    from quantiphy import Quantity

    if value is None or not math.isfinite(value):
        return "–"
    if not unit and value == int(value) and abs(value) < 1e9:
        return f"{int(value)}"  # a count is exact
    if not _SCALED.fullmatch(unit):
        return f"{float(f'{value:.{digits}g}'):.{max(digits, 6)}g} {unit}".rstrip()
    if unit == "B" and 0 < abs(value) < 1:  # no binary prefix stands for a fraction
        return f"{value:.{digits}g} B"
    if unit == "B":
        return Quantity(value, "B").binary(prec=digits - 1, strip_zeros=True)
    scale = Quantity(f"1 {unit}", binary=True)
    return Quantity(value * float(scale), scale.units).render(prec=digits - 1, form="si").replace("us", "µs")


def percent(share: float, digits: int = 3) -> str:
    """Return a share in per cent.

    >>> percent(0.3), percent(0.0019531), percent(1)
    ('30 %', '0.195 %', '100 %')
    """
    if share is None or not math.isfinite(share):
        return "–"
    return f"{float(f'{100 * share:.{digits}g}'):.{max(digits, 6)}g} %"


def on_axis(value: float, unit: str = "") -> str:
    """Return a tick label for an axis whose title names the unit; bytes carry their own unit.

    >>> on_axis(0.01), on_axis(100_000, "ns"), on_axis(1e6, "ns"), on_axis(2.5e-7), on_axis(65536, "B")
    ('0.01', '100000', '10⁶', '2.5·10⁻⁷', '64 KiB')
    """
    if unit == "B":
        return render(value, unit)
    mantissa, _, exponent = f"{value:g}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_RAISED)}".removeprefix("1·") if exponent else mantissa


def finite(value: float, name: str) -> float:
    """Return `value` as a float. Refuse NaN and infinities, before they can spread."""
    try:
        number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    except OverflowError:  # an integer larger than any float
        number = math.inf
    if not math.isfinite(number):
        raise SpeLabError(f"{name} must be a finite number, got {value!r:.40}; leave it out to use the default")
    return number


def _expectation(unit: str) -> str:
    return f"a quantity in {unit}" if unit else "a number without a unit"


def _example(unit: str) -> str:
    return {"B": "64KiB", "": "0.5"}.get(unit, f"1.5{unit}")
