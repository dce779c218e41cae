"""Task graphs: parsing, work and span by other routes, Graham's examples exactly, bounds on random graphs, and what
executing must show.
"""

import itertools
import re
import signal
import threading
import time

import networkx
import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, SpeLabError
from spe_lab.models import task_graph as graph
from spe_lab.models.schedule import bounds, list_schedule
from spe_lab.models.task_graph import GRAHAM, GRAPHS, ORDERS, PAGE, Graph, Task
from spe_lab.topics import scaling
from spe_lab.topics.scaling import critical_path, execution
from spe_lab.topics.scaling.models import symbol

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")


@st.composite
def drawn_graphs(draw):
    """Up to nine tasks of whole milliseconds, each after some of those before it."""
    n = draw(st.integers(1, 9))
    tasks = []
    for i in range(n):
        after = draw(st.lists(st.integers(0, i - 1), unique=True, max_size=i)) if i else []
        tasks.append(Task(f"t{i}", draw(st.integers(1, 9)) * 10**6, tuple(f"t{k}" for k in after)))
    return Graph(tuple(tasks))


# ---- The text
# ----------------------------------------------------------------------------------------------------------


def test_a_graph_is_read_with_its_units_comments_and_forward_references():
    read = Graph.parse("\n# a comment\nlast 1.5 ms after first, second  # both\nfirst 200us\nsecond 2\n")
    assert read.tasks == (
        Task("last", 1_500_000, ("first", "second")),
        Task("first", 200_000),
        Task("second", 2_000_000),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "between 1 and 64 tasks, got 0; write"),
        ("\n".join(f"t{i} 1ms" for i in range(65)), "between 1 and 64 tasks, got 65; write"),
        ("a 1ms\nb", "line 2: a task must be a name, a time .*got 'b'; write"),
        ("a -3ms", "line 1: the time of a must be between 10 µs and 500 ms, got -3ms; choose"),
        ("a 0ms", "line 1: the time of a must be between"),
        ("a 3h", "line 1: the time of a must be a time .*got '3h'; write"),
        ("a nan", "line 1: the time of a must be a time .*got 'nan'; write"),
        ("a 3ms after", "line 1: a task must be .*; write"),
        ("a 3ms before b", "line 1: a task must be .*; write"),
        ("a 1ms\n\nb 3ms after c", "line 3: after must name tasks of this graph, got 'c'; give"),
        ("a 1ms after b\nb 1ms after c\nc 1ms after a", "no task may wait for itself, got .* before .*; drop"),
        ("a 1ms after a", "line 1: no task may wait for itself, got a before a; drop"),
        ("a 1ms\na 2ms", "line 2: each name must be given once, got 'a' again; call"),
        ("a 400ms\nb 400ms", "must add up to at most 500 ms, got 800 ms; write"),
    ],
)
def test_what_is_no_graph_is_refused_with_its_line_and_a_cure(text, said):
    with pytest.raises(SpeLabError, match=said):
        Graph.parse(text)


# ---- Work, span and paths
# ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(drawn_graphs())
def test_the_span_is_the_longest_of_all_chains(drawn):
    ns = {task.name: task.ns for task in drawn.tasks}
    ends = [name for name in ns if drawn.network.out_degree(name) == 0]
    starts = [name for name in ns if drawn.network.in_degree(name) == 0]
    chains = [[a] for a in starts if a in ends]
    chains += [
        c for a, b in itertools.product(starts, ends) if a != b for c in networkx.all_simple_paths(drawn.network, a, b)
    ]
    assert drawn.span == max(sum(ns[name] for name in chain) for chain in chains) / 1e6
    assert list(drawn.critical_path) in chains and sum(ns[name] for name in drawn.critical_path) / 1e6 == drawn.span
    assert drawn.work == sum(ns.values()) / 1e6


def test_the_hot_path_is_the_code_with_most_work_and_not_the_longest_task():
    page = Graph.parse(PAGE)
    assert page.hot_path == tuple(f"resize.{i}" for i in range(1, 9))
    assert page.critical_path == ("parse", "query", "rank", "render", "send")
    assert page.share(page.hot_path) == pytest.approx(24 / 41) and page.share(page.critical_path) == pytest.approx(
        17 / 41
    )


