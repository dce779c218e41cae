"""Notebooks under nbval, each executed once: after its own cells, in the same kernel, the cells of its exercises follow
once more with their solutions, and each verdict must be right or inconclusive.
"""

from collections import defaultdict

import nbformat
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from solutions import checked_in, solved

from spe_lab.core.c import native


class Chapter(IPyNbFile):
    def collect(self):
        cells = list(super().collect())
        yield from cells
        asked = ((cell, checked_in(cell)) for cell in self.nb.cells)
        for number, (cell, call) in enumerate(((cell, call) for cell, call in asked if call), start=len(cells)):
            answer = nbformat.from_dict({**cell, "source": solved(cell, call), "outputs": []})
            yield IPyNbCell.from_parent(
                self,
                name=f"{cell.id} solved",
                cell_num=number,
                cell=answer,
                options=defaultdict(bool, skip=not native.available()),
            )


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    collectors = yield
    return [
        Chapter.from_parent(parent, path=file_path) if type(collector) is IPyNbFile else collector
        for collector in collectors
    ]
