"""Functions that Python cannot call, whatever the arguments: why, in a sentence with line, parameter, type and cure."""

from spe_lab.core.c.ctype import Array, Function, Other, Pointer, Record, Type, prototype, spelled
from spe_lab.core.own_c import wrapped


def refusal(function: Function) -> str:
    """Return why Python cannot call this function at all; "" if it can, with the right arguments."""
    where = f"line {function.line}" if function.line else function.file
    if function.variadic:
        return (
            f"{function.name} ({where}) must declare all of its parameters to be called from Python, got ...; write a"
            " function for each use"
        )
    for each in function.parameters:
        if fault := _no_value(each.type):
            return (
                f"{each.name} of {function.name} (line {each.line or function.line}) must have a type that Python can"
                f" pass, got {spelled(each.type)}, {fault}; pass it through a function of the cell"
            )
    if isinstance(function.result, Pointer):
        return (
            f"{function.name} ({where}) must return a number, a structure or nothing to be called from Python, got"
            f" {spelled(function.result)}; write through a pointer"
        )
    if function.result is not None and (fault := _no_value(function.result)):
        return (
            f"{function.name} ({where}) must return a type that Python can take, got {spelled(function.result)},"
            f" {fault}; let the cell turn it into another one"
        )
    if not wrapped.direct(function) and not wrapped.expressible(function):
        return (
            f"{function.name} ({where}) must have types with names to be called from Python, got"
            f" {prototype(function)}; name them with typedef"
        )
    return ""


def _no_value(kind: Type) -> str:
    """Return what is wrong with a type whose values Python should pass or take; "" if nothing is."""
    if isinstance(kind, Other):
        return kind.what
    if isinstance(kind, Record):
        return kind.fault or next(filter(None, (_no_value(each.type) for each in kind.members)), "")
    if isinstance(kind, Array):
        return _no_value(kind.element)
    return ""
