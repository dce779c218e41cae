"""The kernels under the address, undefined-behaviour and thread sanitizers, called from Python as a reader calls them.

Every file of kernels_c is found by itself. The first tier takes one build, and skips it if nothing that it compiles or
calls has changed since it passed. The second takes one of each compiler; SPE_LAB_LONG=1 (make sanitize) takes all
levels, many more arguments, and runs every lab besides.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from builds import COMPILERS, LEVELS, LONG, STRICT, Build, passed_before, remember

from spe_lab.core.c import native

pytestmark = [
    pytest.mark.skipif(not COMPILERS, reason="needs gcc or clang"),
    pytest.mark.skipif(sys.platform != "linux", reason="needs a loader that takes LD_PRELOAD"),
]
HERE = Path(__file__).parent
EDGES = [HERE / "edges.py", *sorted(HERE.parent.glob("topics/*/edges.py"))]
BUILDS = (
    [(compiler, level) for compiler in COMPILERS for level in LEVELS]
    if LONG
    else [*((c, "-O1") for c in COMPILERS[:1]), *((c, "-O3") for c in COMPILERS[1:])]
)
# What a sanitizer says goes past Python's sys.stderr, and it ends the process: nobody would print what pytest keeps of
# file 2.
PYTEST = (
    "-m",
    "pytest",
    "-q",
    "-x",
    "--capture=sys",
    "-p",
    "no:cacheprovider",
    *(("--hypothesis-profile=sanitized",) if LONG else ()),
)


@pytest.fixture
def edges(request):
    """The files to run: those of all topics, or of the one that was asked for."""
    if topic := request.config.getoption("topic"):
        last = f"{HERE / 'every_kernel.py'}::test_every_kernel_was_called_by_the_edge_tests[{topic}]"
        return [str(HERE.parent / "topics" / topic / "edges.py"), *([last] if topic in native.stems() else [])]
    return [*map(str, EDGES), str(HERE / "every_kernel.py")]


@pytest.mark.parametrize(
    ("compiler", "level"),
    [
        pytest.param(compiler, level, marks=[] if (compiler, level) == (COMPILERS[0], "-O3") else [pytest.mark.slow])
        for compiler in COMPILERS
        for level in (LEVELS if LONG else ("-O0", "-O3"))
    ],
)
def test_no_kernel_makes_a_compiler_warn(compiler, level, tmp_path):
    sources = [native.source(stem) for stem in native.stems()]
    sources += sorted(native.kernel_folder().glob("programs/*.c"))
    command = [compiler, "-c", "-std=c11", *STRICT, level, f"-I{native.kernel_folder()}", *map(str, sources)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert (said.returncode, said.stderr) == (0, "")


def test_kernels_allocate_nothing(tmp_path):
    """So that there is no leak to look for: no kernel refers to an allocator at all."""
    for stem in native.stems():
        named = subprocess.run(
            ["nm", "-D", "--undefined-only", native.load(stem).path], capture_output=True, text=True, check=True
        ).stdout
        assert not re.search(r"\b(malloc|calloc|realloc|free|alloca|mmap|strdup)\b", named), stem


OVERRUN = '''
import numpy as np
from spe_lab.core.c import native
own = native.compile_text("""#include <stdint.h>
int32_t sum(const int32_t *x, int32_t n) { int32_t s = 0; for (int32_t i = 0; i < n; i++) s += x[i]; return s; }
""")
print(own.sum(np.full(8, %d, np.int32), %d))
'''


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "n", "said"),
    [(1, 8, ""), (1, 9, "AddressSanitizer: heap-buffer-overflow"), (2**30, 8, "signed integer overflow")],
)
def test_the_sanitizers_see_what_they_are_there_for(value, n, said, tmp_path):
    ended = Build(COMPILERS[0], "-O1", "address", tmp_path).python("-c", OVERRUN % (value, n))
    assert said in ended.stderr and (ended.returncode == 0) == (said == ""), ended.stderr


@pytest.mark.parametrize(("compiler", "level"), BUILDS[:1])
def test_no_kernel_leaves_its_memory_or_what_c_defines_in_the_first_build(compiler, level, edges, tmp_path, request):
    build = Build(compiler, level, "address", tmp_path)
    if request.config.getoption("markexpr") == "not slow" and passed_before(build, EDGES):
        pytest.skip("passed before, and neither kernels, headers, edges nor the compiler have changed")
    look_at_memory(build, edges)
    if not request.config.getoption("topic"):
        remember(build, EDGES)


@pytest.mark.slow
@pytest.mark.parametrize(("compiler", "level"), BUILDS[1:])
def test_no_kernel_leaves_its_memory_or_what_c_defines(compiler, level, edges, tmp_path):
    look_at_memory(Build(compiler, level, "address", tmp_path), edges)


def look_at_memory(build, edges):
    fewer = () if LONG or build.compiler == COMPILERS[0] else ("-k", "not threads and not every_kernel")
    every_lab = [str(HERE / "every_lab.py")] if LONG else []
    ended = build.python(*PYTEST, *fewer, *edges, *every_lab, timeout=3600)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-5000:]


@pytest.mark.slow
@pytest.mark.parametrize(("compiler", "level"), BUILDS if LONG else BUILDS[:1])
def test_no_threads_race(compiler, level, edges, tmp_path):
    ended = Build(compiler, level, "thread", tmp_path).python(*PYTEST, *edges, "-k", "threads", timeout=3600)
    none = ended.returncode == 5 and " deselected" in ended.stdout  # a topic without threads
    assert (ended.returncode == 0 or none) and "ThreadSanitizer" not in ended.stderr, (
        ended.stdout[-3000:] + ended.stderr[-5000:]
    )
