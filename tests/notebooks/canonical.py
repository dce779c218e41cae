"""The canonical form of a notebook: executing twice gives an empty diff, and only what tests compare is stored. A cell
whose output nbval compares has the tag nbval-check-output, which a reader does not see.

    python tests/notebooks/canonical.py notebooks/*.ipynb

executes each notebook and writes its canonical form. A notebook that fails is left as it was.
"""

import argparse
import hashlib
import os
import re
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

CELL_TIMEOUT_S = 120
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},  # no version: it would differ between readers; and no stored widget state
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
COMPARED = "nbval-check-output"
COMMENT = re.compile(r"^# *NBVAL_CHECK_OUTPUT *(\n|$)", re.MULTILINE)


def is_marked(cell: NotebookNode) -> bool:
    """Return True if nbval compares the outputs of this cell."""
    return COMPARED in cell.metadata.get("tags", [])


def mark(cell: NotebookNode) -> None:
    """Replace nbval's comment by its tag."""
    if cell.cell_type == "code" and COMMENT.search(cell.source):
        cell.source = COMMENT.sub("", cell.source)
        cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), COMPARED})


def canonical(notebook: NotebookNode) -> NotebookNode:
    notebook = deepcopy(notebook)
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in ("slideshow", "tags") if key in cell.metadata}
        )
        mark(cell)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(code, start=1):
        # A count in every cell, as nbval fails or passes silently where it is missing. Outputs of marked cells alone:
        # others may hold measured values, which change at each run.
        cell.execution_count = count
        cell.outputs = _canonical_outputs(cell) if is_marked(cell) else []
    return notebook


def _canonical_outputs(cell: NotebookNode) -> list[NotebookNode]:
    outputs: list[NotebookNode] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            # The kernel cuts a stream into pieces where it happens to flush.
            if outputs and outputs[-1].output_type == "stream" and outputs[-1].name == output.name:
                outputs[-1].text += output.text
                continue
        elif output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]  # the full one holds paths and terminal colours
        else:
            output.data.pop("image/png", None)  # never compared, and its bytes differ between versions of matplotlib
            if not output.data:
                continue
            if WIDGET_VIEW in output.data:
                output.data[WIDGET_VIEW]["model_id"] = hashlib.sha256(f"{cell.id} {len(outputs)}".encode()).hexdigest()[
                    :32
                ]
            # The alternative text is the one piece of output metadata that readers use.
            output.metadata = nbformat.from_dict(
                {
                    mime: {"alt": entry["alt"]}
                    for mime, entry in output.metadata.items()
                    if isinstance(entry, dict) and "alt" in entry
                }
            )
        if output.output_type == "execute_result":
            output.execution_count = cell.execution_count
        outputs.append(output)
    return outputs


def text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells as a reader in `folder` would, with measurements cut short and predictions skipped; outputs are put into `notebook`."""
    os.environ |= {"SPE_LAB_QUICK": "1", "SPE_LAB_PREDICTIONS": "skip"}  # the kernel inherits them
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_TIMEOUT_S,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()


def write(path: Path, content: str) -> None:
    """All or nothing, so that an interrupt leaves the old file or the new one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(content, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Execute notebooks and write their canonical form.")
    parser.add_argument("notebook", type=Path, nargs="+")
    failed = 0
    for path in parser.parse_args().notebook:
        try:
            notebook = nbformat.read(path, as_version=4)
            execute(notebook, path.parent)
        except (OSError, nbformat.reader.NotJSONError, CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(f"{path}: not written. {error}", file=sys.stderr)
            failed += 1
            continue
        new = text(canonical(notebook))
        changed = new != path.read_text(encoding="utf-8")
        if changed:
            write(path, new)
        print(f"{path}: {'written' if changed else 'unchanged'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
