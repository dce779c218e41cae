"""Exercises of chapter 04c: a trace by hand, padding in C, the store buffer, lost updates."""

import ctypes
import random
import re
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from spe_lab.core.c import native
from spe_lab.core.c.status import check
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.machine import cpus
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, judge_c, number
from spe_lab.core.reader.journal import printed
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

LAYOUT = "x y"

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
    """    char pad_a[120];                  /* 128 B in all: some processors have such lines, or fetch two of 64 B at once */
    uint64_t served_by_a;             /* written by thread A alone */
    char pad_b[120];
    uint64_t served_by_b;             /* written by thread B alone */
""",
)
FIELDS = ("limit", "served_by_a", "served_by_b")
NO_SLOWER = 1.5  # on a contended line one thread waits while the other works: at least twice as long
MOST_BYTES = 4096


def messages_by_hand(rng: random.Random) -> Exercise:
    """Return the exercise on a trace that is drawn: two cores, two words on one line."""
    trace = drawn_trace(rng)
    walk = follow(trace, LAYOUT)
    right, apart = walk.counts()["messages"], follow(trace).counts()["messages"]
    sent = "; ".join(f"{s.access.core}:{s.access.kind} {s.reaction.message}" for s in walk.steps if s.reaction.message)

    def judge(answer: Any) -> Verdict:
        given = number(answer, "bus messages")
        if given == right:
            return Verdict("right", f"{right}: {sent}")
        if given == apart:
            why = "that is the number if x and y are on separate lines; here they share one, and the protocol works on"
            return Verdict("wrong", f"{why} lines")
        if given == len(walk.steps):
            why = "not every access sends one: a core that holds a line reads it silently, and writes it silently in M"
            return Verdict("wrong", f"{why} or E")
        cure = f"step through it with coherence.steps_through({trace!r}, {LAYOUT!r})"
        return Verdict("wrong", f"{given:g} is not the number: {cure}")

    return Exercise(
        f"x and y lie on one line, and all caches are empty. How many bus messages does the trace `{trace}` send?",
        (
            "Note the state of the line in both cores after each access. The protocol does not distinguish x and y.",
            "Every miss sends a message (BusRd, BusRdX), and so does a write to a shared copy (BusUpgr).",
        ),
        right,
        f"{sent}. The other accesses are silent.",
        judge,
    )


def drawn_trace(rng: random.Random) -> str:
    """Return seven accesses in which the layout matters and some accesses are silent."""
    while True:
        accesses = [(rng.randrange(2), rng.choice("RW"), rng.choice("xy")) for _ in range(7)]
        trace = ", ".join(f"{core}:{kind} {word}" for core, kind, word in accesses)
        together, apart = (follow(trace, *layout).counts()["messages"] for layout in ((LAYOUT,), ()))
        if together not in (apart, 7) and apart != 7 and {core for core, _, _ in accesses} == {0, 1}:
            return trace


def judge_padding(answer: Any) -> Verdict:
    if native.available() and len(cpus.current().usable) < 2:
        rule = "two threads at the same time need two processors, and this process may use one only"
        raise UnavailableError(f"{rule}; try it on another machine")
    means = "a request takes {} times as long as on a structure for each thread"
    wrong = f": it must be below {NO_SLOWER}. Which fields does one thread write, and what else lies on their lines?"
    right = ": the threads share no line that is written"
    return judge_c(answer, run_padding, means, name="server", limit=NO_SLOWER, below=True, right=right, wrong=wrong)


def run_padding(own: native.Library) -> tuple[float, float, float] | str:
    """Check that the threads count correctly, then time them on one structure and on one each."""
    try:
        kind = own.struct("server")
        work = [own.address(name) for name in ("serve_a", "serve_b")]
        [getattr(kind, name) for name in FIELDS]
    except (KeyError, AttributeError):
        needed = f"struct server with {', '.join(FIELDS)}, serve_a and serve_b"
        return f"the source must declare {needed}, as the template does"
    size = ctypes.sizeof(kind)
    if size > MOST_BYTES:
        return f"the structure must be at most {MOST_BYTES} B large, and it has {size} B: a few cache lines are enough"
    memory = np.zeros(3 * MOST_BYTES, np.uint8)
    start = -memory.ctypes.data % MOST_BYTES
    state, other_state = (kind.from_buffer(memory.data, start + place) for place in (0, MOST_BYTES))
    state.limit = 5
    for thread, other in (("a", "served_by_b"), ("b", "served_by_a")):
        before = getattr(state, other)
        for requests, total, expected in ((3, 3, 3), (4, 7, 5)):
            getattr(own, f"serve_{thread}")(state, requests)
            if getattr(state, f"served_by_{thread}") != expected or getattr(state, other) != before:
                rule = f"serve_{thread} must have served {expected} after {total} requests"
                return f"with a limit of 5, {rule}, and no other count may change"
    state.limit = other_state.limit = 2**63
    shared, apart = (trial(work, (state, second)) for second in (state, other_state))
    return ratio(Setting("one structure", shared), Setting("one for each", apart))


