"""What every notebook must keep to: its canonical form, something to compare where comparing is asked for, short cells,
a readable outline.

nbval runs the cells; this looks at the files.
"""

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from canonical import WIDGET_VIEW, canonical, is_marked, text, write
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_LINES = 6


def problems(notebook: NotebookNode) -> list[str]:
    """House rules that the notebook breaks, each with the cell's id."""
    found = []
    ids = [cell.get("id", "") for cell in notebook.cells]
    found += [
        f"{id!r}: ids are constant, in lower case and with a meaning, such as predict-stride"
        for id in ids
        if not _is_meaningful(id)
    ]
    found += [f"{id}: used by two cells" for id in sorted({id for id in ids if ids.count(id) > 1})]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found += [f"{cell.get('id')}: {problem}" for problem in _code_problems(cell)]
    return found + _outline_problems(notebook)


def _is_meaningful(id: str) -> bool:
    # nbformat invents eight hexadecimal digits where an id is missing; half of those begin with a letter.
    return bool(re.fullmatch(r"[a-z][a-z0-9-]+", id)) and not re.fullmatch(r"(?=.*\d)[0-9a-f]{8}", id)


def _code_problems(cell: NotebookNode) -> list[str]:
    found = []
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    readers_own = {"exercise", "solution"} & set(cell.metadata.get("tags", []))
    if not lines:
        found.append("no code")
    elif len(lines) > MAX_LINES and not readers_own:
        found.append(f"{len(lines)} lines of code; more than {MAX_LINES} belong into the library")
    if is_marked(cell) and not (cell.execution_count and cell.outputs):
        found.append(
            "tagged nbval-check-output, but nothing is stored to compare with; run `make notebooks`, or remove the tag"
        )
    is_magic = cell.source.startswith("%%") or (lines and lines[-1].startswith(("%", "!")))
    if lines and not is_magic and re.search(r";\s*(#.*)?$", lines[-1]):
        found.append("a trailing `;` hides nothing when nbval runs the cell; assign to _ instead")
    if re.search(r"\bOutput\(", cell.source):
        found.append("an Output widget confuses nbval and is not safe with threads; set the traits of a widget")
    return found


def _outline_problems(notebook: NotebookNode) -> list[str]:
    outline = [
        (index, level, title)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for level, title in _headings(cell)
    ]
    found = []
    first = int(bool(notebook.cells) and notebook.cells[0].get("id") == "links-top")
    if [index for index, level, _ in outline if level == 1] != [first]:
        found.append("the first cell after the links, and no other, has the one heading of level 1")
    for (_, above, _), (_, level, title) in pairwise(outline):
        if level > above + 1:
            found.append(f"heading {title!r} of level {level} follows one of level {above}")
    return found


def _headings(cell: NotebookNode) -> list[tuple[int, str]]:
    prose = re.sub(
        r"^ *(```|~~~).*?^ *\1", "", cell.source, flags=re.DOTALL | re.MULTILINE
    )  # a # in a listing is a comment
    return [(len(hashes), title) for hashes, title in re.findall(r"^ {0,3}(#{1,6})\s+(.+)$", prose, flags=re.MULTILINE)]


# The workbook


def test_there_are_notebooks():
    assert NOTEBOOKS, f"no notebook in {ROOT / 'notebooks'}: the tests below would pass without looking at anything"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_in_canonical_form(path):
    stored = path.read_text(encoding="utf-8")
    assert stored == text(canonical(nbformat.read(path, as_version=4))), "run `make notebooks`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_keeps_the_house_rules(path):
    found = problems(nbformat.read(path, as_version=4))
    assert not found, "\n".join(found)


# The canonical form itself


def executed() -> NotebookNode:
    """A notebook as a front end leaves it: marked and unmarked cells, a picture, a widget, pieces of a stream, an
    error.
    """
    view = {
        WIDGET_VIEW: {"model_id": "f00d", "version_major": 2, "version_minor": 0},
        "text/plain": "IntSlider(value=0)",
    }
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 600x350>"}
    cells = [
        new_markdown_cell("# Memory", id="title", metadata={"collapsed": True}),
        new_code_cell(
            "measure()",
            id="measure",
            execution_count=7,
            outputs=[new_output("stream", name="stdout", text="3.21 ns\n")],
        ),
        new_code_cell(
            "show()",
            id="model",
            execution_count=9,
            metadata={"scrolled": True, "slideshow": {"slide_type": "slide"}, "tags": ["lab", "nbval-check-output"]},
            outputs=[
                new_output("stream", name="stdout", text="one\n"),
                new_output("stream", name="stdout", text="two\n"),
                new_output("display_data", data=view),
                new_output("display_data", data=picture, metadata={"image/png": {"alt": "a staircase", "width": 600}}),
                new_output("display_data", data={"image/png": "iVBORw0KGgo="}),
                new_output("execute_result", data={"text/plain": "42"}, execution_count=9),
            ],
        ),
        new_code_cell(
            "show()",
            id="refused",
            metadata={"tags": ["nbval-check-output"]},
            outputs=[
                new_output("error", ename="ValueError", evalue="too large", traceback=["\x1b[31m/tmp/ipykernel_1"])
            ],
        ),
    ]
    return new_notebook(
        cells=cells, metadata={"widgets": {"state": {}}, "language_info": {"name": "python", "version": "3.11.7"}}
    )


def test_canonical_form_is_valid_and_doing_it_again_changes_nothing():
    once = canonical(executed())
    nbformat.validate(once)
    assert text(canonical(once)) == text(once)
    assert text(canonical(nbformat.reads(text(once), as_version=4))) == text(once)


