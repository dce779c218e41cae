"""What judges of exercises share: numbers, the reader's own runs, and C that is measured.

A program can pass a comparison of times by wasting time: a `volatile` delay loop makes both sides slow, and their ratio
is then close to one. `judge_c` therefore takes an upper limit for the time in comparison with a reference
(`absolute`), an upper limit for the ratio (`at_most`), and a look at the machine code (`look`).
"""

import math
import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from spe_lab.core import registry, units
from spe_lab.core.c import assembly, native
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.own_c.judged import judged
from spe_lab.core.reader.journal import printed
from spe_lab.core.reader.verdict import Verdict
from spe_lab.core.recording import Recording
from spe_lab.core.sampling.kernels import Point, sweep

Ratio = tuple[float, float, float]  # low, value, high


def number(answer: Any, meaning: str) -> float:
    """Return an answer as a float; sympy numbers are accepted. Raise SpeLabError for other answers."""
    try:
        value = float(answer)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        got = repr(answer) if isinstance(answer, str) else printed(answer)
        raise SpeLabError(f"the answer must be a number, {meaning}, got {got:.80}; write for example 2.5")
    return value


def own_run(run: Any, lab_id: str, **settings: Any) -> Any:
    """Return the reader's run of this lab at these settings. Raise UnavailableError, with the cure, for anything else.

    The verdict is then "inconclusive": a missing, open, recorded or outdated run says nothing about the answer.
    """
    lab = registry.get(lab_id)
    needed = f"this exercise needs your own measurement of lab {lab.title!r}"
    cure = "press Measure in its explorer above, wait for the result, then run this cell again"
    if not isinstance(run, Recording):
        raise UnavailableError(f"{needed}, and there is none yet; {cure}")
    if run.lab != lab_id:
        raise UnavailableError(f"{needed}, and this is a run of {run.lab}; pass the run of {lab_id}")
    if not run.measured or any(curve.source == "recorded" for curve in run.measured):
        raise UnavailableError(f"{needed}, and these data were recorded on another machine; {cure}")
    for name, wanted in settings.items():
        slider = lab.slider(name)
        value, got = slider.checked(wanted), run.point.get(name)
        if got != value:
            said, has = (
                each if isinstance(each, str | None) else units.render(each, slider.unit) for each in (value, got)
            )
            raise UnavailableError(f"{needed} at {name} = {said}, and this run has {has}; set the slider, and {cure}")
    return run


def c_text(answer: Any) -> str:
    """Return the C source text of an answer: a text, or the cell object of `%%c`.

    Raise UnavailableError if there is no C compiler.
    """
    source, reason = getattr(answer, "source", answer), getattr(answer, "reason", None)
    if not isinstance(source, str):
        cure = "run the cell that begins with %%c, then this cell again"
        raise SpeLabError(f"the answer must be the cell of your C code, got {type(answer).__name__}; {cure}")
    if source.encode(errors="replace").decode() != source:
        raise SpeLabError("the C code must be text that UTF-8 can hold, got half of a surrogate pair; remove it")
    if isinstance(reason, str):  # the cell found no compiler
        raise UnavailableError(reason)
    native.compiler()
    return source


def same_code(one: str, other: str) -> bool:
    """Return True if two C sources differ in comments and white space at most.

    >>> same_code("int f(void) { return 1; }  // one", "int f(void)\\n{ return 1; /* 1 */ }")
    True
    >>> same_code('char *s = "//";', 'char *s = "/*";')
    False
    """
    return _tokens(one) == _tokens(other)


def _tokens(source: str) -> list[str]:
    pieces = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//[^\n]*|/\*.*?\*/|\w+|[^\w\s]'
    found = re.findall(pieces, source, flags=re.DOTALL)
    return [piece for piece in found if not piece.startswith(("//", "/*"))]


def compared(points: Sequence[Point], *pairs: tuple[int, int], budget_s: float = 2.0) -> tuple[Ratio, ...]:
    """Return the ratio of times for each pair of points, all sampled alternately."""
    result = deque(sweep(points, budget_s=budget_s), maxlen=1).pop()
    return tuple(result.ratio(*pair) for pair in pairs)


def judge_c(
    answer: Any,
    measure: Callable[[native.Library], Ratio | tuple[Ratio, ...] | str],
    ratio_means: str,
    *,
    name: str,
    appended: str = "",
    limit: float,
    below: bool,
    right: str,
    wrong: str,
    at_most: float = math.inf,
    absolute: float | None = None,
    look: Callable[[list[list[str]]], str] | None = None,
) -> Verdict:
    """Return the verdict on C that must bring a ratio below `limit` if `below`, else above.

    - measure: runs in the sandbox on the compiled answer; returns (low, ratio, high), or a sentence on the fault. With
      `absolute` it returns two such ratios; the second is the time of the answer ÷ the time of a reference
    - ratio_means: a sentence with a place for the ratio; `right` or `wrong` is appended to it
    - name: of the function that is the answer, for messages
    - appended: our C, compiled behind the answer
    - at_most: the largest ratio that is accepted if the ratio must lie above `limit`
    - absolute: the largest second ratio that is accepted, so that no delay makes an answer right
    - look: gets the innermost loops of the function in assembly; returns a sentence on what is wrong with them, or ""
    """
    source = c_text(answer)
    outcome = judged(source + appended, name, measure)
    if isinstance(outcome, str):
        return Verdict("wrong", outcome)
    ratios: Sequence[Any] = [outcome] if absolute is None else outcome
    low, ratio, high = ratios[0]
    result = f"{ratio_means.format(f'{ratio:.2f}')} (interval {low:.2f} to {high:.2f})"
    if not all(math.isfinite(each[0]) for each in ratios):
        return Verdict("inconclusive", f"{result}: too few clean samples; try again on a quieter machine")
    if low <= limit <= high:
        return Verdict("inconclusive", f"{result}: the interval includes {limit}; try again on a quieter machine")
    if below != (high < limit):
        return Verdict("wrong", result + wrong, measured=True)
    if low > at_most:
        rule = f"{result}: more than {at_most:g} is not asked for"
        return Verdict("wrong", f"{rule}. Does the function do work that only takes time?", measured=True)
    if absolute is not None and ratios[1][0] > absolute:
        rule = f"but it takes {ratios[1][1]:.1f} times as long as our own function, and {absolute:g} times is the most"
        return Verdict("wrong", f"{result}, {rule}. Does it do work that only takes time?", measured=True)
    if complaint := look and look(loops_of(source, name)):
        return Verdict("wrong", complaint)
    return Verdict("right", result + right, measured=True)


def loops_of(source: str, function: str) -> list[list[str]]:
    """Return the innermost loops of a C function in assembly, compiled as `judged` compiles it."""
    assembled, _ = native.assemble(native.text_file(source, function), native.CELL_FLAGS)
    return assembly.innermost_loops(assembly.body(assembled, function))