@settings(deadline=None, max_examples=40)
@given(drawn_graphs(), st.integers(1, 8))
def test_cutting_tasks_keeps_the_work_and_shortens_the_chain(drawn, pieces):
    cut = drawn.parallelised(drawn.critical_path, pieces)
    assert cut.work == pytest.approx(drawn.work) and cut.span <= drawn.span + 1e-9
    assert len(cut.tasks) == len(drawn.tasks) + len(drawn.critical_path) * (pieces - 1)
    everything = drawn.parallelised([task.name for task in drawn.tasks], pieces)
    assert everything.span == pytest.approx(drawn.span / pieces, abs=1e-5 * len(drawn.tasks))


def test_on_four_workers_the_critical_path_gains_and_the_hot_path_does_not_although_its_share_is_larger():
    page = Graph.parse(PAGE)
    hot, critical = (
        list_schedule(scaling.parallelised(page, what, 4), 4).total for what in ("hot path", "critical path")
    )
    assert hot == list_schedule(page, 4).total == page.span == 17.0
    assert critical == 10.25
    # Amdahl's promise by hand, for tasks in a row and two pieces: 41 − 24/2 and 41 − 17/2.
    table = str(scaling.compared(page, workers=2, pieces=2))
    assert (
        "| hot path | 59% | 29 ms | 41 ms | 17 ms |" in table
        and "| critical path | 41% | 32.5 ms | 41 ms | 8.5 ms |" in table
    )


# ---- List schedules
# ----------------------------------------------------------------------------------------------------


def test_graham_s_four_anomalies_come_out_as_he_published_them():
    graham = Graph.parse(GRAHAM)

    def total(g, workers):
        return list_schedule(g, workers, "as written").total

    assert total(graham, 3) == 12
    assert total(graham, 4) == 15  # one more worker
    assert total(Graph(tuple(Task(t.name, t.ns - 10**6, t.after) for t in graham.tasks)), 3) == 13  # each task shorter
    assert (
        total(Graph(tuple(Task(t.name, t.ns, () if t.name in ("t5", "t6") else t.after) for t in graham.tasks)), 3)
        == 16
    )  # fewer that wait
    other = [graham.tasks[graham.names[name]] for name in ("t1", "t2", "t4", "t5", "t6", "t3", "t9", "t7", "t8")]
    assert total(Graph(tuple(other)), 3) == 14  # another list


@settings(deadline=None, max_examples=100)
@given(drawn_graphs(), st.integers(1, 6), st.sampled_from(ORDERS))
def test_a_list_schedule_is_one_and_lies_between_the_bounds(drawn, workers, order):
    found = list_schedule(drawn, workers, order)
    least, most = bounds(drawn.work, drawn.span, workers)
    assert least - 1e-9 <= found.total <= most + 1e-9
    begun, ended = dict(zip(drawn.names, found.began, strict=True)), dict(zip(drawn.names, found.ended, strict=True))
    for task in drawn.tasks:
        assert ended[task.name] - begun[task.name] == task.ns
        assert all(begun[task.name] >= ended[name] for name in task.after)
    for worker in range(workers):
        spans = sorted((b, e) for b, e, w in zip(found.began, found.ended, found.worker, strict=True) if w == worker)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
    # Nobody idles while a task is ready: whenever one begins late, all workers are busy just before.
    for task in drawn.tasks:
        ready = max((ended[name] for name in task.after), default=0)
        for moment in {e for e in found.ended if ready <= e < begun[task.name]} | (
            {ready} if ready < begun[task.name] else set()
        ):
            assert sum(b <= moment < e for b, e in zip(found.began, found.ended, strict=True)) == workers


def test_graham_s_bound_is_reached():
    """N · (N − 1) tasks of 1 and one of N, written last: the known worst case of independent tasks."""
    n = 4
    text = "\n".join([*(f"t{i} 1ms" for i in range(n * (n - 1))), f"long {n}ms"])
    worst = Graph.parse(text)
    assert list_schedule(worst, n, "as written").total == bounds(worst.work, worst.span, n)[1] == 2 * n - 1
    assert list_schedule(worst, n).total == n


def test_the_bound_in_numbers_is_the_one_in_symbols():
    for work, span, workers in ((34, 12, 3), (41, 17, 1), (10, 10, 8)):
        values = {symbol("W"): work, symbol("D"): span, symbol("N"): workers}
        assert bounds(work, span, workers)[1] == pytest.approx(float(scaling.graham_bound().subs(values)))


