"""Sweeps: the same answers whoever computes them, nothing lost and nothing counted twice, whatever becomes of the
workers.
"""

import _thread
import csv
import io
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures import CancelledError as Withdrawn
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from spe_lab.core import registry
from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import CancelledError, SpeLabError, UnavailableError
from spe_lab.core.grids.executors import answers
from spe_lab.core.grids.sweeps import Swept, sweep, sweeps, values_of
from spe_lab.core.recording import Run
from spe_lab.core.slider import Slider

LAB, GRID = "branches.predictor", {"states": [4, 2], "p": [0.1, 0.3, 0.5]}
HERE = Path(__file__).parent
POSIX = pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")
needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler to simulate")


@pytest.fixture(scope="module")
def tasks():
    """A module that workers find as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
        patch.syspath_prepend(str(HERE))
        import sweep_tasks

        yield sweep_tasks


@pytest.fixture(scope="module")
def dask(tasks):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, silence_logs=logging.CRITICAL, **here) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def ipyparallel(tasks, tmp_path_factory):
    parallel = pytest.importorskip("ipyparallel", reason="needs the extra ipyparallel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        cluster = parallel.Cluster(n=2, delay=0.1, log_level=logging.CRITICAL)
        client = cluster.start_and_connect_sync(activate=False)
        yield client.load_balanced_view().executor
        client.close()
        cluster.stop_cluster_sync()


def told(swept):
    """All that a sweep says, without the date of its simulations."""
    runs = swept.to_dict()["runs"]
    for run in runs:
        for curve in run["measured"]:
            del curve["provenance"]["taken"]
    return runs


@pytest.fixture(scope="module")
def expected():
    return told(sweep(LAB, GRID, short=True))


def is_same_everywhere(executor, expected):
    return told(sweep(LAB, GRID, executor, short=True)) == expected


@needs_compiler
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_simulated_lab_gives_the_same_numbers_whoever_computes_them(executor, expected):
    assert is_same_everywhere(executor, expected)


@pytest.mark.slow
@needs_compiler
@POSIX
def test_dask_gives_the_same_and_a_killed_worker_costs_nothing_but_time(dask, tasks, expected):
    only_loopback_listens()
    executor = dask.get_executor(pure=False)
    assert is_same_everywhere(executor, expected)
    survives_a_kill(executor, tasks)


def test_dask_takes_equal_tasks_for_different_ones_even_where_it_was_told_that_they_are_pure(dask, tasks):
    drawn = {number for _, number in answers(tasks.draw, [0] * 20, dask.get_executor(pure=True))}
    assert len(drawn) == 20


@pytest.mark.slow
@needs_compiler
@POSIX
def test_ipyparallel_gives_the_same_and_a_killed_engine_costs_nothing_but_time(ipyparallel, tasks, expected):
    assert is_same_everywhere(ipyparallel, expected)
    with pytest.raises(SpeLabError, match=r"^at 2: ZeroDivisionError: two is too much$"):
        list(answers(tasks.fail_at_two, range(4), ipyparallel))
    with pytest.raises(
        SpeLabError, match=r"must run each task once .*, got list; of IPython Parallel, take client.load_balanced_view"
    ):
        list(answers(tasks.double, [1], ipyparallel.view.client[:].executor))
    only_loopback_listens()
    survives_a_kill(ipyparallel, tasks)  # last: the engine stays away


def survives_a_kill(executor, tasks):
    """The worker of the first answer is killed while it has others to give."""
    got = []
    for i, (number, worker) in answers(tasks.tell_worker, range(20), executor):
        assert number == i
        if not got:
            os.kill(worker, signal.SIGKILL)
        got.append(i)
    assert sorted(got) == list(range(20))


def only_loopback_listens():
    mine = psutil.Process()
    ports = [
        port
        for process in (mine, *mine.children(recursive=True))
        for port in process.net_connections("inet")
        if port.status == psutil.CONN_LISTEN
    ]
    assert ports
    assert {port.laddr.ip for port in ports} == {"127.0.0.1"}


@POSIX
def test_a_killed_process_is_replaced(tasks, tmp_path):
    todo = [(number, tmp_path / "mark") for number in range(12)]
    assert sorted(answers(tasks.kill_first_worker, todo, "processes")) == [(i, i) for i in range(12)]


def test_processes_end_when_the_sweep_is_cancelled(tasks, tmp_path):
    cancel, got = Cancel(), []
    for i, _ in answers(tasks.run_until_cancelled, [None, tmp_path], "processes", cancel=cancel):
        got.append(i)
        wait_for(tmp_path / "began")
        cancel.set()
    assert got == [0]
    assert (tmp_path / "ended").exists()


def wait_for(path):
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


@POSIX
def test_processes_end_with_the_one_that_asked(tmp_path):
    program = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
import psutil, sweep_tasks
from pathlib import Path
from types import SimpleNamespace
from spe_lab.core.grids.executors import answers
if __name__ == "__main__":
    todo = [None, Path({str(tmp_path)!r})]
    for _ in answers(sweep_tasks.run_until_cancelled, todo, "processes"):
        print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
"""
    script = tmp_path / "program.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as asking:
        pids = [int(word) for word in asking.stdout.readline().split()]
        asking.kill()
    assert pids
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(
        psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids
    ):
        time.sleep(0.05)
    assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


