"""Random operator faults in models and labs: `+` for `-`, `*` for `/`, `<` for `<=`, at places drawn with a seed.

tests/mutants.py tries them after the faults that somebody thought of, and says which ones survive.
"""

import ast
import random
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SWAPS = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
}
FORM = {"make_sliders", "presets", "default_values", "summary", "__str__"}  # functions that hold words, not science
NO_SCIENCE = {"__init__", "chapter", "exercises", "drawing", "report", "diagram", "animation", "watts"}


def faults(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (what is wrong, line as it is, line with the fault) for each operator that stands on a line of its own."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef) or function.name in FORM:
            continue
        for node in ast.walk(function):
            pairs = []
            if isinstance(node, ast.BinOp):
                pairs = [(node.left, node.op, node.right)]
            elif isinstance(node, ast.Compare) and len(node.ops) == 1:
                pairs = [(node.left, node.ops[0], node.comparators[0])]
            for left, operator, right in pairs:
                if type(operator) not in SWAPS or left.end_lineno != right.lineno:
                    continue
                was, becomes = SWAPS[type(operator)]
                line = lines[right.lineno - 1].encode()
                head, tail = line[: left.end_col_offset], line[right.col_offset :]
                between = line[left.end_col_offset : right.col_offset]
                if between.decode().strip(" ()") != was or text.count(lines[right.lineno - 1]) != 1:
                    continue
                wrong = (head + between.replace(was.encode(), becomes.encode()) + tail).decode()
                yield f"{becomes} for {was} in {function.name}", lines[right.lineno - 1], wrong


def chosen(count: int, seed: int) -> list[tuple[Path, str, str, str, list[str]]]:
    """Return `count` faults drawn with a seed: file, what is wrong, line, faulty line, arguments for pytest."""
    files = sorted((ROOT / "spe_lab" / "topics").glob("*/*.py"))
    every = sorted({(path, *fault) for path in files if path.stem not in NO_SCIENCE for fault in faults(path)})
    drawn = random.Random(seed).sample(every, min(count, len(every)))
    return [(*fault, tests_of(fault[0])) for fault in drawn]


def tests_of(path: Path) -> list[str]:
    """Return the tests that must notice a fault in this file of a topic."""
    stem = path.parent.name
    return [f"--topic={stem}", f"tests/topics/{stem}", "tests/core/test_lab_contract.py"]
