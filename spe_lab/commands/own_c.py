"""spe-lab time and spe-lab versus: a function of a C file timed, or two versions of it compared.

Exit status of versus: 0 the second version is faster, or there is no difference larger than the threshold; 1 it is
slower; 2 bad input; 3 inconclusive, or the measurement was not possible; 4 the results are unequal. With several values
of --over the worst counts: 4, then 1, then 3. The status of time is 0, 2 or 3.
"""

import argparse
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from spe_lab.commands import terminal
from spe_lab.core import files
from spe_lab.core.errors import SpeLabError
from spe_lab.core.mode import quick

_STATUS = {"": 0, "faster": 0, "no difference": 0, "slower": 1, "inconclusive": 3, "unequal": 4}
_WORST_FIRST = (4, 1, 3, 0)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add both commands; `command(name, function, text)` returns a parser."""
    time = command("time", _time, "How long a function of a C file takes, with its interval.")
    time.add_argument("file", metavar="FILE", type=Path, help='a C file; #include "…" finds what lies beside it')
    versus = command("versus", _versus, "Which of two versions of a C function is faster, and by how much.")
    versus.add_argument("a", metavar="A", type=Path, help="a C file with the first version")
    versus.add_argument("b", metavar="B", type=Path, help="one with the second; or the same, with --flags-b")
    for parser in (time, versus):
        parser.add_argument("function", metavar="FUNCTION", help="a function that is not static")
        parser.add_argument(
            "--set",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="a parameter: n=1000, x=random:n, x=random:n:-1:1, x=zeros:n, x=range:n, a=random:nxn, x=data.npy,"
            " s=text:abc, p=null, or a member of a structure: body.mass=1.5",
        )
        parser.add_argument("--over", metavar="NAME=V1,V2,…", help="several values of a parameter: n=1000,2000,4000")
        parser.add_argument(
            "--flags", metavar="FLAGS", default="", help='compiler flags after the default ones: --flags="-O3"'
        )
        parser.add_argument("--budget", metavar="SECONDS", type=float, help="longest time to measure, per value (3)")
        parser.add_argument("--limit", metavar="SECONDS", type=float, help="longest time of a call (5)")
        parser.add_argument(
            "--seed", metavar="N", type=int, default=1, help="of random arrays, places of code, order of samples (1)"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    versus.add_argument("--flags-a", metavar="FLAGS", default="", help="further flags of the first version")
    versus.add_argument("--flags-b", metavar="FLAGS", default="", help="further flags of the second version")
    versus.add_argument("--threshold", metavar="SHARE", default="1%", help="a difference that does not matter (1%%)")
    versus.add_argument(
        "--tolerance",
        metavar="SHARE",
        default="0",
        help="by which results may differ, of the largest value in an array (0: equal bits)",
    )


def _time(options: argparse.Namespace) -> int:
    return _find(options, [options.file], [_flags("--flags", options.flags)])


def _versus(options: argparse.Namespace) -> int:
    common = _flags("--flags", options.flags)
    own = [_flags("--flags-a", options.flags_a), _flags("--flags-b", options.flags_b)]
    return _find(
        options,
        [options.a, options.b],
        [[*common, *more] for more in own],
        threshold=_share("--threshold", options.threshold, 1e-4),
        tolerance=_share("--tolerance", options.tolerance, 0.0),
    )


def _find(
    options: argparse.Namespace,
    paths: Sequence[Path],
    flags: Sequence[Sequence[str]],
    threshold: float = 0.01,
    tolerance: float = 0.0,
) -> int:
    """Compile the files, find out, print, and return the exit status."""
    from spe_lab.commands import wording
    from spe_lab.core.lab import SHORT_BUDGET_S
    from spe_lab.core.own_c import compared
    from spe_lab.core.own_c.findings import per, report

    settings = _settings(options)
    if options.seed < 0:
        raise SpeLabError(f"--seed must be a whole number from 0, got {options.seed}; leave it out to use 1")
    budget_s = options.budget
    if budget_s is None:
        budget_s = SHORT_BUDGET_S if quick() else compared.BUDGET_S

    def progress(share: float, words: Mapping[str, str]) -> None:
        terminal.show_progress(share, " ".join(f"{name}={word}" for name, word in words.items()))

    with ExitStack() as stack:
        cells = _compiled(options, paths, flags, stack)
        try:
            found = list(
                compared.findings(
                    cells,
                    options.function,
                    settings,
                    threshold=threshold,
                    tolerance=tolerance,
                    budget_s=budget_s,
                    seed=options.seed,
                    progress=progress,
                )
            )
        finally:
            terminal.show_progress(None)
        status = min((_STATUS[finding.verdict] for finding in found), key=_WORST_FIRST.index)
        if options.json:
            terminal.print_json(report(options.function, cells, threshold, found, status))
        else:
            axis = options.over.partition("=")[0].strip() if options.over else ""
            unit = per(next(iter(cells.values())).function(options.function).declared)
            print(wording.text(options.function, unit, list(cells), threshold, axis, found))
    return status


def _settings(options: argparse.Namespace) -> list[dict[str, str]]:
    """Return the words of all arguments, for each value of --over."""
    words = dict(terminal.assignment("--set", text, "n=1000") for text in options.set)
    if options.over is None:
        return [words]
    axis, values = terminal.assignment("--over", options.over, "n=1000,10000")
    each = [value.strip() for value in values.split(",") if value.strip()]
    if not each:
        raise SpeLabError(f"--over must give {axis} at least one value, got {values!r}; write --over {axis}=1000,10000")
    return [{**words, axis: value} for value in each]


def _share(option: str, text: str, least: float) -> float:
    """Return the number that 1% or 0.01 stands for."""
    plain = text.strip()
    try:
        share = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not least <= share < 1:
        raise SpeLabError(
            f"{option} must be at least {least:g} and below 1, got {text!r:.60}; write for example {option} 1%, or 0.01"
        )
    return share


def _flags(option: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        rule = f"{option} must be flags for the compiler, got {text!r:.60}: {error}"
        raise SpeLabError(f"{rule}; write a second quotation mark") from None


def _compiled(
    options: argparse.Namespace, paths: Sequence[Path], flags: Sequence[Sequence[str]], stack: ExitStack
) -> dict:
    """Return the files as cells that end with `stack`, by name, each with its function."""
    from spe_lab.core.c import native
    from spe_lab.core.own_c.compared import labelled
    from spe_lab.core.own_c.compiled import LIMIT_S, Cell

    sources = [_source(path) for path in paths]  # a file that is missing is said before another one is compiled

    def one(label: str, path: Path, source: str, more: Sequence[str]) -> Cell:
        with labelled(label):
            return Cell(
                source,
                re.sub(r"\W|^(?=\d)", "_", path.stem),
                limit_s=LIMIT_S if options.limit is None else options.limit,
                flags=[*native.CELL_FLAGS, "-iquote", str(path.absolute().parent), *more],
            )

    labels = _labels(paths, flags)
    with ThreadPoolExecutor(len(paths)) as threads:
        cells = dict(zip(labels, threads.map(one, labels, paths, sources, flags), strict=True))
    for label, cell in cells.items():
        stack.callback(cell.close)
        if options.function not in cell.functions:
            known = ", ".join(cell.functions) or "none that is not static"
            raise SpeLabError(f"FUNCTION must be defined in {label}, got {options.function}; choose among {known}")
    return cells


def _labels(paths: Sequence[Path], flags: Sequence[Sequence[str]]) -> list[str]:
    """Return a name for each version: its path, with its flags if the paths are the same.

    >>> _labels([Path("a.c"), Path("b.c")], [[], []]), _labels([Path("a.c")] * 2, [["-O2"], ["-O3"]])
    (['a.c', 'b.c'], ['a.c -O2', 'a.c -O3'])
    """
    labels = [str(path) for path in paths]
    if len(set(labels)) < len(labels):
        labels = [" ".join([str(path), *more]) for path, more in zip(paths, flags, strict=True)]
    if len(set(labels)) < len(labels):
        labels = [f"{label} ({letter})" for label, letter in zip(labels, "AB", strict=True)]
    return labels


def _source(path: Path) -> str:
    try:
        return files.read_text(path)
    except UnicodeDecodeError:
        raise SpeLabError(f"{path} must be text in UTF-8, got other bytes; name a C file, or convert it") from None