# Executors that lose what they were given. Each answers in a thread of its own, in any order.


class Losing(Executor):
    """Loses tasks in each way that executors have. After a break it is of no more use, like a process pool."""

    def __init__(self, seed, loss):
        self.random, self.loss = random.Random(seed), loss
        self.given, self.some, self.broken, self.over = [], threading.Condition(), False, False
        self.thread = threading.Thread(target=self.answer)
        self.thread.start()

    def submit(self, function, /, *arguments):
        with self.some:
            if self.broken:
                raise BrokenExecutor("a worker died earlier")
            future = Future()
            self.given.append((future, function, arguments))
            self.some.notify()
            return future

    def answer(self):
        while True:
            with self.some:
                self.some.wait_for(lambda: self.given or self.over)
                if not self.given:
                    return
                future, function, arguments = self.given.pop(self.random.randrange(len(self.given)))
            if not future.set_running_or_notify_cancel():
                continue
            answer = function(*arguments)  # a worker may die before or after
            match self.random.choices(
                ["answers", "breaks", "withdraws", "fails"], [1 - 3 * self.loss, *[self.loss] * 3]
            )[0]:
                case "answers":
                    future.set_result(answer)
                case "breaks":
                    with self.some:
                        self.broken, rest, self.given = True, self.given, []
                    for each in (future, *(other for other, _, _ in rest)):
                        each.set_exception(BrokenExecutor("a worker died"))
                case "withdraws":
                    future.set_exception(Withdrawn())
                case "fails":
                    future.set_exception(RuntimeError("an engine died"))

    def shutdown(self, wait=True, *, cancel_futures=False):
        with self.some:
            self.over = True
            self.some.notify()
        self.thread.join()


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_and_nothing_is_counted_twice(seed, tasks):
    seeds = iter(range(1000 * seed, 1000 * seed + 1000))
    got = list(answers(tasks.double, range(60), lambda: Losing(next(seeds), 0.06), tries=50, at_once=1 + seed % 8))
    assert sorted(got) == [(i, 2 * i) for i in range(60)]


class Deadly(Losing):
    """Every worker dies of the task 3, and all others' with it."""

    seen = ()

    def submit(self, function, /, *arguments):
        self.seen = (*self.seen, arguments[1])
        return super().submit(function, *arguments)

    def answer(self):
        while True:
            with self.some:
                self.some.wait_for(lambda: self.given or self.over)
                if not self.given:
                    return
                chosen = max(range(len(self.given)), key=lambda i: self.given[i][2][1] == 3)
                future, function, arguments = self.given.pop(chosen)
                if arguments[1] == 3:
                    rest, self.given, self.broken = self.given, [], True
                    for each in (future, *(other for other, _, _ in rest)):
                        each.set_exception(BrokenExecutor("a worker died"))
                    continue
            future.set_result(function(*arguments))


