"""Exercises of chapter 00: nanoseconds as cycles, claimed and effective capacity, and a latency in C."""

import math
import random
import re
from typing import Any

import numpy as np

from spe_lab.core import machine as machines
from spe_lab.core.c import native
from spe_lab.core.errors import UnavailableError
from spe_lab.core.machine import Machine
from spe_lab.core.reader.exercise import Exercise, Exercises, Seeded, Verdict, judge_c, number, own_run
from spe_lab.core.recording import Run
from spe_lab.core.sampling.kernels import Point, compare

MULTIPLY_TEMPLATE = """
#include "spe.h"

uint64_t multiply(void *state, uint64_t work)   /* work: dependent multiplications by 3, beginning with 1 */
{
    uint64_t x = 1;
    (void)state;
    for (uint64_t i = 0; i < work; i++) {
        x *= 3;
        SPE_OPAQUE(x);
    }
    return x;
}
"""

MULTIPLY_SOLUTION = """
#include "spe.h"

uint64_t multiply(void *state, uint64_t work)
{
    uint64_t x = 1, factor = 3;
    (void)state;
    SPE_OPAQUE(factor);
    for (uint64_t i = 0; i < work; i++) {
        x *= factor;
        SPE_OPAQUE(x);
    }
    return x;
}
"""

# An addition takes one cycle, the address calculation that replaces a multiplication by 3 one or (as on Zen) two, and a
# multiplication three or more on every current core.
SLOWER, SLOWEST = 2.5, 8.0


def judge_cycles(answer: Any, machine: Machine | None = None) -> Verdict:
    cycles = number(answer, "clock cycles")
    parameters = (machine or machines.current()).parameters
    latency, clock = parameters["l1_latency"], parameters.get("core_clock")
    if clock is None or clock.value is None or latency.origin != "measured":
        raise UnavailableError(
            "this exercise needs your own profile; press Calibrate in the chapter, then run this cell again"
        )
    low = (latency.low or latency.value) * (clock.low or clock.value)
    high = (latency.high or latency.value) * (clock.high or clock.value)
    if 0.95 * low <= cycles <= 1.05 * high:
        product = f"{latency.value:.3g} ns at {clock.value:.3g} GHz are {latency.value * clock.value:.2g} cycles"
        return Verdict("right", product)
    if cycles and 0.95 * low <= cycles * clock.value**2 <= 1.05 * high:
        return Verdict("wrong", "you divided by the clock; a latency in ns times cycles per ns gives cycles")
    if math.isclose(cycles, latency.value, rel_tol=0.05):
        return Verdict("wrong", "that is the latency in ns; how many cycles has the clock in a nanosecond?")
    return Verdict("wrong", f"your profile allows {low:.3g} to {high:.3g} cycles")


def cycles_of(machine: Machine | None = None) -> float:
    """Return the profile's latency in cycles; without a profile, a guess that is not accepted."""
    parameters = (machine or machines.current()).parameters
    clock = parameters.get("core_clock")
    return parameters["l1_latency"].value * (clock.value if clock and clock.value else 3.0)


def judge_share(answer: Any, run: Run | None = None) -> Verdict:
    run = own_run(run, "machine.facts")
    share = number(answer, "effective ÷ claimed, between 0 and 1")
    got, claimed = run.measured[0], run.predicted[0].values[-1]
    low, high = got.low[-1] / claimed, got.high[-1] / claimed
    if not math.isfinite(low):
        return Verdict("inconclusive", "your run does not resolve the capacity of the last level; measure again")
    if 0.9 * low <= share <= 1.1 * high:
        return Verdict("right", f"your run allows {low:.2g} to {high:.2g}")
    return Verdict("wrong", f"your run allows {low:.2g} to {high:.2g}; divide the effective by the claimed capacity")


def share_of(run: Run) -> float:
    return float(np.nan_to_num(run.measured[0].values[-1] / run.predicted[0].values[-1], nan=1.0))


def judge_multiply(answer: Any) -> Verdict:
    wrong = ". Did the compiler multiply? x · 3 = x + 2x is one address calculation: look at the assembly"
    means = "a multiplication takes {} times as long as an addition"
    limits: dict[str, Any] = {"limit": SLOWER, "below": False, "at_most": SLOWEST, "look": multiplies}
    return judge_c(answer, run_multiply, means, name="multiply", right="", wrong=wrong, **limits)


