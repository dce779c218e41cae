"""Ctrl-C, the stop button's signal, in the middle of each long operation: it ends soon, with one word and no traceback,
and leaves nothing half-done.
"""

import os
import signal
import subprocess
import sys
import time

import pytest

from spe_lab.core.c import native

PROBE = ("versus", *2 * [str(native.kernel_folder() / "measurement.c")], "probe_kernel", "--set", "state=null")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure"),
]
SLOW_COMPILER = '#!/bin/sh\n[ "$1" = --version ] && { echo slow cc 1.0; exit; }\ntouch "$TMPDIR/begun"\nexec sleep 60\n'
LONG = {
    "measuring": ("run", "memory.working_set", "--budget", "60"),
    "measuring with threads": ("run", "scaling.amdahl", "--set", "work=waiting", "--budget", "60"),
    "simulating": ("run", "queueing.head_of_line", "--budget", "60"),  # a minute
    "calibrating": ("machine", "--calibrate"),
    "comparing": (*PROBE, "--over", f"work={','.join(map(str, range(1000, 1100)))}"),
    "building": ("run", "memory.working_set"),
}
# Says when it has begun, for an interrupt of Python's own start is another matter.
PROGRAM = """
import sys, threading
from pathlib import Path
from spe_lab import cli
from spe_lab.core.c import native

def begin(*_): Path(sys.argv.pop(1)).touch()

if sys.argv[2] != "building":
    native.load("measurement")
    threading.Timer(1.5, begin).start()
del sys.argv[2]
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.parametrize("what", LONG)
def test_ctrl_c_ends_what_takes_long(what, tmp_path):
    environment = {
        **os.environ,
        "SPE_LAB_CONFIG_DIR": str(tmp_path / "settings"),
        "TMPDIR": str(tmp_path),
        "SPE_LAB_QUICK": "0",
    }
    if what == "building":
        compiler = tmp_path / "cc"
        compiler.write_text(SLOW_COMPILER)
        compiler.chmod(0o755)
        environment |= {"CC": str(compiler), "SPE_LAB_CACHE_DIR": str(tmp_path / "cache")}
    begun = tmp_path / "begun"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(begun), what, *LONG[what]],
        env=environment,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        until = time.monotonic() + 60
        while not begun.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out, said) == (130, "", "spe-lab: interrupted\n")
    assert not list(tmp_path.glob("settings/machine-*")) and not list(tmp_path.glob("cache/kernels/*"))
