"""How soon a reader sees a notebook's first figure: from opening its page to the first explorer's picture, all cells run.

    python benchmarks/first_figure.py [NOTEBOOK...]     without names: every notebook; needs Chromium and the extra `test`

JupyterLab runs already, as it does for a reader who opens a second chapter, and kernels are compiled, as `make lab` sees to.
Columns: the page open with a kernel that answers, from then to the first picture, and both. Required: 6 s.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

from jupyter import jupyterlab  # noqa: E402, the browser tests have it

REQUIRED_S = 6.0
PICTURE = "svg.spe-moving"


def first_figure(lab, name: str) -> tuple[float, float]:
    """(s until the page and its kernel are there, s from then to the first picture)."""
    began = time.monotonic()
    with lab.open(name) as notebook:
        opened = time.monotonic()
        # Not awaited: the cells below the first figure go on running.
        notebook.evaluate("window.running = jupyterapp.commands.execute('notebook:run-all-cells')")
        notebook.page.locator(PICTURE).first.wait_for(state="attached", timeout=60_000)
        return opened - began, time.monotonic() - opened


def main() -> None:
    paths = [Path(name) for name in sys.argv[1:]] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            shutil.copy(path, folder)
        with jupyterlab(Path(folder)) as lab:
            first_figure(lab, paths[0].name)  # compiles the kernels, and fills the caches of browser and disk
            print(f"{'notebook':<28}{'open':>8}{'figure':>8}{'both':>8}")
            for path in paths:
                opened, shown = first_figure(lab, path.name)
                late = "" if opened + shown <= REQUIRED_S else f"   over {REQUIRED_S:g} s"
                print(f"{path.name:<28}{opened:>7.1f}s{shown:>7.1f}s{opened + shown:>7.1f}s{late}", flush=True)


if __name__ == "__main__":
    main()