def trial(work: list[int], states: tuple) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Return a function that runs n trials and gives ns per request, and whether the trial is clean."""
    library, here = kernels(), cpus.current().assigned(2)
    (serve_a, serve_b), (of_a, of_b) = work, map(ctypes.addressof, states)

    def records(n: int, requests: int) -> np.ndarray:
        trials = team_records(library, n, 2)
        status = library.run_beside(serve_a, of_a, serve_b, of_b, here, requests, n, trials)
        check(status, library, "the measurement", threads=2)
        return trials

    requests = work_of_a_trial(lambda requests: records(3, requests))

    def run(n: int) -> tuple[np.ndarray, np.ndarray]:
        trials = records(n, requests)
        time_ns = mean_duration_ns(trials)
        return time_ns / requests, ran_together(trials, time_ns)

    return run


def ratio(numerator: Setting, denominator: Setting) -> tuple[float, float, float]:
    """Return (low, value, high) of the ratio of two settings."""
    return deque(interleaved([numerator, denominator], budget_s=2.0, level=MIDDLE), maxlen=1).pop().ratio(0, 1)


def judge_stores(answer: Any) -> Verdict:
    if not isinstance(answer, str):
        rule = f"the answer must be the part's name as text, got {printed(answer):.40}"
        raise SpeLabError(f"{rule}; write for example 'branch predictor'")
    part = " ".join(re.findall(r"[a-z]+", answer.lower()))  # "Store-Buffer" is one, too
    if "combining" in part:
        why = "write-combining buffers collect stores to memory that is not cached; this word is cached"
        return Verdict("wrong", why)
    if any(name in part for name in ("store buffer", "storebuffer", "write buffer", "store queue")):
        return Verdict("right", "the core continues once a store is in the buffer, and does not wait for the line")
    if "compiler" in part:
        why = "the machine code has one store in each round of the loop: see hot_loops('coherence', 'use_word')"
        return Verdict("wrong", f"{why}. The part is in the core")
    if "cache" in part:
        why = "a cache must hold the line in M before it accepts a store. What holds the store in the meantime?"
        return Verdict("wrong", why)
    why = "look between the core and its first-level cache: what holds an executed store until the line arrives?"
    return Verdict("wrong", why)


def judge_lost(answer: Any) -> Verdict:
    given = number(answer, "the smallest possible count")
    if given == 2:
        why = "A loads 0 and sleeps; B counts to 999; A stores 1; B loads 1 and sleeps; A counts to the end; B stores 2"
        return Verdict("right", why)
    if given == 1000:
        why = "that is the result of threads in step. A thread may sleep between its load and its store for any time"
        return Verdict("wrong", why)
    if given in (0, 1):
        why = "the last store is a thread's last addition: what does it load at least, after its own 999 additions?"
        return Verdict("wrong", why)
    if given < 0 or given != int(given):
        return Verdict("wrong", f"{given:g} is not a number of additions: the word starts at 0, and only 1 is added")
    if given > 2000:
        return Verdict("wrong", "there are 2000 additions in all, so the word is never larger")
    cure = "let one thread sleep between load and store while the other does almost all of its work"
    return Verdict("wrong", f"fewer than {given:g} is possible; {cure}")


EXERCISES = Exercises(
    "coherence",
    {
        "messages": Seeded(messages_by_hand),
        "padding": Exercise(
            f"Find what the two threads share without need, and repair it: a request must take less than {NO_SLOWER} times"
            " as long as on a structure for each thread.",
            (
                (
                    "Note beside each field which threads read it and which write it. Two fields may share a line if no"
                    " thread writes them, or if only one thread uses both."
                ),
                "It is not enough to separate the two counts: both threads read the limit, so it needs its own line too.",
            ),
            PADDING_SOLUTION,
            "Three fields, three lines: both threads read the limit and none writes it, so it stays in state S in both"
            " caches. Each count stays in M in one cache. The structure takes 264 B in place of 24.",
            judge_padding,
            template=PADDING_TEMPLATE,
        ),
        "stores": Exercise(
            "The protocol asks for the line in state M for every store, yet with *store only* a store takes far less than a"
            " hand-off. Which part of the core hides the wait?",
            (
                "With *store + fence* the figure has its step again. What does a fence wait for?",
                "A store has no result that the next instruction needs. The core may keep it somewhere and continue.",
            ),
            "store buffer",
            "Stores wait in the store buffer until the line arrives, and the core does not wait for them. An atomic operation"
            " or a fence waits until the buffer is empty; then each store waits for the line. The buffer explains why no"
            " store waits. It does not explain how rarely the line moves: a buffer holds some dozens of stores, and the"
            " lab's summary often counts more than that for each hand-off. While stores keep arriving, the owner also keeps"
            " the line for longer.",
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