def multiplies(loops: list[list[str]]) -> str:
    """Return a complaint unless an innermost loop multiplies; any loop that takes long enough passes the timing."""
    if any(re.match(r"\s+\w*(mul|madd)", line) for loop in loops for line in loop):
        return ""
    return "The loop takes as long, but it does not multiply: its machine code has no multiplication"


def run_multiply(own: native.Library) -> tuple[float, float, float] | str:
    """Check the reader's function against powers of three, then time it beside additions."""
    import ctypes

    harness, nothing = native.load("measurement"), ctypes.c_int64(0)
    try:
        multiply = own.multiply
    except AttributeError:
        return "the source must declare uint64_t multiply(void *state, uint64_t work), as the template does"
    for work in (0, 1, 2, 41, 1000):
        if multiply(None, work) != pow(3, work, 2**64):
            return f"multiply(state, {work}) must return 3 to the power of {work} (mod 2^64), and does not"
    own_point = Point("own", own.address("multiply"), nothing)
    return compare(own_point, Point("add", harness.address("probe_kernel"), nothing), budget_s=1.0)


def clocks(rng: random.Random) -> Exercise:
    """Return the exercise on a latency at two clocks, for numbers that are drawn."""
    cycles, memory, fast = rng.choice((4, 5)), rng.randrange(60, 121, 10), rng.randrange(32, 49, 4) / 10
    slow = fast / 2
    exact = (cycles / slow + memory) / (cycles / fast + memory)

    def judge(answer: Any) -> Verdict:
        given = number(answer, "time at the slow clock ÷ time at the fast clock")
        if math.isclose(given, exact, rel_tol=0.005):
            return Verdict("right", "a latency of memory is a time; only the cycles in the core become longer")
        if math.isclose(given, 2, rel_tol=0.02):
            return Verdict("wrong", "that holds for work in the core; does memory wait for the clock of this core?")
        if math.isclose(given, 1 / exact, rel_tol=0.005):
            return Verdict("wrong", "that is the inverse: the time at the slow clock is asked for, over the fast one")
        return Verdict("wrong", f"{given:.3g} is not the ratio: add up the time in ns at each clock, then divide")

    return Exercise(
        f"A hit in the first-level cache takes {cycles} cycles, and a miss adds {memory} ns of memory latency. To save"
        f" power the core clock falls from {fast:g} GHz to {slow:g} GHz. By which factor does an access to memory become"
        " slower?",
        (
            "Turn the cycles into ns at both clocks: n cycles at f GHz take n/f ns.",
            f"At {fast:g} GHz the access takes {cycles}/{fast:g} + {memory} ns.",
        ),
        round(exact, 4),
        f"{cycles}/{slow:g} + {memory} ns over {cycles}/{fast:g} + {memory} ns is {exact:.4f}. Memory has a clock of its own.",
        judge,
    )


EXERCISES = Exercises(
    "machine",
    {
        "cycles": Exercise(
            "How many clock cycles does a hit in your first-level cache take? Use your profile's l1 latency and core"
            " clock.",
            ("A clock of f GHz has f cycles in a nanosecond.", "Multiply the latency in ns by the clock in GHz."),
            "the latency times the clock of your profile",
            "Most cores need 3 to 5 cycles. The number of cycles is a property of the core's design; the time in ns changes"
            " with the clock.",
            judge_cycles,
            cycles_of,
        ),
        "share": Exercise(
            "What share of the last-level cache that your machine claims did your program get?",
            (
                "Lab 1 shows both capacities; the lower panel shows their ratio.",
                "Take the last level: effective divided by claimed.",
            ),
            "the last ratio in the lower panel of lab 1",
            "A share far below 1 means that others use the cache, or that the host's capacity is claimed and not yours."
            " Models need the effective capacity.",
            judge_share,
            share_of,
        ),
        "clocks": Seeded(clocks),
        "multiply": Exercise(
            "Write a kernel that shows how much longer a multiplication takes than an addition. The template does not: find"
            " out why.",
            (
                "The template's result is right, but it takes one or two additions. What can a compiler make of x * 3?",
                "The compiler must not know the factor: pass it through SPE_OPAQUE once, before the loop.",
            ),
            MULTIPLY_SOLUTION,
            "A constant factor of 3 becomes an address calculation, x + 2x. A factor that the compiler cannot know has to"
            " be multiplied. The kernels of this workbook mark such places with a comment.",
            judge_multiply,
            template=MULTIPLY_TEMPLATE,
        ),
    },
)