def test_one_worker_does_the_work_and_many_do_the_span():
    for text in GRAPHS.values():
        g = Graph.parse(text)
        assert list_schedule(g, 1).total == g.work and list_schedule(g, 64).total == g.span
        assert list_schedule(g, 1, late_ns=1000).total == pytest.approx(g.work + len(g.tasks) * 1e-3)


@pytest.mark.parametrize("workers", [0, -1, 1.5, 65])
def test_workers_are_checked(workers):
    with pytest.raises(SpeLabError, match=r"workers must be .*got .*;"):
        list_schedule(Graph.parse("a 1ms"), workers)


# ---- Executed
# ----------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.parametrize("workers", [1, 3, 16])
@pytest.mark.parametrize("order", ORDERS)
def test_an_execution_keeps_to_the_graph_whatever_the_machine_does_meanwhile(workers, order):
    g = Graph.parse(PAGE).parallelised(("query",), 3)
    elapsed, began, ended, worker = execution.run_trials(g, workers, order, 3)
    place = g.names
    for trial in range(3):
        assert elapsed[trial] >= ended[trial].max() and (began[trial] >= 0).all()
        assert (ended[trial] - began[trial] >= [task.ns for task in g.tasks]).all()  # a sleep never ends early
        for task in g.tasks:
            assert all(began[trial][place[task.name]] >= ended[trial][place[name]] for name in task.after)
        assert set(worker[trial]) <= set(range(workers))
        for w in range(workers):
            spans = sorted(zip(began[trial][worker[trial] == w], ended[trial][worker[trial] == w], strict=True))
            assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))
        if workers == 1:  # then the list alone decides
            assert np.argsort(began[trial]).tolist() == np.argsort(list_schedule(g, 1, order).began).tolist()
    assert elapsed.min() >= bounds(g.work, g.span, workers)[0] * 1e6


@needs_compiler
def test_sleeping_workers_are_as_fast_as_predicted_on_any_number_of_cores():
    """Sleeps end late, some 0.1 ms each, and now and then much later: the shortest of some trials within a fifth."""
    g = Graph.parse(PAGE)
    for workers in (1, 2, 8):
        found = scaling.execute(g, workers, trials=8)
        assert found.source == "measured" and 1 <= found.total / list_schedule(g, workers).total < 1.2


@needs_compiler
def test_the_anomaly_shows_on_the_machine():
    """12 ms on three workers, 15 ms on four. Disturbance can only lengthen three's shortest trial and four's usual one;
    a late sleep can spare four the anomaly now and then, so its usual trial counts.
    """
    g = Graph.parse(GRAHAM)
    three, four = np.array(
        [[execution.run_trials(g, workers, "as written", 2)[0] for workers in (3, 4)] for _ in range(10)]
    ).transpose(1, 0, 2)
    assert np.median(four) > 1.1 * three.min()


@needs_compiler
def test_a_cancel_ends_long_tasks_and_leaves_no_thread():
    g, cancel = Graph.parse("a 250ms\nb 250ms after a"), Cancel()
    before, began = psutil.Process().num_threads(), time.monotonic()
    timer = threading.Timer(0.05, cancel.set)
    timer.start()
    with pytest.raises(CancelledError):
        execution.run_trials(g, 16, ORDERS[0], 20, cancel)
    timer.join()
    assert psutil.Process().num_threads() == before
    assert time.monotonic() - began < 5  # not the ten seconds that twenty trials take


@needs_compiler
def test_the_c_ends_where_tasks_wait_for_themselves():
    """Python refuses such a graph; the kernel must not hang on one all the same."""
    library, cancel, before = native.load("scaling"), Cancel(), psutil.Process().num_threads()
    arrays = (
        np.array([1000] * 3, np.uint64),
        np.array([0, 1, 1], np.uint32),
        np.array([0, 0, 1, 2], np.uint32),
        np.array([2, 1], np.uint32),
    )
    circle = library.struct("task_graph")(3, *(array.ctypes.data for array in arrays))
    out = np.zeros(1, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int64), np.zeros(3, np.int32)
    assert (
        library.list_schedule(circle, 4, np.full(4, -1, np.int32), 1, *out, cancel.flag)
        == library.constants["SPE_BAD_ARGUMENT"]
    )
    assert psutil.Process().num_threads() == before


@pytest.mark.machine
@needs_compiler
@pytest.mark.parametrize("lab_id", ["scaling.critical_path", "scaling.parallelism"])
def test_an_interrupted_run_leaves_no_thread(lab_id):
    lab, before = registry.get(lab_id), psutil.Process().num_threads()
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(lab.runs(short=False))
    timer.join()
    assert psutil.Process().num_threads() == before


