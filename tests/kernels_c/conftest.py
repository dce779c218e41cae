"""What tests of kernels with threads share: a build with ThreadSanitizer, run as a program of its own."""

import platform
import shutil
import subprocess

import pytest

from spe_lab.core.c import native

FLAGS = ("-O1", "-g", "-std=c11", "-fsanitize=thread")


@pytest.fixture
def thread_sanitizer(tmp_path):
    """`report(stem, main)`: compiles kernels_c/`stem`.c and the C text `main` with ThreadSanitizer, runs both, and
    gives what it says of races (empty if nothing). The program must end by itself with status 0.
    """
    command = list(native.compiler().command)

    def build(name: str, *sources) -> subprocess.CompletedProcess:
        options = [
            *FLAGS,
            f"-I{native.kernel_folder()}",
            *map(str, sources),
            "-o",
            str(tmp_path / name),
            "-pthread",
            "-lm",
        ]
        return subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)

    def run(name: str) -> subprocess.CompletedProcess:
        # Some kernels place memory where the sanitizer keeps its own; without randomisation they do not.
        fixed = ["setarch", platform.machine(), "-R"] if shutil.which("setarch") else []
        return subprocess.run([*fixed, str(tmp_path / name)], capture_output=True, text=True, timeout=120, check=False)

    (tmp_path / "probe.c").write_text("int main(void) { return 0; }\n")
    if build("probe", tmp_path / "probe.c").returncode or run("probe").returncode:
        pytest.skip("needs a compiler with ThreadSanitizer and a system that runs its programs")

    def report(stem: str, main: str) -> str:
        (tmp_path / "main.c").write_text(main)
        built = build("program", tmp_path / "main.c", native.source(stem))
        assert built.returncode == 0, built.stderr
        ended = run("program")
        assert ended.returncode in (0, 66), ended.stderr  # 66: races were reported
        return ended.stderr if "ThreadSanitizer" in ended.stderr else ""

    return report
