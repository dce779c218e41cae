"""How soon a reader sees a notebook's first figure: from opening it in a JupyterLab that is there, all its cells run.

    python benchmarks/first_figure.py [NOTEBOOK...]     without names: every notebook; needs Chromium and the extra
    `test`

Kernels are compiled, as `make lab` sees to. Columns: the notebook open with a kernel that answers, from then to the
first figure with the cells above it run, and both. Required: 6 s. Then, apart, what a browser without JupyterLab in its
cache needs to show it at all.

Python must have its byte code on disk, as pip leaves it; without (PYTHONDONTWRITEBYTECODE, uv without
--compile-bytecode) the imports take three times as long.
"""

import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from jupyter import jupyterlab, write_notebook  # noqa: E402, the browser tests have it

REQUIRED_S = 6.0
HERE = ".jp-NotebookPanel:not(.lp-mod-hidden) .jp-OutputArea-output"
FIGURES = ", ".join(f"{HERE} {each}" for each in ("svg.spe-moving", "img"))
OPEN = """
const panel = await jupyterapp.commands.execute('docmanager:open', {path: a});
await panel.context.ready; await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info;
"""
CLOSE = """
const {sessionContext} = jupyterapp.shell.currentWidget;
await sessionContext.shutdown();
jupyterapp.shell.currentWidget.dispose();
"""


def first_figure(page, name: str) -> tuple[float, float]:
    """(s until the notebook and its kernel are there, s from then to the first figure)."""
    began = time.monotonic()
    page.evaluate(OPEN, name)
    opened = time.monotonic()
    # Not awaited: the cells below the first figure go on running.
    page.evaluate("window.running = jupyterapp.commands.execute('notebook:run-all-cells')")
    page.page.locator(FIGURES).first.wait_for(state="attached", timeout=60_000)
    shown = time.monotonic()
    page.evaluate(CLOSE)
    return opened - began, shown - opened


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    if not Path(importlib.util.find_spec("sympy").cached).exists():
        print("Python's byte code is not on disk: run python -m compileall on the environment first", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            shutil.copy(path, folder)
        write_notebook(Path(folder) / "empty.ipynb")
        with jupyterlab(Path(folder)) as lab, lab.open("empty.ipynb") as page:
            first_figure(page, paths[0].name)  # compiles the kernels, and fills the disk's cache
            print(f"{'notebook':<28}{'open':>8}{'figure':>8}{'both':>8}")
            for path in paths:
                opened, shown = first_figure(page, path.name)
                late = "" if opened + shown <= REQUIRED_S else f"   over {REQUIRED_S:g} s"
                print(f"{path.name:<28}{opened:>7.1f}s{shown:>7.1f}s{opened + shown:>7.1f}s{late}", flush=True)
        with jupyterlab(Path(folder)) as lab:  # another browser: all pages of the first one share its cache
            began = time.monotonic()
            with lab.open("empty.ipynb"):
                print(
                    "JupyterLab itself, a new page with an empty notebook and its kernel:"
                    f" {time.monotonic() - began:.1f} s"
                )


if __name__ == "__main__":
    main()