# ---- The lab and the pictures
# ------------------------------------------------------------------------------------------


def test_the_reader_s_own_graph_is_the_first_choice_of_the_lab():
    lab = scaling.CriticalPath(own="load 4ms\nshow 2ms after load")
    assert lab.point()["graph"] == "your own"
    assert lab.predict(lab.point({"pieces": 1}), lab.x([1, 2]), lab.recorded_fit)[0].values.tolist() == [6, 6]
    with pytest.raises(SpeLabError, match="line 1"):
        scaling.CriticalPath(own="load")


def test_the_predictions_are_ordered_and_the_mark_is_where_the_bounds_meet():
    lab = registry.get("scaling.critical_path")
    for settings_ in ({}, {"cut": "critical path"}, {"graph": "build", "order": "as written"}):
        point = lab.point(settings_)
        plain, late, least, most = (curve.values for curve in lab.predict(point, lab.x(range(1, 17)), lab.recorded_fit))
        assert (least <= plain + 1e-9).all() and (plain <= most + 1e-9).all() and (late >= plain).all()
        place = lab.marks(point, lab.recorded_fit)["work ÷ span"]
        g = lab.graph(point)
        assert g.work / place == pytest.approx(g.span, rel=1e-3)


@pytest.mark.machine
@needs_compiler
def test_a_run_tells_how_late_sleeps_were():
    run = registry.get("scaling.critical_path").run({"graph": "build"}, over=[1, 4], budget_s=1)
    assert run.training["late_us"] >= 0
    assert critical_path.CHAIN.span == critical_path.CHAIN.work == 8


def test_pictures_mark_both_paths_without_colour_and_say_what_they_show():
    g = Graph.parse(PAGE)
    frames = scaling.paths(g)
    assert len(frames) == 4
    for svg, said in frames:
        assert svg.startswith("<svg") and f'aria-label="{said}"' in svg
        assert all(f">{task.name} · " in svg for task in g.tasks)
    hatched = [svg.count('fill="url(#spe-hot)" stroke') for svg, _ in frames]
    thick = [svg.count('stroke-width="4"/>') for svg, _ in frames]
    assert (
        hatched == [0, 8 + 1, 0, 8 + 1] and thick[0] == thick[1] == 0 < thick[2] == thick[3]
    )  # one more in the legend
    assert "59%" in frames[1][1] and "parse → query → rank → render → send" in frames[2][1]


def test_charts_have_a_bar_for_each_task_in_its_worker_s_row():
    frames = scaling.schedules(Graph.parse(GRAHAM), [1, 3, 4], "as written", executed=False)
    assert [re.search(r"predicted (\S+ ms)", said)[1] for _, said in frames] == ["34 ms", "12 ms", "15 ms"]
    for (svg, said), workers in zip(frames, (1, 3, 4), strict=True):
        assert svg.count("<title>") == 9 and svg.count(">worker ") == workers and said.startswith(f"{workers} worker")
    with pytest.raises(SpeLabError, match="workers must name"):
        scaling.schedules(Graph.parse(GRAHAM), [])


@needs_compiler
def test_an_executed_schedule_stands_beneath_the_predicted_one():
    ((svg, said),) = scaling.schedules(Graph.parse("a 1ms\nb 1ms after a"), [2])
    assert svg.count("<title>") == 4 and "predicted 2 ms, executed" in said


def test_without_a_compiler_the_charts_are_predictions_and_say_so(monkeypatch):
    monkeypatch.setattr(native, "missing", lambda: native.NO_COMPILER)
    ((svg, said),) = scaling.schedules(Graph.parse("a 1ms"), [1])
    assert svg.count("<title>") == 1 and ", executed" not in said and "Not executed here" in said


def test_a_run_of_another_reader_s_graph_says_what_it_needs():
    lab = registry.get("scaling.critical_path")
    with pytest.raises(SpeLabError, match=r"graph must be one of .*got 'your own'; give its text"):
        lab.predict(lab.point() | {"graph": "your own"}, lab.x([1]), lab.recorded_fit)


def test_orders_are_named():
    with pytest.raises(SpeLabError, match="order must be one of"):
        list_schedule(Graph.parse("a 1ms"), 1, "by luck")
    assert graph.ORDERS == ("longest chain first", "as written")
