"""The cells of a notebook that check an exercise, and the same cells with the exercise's solution."""

import ast
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ACCEPTED = ("right", "inconclusive")


def checked_in(cell: NotebookNode) -> ast.Call | None:
    """The call of an exercise's check in a cell, such as `memory.EXERCISES["ramp"].check(answer)`."""
    if cell.cell_type != "code" or ".check(" not in cell.source:
        return None
    calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
    return next((call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "check"), None)


def solved(cell: NotebookNode, call: ast.Call) -> str:
    """Return the cell's source with the exercise's solution in the place of the reader's dots, worked out from what the
    check is given. It fails unless the verdict is right or inconclusive.
    """
    program = ast.parse(cell.source)
    given = ", ".join(ast.unparse(keyword) for keyword in call.keywords)
    solution = ast.parse(f"{ast.unparse(call.func.value)}.solved({given})", mode="eval").body
    assigned = [
        line for line in program.body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "answer"
    ]
    assert len(assigned) == 1 and "..." in ast.unparse(assigned[0].value), (
        f"{cell.id}: one line `answer = ...` is what the reader replaces"
    )
    assigned[0].value = solution
    check = ast.unparse(call)
    source = ast.unparse(program)
    assert source.count(check) == 1, f"{cell.id}: one call checks the answer"
    return f"{source.replace(check, f'(verdict := {check})')}\nassert verdict.state in {ACCEPTED}, verdict"


def id_of(call: ast.Call) -> str:
    """`topic.EXERCISES["name"]` has the id topic.name, as the notebooks import topics by their own names."""
    registry = call.func.value
    return f"{ast.unparse(registry.value.value)}.{ast.literal_eval(registry.slice)}"


def asked_in(path: Path) -> dict[str, NotebookNode]:
    """The notebook's cells that check an exercise, by the exercise's id."""
    return {
        id_of(call): cell for cell in nbformat.read(path, as_version=4).cells if (call := checked_in(cell)) is not None
    }
