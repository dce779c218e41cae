"""Exercises: a trace by hand, a structure to repair in C, a store that costs nothing, and a count that
is lost.
"""

import ctypes
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import cpus
from spe_lab.core.reader.exercise import Exercise, Exercises, Verdict, judge_c, number
from spe_lab.core.sampling.teams import (
    Setting,
    interleaved,
    mean_duration_ns,
    ran_together,
    team_records,
    work_of_a_trial,
)
from spe_lab.models.mesi import follow
from spe_lab.topics.coherence.sharing import MIDDLE
from spe_lab.topics.coherence.words import kernels

TRACE, LAYOUT = "0:R x, 1:R x, 0:W x, 1:R y, 1:W y, 0:W x, 0:R x", "x y"

PADDING_TEMPLATE = """
#include "spe.h"

struct server {                       /* one for the whole process, at the start of a cache line */
    uint64_t limit;                   /* read by both threads for each request */
    uint64_t served_by_a;             /* written by thread A alone */
    uint64_t served_by_b;             /* written by thread B alone */
};

void serve_a(volatile struct server *server, uint64_t requests)
{
    for (; requests > 0; requests--)
        if (server->served_by_a < server->limit)
            server->served_by_a++;
}

void serve_b(volatile struct server *server, uint64_t requests)
{
    for (; requests > 0; requests--)
        if (server->served_by_b < server->limit)
            server->served_by_b++;
}
"""
PADDING_SOLUTION = PADDING_TEMPLATE.replace(
    """    uint64_t served_by_a;             /* written by thread A alone */
    uint64_t served_by_b;             /* written by thread B alone */
""",
    """    char pad_a[120];                  /* 128: some processors have lines of that size, or fetch two of 64 B together */
    uint64_t served_by_a;             /* written by thread A alone */
    char pad_b[120];
    uint64_t served_by_b;             /* written by thread B alone */
""",
)
FIELDS = ("limit", "served_by_a", "served_by_b")
NO_SLOWER = 1.5  # with a line that both want, one waits while the other works: twice as long at least
MOST_BYTES = 4096


def judge_messages(answer: Any) -> Verdict:
    given, walk = number(answer, "bus messages"), follow(TRACE, LAYOUT)
    right = walk.counts()["messages"]
    if given == right:
        return Verdict(
            "right",
            f"{right}: "
            + "; ".join(
                f"{s.access.core}:{s.access.kind} {s.reaction.message}" for s in walk.steps if s.reaction.message
            ),
        )
    if given == follow(TRACE).counts()["messages"]:
        return Verdict(
            "wrong",
            "that many are sent if x and y have a line each; here they lie on one line, and the protocol knows lines"
            " alone",
        )
    if given == len(walk.steps):
        return Verdict(
            "wrong",
            "not every access sends one: a core that holds a line reads it silently, and writes it silently in M or E",
        )
    return Verdict(
        "wrong", f"{given:g} is not the number: step through it with coherence.steps_through({TRACE!r}, {LAYOUT!r})"
    )


def judge_padding(answer: Any) -> Verdict:
    if native.available() and len(cpus.current().usable) < 2:
        raise UnavailableError(
            "two threads at work at the same time need two processors, and this process may use one only; try it on"
            " another machine"
        )
    means = "a request takes {} times as long as on a structure for each thread"
    wrong = (
        f": below {NO_SLOWER} is asked for. Which fields are written by one thread, and what else lies on their lines?"
    )
    return judge_c(
        answer,
        run_padding,
        means,
        name="server",
        limit=NO_SLOWER,
        below=True,
        right=": they share nothing any more",
        wrong=wrong,
    )


def run_padding(own: native.Library) -> tuple[float, float, float] | str:
    """Checks that the reader's threads count right, then times them on one structure and on one for each, in turn."""
    try:
        kind = own.struct("server")
        work = [own.address(name) for name in ("serve_a", "serve_b")]
        [getattr(kind, name) for name in FIELDS]
    except (KeyError, AttributeError):
        return (
            f"the source must declare struct server with {', '.join(FIELDS)}, serve_a and serve_b, as the template does"
        )
    size = ctypes.sizeof(kind)
    if size > MOST_BYTES:
        return f"the structure must not be larger than {MOST_BYTES} B, and it has {size} B: some cache lines are enough"
    memory = np.zeros(3 * MOST_BYTES, np.uint8)
    state, other_state = (
        kind.from_buffer(memory.data, -memory.ctypes.data % MOST_BYTES + place) for place in (0, MOST_BYTES)
    )
    state.limit = 5
    for function, field, other in (
        ("serve_a", "served_by_a", "served_by_b"),
        ("serve_b", "served_by_b", "served_by_a"),
    ):
        before = getattr(state, other)
        for requests, expected in ((3, 3), (4, 5)):
            getattr(own, function)(state, requests)
            if getattr(state, field) != expected or getattr(state, other) != before:
                return (
                    f"with a limit of 5, {function} must have served {expected} after {3 if expected == 3 else 7}"
                    " requests, and no other count may change"
                )
    state.limit = other_state.limit = 2**63
    return ratio(
        Setting("one structure", trial(work, (state, state))),
        Setting("one for each", trial(work, (state, other_state))),
    )


