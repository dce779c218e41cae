"""What the sweeps of test_sweeps.py compute: a module of its own, since the workers of every
executor must import it.
"""

import os
import signal
import time


def double(task, cancel):
    return 2 * task


def fail_at_two(task, cancel):
    if task == 2:
        raise ZeroDivisionError("two is too much")
    return task


def draw(task, cancel):
    return os.urandom(8)


def tell_worker(task, cancel):
    time.sleep(0.02)
    return task, os.getpid()


def kill_first_worker(task, cancel):
    """The first worker that comes to this task dies of it; the next one finds a mark."""
    number, mark = task
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def run_until_cancelled(task, cancel):
    """None is answered at once; a folder goes on until somebody ends it, and shows there that it began and ended."""
    if task:
        (task / "began").touch()
        while not cancel.is_set():
            time.sleep(0.01)
        (task / "ended").touch()