def test_canonical_leaves_its_argument_alone():
    notebook = executed()
    canonical(notebook)
    assert notebook == executed()


def test_metadata_is_fixed_and_cells_keep_id_tags_and_slides():
    notebook = canonical(executed())
    assert sorted(notebook.metadata) == ["kernelspec", "language_info"]
    assert notebook.metadata.language_info == {"name": "python"}
    assert [cell.id for cell in notebook.cells] == ["title", "measure", "model", "refused"]
    assert [dict(cell.metadata) for cell in notebook.cells] == [
        {},
        {},
        {"slideshow": {"slide_type": "slide"}, "tags": ["lab", "nbval-check-output"]},
        {"tags": ["nbval-check-output"]},
    ]


def test_nbval_s_comment_becomes_its_tag():
    cells = [
        new_code_cell("# NBVAL_CHECK_OUTPUT\na", id="comment", metadata={"tags": ["lab"]}),
        new_code_cell("# NBVAL_CHECK_OUTPUT: no comment of nbval's", id="other"),
    ]
    comment, other = canonical(new_notebook(cells=cells)).cells
    assert (comment.source, comment.metadata.tags) == ("a", ["lab", "nbval-check-output"])
    assert other.source.startswith("# NBVAL") and "tags" not in other.metadata


def test_cells_are_counted_from_one_in_their_results_too():
    _, measure, model, refused = canonical(executed()).cells
    assert [measure.execution_count, model.execution_count, refused.execution_count] == [1, 2, 3]
    assert model.outputs[-1].execution_count == 2


def test_outputs_are_stored_for_marked_cells_alone():
    _, measure, model, _ = canonical(executed()).cells
    assert measure.outputs == []
    assert [output.output_type for output in model.outputs] == [
        "stream",
        "display_data",
        "display_data",
        "execute_result",
    ]


def test_pieces_of_a_stream_are_joined():
    assert canonical(executed()).cells[2].outputs[0].text == "one\ntwo\n"


def test_widget_view_has_an_id_that_depends_on_its_place_alone():
    other = executed()
    other.cells[2].outputs[2].data[WIDGET_VIEW]["model_id"] = "beef"
    assert text(canonical(other)) == text(canonical(executed()))


def test_pictures_are_dropped_and_their_alternative_text_is_kept():
    picture = canonical(executed()).cells[2].outputs[2]
    assert dict(picture.data) == {"text/plain": "<Figure size 600x350>"}
    assert picture.metadata == {"image/png": {"alt": "a staircase"}}


def test_error_keeps_name_and_value_without_paths():
    (error,) = canonical(executed()).cells[3].outputs
    assert error.traceback == ["ValueError: too large"]


def test_writing_replaces_the_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "notebook.ipynb"
    path.write_text("old")
    write(path, "new\n")
    assert path.read_text() == "new\n"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "notebook.ipynb"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# The house rules themselves


def sound() -> NotebookNode:
    shown = new_output("execute_result", data={"text/plain": "4"}, execution_count=2)
    compared = {"tags": ["nbval-check-output"]}
    cells = [
        new_markdown_cell("# Memory", id="title"),
        new_code_cell("a = 4", id="four", execution_count=1),
        new_markdown_cell("## Derivation\n\n```c\n# define N 4\n```", id="derivation"),
        new_code_cell("a", id="show-four", execution_count=2, outputs=[shown], metadata=compared),
        new_code_cell(
            "def answer():\n" + "    a\n" * 7, id="exercise-one", execution_count=3, metadata={"tags": ["exercise"]}
        ),
        new_code_cell("%%c\nint four(void) { return 4; }\nint f;", id="c-cell", execution_count=4),
    ]
    return new_notebook(cells=cells)


def test_sound_notebook_has_no_problems():
    assert problems(sound()) == []


@pytest.mark.parametrize(
    ("cell", "change", "complaint"),
    [
        (3, {"outputs": []}, "show-four: tagged nbval-check-output, but nothing is stored"),
        (3, {"execution_count": None}, "show-four: tagged nbval-check-output, but nothing is stored"),
        (1, {"metadata": {"tags": ["nbval-check-output"]}}, "four: tagged nbval-check-output, but nothing is stored"),
        (1, {"source": "a = 4\n" * 7}, "four: 7 lines of code"),
        (1, {"source": "# only a comment"}, "four: no code"),
        (1, {"source": "a;  # quiet"}, "four: a trailing `;`"),
        (1, {"source": "out = widgets.Output()"}, "four: an Output widget"),
        (1, {"id": "3f2a9c10"}, "'3f2a9c10': ids are constant"),
        (1, {"id": "f32a9c10"}, "'f32a9c10': ids are constant"),
        (1, {"id": "title"}, "title: used by two cells"),
        (0, {"source": "## Memory"}, "the first cell after the links"),
        (0, {"source": "# Memory\n\n# Memory again"}, "the first cell after the links"),
        (0, {"id": "links-top"}, "the first cell after the links"),
        (2, {"source": "# Derivation"}, "the first cell after the links"),
        (2, {"source": "### Derivation"}, "heading 'Derivation' of level 3 follows one of level 1"),
    ],
)
def test_each_broken_rule_is_named(cell, change, complaint):
    notebook = sound()
    notebook.cells[cell].update(nbformat.from_dict(change))
    assert any(problem.startswith(complaint) for problem in problems(notebook)), problems(notebook)