def test_a_task_that_kills_each_of_its_workers_is_named_after_a_last_try_by_itself(tasks):
    made = []

    def make():
        made.append(Deadly(0, 0))
        return made[-1]

    said = (
        r"^task 3 was lost 3 times, the last time with nothing beside it \(BrokenExecutor: a worker died\); look for a"
        r" crash"
    )
    with pytest.raises(SpeLabError, match=said):
        list(answers(tasks.double, range(10), make, named=lambda task: f"task {task}", at_once=4))
    assert len(made) == 3
    assert made[-1].seen[-1] == 3


def test_an_executor_that_takes_nothing_is_given_up(tasks):
    broken = Losing(0, 0)
    broken.broken = True
    with pytest.raises(SpeLabError, match=r"^0 was lost 3 times, .*a worker died earlier"):
        list(answers(tasks.double, range(3), broken))
    broken.shutdown()


# Ends and errors


def test_ctrl_c_ends_the_tasks_that_run(tasks, tmp_path):
    def interrupt():
        wait_for(tmp_path / "began")
        _thread.interrupt_main()

    # Where tests run in several processes these may ignore Ctrl-C, and nothing would end the task.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            for _ in answers(tasks.run_until_cancelled, [None, tmp_path], "threads"):
                threading.Thread(target=interrupt).start()
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize("executor", [None, "threads"])
def test_a_task_s_own_error_is_told_with_its_name_and_not_tried_again(executor, tasks):
    with pytest.raises(SpeLabError, match=r"^at task 2: ZeroDivisionError: two is too much$") as caught:
        list(answers(tasks.fail_at_two, range(5), executor, named=lambda task: f"task {task}"))
    assert "fail_at_two" in caught.value.__cause__.__notes__[0]


class Failing(registry.labs()[LAB]):
    def measure(self, point, x, effort, cancel):
        if 0.3 in x.values:
            raise UnavailableError("this machine has no room; free some")
        yield from super().measure(point, x, effort, cancel)


@needs_compiler
def test_an_error_names_the_point_of_the_grid():
    with pytest.raises(
        UnavailableError, match=r"^at branches.predictor, p=0.3, states=2: this machine has no room; free some$"
    ):
        sweep(Failing(), GRID | {"states": [2]}, "threads", short=True)


