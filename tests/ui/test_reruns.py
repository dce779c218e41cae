"""A cell that runs again: what its earlier run had shown is closed, and what another cell shows stays."""

import gc
import types
import weakref

import ipywidgets as widgets
import pytest

from spe_lab.core import lab as labs
from spe_lab.ui import reruns
from spe_lab.ui.explorer import explore
from spe_lab.ui.figure import LabFigure


@pytest.fixture
def kernel(monkeypatch):
    """An IPython with outputs; `run(cell)` says which cell is running from now on."""
    shell = types.SimpleNamespace(user_ns={"Out": {}}, user_ns_hidden={}, execution_count=0, history_manager=types.SimpleNamespace(outputs={}))

    def run(cell):
        shell.execution_count += 1
        shell.history_manager.outputs[shell.execution_count] = ["a picture"]
        header = {"msg_id": str(shell.execution_count)}
        shell.get_parent = lambda: {"msg_type": "execute_request", "metadata": {"cellId": cell}, "content": {"code": ""}, "header": header}

    shell.run = run
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(reruns, "_shown", {})
    return shell


def test_a_cell_that_runs_again_leaves_nothing_of_its_earlier_run(kernel):
    before = len(widgets.widget._instances) if hasattr(widgets, "widget") else 0
    sizes, gone = [], []
    for number in range(4):
        kernel.run("a cell")
        shown = explore("memory.stride")
        kernel.user_ns["Out"][number + 1] = kernel.user_ns[f"_{number + 1}"] = kernel.user_ns_hidden[f"_{number + 1}"] = shown
        sizes.append(len(widgets.widget._instances))
        gone.append(weakref.ref(shown))
        del shown
        gc.collect()
    assert sizes[0] > before and len(set(sizes)) == 1
    assert [each() is None for each in gone] == [True, True, True, False]
    assert list(kernel.user_ns["Out"]) == list(kernel.history_manager.outputs) == [4]


def test_other_cells_keep_what_they_show_and_a_cell_may_show_two(kernel):
    kernel.run("a cell")
    first, second = explore("memory.stride"), explore("memory.stride")
    kernel.run("another cell")
    third = explore("memory.stride")
    assert all(each.page.comm for each in (first, second, third))
    kernel.run("a cell")
    explore("memory.stride")
    assert [each.page.comm is None for each in (first, second, third)] == [True, True, False]
    assert "text/plain" in first._repr_mimebundle_()[0]  # whoever holds it by a name may still look at it
    assert first.text


def test_a_figure_that_nobody_holds_is_gone():
    lab = labs.get("memory.stride")
    figure = LabFigure(lab)
    x = lab.x()
    figure.draw(lab.predict(lab.point(), x), at=lab.point()[lab.axis])
    gone = weakref.ref(figure)
    del figure
    gc.collect()
    assert gone() is None
