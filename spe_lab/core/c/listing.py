"""Assembly beside its source lines: the loops of a function, and llvm-mca's prediction for each."""

import html
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spe_lab.core.c import native
from spe_lab.core.c.assembly import body, innermost_loops, jump_target, split_off

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
    """A loop; `origin` names the symbol that holds it if the compiler moved it out of the function."""

    rows: tuple[Row, ...]
    analysis: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Listing:
    """The innermost loops of `function`, in the order of the text; `whole`: no loop, so all of it.

    The loops of the parts that the compiler moved out of the function come last.
    """

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
            lines += [
                "",
                *([f"{loop.origin}:"] if loop.origin else []),
                *(f"{row.instruction:{width}}  {source}".rstrip() for row, source in pairs),
            ]
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
            parts += [f"<p>{html.escape(loop.origin)}:</p>"] if loop.origin else []
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
    symbols = [function, *split_off(assembled, function)]
    bodies = {symbol: _instructions(assembled, symbol, file, flags) for symbol in symbols}
    loops = [(symbol, loop) for symbol, lines in bodies.items() for loop in innermost_loops(lines)]
    shown = []
    for i, (symbol, lines) in enumerate(loops or bodies.items()):
        rows = tuple(_row(line, source) for line in lines)
        analysed = analysis(lines) if loops and i < _MOST_ANALYSED else ""
        shown.append(Loop(rows, analysed, _origin(symbol, function)))
    return Listing(function, tuple(shown), whole=not loops)


def _instructions(assembled: str, symbol: str, file: Path, flags: Sequence[str]) -> list[str]:
    """Return the instructions of a symbol, and those labels that they jump to."""
    lines = body(assembled, symbol, flags, file)
    labels = {*map(jump_target, lines), symbol, f"_{symbol}"}  # not the debugger's
    return [line for line in lines if line[0].isspace() or line.partition(":")[0] in labels]


def _origin(symbol: str, function: str) -> str:
    """Return where a part of the function is; an empty string for the function itself."""
    if symbol == function:
        return ""
    if "omp" in symbol.removeprefix(function):
        return f"in {symbol}, to which the compiler moved an OpenMP region of {function}"
    return f"in {symbol}, to which the compiler moved a part of {function}"


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
