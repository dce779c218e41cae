"""An answer that is an expression: text is looked at before sympy evaluates it, since `9**9**9**9` would never end."""

import ast
from typing import Any

from spe_lab.core.errors import SpeLabError

LONGEST = 1000  # characters
LARGEST_POWER = 20
_ALLOWED = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Constant,
    ast.Name,
    ast.Load,
    ast.Call,  # functions such as sqrt and log
    ast.operator,
    ast.unaryop,
)


def harmless(answer: Any) -> Any:
    """Return the answer, if it is no text or a short formula. Raise SpeLabError for other text.

    >>> harmless("p*(1-p)")
    'p*(1-p)'
    """
    if not isinstance(answer, str):
        return answer
    cure = "write for example 2*p*(1-p)"
    if len(answer) > LONGEST:
        raise SpeLabError(
            f"the answer must be an expression of at most {LONGEST} characters, got {len(answer)}; {cure}"
        )
    try:
        tree = ast.parse(answer.strip().replace("^", "**"), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SpeLabError(f"the answer must be an expression, got {answer!r:.80}; {cure}") from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED) or (
            isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
        ):
            raise SpeLabError(f"the answer must be an expression of numbers and symbols, got {answer!r:.80}; {cure}")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            constants = (each.value for each in ast.walk(node.right) if isinstance(each, ast.Constant))
            powers = [value for value in constants if isinstance(value, int | float)]
            nested = any(isinstance(each, ast.BinOp) and isinstance(each.op, ast.Pow) for each in ast.walk(node.right))
            if nested or any(abs(power) > LARGEST_POWER for power in powers):
                rule = f"powers in the answer must be at most {LARGEST_POWER}, without a power of a power"
                raise SpeLabError(f"{rule}, got {answer!r:.80}; {cure}")
    return answer
