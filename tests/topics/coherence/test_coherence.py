"""The coherence topic: the protocol against an independent table, the chain by three routes, real threads, and how they
end.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError, UnavailableError
from spe_lab.core.lab import NO_FIT
from spe_lab.core.machine import cpus
from spe_lab.core.machine.cpus import Cpus
from spe_lab.core.sampling import teams
from spe_lab.models.mesi import KINDS, STATES, parse, react
from spe_lab.topics import coherence
from spe_lab.topics.coherence import lost, models, sharing, tenure, words

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
needs_two = pytest.mark.skipif(
    not native.available() or len(cpus.current().usable) < 2, reason="needs a C compiler and two processors"
)
W, S = coherence.symbol("w"), coherence.symbol("s")

# By own state, the strongest of the others' and access, after Papamarcos and Patel 1984 and Culler, Singh, Gupta 1999:
# own state after, each other copy's after, message, write-backs, and whether another cache sends the line.
TABLE = {
    ("I", "I", "R"): ("E", "I", "BusRd", 0, 0),
    ("I", "S", "R"): ("S", "S", "BusRd", 0, 1),
    ("I", "E", "R"): ("S", "S", "BusRd", 0, 1),
    ("I", "M", "R"): ("S", "S", "BusRd", 1, 1),
    ("I", "I", "W"): ("M", "I", "BusRdX", 0, 0),
    ("I", "S", "W"): ("M", "I", "BusRdX", 0, 1),
    ("I", "E", "W"): ("M", "I", "BusRdX", 0, 1),
    ("I", "M", "W"): ("M", "I", "BusRdX", 1, 1),
    ("S", "I", "R"): ("S", "I", "", 0, 0),
    ("S", "S", "R"): ("S", "S", "", 0, 0),
    ("E", "I", "R"): ("E", "I", "", 0, 0),
    ("M", "I", "R"): ("M", "I", "", 0, 0),
    ("S", "I", "W"): ("M", "I", "BusUpgr", 0, 0),
    ("S", "S", "W"): ("M", "I", "BusUpgr", 0, 0),
    ("E", "I", "W"): ("M", "I", "", 0, 0),
    ("M", "I", "W"): ("M", "I", "", 0, 0),
    ("I", "I", "D"): ("I", "I", "", 0, 0),
    ("I", "S", "D"): ("I", "S", "", 0, 0),
    ("I", "E", "D"): ("I", "E", "", 0, 0),
    ("I", "M", "D"): ("I", "M", "", 0, 0),
    ("S", "I", "D"): ("I", "I", "", 0, 0),
    ("S", "S", "D"): ("I", "S", "", 0, 0),
    ("E", "I", "D"): ("I", "I", "", 0, 0),
    ("M", "I", "D"): ("I", "I", "", 1, 0),
}
MOVES = {"IE", "IS", "IM", "SM", "EM", "SI", "EI", "MI", "ES", "MS"}  # all changes that a copy may go through


def legal(copies):
    return not set(copies) & {"E", "M"} or copies.count("I") == len(copies) - 1


def expected(copies, core, kind):
    """What TABLE says, as a reaction."""
    others = [s for i, s in enumerate(copies) if i != core and s != "I"]
    own, rest, message, written, sent = TABLE[copies[core], max(others, default="I", key="ISEM".index), kind]
    after = "".join(own if i == core else "I" if s == "I" else rest for i, s in enumerate(copies))
    return after, message, written, sent


EVERY = [
    ("".join(copies), core, kind)
    for cores in (2, 3, 4)
    for copies in itertools.product(STATES, repeat=cores)
    if legal("".join(copies))
    for core in range(cores)
    for kind in KINDS
]


# ---- The protocol
# ------------------------------------------------------------------------------------------------------


def test_every_reaction_is_the_table_s():
    used = set()
    for copies, core, kind in EVERY:
        found = react(copies, core, kind)
        assert (found.after, found.message, found.write_back, found.transfer) == expected(copies, core, kind)
        assert legal(found.after)
        used.add((copies[core], max((s for i, s in enumerate(copies) if i != core), key="ISEM".index), kind))
    assert used == set(TABLE)


@pytest.mark.parametrize("cores", [2, 3, 4])
def test_the_states_that_can_be_reached_are_the_legal_ones(cores):
    reached, new = set(), {"I" * cores}
    while new:
        reached |= new
        new = {react(copies, core, kind).after for copies in new for core in range(cores) for kind in KINDS} - reached
    assert reached == {"".join(c) for c in itertools.product(STATES, repeat=cores) if legal("".join(c))}
    assert len(reached) == 2 * cores + 2**cores  # one in M or E, or any set of sharers


@needs_compiler
def test_the_simulator_in_c_does_what_the_table_says():
    seen = set()
    for copies, core, kind in EVERY:
        bus = coherence.Bus(len(copies), 3)
        bus.states[1] = [bus.codes[s] for s in copies]
        bus.run([core], [1], kind)
        after, message, written, sent = expected(copies, core, kind)
        counts = bus.counts
        assert bus.copies(1) == after and bus.copies(0) == bus.copies(2) == "I" * len(copies)
        assert [counts[name] for name in ("bus_reads", "bus_owns", "bus_upgrades")] == [
            message == m for m in ("BusRd", "BusRdX", "BusUpgr")
        ]
        assert (counts["write_backs"], counts["transfers"], counts["accesses"]) == (written, sent, 1)
        changed = [a + b for a, b in zip(copies, after, strict=True) if a != b]
        assert {("ISEM"[i] + "ISEM"[j], n) for (i, j), n in np.ndenumerate(bus.transitions) if n} == {
            (move, changed.count(move)) for move in changed
        }
        seen |= set(changed)
    assert seen == MOVES


@needs_compiler
def test_illegal_states_are_refused_by_the_c():
    illegal = [
        "".join(c) for cores in (2, 3, 4) for c in itertools.product(STATES, repeat=cores) if not legal("".join(c))
    ]
    for copies in illegal:
        bus = coherence.Bus(len(copies), 1)
        bus.states[0] = [bus.codes[s] for s in copies]
        with pytest.raises(SpeLabError, match="must be legal"):
            bus.run([0], [0], "R")
    bus = coherence.Bus(2, 1)
    bus.states[0, 0] = 4
    with pytest.raises(SpeLabError, match="must be legal"):
        bus.run([0], [0], "R")


@needs_compiler
@pytest.mark.parametrize("cores", [2, 3, 4, 8])
def test_a_random_trace_is_followed_alike_in_c_and_by_hand(cores):
    rng = np.random.default_rng(cores)
    core, line, kind = rng.integers(0, cores, 900), rng.integers(0, 5, 900), "".join(rng.choice(list("RRWD"), 900))
    walk = coherence.follow(
        ", ".join(f"{c}:{k} v{x}" for c, x, k in zip(core, line, kind, strict=True)), "v0 | v1 | v2 | v3 | v4", cores
    )
    bus, by_hand = coherence.Bus(cores, 5).run(core, line, kind), walk.counts()
    names = {
        "bus_reads": "BusRd",
        "bus_owns": "BusRdX",
        "bus_upgrades": "BusUpgr",
        "write_backs": "write-backs",
        "transfers": "transfers",
    }
    assert {name: bus.counts[name] for name in names} == {name: by_hand[name_] for name, name_ in names.items()}
    moved = {f"{'ISEM'[i]} → {'ISEM'[j]}": n for (i, j), n in np.ndenumerate(bus.transitions) if n}
    assert walk.transitions() == moved and {move[0] + move[-1] for move in moved} <= MOVES
    last = {step.line: step.reaction.after for step in walk.steps}
    assert [bus.copies(i) for i in range(5)] == [last[i] for i in range(5)]


@needs_compiler
def test_turns_at_every_write_move_the_line_every_time():
    n = 1000
    bus = coherence.Bus(2, 1).run([0, 1] * n, [0] * 2 * n, "W" * 2 * n)
    assert bus.counts["transfers"] == bus.counts["write_backs"] == 2 * n - 1 and bus.counts["bus_owns"] == 2 * n
    apart = coherence.Bus(2, 2).run([0, 1] * n, [0, 1] * n, "W" * 2 * n)
    assert apart.counts["transfers"] == 0 and apart.counts["bus_owns"] == 2


def test_a_layout_decides_what_is_shared():
    trace = "0:W x, 1:W y, 0:W x, 1:W y"
    assert coherence.follow(trace, "x y").counts()["transfers"] == 3
    assert coherence.follow(trace, "x | y").counts()["transfers"] == coherence.follow(trace).counts()["transfers"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"trace": ""},
        {"trace": "0:R"},
        {"trace": "0:X x"},
        {"trace": "R x"},
        {"trace": "9:R x"},
        {"trace": "0:R x", "cores": 9},
        {"trace": "2:R x", "cores": 2},
        {"trace": "0:R x", "layout": "y"},
        {"trace": "0:R x", "layout": "x | x"},
        {"trace": "0:R x", "layout": "x |"},
        {"trace": "0:R x," * 1001},
    ],
)
def test_a_trace_that_cannot_be_followed_is_refused_with_the_cure(wrong):
    with pytest.raises(SpeLabError, match=r"must .*, got .*; (write|choose)"):
        coherence.follow(**wrong)


def test_a_trace_may_be_written_in_several_ways():
    assert parse("0:R x, 1:w y") == parse("0 : r x;1:W  y\n") and len(parse("0:R x\n\n1:D x")) == 2


@needs_compiler
@pytest.mark.parametrize(
    "wrong",
    [
        {"cores": 0},
        {"cores": 9},
        {"lines": 0},
        {"lines": 2**30},
        {"core": [2]},
        {"line": [-1]},
        {"kind": "X"},
        {"core": [0, 1]},
    ],
)
def test_the_simulator_refuses_what_lies_outside_its_domain(wrong):
    given = {"cores": 2, "lines": 1, "core": [0], "line": [0], "kind": "R"} | wrong
    with pytest.raises(SpeLabError, match=r"must .*got .*;"):
        coherence.Bus(given["cores"], given["lines"]).run(given["core"], given["line"], given["kind"])


@needs_compiler
@pytest.mark.parametrize(
    "wrong", [{"write": -0.1}, {"write": 1.1}, {"tenure": 0.5}, {"accesses": -1}, {"lines": 2}, {"padded": True}]
)
def test_a_random_law_is_checked(wrong):
    with pytest.raises(SpeLabError, match=r"must be between .*got .*;"):
        coherence.Bus(2, 1).run_random(**({"accesses": 10, "write": 0.5, "tenure": 2.0} | wrong))


@needs_compiler
def test_a_cancelled_simulation_says_so():
    cancel = Cancel()
    cancel.set()
    with pytest.raises(CancelledError):
        coherence.Bus(2, 1).run_random(10**9, write=0.5, tenure=2, cancel=cancel)


# ---- The chain
# ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", range(2, 9))
def test_rows_of_the_transition_matrix_are_probabilities(cores):
    assert all(sympy.expand(sum(coherence.transition_matrix(cores).row(i))) == 1 for i in range(cores))


def test_two_cores_by_hand():
    """M is left with s(1 − w), S with w; messages: s in M, w in S, where both hold the line."""
    held = W / (W + S * (1 - W))
    assert sympy.simplify(coherence.stationary(2)[0] - held) == 0
    assert sympy.simplify(coherence.messages(2) - (held * S + (1 - held) * W)) == 0
    assert [sympy.simplify(coherence.messages(n).subs(W, 1) - S) for n in (2, 3, 4)] == [0, 0, 0]


@pytest.mark.parametrize("cores", [2, 3, 4, 5])
def test_numbers_and_symbols_agree(cores):
    for tenure_, lines in ((1, 1), (3, 1), (7, 4)):
        s = coherence.change(cores).subs({coherence.symbol("k"): tenure_, coherence.symbol("L"): lines})
        for w in (sympy.Rational(1, 10), sympy.Rational(1, 2), sympy.Integer(1)):
            found = coherence.per_access(np.array([float(w)]), cores, tenure_, lines)
            at = {W: w, S: s}
            assert found["messages"][0] == pytest.approx(float(coherence.messages(cores).subs(at)), rel=1e-12)
            assert found["write-backs"][0] == pytest.approx(float(coherence.write_backs(cores).subs(at)), rel=1e-12)


@pytest.mark.parametrize(("cores", "tenure_", "lines"), [(2, 1, 3), (3, 5, 4), (4, 2, 1)])
def test_the_change_of_a_line_s_user_is_that_of_a_stepped_chain(cores, tenure_, lines):
    step = np.full((cores, cores), 1 / tenure_ / (cores - 1))
    np.fill_diagonal(step, 1 - 1 / tenure_)
    power, gap = step.copy(), np.zeros((cores, cores))
    for g in range(1, 2000):
        gap += (1 / lines) * (1 - 1 / lines) ** (g - 1) * power
        power = power @ step
    at = {coherence.symbol("k"): tenure_, coherence.symbol("L"): lines}
    assert float(coherence.change(cores).subs(at)) == pytest.approx(1 - gap[0, 0], rel=1e-9)


@needs_compiler
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cores": 4, "tenure": 5.0},
        {"cores": 8, "tenure": 1.0, "lines": 16},
        {"cores": 3, "tenure": 100.0, "lines": 4},
    ],
)
def test_simulated_caches_send_what_the_chain_says(settings):
    run = registry.get("coherence.mesi").run(settings, over=[0.02, 0.3, 0.7, 1.0])
    for found, predicted in zip(run.measured, run.predicted, strict=True):
        error = (found.high - found.low) / 4
        # Eleven degrees of freedom: beyond six standard errors by chance once in ten thousand points; at w = 1 alike in
        # all seeds but for the tosses.
        assert (np.abs(found.values - predicted.values) <= 6 * error + 1e-12).all(), found.name


@needs_compiler
def test_lines_of_their_own_are_silent_once_the_caches_are_warm():
    run = registry.get("coherence.mesi").run(
        {"layout": "lines of its own", "lines": 4, "cores": 4}, over=[0.0, 0.5, 1.0]
    )
    assert all((curve.values == 0).all() for curve in [*run.measured, *run.predicted])


# ---- The model of false sharing
# ----------------------------------------------------------------------------------------


def test_an_operation_takes_its_own_time_and_a_share_of_every_sharer_s_hand_off():
    c, t, h, k = (coherence.symbol(name) for name in "cTHk")
    assert sympy.simplify(coherence.operation_time().expression - (c + t * h / k)) == 0
    found = models.shared_time(np.array([4.0, 60.0, 64.0, 512.0]), 2, 64, 2.0, 30.0, 4.0)
    assert found.tolist() == [float(coherence.operation_time()(c=2, T=2, H=30, k=4))] * 2 + [2.0, 2.0]


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_sharers_are_those_whose_words_lie_on_the_same_line(threads):
    for offset in range(4, 260, 4):
        lines = [i * offset // 64 for i in range(threads)]
        assert models.sharers(np.array(offset), threads, 64).tolist() == [lines.count(line) for line in lines]


def test_transfers_of_an_operation_are_counted_by_the_protocol():
    assert [sharing.transfers(operation) for operation in words.OPERATIONS] == [1, 1, 1, 1, 1, 0]


def made_up(k, noise=0.0, threads=2):
    rng = np.random.default_rng(1)
    times = models.shared_time(np.array(sharing.TRAINING, dtype=float), threads, 64, 2.0, 40.0, k)
    blocks = times * (1 + noise * rng.standard_normal((12, len(times))))
    return {
        "operation": "atomic add",
        "threads": threads,
        "line": 64,
        "offsets": list(sharing.TRAINING),
        "blocks": blocks.tolist(),
        "hand-off": [40.0] * 12,
        "lost_updates": {"same word": [5, 10], "own words": [0, 10]},
    }


@pytest.mark.parametrize("threads", [2, 4, 8])
@pytest.mark.parametrize("k", [1.0, 7.5, 50.0])
def test_a_made_up_tenure_is_found_again(k, threads):
    exact, noisy = tenure.fit(made_up(k, threads=threads)), tenure.fit(made_up(k, 0.01, threads))
    assert (exact.local, exact.hand_off, exact.k) == pytest.approx((2.0, 40.0, k))
    assert noisy.low <= exact.rate <= noisy.high and noisy.k == pytest.approx(k, rel=0.1)
    assert f"once in {k:g} operations" in str(exact)


def test_a_tenure_that_cannot_be_told_from_noise_is_not_given_a_number():
    found = tenure.fit(made_up(1e6, 0.001))
    assert found.k == np.inf and "too rarely to be visible" in str(found)


def test_a_recording_without_clean_blocks_has_the_fit_to_the_shipped_one_and_says_so():
    lab = registry.get("coherence.false_sharing")
    recorded = lab.recorded()
    known = lab.fitted(replace(recorded, training=made_up(5.0)))
    assert known.notes == () and known.fit.k == pytest.approx(5)
    unclean = lab.fitted(replace(recorded, training={**made_up(5.0), "hand-off": [None] * 12}))
    assert unclean.notes == (NO_FIT,) and unclean.fit == lab.recorded_fit
    with pytest.raises(MeasurementError, match="measure again"):
        tenure.fit({**made_up(5.0), "hand-off": [None] * 12})


def test_the_summary_names_the_constants_and_what_was_lost():
    summary = tenure.fit(made_up(5.0)).summary()
    assert "2.00 ns on lines apart" in summary
    assert "On one word 50% of 10" in summary and "words of their own none of 10" in summary


def test_lost_updates_need_no_clean_trials():
    recorded = registry.get("coherence.false_sharing").recorded()
    unclean = replace(recorded, training={**made_up(5.0), "hand-off": [None] * 12})
    assert (
        lost(unclean) == "On one word 50% of 10 updates were lost. On words of their own none of 10 updates were lost."
    )
    with pytest.raises(SpeLabError, match="choose 'load \\+ store'"):
        lost(replace(recorded, training={**recorded.training, "lost_updates": None}))


# ---- Real threads
# ------------------------------------------------------------------------------------------------------


def clean_run(operation, over, budget_s=2.0):
    """A run with at least 20 clean trials of each point, of three attempts; MeasurementError is a verdict and no
    failure of the lab.
    """
    lab = registry.get("coherence.false_sharing")
    for _ in range(3):
        try:
            run = lab.run({"operation": operation}, over=over, budget_s=budget_s)
        except MeasurementError:
            continue
        if (run.measured[0].kept >= 20).all():
            return run
    pytest.skip("no clean sample: this machine is too busy for two threads at a time")


LINE = int(registry.get("coherence.false_sharing").machine.parameters["line_size"].value)


@pytest.mark.machine
@pytest.mark.may_skip_busy
@needs_two
@pytest.mark.parametrize("operation", ["store + fence", "atomic add", "compare-and-swap", "load + store"])
def test_the_step_is_at_the_line_size(operation):
    run = clean_run(operation, [4, LINE - 4, LINE, LINE + 4, 512])
    value = run.measured[0].values
    # One line, one owner: while one thread works the other waits, which alone is a factor of two; hand-offs come on
    # top.
    assert value[:2].min() > 2 * value[2:].max()
    assert value[2:].max() < 1.5 * value[2:].min()


@pytest.mark.machine
@pytest.mark.may_skip_busy
@needs_two
def test_stores_and_loads_alone_add_little_beside_an_atomic_operation():
    """A store waits in a store buffer: on some processors none of its wait for the line is seen, on others a few of
    the 30 ns that an atomic operation waits.
    """
    added = {}
    for operation in ("store only", "load only", "atomic add"):
        value = clean_run(operation, [8, LINE, 512]).measured[0].values
        added[operation] = value[0] - value[1:].min()
    assert max(added["store only"], added["load only"]) < added["atomic add"] / 4


@pytest.mark.machine
@pytest.mark.may_skip_busy
@needs_two
def test_a_third_process_on_one_core_does_not_hide_the_step_nor_make_one_up():
    hog = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import os\nos.sched_setaffinity(0, {{{cpus.current().usable[-1]}}})\nwhile True: pass",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        value = clean_run("store + fence", [8, LINE, 512], budget_s=4.0).measured[0].values
    finally:
        hog.kill()
        hog.wait()
    assert value[0] > 2 * value[1:].max() and value[1:].max() < 1.5 * value[1:].min()


@pytest.mark.machine
@pytest.mark.may_skip_busy
@needs_two
def test_plain_additions_are_lost_on_one_word_alone():
    run = clean_run("load + store", [8, LINE])
    lost = run.training["lost_updates"]
    assert lost["own words"][0] == 0 < lost["own words"][1] and 0 < lost["same word"][0] < lost["same word"][1]
    atomic = clean_run("atomic add", [8, LINE]).training["lost_updates"]
    assert atomic["same word"][0] == atomic["own words"][0] == 0


def threads_now():
    """Threads of this process. One that was joined is gone from the list within a moment."""
    time.sleep(0.05)
    return sum(1 for _ in Path("/proc/self/task").iterdir()) if sys.platform == "linux" else threading.active_count()


@needs_two
def test_no_thread_is_left_behind():
    library, cancel, here = words.kernels(), Cancel(), cpus.current().assigned(2)
    records, sums = teams.team_records(library, 4, 2), np.zeros(4, np.uint64)
    before = threads_now()
    assert library.share_words(0, 2, here, 8, 1000, 4, records, sums, cancel.flag) == 0
    assert (
        library.share_words(0, 2, here, 6, 1000, 4, records, sums, cancel.flag) == library.constants["SPE_BAD_ARGUMENT"]
    )
    for call in (
        lambda: library.share_words(0, 2, here, 8, 2**62, 4, records, sums, cancel.flag),  # years of work
        lambda: library.hand_over_line(here, 2**31 - 1, 4, records, cancel.flag),
    ):  # minutes
        cancel.flag.value = 0
        timer = threading.Timer(0.2, cancel.set)
        timer.start()
        began = time.monotonic()
        assert call() == library.constants["SPE_CANCELLED"]
        assert time.monotonic() - began < 5  # 0.2 s, if the two processors are free
        timer.join()
    assert threads_now() == before


@pytest.mark.machine
@needs_two
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_an_interrupt_and_a_cancel_end_a_measurement_and_its_threads():
    lab, before = registry.get("coherence.false_sharing"), threads_now()
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        lab.run(over=[8, 64], budget_s=60)
    timer.join()
    cancel = Cancel()
    for _ in lab.runs(over=[8, 64], budget_s=60, short=False, cancel=cancel):
        cancel.set()
    assert threads_now() == before


@pytest.mark.parametrize(
    ("here", "said"),
    [(Cpus((3,), None, pinned=True), "needs two processors"), (Cpus((3,), 0.5, pinned=False), "needs two processors")],
)
def test_one_processor_is_refused_with_the_reason(monkeypatch, here, said):
    monkeypatch.setattr(cpus, "current", lambda: here)
    with pytest.raises(UnavailableError, match=said):
        registry.get("coherence.false_sharing").run()
    if native.available():
        assert said.partition(" ")[2] in coherence.EXERCISES["padding"].check("int x;").reason


def test_more_threads_than_processors_are_predicted_and_not_measured(monkeypatch):
    monkeypatch.setattr(cpus, "current", lambda: Cpus((0, 1), None, pinned=True))
    with pytest.raises(SpeLabError, match="threads must be at most 2 to be measured here"):
        registry.get("coherence.false_sharing").run({"threads": 3})


@pytest.mark.machine
@pytest.mark.may_skip_busy
@needs_two
def test_a_quota_missing_pins_and_hyper_threads_are_said(monkeypatch):
    usable = cpus.current().usable
    monkeypatch.setattr(cpus, "current", lambda: Cpus(usable, 1.5, pinned=False, siblings=len(usable) - 1))
    lab = registry.get("coherence.false_sharing")
    try:
        notes = " ".join(lab.run(over=[8, 64], budget_s=1.0).notes)
    except MeasurementError:
        pytest.skip("no clean sample: unpinned threads share a processor on a busy machine")
    assert "grants 1.5 CPUs" in notes and "does not keep a thread on one CPU" in notes and "hyper-threads" in notes


TSAN_MAIN = """
#include "team.h"
#include <stdio.h>
int32_t share_words(int32_t, int32_t, const int32_t *, int64_t, uint64_t, uint64_t, struct team_record *, uint64_t *, spe_cancel);
int32_t hand_over_line(const int32_t *, uint64_t, uint64_t, struct team_record *, spe_cancel);

