"""Assembly beside the source lines that it comes from: the loops of a function, and what a static analyser says of
them.
"""

import html
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spe_lab.core.c import native
from spe_lab.core.c.assembly import body, innermost_loops, jump_target

NO_ANALYSER = (
    "llvm-mca is not installed, so nothing is said of the loop's speed without running it (Debian: apt install llvm)"
)
_MOST_ANALYSED = 4  # loops; each costs some 50 ms
_ITERATIONS = 200


@dataclass(frozen=True)
class Row:
    """An instruction, and the source line it comes from; 0 and no text where the compiler names none (a header's
    function).
    """

    instruction: str
    line: int
    text: str


@dataclass(frozen=True)
class Loop:
    rows: tuple[Row, ...]
    analysis: str = ""


@dataclass(frozen=True)
class Listing:
    """The innermost loops of `function`, in the order of the text; `whole`: it has none, and this is all of it."""

    function: str
    loops: tuple[Loop, ...]
    whole: bool

    @property
    def title(self) -> str:
        if self.whole:
            return f"{self.function}: no loop; the whole function"
        return f"{self.function}: {len(self.loops)} innermost loop{'s' if len(self.loops) > 1 else ''}"

    def __str__(self) -> str:
        width = max((len(row.instruction) for loop in self.loops for row in loop.rows), default=0)
        said = [self.title]
        for loop in self.loops:
            said += [
                "",
                *(
                    f"{row.instruction:{width}}  {source}".rstrip()
                    for row, source in zip(loop.rows, _sources(loop.rows), strict=True)
                ),
            ]
            said += [loop.analysis] if loop.analysis else []
        return "\n".join(said)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = 'style="text-align: left; font-family: monospace; white-space: pre; padding: 0 1.5em 0 0"'
        said = [f"<p>{html.escape(self.title)}</p>"]
        for loop in self.loops:
            head = (
                '<tr><th scope="col" style="text-align: left">instruction</th><th scope="col" style="text-align:'
                ' left">source line</th></tr>'
            )
            rows = (
                f"<tr><td {cell}>{html.escape(row.instruction)}</td><td {cell}>{html.escape(source)}</td></tr>"
                for row, source in zip(loop.rows, _sources(loop.rows), strict=True)
            )
            said.append(f"<table>{head}{''.join(rows)}</table><p>{html.escape(loop.analysis)}</p>")
        return "".join(said)


def listing(assembled: str, function: str, text: str, file: Path, flags: Sequence[str] = native.FLAGS) -> Listing:
    """The loops of `function` in what the compiler wrote for `file`, whose content is `text`."""
    source = text.splitlines()
    lines = body(assembled, function, flags, file)
    targets = {jump_target(line) for line in lines}
    lines = [
        line for line in lines if line[0].isspace() or line.rstrip(":") in {*targets, function, f"_{function}"}
    ]  # not the debugger's labels
    found = innermost_loops(lines)
    loops = []
    for i, part in enumerate(found or [lines]):
        rows = tuple(_row(line, source) for line in part)
        loops.append(Loop(rows, analysis(part) if found and i < _MOST_ANALYSED else ""))
    return Listing(function, tuple(loops), whole=not found)


def _row(line: str, source: Sequence[str]) -> Row:
    instruction, _, number = line.partition(" # line ")
    at = int(number or 0)
    return Row(instruction, at, source[at - 1].strip() if 0 < at <= len(source) else "")


def _sources(rows: Sequence[Row]) -> list[str]:
    """Line and text beside each instruction, once for several in a row."""
    shown, before = [], 0
    for row in rows:
        shown.append(f"{row.line:3}  {row.text}" if row.line and row.line != before else "")
        before = row.line or before
    return shown


def analysis(loop: Sequence[str]) -> str:
    """What llvm-mca says of a loop, in a sentence."""
    if shutil.which("llvm-mca") is None:
        return NO_ANALYSER
    code = "\n".join(line.partition(" # line ")[0] for line in loop) + "\n"
    try:
        said = subprocess.run(
            ["llvm-mca", f"-iterations={_ITERATIONS}"],
            input=code,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "llvm-mca did not come to an end with this loop"
    numbers = dict(
        re.findall(
            r"^(Iterations|Instructions|Total Cycles|Block RThroughput): +([\d.]+)", said.stdout, flags=re.MULTILINE
        )
    )
    if said.returncode or len(numbers) < 4:
        return f"llvm-mca cannot judge this loop: {(said.stderr.strip().splitlines() or ['no reason given'])[0]}"
    each = float(numbers["Total Cycles"]) / float(numbers["Iterations"])
    instructions = round(float(numbers["Instructions"]) / float(numbers["Iterations"]))
    return (
        f"llvm-mca predicts {each:.2g} cycles an iteration for {instructions} instructions,"
        f" {float(numbers['Block RThroughput']):.2g} if iterations did not wait for each other; it takes every load as"
        " a hit and every branch as predicted"
    )
