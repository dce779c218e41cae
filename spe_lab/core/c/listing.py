"""Assembly beside its source lines: the loops of a function, and llvm-mca's prediction for each."""

import html
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spe_lab.core.c import native
from spe_lab.core.c.assembly import body, innermost_loops, jump_target

NO_ANALYSER = "llvm-mca is not installed, so the loop's speed is not predicted (Debian: apt install llvm)"
_MOST_ANALYSED = 4  # loops; each takes some 50 ms
_ITERATIONS = 200


@dataclass(frozen=True)
class Row:
    """An instruction and its source line; line 0 and no text if the compiler names none."""

    instruction: str
    line: int
    text: str


@dataclass(frozen=True)
class Loop:
    rows: tuple[Row, ...]
    analysis: str = ""


@dataclass(frozen=True)
class Listing:
    """The innermost loops of `function`, in the order of the text; `whole`: no loop, so all of it."""

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
        lines = [self.title]
        for loop in self.loops:
            pairs = zip(loop.rows, _sources(loop.rows), strict=True)
            lines += ["", *(f"{row.instruction:{width}}  {source}".rstrip() for row, source in pairs)]
            lines += [loop.analysis] if loop.analysis else []
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = 'style="text-align: left; font-family: monospace; white-space: pre; padding: 0 1.5em 0 0"'
        titles = ("instruction", "source line")
        head = "".join(f'<th scope="col" style="text-align: left">{title}</th>' for title in titles)
        parts = [f"<p>{html.escape(self.title)}</p>"]
        for loop in self.loops:
            rows = (
                f"<tr><td {cell}>{html.escape(row.instruction)}</td><td {cell}>{html.escape(source)}</td></tr>"
                for row, source in zip(loop.rows, _sources(loop.rows), strict=True)
            )
            parts.append(f"<table><tr>{head}</tr>{''.join(rows)}</table><p>{html.escape(loop.analysis)}</p>")
        return "".join(parts)


def listing(assembled: str, function: str, text: str, file: Path, flags: Sequence[str] = native.FLAGS) -> Listing:
    """Return the loops of a function beside their source lines.

    - `assembled`: the compiler's output, with line numbers
    - `function`: its name
    - `text`, `file`: the source, and the file that the compiler read it from
    - `flags`: the compiler's, for an error message
    """
    source = text.splitlines()
    lines = body(assembled, function, flags, file)
    labels = {*map(jump_target, lines), function, f"_{function}"}  # not the debugger's
    lines = [line for line in lines if line[0].isspace() or line.partition(":")[0] in labels]
    innermost = innermost_loops(lines)
    loops = []
    for i, part in enumerate(innermost or [lines]):
        rows = tuple(_row(line, source) for line in part)
        loops.append(Loop(rows, analysis(part) if innermost and i < _MOST_ANALYSED else ""))
    return Listing(function, tuple(loops), whole=not innermost)


def _row(line: str, source: Sequence[str]) -> Row:
    instruction, _, number = line.partition(" # line ")
    at = int(number or 0)
    return Row(instruction, at, source[at - 1].strip() if 0 < at <= len(source) else "")


def _sources(rows: Sequence[Row]) -> list[str]:
    """Return the source line beside each instruction, once for consecutive instructions of a line."""
    shown, before = [], 0
    for row in rows:
        shown.append(f"{row.line:3}  {row.text}" if row.line and row.line != before else "")
        before = row.line or before
    return shown


def analysis(loop: Sequence[str]) -> str:
    """Return what llvm-mca predicts for a loop, in one sentence."""
    if shutil.which("llvm-mca") is None:
        return NO_ANALYSER
    code = "\n".join(line.partition(" # line ")[0] for line in loop) + "\n"
    try:
        command = ["llvm-mca", f"-iterations={_ITERATIONS}"]
        done = subprocess.run(
            command, input=code, capture_output=True, encoding="utf-8", errors="replace", timeout=10, check=False
        )
    except subprocess.TimeoutExpired:
        return "llvm-mca did not finish this loop within 10 s"
    pattern = r"^(Iterations|Instructions|Total Cycles|Block RThroughput): +([\d.]+)"
    numbers = dict(re.findall(pattern, done.stdout, flags=re.MULTILINE))
    if done.returncode or len(numbers) < 4:
        return f"llvm-mca cannot judge this loop: {(done.stderr.strip().splitlines() or ['no reason given'])[0]}"
    cycles = float(numbers["Total Cycles"]) / float(numbers["Iterations"])
    instructions = round(float(numbers["Instructions"]) / float(numbers["Iterations"]))
    cycle = "cycle" if f"{cycles:.3g}" == "1" else "cycles"
    return (
        f"llvm-mca predicts {cycles:.3g} {cycle} an iteration for {instructions} instructions,"
        f" {float(numbers['Block RThroughput']):.3g} if iterations were independent. It assumes that every load hits"
        " and every branch is predicted."
    )
