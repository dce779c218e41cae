"""Every exercise is solved by its own solution: put to its judge, and in the notebook, where a reader would type it.

A solution may be inconclusive on a machine that cannot show its effect; it is never wrong, and never unattempted.
"""

import ast
import inspect
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager  # magics become calls
from nbclient import NotebookClient
from nbformat import NotebookNode

from spe_lab.core.c import native
from spe_lab.core.reader.exercise import exercises

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
EXERCISES = exercises()
ACCEPTED = ("right", "inconclusive")
CELL_TIMEOUT_S = 120
needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")


def checked_in(cell: NotebookNode) -> ast.Call | None:
    """The call of an exercise's check in a cell, such as `memory.EXERCISES["ramp"].check(answer)`."""
    if cell.cell_type != "code" or ".check(" not in cell.source:
        return None
    calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
    return next((call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "check"), None)


def solved(cell: NotebookNode, call: ast.Call) -> str:
    """The cell with the exercise's solution, worked out from what the check is given, in the place of the reader's
    dots.
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
    return ast.unparse(program)


def id_of(call: ast.Call) -> str:
    """`topic.EXERCISES["name"]` has the id topic.name, as the notebooks import topics by their own names."""
    registry = call.func.value
    return f"{ast.unparse(registry.value.value)}.{ast.literal_eval(registry.slice)}"


def asked_in(path: Path) -> dict[str, NotebookNode]:
    """The notebook's cells that check an exercise, by the exercise's id."""
    return {
        id_of(call): cell for cell in nbformat.read(path, as_version=4).cells if (call := checked_in(cell)) is not None
    }


def built_on(asked: list[NotebookNode], notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that only import, and those that share a variable with one of `asked`, or with a cell that does, and so
    on.
    """
    code = {
        cell.id: (cell, ast.parse(TransformerManager().transform_cell(cell.source)))
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    imports = {
        id
        for id, (_, program) in code.items()
        if all(isinstance(line, ast.Import | ast.ImportFrom) for line in program.body)
    }
    imported = {
        alias.asname or alias.name for id in imports for alias in ast.walk(code[id][1]) if isinstance(alias, ast.alias)
    }
    names = {
        id: {node.id for node in ast.walk(program) if isinstance(node, ast.Name)} - imported
        for id, (_, program) in code.items()
    }
    kept, wanted = set(), {cell.id for cell in asked}
    while wanted:
        kept |= wanted
        shared = set().union(*(names[id] for id in kept))
        wanted = {id for id in code if names[id] & shared} - kept
    return [cell for id, (cell, _) in code.items() if id in kept | imports]


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT_S,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def shown(cell: NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def test_exercises_are_found_in_every_topic_that_has_a_notebook():
    assert {id.partition(".")[0] for path in NOTEBOOKS for id in asked_in(path)} == {
        id.partition(".")[0] for id in EXERCISES
    }


def test_every_exercise_is_asked_in_a_notebook():
    assert sorted(id for path in NOTEBOOKS for id in asked_in(path)) == sorted(EXERCISES)


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_dots_are_not_attempted_and_nothing_is_kept_of_them(id):
    assert EXERCISES[id].check(...).state == "not attempted"
    assert EXERCISES[id].check().reason == "put your answer in the place of the dots and run this cell again"


@needs_compiler
@pytest.mark.parametrize(
    "id", sorted(id for id, exercise in EXERCISES.items() if len(inspect.signature(exercise.judge).parameters) == 1)
)
def test_the_solution_convinces_its_judge(id):
    """Exercises that judge a reader's own run are put to their judges in the notebooks below, which have one."""
    verdict = EXERCISES[id].check(EXERCISES[id].answer)
    assert verdict.state in ACCEPTED, verdict


@needs_compiler
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_notebook_runs_with_all_exercises_solved(path):
    """With the cells that the exercises build on, up to the reader's own run; nbval runs the others."""
    notebook = deepcopy(nbformat.read(path, as_version=4))
    asked = []
    for cell in notebook.cells:
        if (call := checked_in(cell)) is not None:
            cell.source = solved(cell, call)
            asked.append(cell)
    notebook.cells = built_on(asked, notebook)
    executed(notebook, path.parent)
    verdicts = {cell.id: shown(cell) for cell in asked}
    wrong = {id: text for id, text in verdicts.items() if not any(f" {state}: " in text for state in ACCEPTED)}
    assert not wrong, wrong