int main(int count, char **words)
{
    int32_t cpus[2] = {-1, -1}, cancel = 0, status = 0;
    struct team_record records[4];
    uint64_t sums[2];
    int32_t racy = count > 1;
    for (int32_t operation = racy ? 2 : 0; operation < (racy ? 3 : 6); operation++)
        for (int64_t offset = 0; offset <= 64; offset += 4)
            if (racy == (operation == 2 && offset == 0))
                status |= share_words(operation, 2, cpus, offset, 500, 2, records, sums, &cancel);
    if (!racy)
        status |= hand_over_line(cpus, 50, 2, records, &cancel);
    (void)words;
    return status ? 1 : 0;
}
"""


@pytest.mark.slow
@needs_two
@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and cc, for ThreadSanitizer"
)
def test_thread_sanitizer_finds_the_race_that_is_meant_and_no_other(tmp_path):
    program, main = tmp_path / "sharing", tmp_path / "main.c"
    main.write_text(TSAN_MAIN)
    folder = native.kernel_folder()
    command = [
        "cc",
        "-std=c11",
        "-O1",
        "-g",
        "-fsanitize=thread",
        "-w",
        f"-I{folder}",
        str(main),
        str(folder / "coherence.c"),
        "-o",
        str(program),
        "-pthread",
    ]
    if subprocess.run(command, capture_output=True, timeout=120, check=False).returncode:
        pytest.skip("this compiler has no ThreadSanitizer")
    unmoved = ["setarch", "-R"] if shutil.which("setarch") else []  # it fails where addresses are spread too widely

    def said(*words):
        return subprocess.run([*unmoved, program, *words], capture_output=True, text=True, timeout=120, check=False)

    clean, racy = said(), said("racy")
    if "unexpected memory mapping" in clean.stderr or "personality" in clean.stderr:
        pytest.skip(f"ThreadSanitizer cannot run here: {clean.stderr.strip()[:100]}")
    assert clean.returncode == 0 and clean.stderr == ""
    assert "data race" in racy.stderr and "use_word" in racy.stderr


# ---- Exercises and the diagram
# -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "answer", "state"),
    [
        ("messages", ..., "not attempted"),
        ("messages", "six", "wrong"),
        ("stores", "write-combining buffer", "wrong"),
        ("stores", "the store buffer", "right"),
        ("stores", "cache", "wrong"),
        ("stores", "compiler", "wrong"),
        ("stores", "prefetcher", "wrong"),
        ("stores", 3, "wrong"),
        ("lost", 2, "right"),
        ("lost", 1000, "wrong"),
        ("lost", 1, "wrong"),
        ("lost", 2000, "wrong"),
        ("padding", ..., "not attempted"),
        ("padding", 3, "wrong"),
    ],
)
def test_answers_are_judged(name, answer, state):
    assert coherence.EXERCISES[name].check(answer).state == state


def test_a_drawn_trace_tells_those_who_count_words_in_place_of_lines():
    """The messages are counted by another route: a write needs the only copy, a read a copy."""
    exercise = coherence.EXERCISES["messages"]
    trace = exercise.question.split("`")[1]
    holders, owner, sent = set(), None, 0
    for core, _, kind in (access.strip()[:3] for access in trace.split(",")):
        if kind == "W":
            sent += owner != core
            holders, owner = {core}, core
        elif core not in holders:
            sent += 1
            owner = None if holders else core  # alone with an unchanged copy, it may write silently
            holders.add(core)
    assert exercise.check(sent).state == "right"
    assert exercise.check(7).state == exercise.check(sent + 1).state == "wrong"


@pytest.mark.parametrize("formula", ["messages_of_two_cores", "change_of_core", "time_of_an_operation"])
def test_formulas_of_the_textbook_equal_what_is_derived(formula):
    assert getattr(coherence, formula)().latex


def test_a_trace_is_counted_in_a_table():
    head, _, row = coherence.counted("0:W x, 1:W y", "x y").splitlines()
    assert (head.split("|")[2].strip(), row.split("|")[2].strip()) == ("BusRdX", "2")
    assert "M → I" in coherence.changes("0:W x, 1:W y", "x y")


def test_the_least_count_is_what_an_exhaustive_schedule_leaves():
    """All ways in which two threads may interleave their loads and stores, for three additions each."""
    least, new = 6, {(0, 0, 0, None, None)}  # word, additions done by A and B, what each has loaded
    while new:
        after = set()
        for word, a, b, loaded_a, loaded_b in new:
            if a == b == 3:
                least = min(least, word)
            if a < 3:
                after.add(
                    (word, a, b, word, loaded_b) if loaded_a is None else (loaded_a + 1, a + 1, b, None, loaded_b)
                )
            if b < 3:
                after.add(
                    (word, a, b, loaded_a, word) if loaded_b is None else (loaded_b + 1, a, b + 1, loaded_a, None)
                )
        new = after
    assert least == coherence.EXERCISES["lost"].answer


@pytest.mark.machine
@needs_two
def test_the_padded_solution_is_right_and_half_a_repair_is_not():
    exercise = coherence.EXERCISES["padding"]
    half = coherence.PADDING_TEMPLATE.replace(
        "    uint64_t served_by_b;", "    char pad[120];\n    uint64_t served_by_b;", 1
    )
    assert half != coherence.PADDING_TEMPLATE
    assert exercise.check(exercise.answer).state in ("right", "inconclusive")
    assert exercise.check(coherence.PADDING_TEMPLATE).state == "not attempted"
    assert exercise.check(half).state in ("wrong", "inconclusive")
    assert (
        "must have served"
        in exercise.check(coherence.PADDING_TEMPLATE.replace("served_by_b++", "served_by_a++")).reason
    )
    assert "must declare struct server" in exercise.check("int x;").reason
    large = coherence.PADDING_TEMPLATE.replace("uint64_t limit;", "uint64_t limit; char pad[5000];")
    assert "must be at most 4096 B" in exercise.check(large).reason


@pytest.mark.parametrize("name", sorted(coherence.EXERCISES))
def test_every_exercise_has_hints_and_a_solution(name):
    exercise = coherence.EXERCISES[name]
    assert exercise.question.rstrip().endswith(("?", ".")) and len(exercise.hints) >= 2 and str(exercise.solution())


def test_the_diagram_has_one_picture_for_each_access_and_says_what_it_shows():
    frames = coherence.steps_through("0:R x, 0:W x, 1:R y", "x y")
    assert len(frames) == 4
    assert all(svg.startswith("<svg") and 'role="img"' in svg and "aria-label" in svg for svg, _ in frames)
    assert (
        "I → E" in frames[1][0] and "E → M" in frames[2][0] and "M → S" in frames[3][0]
    )  # told by letters, not by colour alone
    assert "core 0 modified, core 1 invalid" in frames[2][0].replace("&#x27;", "'")
    assert (
        frames[3][1].endswith("Messages so far: 2, write-backs: 1.") and "Core 0 writes its copy back" in frames[3][1]
    )