def trial(work: list[int], states: tuple) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """A function that runs n trials of the two threads and gives ns per request of each, and whether it was clean."""
    library, here = kernels(), cpus.current().assigned(2)
    (serve_a, serve_b), (of_a, of_b) = work, map(ctypes.addressof, states)

    def records(n: int, requests: int) -> np.ndarray:
        found = team_records(library, n, 2)
        status = library.run_beside(serve_a, of_a, serve_b, of_b, here, requests, n, found)
        check(status, library, "the measurement", threads=2)
        return found

    requests = work_of_a_trial(lambda requests: records(3, requests))

    def run(n: int) -> tuple[np.ndarray, np.ndarray]:
        found = records(n, requests)
        time_ns = mean_duration_ns(found)
        return time_ns / requests, ran_together(found, time_ns)

    return run


def ratio(numerator: Setting, denominator: Setting) -> tuple[float, float, float]:
    """(low, value, high) of the ratio of two settings."""
    return deque(interleaved([numerator, denominator], budget_s=2.0, level=MIDDLE), maxlen=1).pop().ratio(0, 1)


def judge_stores(answer: Any) -> Verdict:
    if not isinstance(answer, str):
        raise SpeLabError(
            f"the answer must be the part's name as text, got {answer!r:.40}; write for example 'branch predictor'"
        )
    said = answer.lower()
    if any(
        name in said for name in ("store buffer", "write buffer", "store queue", "write-combining", "write combining")
    ):
        return Verdict(
            "right",
            "the core goes on as soon as a store is in the buffer, and when the line comes, all that wait there leave"
            " in a burst",
        )
    if "compiler" in said:
        return Verdict(
            "wrong",
            "the stores are in the machine code, one in each round of the loop: see hot_loops('coherence', 'use_word')."
            " It is in the core",
        )
    if "cache" in said:
        return Verdict(
            "wrong", "a cache has to hold the line in M before it takes a store. What takes the store in the meantime?"
        )
    return Verdict(
        "wrong",
        "look between the core and its first cache: who holds a store that has been executed, until the line has come?",
    )


def judge_lost(answer: Any) -> Verdict:
    given = number(answer, "the smallest possible count")
    if given == 2:
        return Verdict(
            "right",
            "A loads 0 and sleeps; B counts to 999; A stores 1; B loads 1 and sleeps; A counts to the end; B stores 2",
        )
    if given == 1000:
        return Verdict(
            "wrong",
            "that is what threads in step leave. One of them may sleep between its load and its store, for as long as"
            " it likes",
        )
    if given in (0, 1):
        return Verdict(
            "wrong",
            "the last store is somebody's last addition: which number can it have loaded at least, if its own 999"
            " additions were before?",
        )
    return Verdict(
        "wrong",
        f"fewer than {given:g} is possible; let one thread sleep between load and store while the other does almost all"
        " of its work",
    )


EXERCISES = Exercises(
    "coherence",
    {
        "messages": Exercise(
            f"x and y lie on one line, all caches are empty. How many bus messages does the trace {TRACE} send?",
            (
                (
                    "Keep a table: the state of the line in core 0 and in core 1, after each access. x and y are one to the"
                    " protocol."
                ),
                "A message is sent by every miss (BusRd, BusRdX), and by a write to a shared copy (BusUpgr).",
            ),
            follow(TRACE, LAYOUT).counts()["messages"],
            "BusRd, BusRd, BusUpgr (0 writes), BusRd (1 reads y, which went away with x), BusUpgr (1 writes y), BusRdX (0"
            " writes x); the last read is silent.",
            judge_messages,
        ),
        "padding": Exercise(
            f"Find what the two threads share without need, and repair it: less than {NO_SLOWER} times the time of a"
            " request on a structure for each thread.",
            (
                (
                    "Write beside each field who reads it and who writes it. Two fields may share a line if nobody writes"
                    " either, or if one thread alone uses both."
                ),
                "It is not enough to part the two counts: the limit is read by both, so it may lie beside neither of them.",
            ),
            PADDING_SOLUTION,
            "Three fields, three lines: the limit, which is read by both and never written, stays in state S in both"
            " caches; each count stays in M in one. It costs 264 B in place of 24.",
            judge_padding,
        ),
        "stores": Exercise(
            "The protocol asks for the line in state M for every store, yet with *store only* the figure is flat. Which"
            " part of the core hides the hand-offs?",
            (
                "With *store + fence* the figure has its step again. What does a fence wait for?",
                "A store has no result that the next instruction needs. The core may put it down somewhere and go on.",
            ),
            "store buffer",
            "Stores wait in the store buffer until the line is there, and the core does not wait for them. When the line"
            " comes they leave in a burst, so that one hand-off serves hundreds. An atomic operation or a fence waits until"
            " the buffer is empty; then each store pays for its own way.",
            judge_stores,
        ),
        "lost": Exercise(
            "Two threads each add 1 to one word a thousand times, with plain loads and stores. It starts at 0. What is the"
            " least that can be left?",
            (
                "In step, each pair of additions counts as one: 1000. It can be much worse.",
                "Let A load 0 and sleep, while B does all but one of its additions. What does A's store leave behind?",
            ),
            2,
            "A loads 0. B adds 999 times. A stores 1. B loads 1 for its last addition. A adds 999 times. B stores 2."
            " Coherence keeps every copy right; it does not make two accesses one.",
            judge_lost,
        ),
    },
)
