"""What handing out a task costs with each executor, and how many customers a second replications simulate.

    python benchmarks/sweep_executors.py [--tasks N] [--customers N]

Start-up is the time until a first answer, the import of spe_lab on the workers included. Dask and IPython Parallel are
left out where they are not installed. On one machine all of them share its processors with what they compute.
"""

import argparse
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

from spe_lab.core.cancel import Cancel
from spe_lab.core.grids.executors import answers
from spe_lab.models.queues import Shared, exponential, poisson
from spe_lab.models.queues.replications import replicate

WORKERS = 2


def nothing(task: int, cancel: Cancel) -> int:
    return task


@contextlib.contextmanager
def dask() -> Iterator[Executor]:
    from distributed import Client, LocalCluster

    here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL}
    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, **here) as cluster, Client(cluster) as client:
        yield client.get_executor(pure=False)


@contextlib.contextmanager
def ipyparallel() -> Iterator[Executor]:
    import ipyparallel

    with ipyparallel.Cluster(n=WORKERS, delay=0.1, log_level=logging.CRITICAL) as client:
        yield client.load_balanced_view().executor


def measure(executor: Executor | str | None, tasks: int, began: float) -> tuple[float, float]:
    """(seconds until a first answer, ms for each further task)."""
    arrivals = [time.perf_counter() for _ in answers(nothing, range(tasks), executor)]
    return arrivals[0] - began, (arrivals[-1] - arrivals[0]) / (tasks - 1) * 1e3


def row(name: str, make: Callable[[], contextlib.AbstractContextManager], tasks: int) -> None:
    began = time.perf_counter()
    try:
        with make() as executor:
            start, each = measure(executor, tasks, began)
    except ImportError as error:
        print(f"{name:12}   left out: {error}")
        return
    print(f"{name:12}   {start:10.2f}   {each:13.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--customers", type=int, default=50_000_000)
    options = parser.parse_args()
    print("executor       start [s]   a task [ms]")
    for name in (None, "threads", "processes"):
        row(str(name or "here"), lambda name=name: contextlib.nullcontext(name), options.tasks)
    row("dask", dask, options.tasks)
    row("ipyparallel", ipyparallel, options.tasks)
    print("\nM/M/4 at load 0.8, replications of a million   customers a second [M/s]")
    for name in (None, "threads", "processes"):
        began = time.perf_counter()
        found = replicate(Shared(4), poisson(3.2), exponential(1.0), options.customers, name, each=1_000_000)
        speed = options.customers / (time.perf_counter() - began) / 1e6
        print(
            f"{name or 'here':12}   mean {found.mean.value:.4f} ({found.mean.low:.4f} to {found.mean.high:.4f})  "
            f" {speed:.1f}"
        )


if __name__ == "__main__":
    main()
