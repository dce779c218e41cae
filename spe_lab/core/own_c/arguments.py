"""The names of arguments: C's parameters by position or by name, where Python's own words need an underscore."""

import inspect
import keyword
from collections.abc import Iterable, Mapping
from typing import Any

from spe_lab.core.c.ctype import Function, prototype
from spe_lab.core.own_c.messages import CellError


def python_names(function: Function) -> dict[str, str]:
    """Return each parameter's name in Python: Python's own words get an underscore behind them."""
    names: dict[str, str] = {}
    for parameter in function.parameters:
        name = parameter.name
        while keyword.iskeyword(name) or name in names:
            name += "_"
        names[name] = parameter.name
    return names


def signature(function: Function) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in python_names(function)])


def named(known: Iterable[str], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments under C's names: `in_` is `in`, and so is any name that needs its underscore taken away.

    >>> named(["in", "n"], {"in_": 1, "n": 2, "m_": 3})
    {'in': 1, 'n': 2, 'm_': 3}
    """
    names = set(known)
    return {
        name.removesuffix("_") if name not in names and name.removesuffix("_") in names else name: value
        for name, value in arguments.items()
    }


def bound(function: Function, arguments: tuple, by_name: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments by C's names of the parameters."""
    names = python_names(function)
    try:
        given = signature(function).bind(*arguments, **by_name).arguments
    except TypeError as error:
        raise CellError(
            f"the arguments must be those of {prototype(function)}: {error}; give one for each parameter"
        ) from None
    return {names[name]: value for name, value in given.items()}
