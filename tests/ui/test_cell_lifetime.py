"""A cell that runs again: what its earlier run had shown is closed, and what another cell shows stays."""

import gc
import os
import platform
import re
import subprocess
import sys
import types
import weakref
from pathlib import Path

import ipywidgets as widgets
import psutil
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from spe_lab.core import registry
from spe_lab.ui import cell_lifetime
from spe_lab.ui.explorer import explore
from spe_lab.ui.figure import LabFigure
from spe_lab.ui.heap import return_freed


@pytest.fixture
def kernel(monkeypatch):
    """An IPython with outputs; `run(cell)` says which cell is running from now on."""
    history, hook = types.SimpleNamespace(outputs={}), types.SimpleNamespace(prompt_count=0)
    shell = types.SimpleNamespace(user_ns={"Out": {}}, user_ns_hidden={}, displayhook=hook, history_manager=history)

    def run(cell):
        hook.prompt_count += 1
        history.outputs[hook.prompt_count] = ["a picture"]
        header = {"msg_id": str(hook.prompt_count)}
        shell.get_parent = lambda: {
            "msg_type": "execute_request",
            "metadata": {"cellId": cell},
            "content": {"code": ""},
            "header": header,
        }

    shell.run = run
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(cell_lifetime, "_shown", {})
    return shell


def test_a_cell_that_runs_again_leaves_nothing_of_its_earlier_run(kernel):
    before = len(widgets.widget._instances) if hasattr(widgets, "widget") else 0
    sizes, gone = [], []
    for number in range(4):
        kernel.run("a cell")
        shown = explore("memory.stride")
        kernel.user_ns["Out"][number + 1] = kernel.user_ns[f"_{number + 1}"] = kernel.user_ns_hidden[
            f"_{number + 1}"
        ] = shown
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
    lab = registry.get("memory.stride")
    figure = LabFigure(lab)
    x = lab.x()
    figure.draw(lab.predict(lab.point(), x, lab.recorded_fit), at=lab.point()[lab.axis])
    gone = weakref.ref(figure)
    del figure
    gc.collect()
    assert gone() is None


@pytest.mark.slow
def test_a_real_kernel_lists_the_last_run_alone():
    page = new_code_cell('from spe_lab import explore\nexplore("memory.stride")')
    outputs = (
        "[each for run in get_ipython().history_manager.outputs.values() for each in run if each.output_type =="
        " 'execute_result']"
    )
    listed = new_code_cell(f"print(len({outputs}), len(Out))")
    client = NotebookClient(
        new_notebook(cells=[page, listed]), kernel_name="python3", timeout=120, store_widget_state=False
    )
    with client.setup_kernel():
        for _ in range(3):
            client.execute_cell(page, 0)
            client.execute_cell(listed, 1)
            assert listed.outputs[0].text.split() == ["1", "1"]


needs_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc, which keeps what is freed")


@needs_glibc
def test_what_was_freed_is_the_system_s_again():
    process = psutil.Process()
    kept = [bytes(1000) for _ in range(100_000)]
    ends = kept[::100]
    del kept  # the ends, spread over all of it, keep the heap from shrinking by itself
    freed = process.memory_info().rss
    return_freed()
    assert ends and freed - process.memory_info().rss > 50e6


STAYS = """
import psutil
process = psutil.Process()
large = b"x" * (30 << 20)
del large  # from here on glibc takes smaller ones from the heap, unless told not to
before = process.memory_info().rss
pairs = [(b"x" * (1 << 20), b"x" * 100_000) for _ in range(64)]
small = [pair[1] for pair in pairs]
del pairs
print(process.memory_info().rss - before)
"""


def printed(program: str) -> list[str]:
    """What the program prints as it is, and with the settings of glibc that `make lab` makes."""
    makefile = Path(__file__).parents[2] / "Makefile"
    if not makefile.exists():
        pytest.skip("an installed copy has no Makefile")
    exports = r"^lab lecture: export (MALLOC_\w+) := (\d+)$"
    launcher = dict(re.findall(exports, makefile.read_text(encoding="utf-8"), re.MULTILINE))
    # Dask, which another test may have used in this process, leaves a MALLOC_TRIM_THRESHOLD_ in the environment, and
    # that fixes the limit.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=settings).stdout
        for settings in (plain, plain | launcher)
    ]


@pytest.mark.slow
@needs_glibc
def test_pictures_between_what_stays_go_back_to_the_system():
    plain, launched = map(int, printed(STAYS))
    assert plain > 50e6 > 20e6 > launched


HEAPS_OF_THREADS = """
import ctypes, threading
kept, together = [], threading.Barrier(12)
def allocate():
    together.wait()
    kept.extend(bytes(5000) for _ in range(500))
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, out)
libc.fclose(out)
"""


@pytest.mark.slow
@needs_glibc
def test_threads_share_a_heap():
    plain, launched = (text.count("<heap nr=") for text in printed(HEAPS_OF_THREADS))
    assert plain > launched == 1