class Untouched(Executor):
    def submit(self, function, /, *arguments):
        raise AssertionError("something was started")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grid": {"p": [0.1, 1.5]}}, "p must be between 0 and 1, got 1.5"),
        ({"grid": {"q": [1]}}, "branches.predictor has no slider 'q'"),
        ({"grid": {"p": []}}, "the grid must have at least one value of p"),
        ({"grid": {"states": "2..16/1"}}, "a range of states must have 2 to 10000 values, got '1'"),
        ({"settings": {"law": "none"}}, "law must be one of"),
        ({"settings": {"p": 0.1}}, "settings must fix other sliders than the grid moves, got p in both"),
        (
            {"grid": {"p": "0..1/2000", "branches": "1..1000/10"}},
            r"the grid must have at most 10,000 points, got 20,000",
        ),
        (
            {"lab": "memory.stride", "grid": {"size": ["1MiB"]}},
            "executor must be None for memory.stride, which measures",
        ),
        (
            {"executor": "proceses"},
            (
                r"executor must be None, 'threads', 'processes' or an Executor .*, got 'proceses'; of Dask, give"
                r" client.get_executor"
            ),
        ),
        ({"tries": 1}, "tries must be a whole number of at least 2"),
        ({"at_once": 0}, "at_once must be a whole number of at least 1"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(change, said):
    given = {"lab": LAB, "grid": {"p": [0.1]}, "executor": Untouched()} | change
    with pytest.raises(SpeLabError, match=said):
        next(sweeps(**given))


@needs_compiler
def test_a_sweep_that_is_cancelled_has_what_was_done_until_then():
    cancel = Cancel()
    known = []
    for each in sweeps(LAB, GRID, short=True, cancel=cancel):
        known.append(each)
        if len(known) == 2:
            cancel.set()
    assert [share for share, _ in known] == [1 / 6, 2 / 6]
    assert [run.x.values.tolist() for run in known[-1][1].runs] == [[0.1, 0.3]]
    with pytest.raises(CancelledError):
        sweep(LAB, GRID, short=True, cancel=cancel)


@needs_compiler
def test_runs_follow_the_grid_and_a_point_has_what_the_lab_finds_there():
    swept = sweep(LAB, GRID | {"branches": [50]}, settings={"shift": 1}, short=True)
    assert [(run.point["states"], run.point["branches"], run.point["shift"]) for run in swept.runs] == [
        (4, 50, 1),
        (2, 50, 1),
    ]
    alone = registry.get(LAB).run({"states": 4, "branches": 50, "shift": 1}, [0.3])
    assert [curve.values[1] for curve in swept.runs[0].measured] == [curve.values[0] for curve in alone.measured]
    assert [curve.values[1] for curve in swept.runs[0].predicted] == pytest.approx(
        [curve.values[0] for curve in alone.predicted], rel=1e-9
    )


@needs_compiler
def test_the_csv_has_the_settings_before_each_row_and_loses_nothing():
    x = Axis("size", "B", (1 << 20,))
    points = [{"law": 'the "fair", one', "load": 0.1 + 0.2}, {"law": "plain", "load": 1e9}]
    runs = [Run("lab", point, x, [Curve("a, b", "measured", x, "ns", (0.1 + 0.2,))], {}, {}, "0") for point in points]
    rows = list(csv.DictReader(io.StringIO(Swept.to_csv(SimpleNamespace(runs=runs)))))
    assert [{"law": row["law"], "load": float(row["load"])} for row in rows] == points
    for row in rows:
        assert (row["curve"], float(row["size [B]"]), float(row["value"])) == ("a, b", 1 << 20, 0.1 + 0.2)


def test_a_lab_that_measures_has_its_whole_axis_in_one_run_since_points_are_measured_in_turns():
    measuring = type("Measuring", (registry.labs()[LAB],), {"simulated": False})()
    swept = sweep(measuring, GRID, short=True)
    assert [part.over for part in swept.parts] == [(0.1, 0.3, 0.5)] * 2
    assert [run.point["states"] for run in swept.runs] == [4, 2]


# What is kept


@needs_compiler
def test_a_sweep_goes_on_from_its_file(tmp_path, expected, monkeypatch):
    file = tmp_path / "kept.jsonl"
    for _, known in sweeps(LAB, GRID, short=True, keep=file):
        if len(known.found) == 4:
            break
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])  # a power failure within the last line
    seen = []
    final = sweep(LAB, GRID, short=True, keep=file, progress=lambda share, known: seen.append(len(known.found)))
    assert seen == [3, 4, 5, 6]
    assert told(final) == expected
    assert told(sweep(LAB, GRID, Untouched(), short=True, keep=file)) == expected  # nothing is left to do


@needs_compiler
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"notes of mine", "must be a file of an earlier sweep, got something else"),
        (b"notes of mine\nand more\n", "line 1, must be JSON as SPE Lab writes it"),
        (b"\xff\xfe\n", "must be text"),
        (
            b'{"format": 1, "lab": "coherence.mesi", "version": "0", "terms": {}}\n',
            "must be of a sweep with the same lab, 'branches.predictor', got",
        ),
    ],
)
def test_another_file_is_refused_and_left_alone(tmp_path, content, said):
    file = tmp_path / "kept.jsonl"
    file.write_bytes(content)
    with pytest.raises(SpeLabError, match=said):
        sweep(LAB, GRID, short=True, keep=file)
    assert file.read_bytes() == content


@needs_compiler
def test_short_answers_do_not_stand_in_for_the_best(tmp_path):
    sweep(LAB, {"p": [0.1]}, short=True, keep=tmp_path / "kept")
    with pytest.raises(SpeLabError, match="must be of a sweep with the same terms"):
        sweep(LAB, {"p": [0.1]}, short=False, keep=tmp_path / "kept")


@pytest.mark.parametrize(
    ("scale", "text", "values"),
    [
        ("linear", "0.5..0.95", [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]),
        ("log", "1..100/3", [1, 10, 100]),
        ("linear", "1, 4,16", [1, 4, 16]),
        ("linear", "4..1/4", [4, 3, 2, 1]),
        ("linear", "9..0/ ", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    ],
)
def test_a_text_names_values(scale, text, values):
    found = values_of(Slider("load", "", 1, "", 0, 100, scale), text)
    np.testing.assert_allclose(found, values, rtol=1e-12)
