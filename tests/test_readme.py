"""The commands of the README, executed as they are written there."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from spe_lab.core.c import native

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"(?m)(?:^    \S.*\n)+", README)
# Half a minute of measuring; the browser presses the button that does the same.
CALIBRATE = "spe-lab machine --calibrate"
COMMANDS = [
    re.split(r"\s{2,}|\s+#", line.strip())[0]
    for block in BLOCKS
    for line in block.splitlines()
    if re.match(r"    (spe-lab|make) ", line)
]

# The files that commands of the README name. Twins may be inconclusive on a busy machine, and differ by 5 % of chance.
OLD = "double total(const double *x, long n) { double s = 0; for (long i = 0; i < n; i++) s += x[i]; return s; }"
FILES = {"old.c": OLD, "new.c": OLD.replace("long n", "const long n")}
UNSETTLED = (0, 1, 3)
# What is run elsewhere, since it is more than one line's work: a server, a browser, half an hour of tests.
ELSEWHERE = {
    "make lab": "tests/faults/test_hygiene.py",
    "make test": "this is it",
    "make lecture NOTEBOOK=notebooks/03d_branches.ipynb": "tests/browser/test_lecture.py",
    "make book": "tests/browser/test_book.py",
}


def test_the_readme_has_commands_and_each_is_run_somewhere():
    makes = {command for command in COMMANDS if command.startswith("make ")}
    assert makes == set(ELSEWHERE), (
        "a make target of the README that no test runs, or one that the README no longer names"
    )
    assert len(COMMANDS) - len(makes) >= 8


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command.startswith("spe-lab ") and command != CALIBRATE]
)
def test_a_command_of_the_readme_works_as_written(command, tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    words = [str(tmp_path / "workbook") if word == "DIR" else word for word in shlex.split(command)]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SPE_LAB_CONFIG_DIR": str(tmp_path / "config"),
    }
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    if not native.available() and done.returncode == 3:
        pytest.skip(f"without a C compiler it says why it cannot: {done.stderr.strip()}")
    assert done.returncode in (UNSETTLED if "versus" in words else (0,)) and done.stdout.strip(), done.stderr
