"""Exercises on planning: cut a task graph until it is fast enough; predict the first failure."""

import random
from typing import Any

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import Exercise, Seeded, Verdict, number
from spe_lab.core.units import render
from spe_lab.models.schedule import list_schedule
from spe_lab.models.task_graph import PAGE, Graph

WORKERS, SOON_MS = 4, 13.0

PAGE_SOLUTION = """
parse     2ms
query.1   3ms after parse
query.2   3ms after parse
rank.1    2ms after query.1, query.2
rank.2    2ms after query.1, query.2
render.1  2ms after rank.1, rank.2
render.2  2ms after rank.1, rank.2
resize.1  3ms after parse
resize.2  3ms after parse
resize.3  3ms after parse
resize.4  3ms after parse
resize.5  3ms after parse
resize.6  3ms after parse
resize.7  3ms after parse
resize.8  3ms after parse
send      1ms after render.1, render.2, resize.1, resize.2, resize.3, resize.4, resize.5, resize.6, resize.7, resize.8
"""


def judge_page(answer: Any) -> Verdict:
    if not isinstance(answer, str):
        kind = type(answer).__name__
        raise SpeLabError(f"the answer must be a graph as text, got {kind}; start from scaling.GRAPHS['page']")
    given, page = Graph.parse(answer), Graph.parse(PAGE)
    if wrong := _changed(given, page):
        return Verdict("wrong", wrong)
    total = list_schedule(given, WORKERS).total
    work, span = render(given.work / WORKERS, "ms"), render(given.span, "ms")
    result = f"{WORKERS} workers need {render(total, 'ms')} (work ÷ {WORKERS}: {work}, span: {span})"
    if total <= SOON_MS:
        return Verdict("right", f"{result}: now both the work and the longest chain are short enough")
    cause = "the span is short enough, but the pieces do not fill the workers' time"
    if given.span > SOON_MS:
        cause = "no schedule is shorter than the span"
    return Verdict("wrong", f"{result}: {cause}")


def _changed(given: Graph, page: Graph) -> str:
    """Return the first difference from the page: other work or a missing dependency; "" if none."""
    import networkx

    now, then = (
        {code: sum(task.ns for task in g.tasks if task.code == code) / 1e6 for code in {task.code for task in g.tasks}}
        for g in (given, page)
    )
    for code in sorted(now.keys() ^ then.keys()):
        return (
            f"the page has no task of the code {code}" if code in now else f"this graph has no task of the code {code}"
        )
    for code in sorted(then):
        if now[code] != then[code]:
            wanted, found = render(then[code], "ms"), render(now[code], "ms")
            return f"the parts of {code} must take {wanted} together, as in the page, and they take {found}"
    must_wait = {(page.tasks[page.names[name]].code, task.code) for task in page.tasks for name in task.after}
    for task in given.tasks:
        before = networkx.ancestors(given.network, task.name)
        for first, second in sorted(must_wait):
            missed = [other.name for other in given.tasks if other.code == first and other.name not in before]
            if task.code == second and missed:
                return f"{task.name} must wait for all of {first}, and it does not wait for {missed[0]}"
    return ""


def make_first_failure(rng: random.Random) -> Exercise:
    """Return the exercise on the first failure in a fleet."""
    fleet, years = rng.choice([20, 32, 50, 64, 100, 128]), rng.choice([2, 3, 4, 5])
    days_of_one = years * 365.25
    expected = days_of_one / fleet

    def judge(answer: Any) -> Verdict:
        days = number(answer, f"days until the first of {fleet} machines fails, on average")
        if abs(days / expected - 1) < 0.05:
            return Verdict(
                "right",
                f"{expected:.3g} days: {fleet} machines fail {fleet} times as often as one. A failure in {years}"
                f" years is an event; {365.25 / expected:.0f} failures a year are an expense",
            )
        if abs(days / days_of_one - 1) < 0.05:
            return Verdict(
                "wrong",
                f"that is the mean time to failure of one machine. How often does one of {fleet} machines fail?",
            )
        if abs(days / (days_of_one * fleet) - 1) < 0.05:
            return Verdict("wrong", "more machines do not fail less often: divide by their number")
        if abs(days / (expected / 365.25) - 1) < 0.05:
            return Verdict("wrong", "that is in years, and days are asked for")
        return Verdict("wrong", f"the rates of failure add up: {fleet} · 1/({years} years)")

    return Exercise(
        f"Each of {fleet} machines fails once in {years} years on average, independently of the others. How many days"
        " pass on average until the first of them fails?",
        (
            f"One machine fails at a rate of one in {years} years.",
            f"{fleet} machines fail at {fleet} times that rate; the mean time is 1 divided by the rate.",
        ),
        round(expected, 1),
        f"{years} · 365.25 days / {fleet} = {expected:.3g} days. The minimum of n exponential times with mean m is"
        " exponential with mean m/n. Therefore a service on many machines must tolerate the loss of one of them at any"
        " time.",
        judge,
    )


PLANNING: dict[str, Exercise | Seeded] = {
    "page": Exercise(
        f"Edit the graph `page` until {WORKERS} workers need at most {render(SOON_MS, 'ms')}: cut tasks into parts with"
        " names such as `query.1`. The work of each code, and what waits for what, stay as they are.",
        (
            "Which bound is above 13 ms: the work divided by four, or the span? A cut must lower that bound.",
            "The span of 17 ms is parse, query, rank, render and send. Parts of `rank` wait for all parts of `query`.",
        ),
        PAGE_SOLUTION,
        "Cutting query, rank and render in two takes 7 ms from the critical path: the span is 10 ms, the work still 41"
        " ms, and four workers reach 13 ms. The pictures, 59 % of the work, stay uncut.",
        judge_page,
    ),
    "first_failure": Seeded(make_first_failure),
}
