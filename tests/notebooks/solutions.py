"""The cells of a notebook that check an exercise, and the same cells with the exercise's solution.

A cell gets a handle and puts the reader's answer to it: `q1 = exercise("memory", 1)` and `q1.check(...)`, or, in C,
`q3.check(own)` after a cell that begins with `%%c own`. An answer of several lines is `answer = {"a": ...}` above it.
"""

import ast
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from spe_lab.core import registry

ACCEPTED = ("right", "inconclusive")


def checked_in(cell: NotebookNode) -> ast.Call | None:
    """The call of an exercise's check in a cell, such as `q1.check(...)`."""
    if cell.cell_type != "code" or ".check(" not in cell.source or cell.source.startswith("%%"):
        return None
    calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
    return next((call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "check"), None)


def solved(cell: NotebookNode, call: ast.Call) -> str:
    """Return the cell's source with the exercise's solution in the place of the reader's dots or of the C cell, worked
    out from what the check is given. It fails unless the verdict is right or inconclusive.
    """
    program = ast.parse(cell.source)
    check = ast.unparse(call)
    given = ", ".join(ast.unparse(keyword) for keyword in call.keywords)
    solution = ast.parse(f"{ast.unparse(call.func.value)}.solved({given})", mode="eval").body
    assigned = [
        line for line in program.body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "answer"
    ]
    (answer,) = call.args
    if assigned:  # an answer of several lines
        assert len(assigned) == 1 and "..." in ast.unparse(assigned[0].value), (
            f"{cell.id}: one line `answer = ...` is what the reader replaces"
        )
        assigned[0].value = solution
        asked = check
    else:
        assert "..." in ast.unparse(answer) or isinstance(answer, ast.Name), (
            f"{cell.id}: the check gets `...`, which the reader replaces, or the C cell's name"
        )
        asked = ast.unparse(ast.Call(call.func, [solution], call.keywords))
    source = ast.unparse(program)
    assert source.count(check) == 1, f"{cell.id}: one call checks the answer"
    return f"{source.replace(check, f'(verdict := {asked})')}\nassert verdict.state in {ACCEPTED}, verdict"


def id_of(cell: NotebookNode, call: ast.Call) -> str:
    """The id of the exercise that a cell asks: `exercise("memory", 1)`, by number or by name."""
    handle = call.func.value
    made = [
        line.value
        for line in ast.parse(cell.source).body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == ast.unparse(handle)
    ]
    assert len(made) == 1 and ast.unparse(made[0].func) == "exercise", f"{cell.id}: makes its handle by exercise(…)"
    stem, which = (ast.literal_eval(argument) for argument in made[0].args)
    if isinstance(which, str):
        return f"{stem}.{which}"
    (topic,) = registry.topics(stem)
    return f"{stem}.{list(topic.EXERCISES)[which - 1]}"


def asked_in(path: Path) -> dict[str, NotebookNode]:
    """The notebook's cells that check an exercise, by the exercise's id, in the order of the notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return {id_of(cell, call): cell for cell in cells if (call := checked_in(cell)) is not None}


def c_text(path: Path, cell: NotebookNode) -> str:
    """The C that a check gets: the last `%%c` cell of that name above it, without the magic's own line."""
    cells = nbformat.read(path, as_version=4).cells
    above = cells[: next(i for i, other in enumerate(cells) if other.id == cell.id)]
    heads = (other.source.partition("\n") for other in reversed(above) if other.source.startswith("%%c"))
    return next(text for head, _, text in heads if head.split()[1] == c_cell_of(cell))


def c_cell_of(cell: NotebookNode) -> str | None:
    """The name of the `%%c` cell whose object a check gets, or None."""
    call = checked_in(cell)
    answer = call.args[0] if call and call.args else None
    return answer.id if isinstance(answer, ast.Name) and answer.id != "answer" else None
