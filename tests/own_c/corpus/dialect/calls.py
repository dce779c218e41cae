"""Kind 6: C as plain gcc takes it, which is more than -std=c11 shows."""

import numpy as np
from own_c.corpus.example import example


@example("drand.c")
def drand(own):
    yield own.first(2026)
    yield own.third(7)
    yield own.estimate_pi(10000)
    yield own.next_of(1)


@example("strdup.c")
def strdup(own):
    line = bytearray(b"7;-3;12;\0")
    text = b"one\nthree and more\nfour"
    yield own.lines(b"ok\n\nERROR here\nfine\nError")
    yield own.read_lines(text, len(text))
    yield own.limited(b"abcdef", 4)
    yield own.fields(line)
    yield line


@example("constants_of_math.c")
def constants_of_math(own):
    yield own.circle(0.7)
    yield own.constant(0)
    yield own.constant(1)
    yield own.constant(2)
    yield own.single()
    yield own.is_special(np.nan)
    yield int(own.is_special(-np.inf) != 0)
    yield own.is_special(5e-324)
    yield own.root_mean_square(np.array([0.1, -2, 3]), 3)


@example("clocks.c")
def clocks(own):
    yield own.goes_on()
    yield own.seconds({"tv_sec": -5, "tv_usec": 250000})
    yield own.waits()


@example("assembly.c", needs='#ifndef __x86_64__\n#error "not x86-64"\n#endif\nint x;')
def assembly(own):
    x = np.array([-70001], np.int32)
    yield own.multiply_high(0xFEDCBA9876543211, 0x123456789ABCDEFF)
    yield own.leading_zeros(0x1234)
    yield own.rotate(0x80000003, 5)
    yield own.barrier(x)


@example("gnu_expressions.c")
def gnu_expressions(own):
    a, b, count = np.array([0.5], np.float32), np.array([-7], np.float32), np.array([-300], np.int32)
    yield own.larger(-(1 << 40), -5)
    yield own.largest(np.array([-2, 1e10, 0.1]), 3)
    yield own.or_else(0, -3)
    yield own.or_else(70000, -3)
    yield own.kind(b"Q")
    yield own.kind(b"7")
    yield own.kind(b"!")
    yield own.mask()
    own.order(a, b)
    yield a, b
    yield own.trailing(0xFF00000000000000)
    yield own.overflows(2000000000, 2000000000)
    yield own.cleaned(count)
    yield count


@example("nested_functions.c", needs="void f(void) { void g(void) {} g(); }")
def nested_functions(own):
    yield own.integrate(0, 2, 8, 3)
    yield own.count(np.array([5, -70000, 12, 7], np.int32), 4, 5)


@example("computed_goto.c")
def computed_goto(own):
    code = bytes([1, 5, 2, 200, 3, 2, 255, 0])
    yield own.run(np.frombuffer(code, np.uint8), -3)
    yield own.run(code, 1 << 40)


def _standard(own):
    pairs = [{"first": 1, "second": 5}, {"first": -2, "second": -(1 << 40)}, {"first": 3, "second": 0}]
    own.sort(pairs, 3)
    yield pairs
    yield own.weigh(np.array([0.1, -2, 1e10]), 3)
    yield own.none()


@example("other_standards.c", flags=["-std=gnu89"])
def gnu89(own):
    yield from _standard(own)


@example("other_standards.c", flags=["-std=gnu2x"])
def gnu23(own):
    yield from _standard(own)


@example("iso.c", flags=["-std=c99", "-pedantic-errors", "-O1"])
def iso_c99(own):
    yield own.area(-0.7)
    yield own.wrap(123456789, 987654321)
