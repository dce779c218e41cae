"""What the compiler made of a kernel: found, cut to its hot loops, and refused where the flags keep it from being
written.
"""

import os
import re
from pathlib import Path

import pytest

from spe_lab.core.c import native
from spe_lab.core.c.assembly import assembly, body, hot_loops, innermost_loops, split_off
from spe_lab.core.c.listing import listing
from spe_lab.core.errors import SpeLabError

needs_compiler = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
NESTED = """f:
 xorl %eax, %eax
.L4:
 movq %rdi, %rdx
.L3:
 addq (%rdx), %rax
 cmpq %rdx, %rsi
 jne .L3
 subq $1, %rcx
 jne .L4
 ret"""
# As clang lays it out: part of the loop stands above its entry, and the way out stands between.
APART = """f:
 jmp .LBB0_6
.LBB0_8:                                #   in Loop: Header=BB0_6
 addq $1, %rsi
 je .LBB0_9
.LBB0_6:                                # =>This Inner Loop
 cmpq (%rcx), %r14
 jle .LBB0_8
 addq %rdx, %rax
 jmp .LBB0_8
.LBB0_9:
 retq"""
ARM = """f:
 mov x0, 0
.L2:
 ldr x2, [x1], 8
 add x0, x0, x2
 cbnz x2, .L2
 ret"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (NESTED, [[4, 5, 6, 7]]),
        (APART, [[2, 3, 4, 5, 6, 7, 8, 9]]),
        (ARM, [[2, 3, 4, 5]]),
        ("f:\n ret", []),
        ("f:\n jmp f", []),
        ("f:\n.L1:\n nop\n jmp .L1", [[1, 2, 3]]),
    ],
)
def test_the_innermost_loops_are_found_however_they_lie(text, expected):
    lines = text.splitlines()
    assert innermost_loops(lines) == [[lines[i] for i in loop] for loop in expected]


def test_a_label_with_a_comment_behind_it_begins_its_loop():
    clang = "f:  # @f\n.LBB0_1:  # =>This Inner Loop Header: Depth=1\n addq $1, %rax\n jne .LBB0_1\n retq"
    made = listing(clang, "f", "", Path("f.c"))
    assert [row.instruction.split()[0] for row in made.loops[0].rows] == [".LBB0_1:", "addq", "jne"] and not made.whole


@needs_compiler
@pytest.mark.parametrize("flags", [native.FLAGS, ("-O1",), ("-O3",)])
def test_the_hot_loop_holds_the_load_and_no_way_out(flags):
    loop, whole = (made("memory", "cycle_walk", flags).splitlines() for made in (hot_loops, assembly))
    assert set(loop) < set(whole)
    assert re.match(r"\.?L\w*:", loop[0])
    assert not any("ret" in line.split() for line in loop)


@needs_compiler
@pytest.mark.parametrize("flags", [native.FLAGS, ("-O1",)])
def test_the_assembly_of_the_walk_is_a_loop_with_a_load_and_no_call(flags):
    instructions = [line.split("#")[0] for line in assembly("memory", "cycle_walk", flags).lower().splitlines()]
    load, jump, call = {
        "x86_64": (r"\bmovq?\b.*\(%r\w+\), *%r", r"\bj[a-z]+\s+\.?l", r"\bcall"),
        "aarch64": (r"\bldr\b.*\[x", r"\b(b\.?\w+|cb\w+)\s+.*\.?l\w*\d", r"\bblr?\s"),
    }.get({"arm64": "aarch64"}.get(os.uname().machine, os.uname().machine), (None,) * 3)
    if load is None:
        pytest.skip(f"no pattern for the instructions of {os.uname().machine}")
    labels = {found[1]: i for i, line in enumerate(instructions) if (found := re.match(r"(\.?l\w*):", line))}
    jumps = [
        (label, start, i)
        for label, start in labels.items()
        for i in range(start, len(instructions))
        if re.search(jump, instructions[i])
    ]
    loops = [instructions[start:end] for label, start, end in jumps if label in instructions[end]]
    assert any(re.search(load, line) for loop in loops for line in loop)
    assert not any(re.search(call, line) for line in instructions)


@needs_compiler
def test_assembly_that_the_flags_keep_from_being_written_is_refused():
    with pytest.raises(SpeLabError, match="flags must make the compiler write cycle_walk as assembly, got -E"):
        assembly("memory", "cycle_walk", ("-E",))


# ---- Parts of a function that the compiler moves elsewhere

OPENMP = """
double dot(const double *x, const double *y, long n)
{
    double sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (long i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}
static void scale(double *x, long n)
{
#pragma omp parallel for
    for (long i = 0; i < n; i++)
        x[i] *= 3;
}
void inlined(double *x, long n) { scale(x, n); }
void both(double *x, long n)
{
#pragma omp parallel
#pragma omp single
#pragma omp task
    for (long i = 0; i < n; i++)
        x[i] += 3;
    for (long i = 0; i < n; i++)
        x[i] += 1;
}
"""


def loops_of(text, function, *flags):
    source, flags = native.text_file(text, "own"), [*native.CELL_FLAGS, *flags]
    try:
        assembled, _ = native.assemble(source, flags)
    except native.CompilerError as error:
        if "-fopenmp" in error.said:
            pytest.skip("needs a compiler with OpenMP")
        raise
    return listing(assembled, function, text, source, flags)


@pytest.mark.usefixtures("each_compiler")
@pytest.mark.parametrize(
    ("function", "own", "moved"), [("dot", set(), {7}), ("inlined", set(), {14}), ("both", {25}, {23})]
)
def test_the_loop_of_an_openmp_region_is_shown_and_told_from_the_function_s_own(function, own, moved):
    found = loops_of(OPENMP, function, "-fopenmp")
    lines = {True: set(), False: set()}
    for loop in found.loops:
        lines[bool(loop.origin)] |= {row.line for row in loop.rows}
    assert not found.whole and own <= lines[False] and moved <= lines[True]
    assert not moved & lines[False]
    told = f", to which the compiler moved an OpenMP region of {function}"
    assert all(loop.origin.endswith(told) for loop in found.loops if loop.origin)
    assert told in str(found) and told in found._repr_html_()


PARTS = """
\t.text
f:
\tcmpl\t$1, %edi
\tje\t.L9
\tcall\tother
\tjmp\tf.part.0
f.part.0:
.L3:
\taddq\t(%rdi), %rax
\tjne\t.L3
\tleaq\tf._omp_fn.0(%rip), %rdi
\tleaq\t.LC0(%rip), %rsi
\tcall\tGOMP_parallel@PLT
\tret
f._omp_fn.0:
\tcall\tf.part.0.isra.0
\tcall\tother.constprop.0
\tret
f.cold:
.L9:
\tcall\tabort@PLT
f.part.0.isra.0:
\tret
f.unused:
\tret
other:
other.constprop.0:
\tret
.LC0:
\t.quad 1
"""


def test_parts_are_followed_through_calls_jumps_and_addresses():
    assert split_off(PARTS, "f") == ["f.cold", "f.part.0", "f._omp_fn.0", "f.part.0.isra.0"]
    assert split_off(PARTS, "other") == split_off(PARTS, "gone") == []


def test_names_of_macos_have_an_underscore_and_those_of_clang_a_dot():
    text = "\t.section\t__TEXT,__text\n_f:\nLBB0_1:\n\tadrp\tx0, _.omp_outlined.@PAGE\n\tret\n_.omp_outlined.:\n\tret\n"
    assert split_off(text, "f") == [".omp_outlined."]
    assert [line.strip() for line in body(text, ".omp_outlined.")] == ["_.omp_outlined.:", "ret"]
    newer = text.replace(".omp_outlined.", "f.omp_outlined")
    assert split_off(newer, "f") == ["f.omp_outlined"]


def test_a_function_whose_name_begins_like_a_label_is_found():
    assert [line.strip() for line in body("Laplace:\n1:\n\tpause\n\tret\nLast:\n\tret\n", "Laplace")] == [
        "Laplace:",
        "1:",
        "pause",
        "ret",
    ]


def test_a_loop_of_a_part_says_where_it_is():
    found = listing(PARTS, "f", "", native.Path("own.c"))
    assert [loop.origin for loop in found.loops] == ["in f.part.0, to which the compiler moved a part of f"]
