"""What the compiler made of a kernel: found, cut to its hot loops, and refused where the flags keep it from being
written.
"""

import os
import re
from pathlib import Path

import pytest

from spe_lab.core.c import native
from spe_lab.core.c.assembly import assembly, hot_loops, innermost_loops
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
