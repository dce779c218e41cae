"""What a reader committed and answered outlives the kernel, the browser and the notebook it was typed into."""

import re

import pytest

from .jupyter import MissingError, jupyterlab, write_notebook

pytestmark = pytest.mark.browser

IMPORTS = "from spe_lab import exercise, predict, sketch"
TYPED = (
    f'{IMPORTS}\nprediction = predict("memory.working_set", at="16MiB", low=50, high=200)\nprediction',
    'q1 = exercise("memory", "ramp")\nq1.check(q1.solved())',
    'drawn = sketch("memory.stride")\ndrawn',
)
UNTOUCHED = (
    f'{IMPORTS}\nprediction = predict("memory.working_set", at="16MiB", low=..., high=...)\nprediction',
    'q1 = exercise("memory", "ramp")\nq1.check(...)',
    'drawn = sketch("memory.stride")\ndrawn',
    "drawn.text, prediction.low",
)
# In one turn of the page, which then sends the press on the button before the second move: the kernel has not answered
# the first.
MOVE_AND_COMMIT = """
for (const _ of [1, 2]) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp', bubbles: true}));
[...document.querySelectorAll('button')].findLast(each => each.textContent.trim() === 'Commit').click();
"""


def said(outputs) -> str:
    return "".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs)


def test_predictions_and_answers_outlive_kernel_browser_and_notebook(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    write_notebook(tmp_path / "mine.ipynb", *TYPED)
    write_notebook(tmp_path / "elsewhere" / "copy.ipynb", *UNTOUCHED)
    kept = {"SPE_LAB_CONFIG_DIR": str(tmp_path / "config")}
    try:
        with jupyterlab(tmp_path, **kept) as lab, lab.open("mine.ipynb") as notebook:
            from playwright.sync_api import expect

            assert "Kept in your journal." in said(notebook.run(0))
            assert "✔ right" in said(notebook.run(1))
            notebook.run(2)
            notebook.page.locator(".noUi-handle").nth(2).press("ArrowUp")
            notebook.evaluate(MOVE_AND_COMMIT)
            notebook.page.wait_for_timeout(
                1000
            )  # the second move is there, and nothing says any more that it is not committed
            state = notebook.page.get_by_role("status").last
            expect(state).to_have_text(re.compile("^Committed: "), timeout=30_000)  # or this says what stands there
            drawn = state.text_content()
            notebook.evaluate("await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
            assert "✔ right" in said(notebook.run(0) and notebook.run(1))
            assert notebook.console_errors == []
        with jupyterlab(tmp_path, **kept) as lab, lab.open("elsewhere/copy.ipynb") as notebook:
            assert "From your journal, at size 16 MiB: 50 to 200 ns, committed " in said(notebook.run(0))
            assert "was right: " in said(notebook.run(1))
            notebook.run(2)
            notebook.page.get_by_text(drawn).last.wait_for()
            assert drawn in said(notebook.run(3)) and "50" in said(notebook.run(3))
            assert notebook.console_errors == []
    except MissingError as error:
        pytest.skip(str(error))
