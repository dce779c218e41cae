"""Threads, atomics, intrinsics, OpenMP, and the flags that go with them."""

import numpy as np
from own_c.corpus.example import example


@example("threads.c")
def threads(own):
    yield own.parallel_sum(np.array([0.1, -2, 3, 1e10, 5, -6.25, 7]), 7, 3)
    yield own.counted(4, 1000)
    yield own.counted(2, 5)
    yield own.ping_pong(-7, 300)
    yield own.ping_pong(5, 2)


@example("atomics.c")
def atomics(own):
    s = {"state": 3, "ready": False, "value": 0}
    yield own.run(3, 200)
    yield own.total()
    yield own.hidden()
    yield own.publish(s, -(1 << 40))
    yield s
    yield own.publish(s, 5)


@example("sse2.c", needs="#include <emmintrin.h>\n__m128d x;")
def sse2(own):
    a, b = np.array([0.1, -2, 3, 1e10]), np.array([7, 0.3, -5, 1.5])
    yield own.dot(a, b, 4)
    yield own.mix([0.1, -2], np.array([0.25, 0.5, 8, 9], np.float32))
    yield own.add_bytes([0x1112131415161718, 0x0102030405060708], [0xF0F0F0F0F0F0F0F0 - 2**64] * 2)
    v = np.array([[0.1, 2, 3, 4], [5, 6, -7, 8]], np.float32)
    own.scale(v, 2, 3)
    yield v
    yield own.largest(np.array([1, -2, 3, 4, 5, 6, 7, 8, 9, -10, 11, 30000, 13, 14, -32768, 16], np.int16), 16)


@example("avx2.c", flags=["-mavx2", "-mfma"], needs="#include <immintrin.h>\n__m256d x;")
def avx2(own):
    yield own.fused([0.1, -2, 3, 4], [0.1, 7, 1e10, -1], [-0.01, 1, 0.5, 0])
    yield own.sum(np.array([2000000000, 2000000000, -3, 4, 5, 6, 7, -80], np.int32), 8)
    v = np.array([[0.1, -2, 3, 4, 5, 6, 7, -8.5]], np.float32)
    own.halve(v, 1)
    yield v
    yield own.first({"tag": b"b", "lanes": [0.1, 2, 3, -4]})


@example("openmp.c", flags=["-fopenmp"], needs="#include <omp.h>\nint x;")
def openmp(own):
    before, after = np.array([[1, 0.1, -2, 4], [5, 6, 7, 8], [9, -10.5, 11, 12]]), np.zeros((3, 4))
    yield own.sum(np.array([2000000000, 2000000000, -3, 4, -50000], np.int32), 5)
    yield own.threads(2)
    own.stencil(3, 4, before, after)
    yield after
    yield own.fibonacci(12)


def _loops(own):
    i = np.arange(37, dtype=np.float32)
    y, a = 0 - i, np.arange(67)
    own.saxpy(37, -1.5, np.float32(0.25) * i, y)
    yield y
    yield own.count_below((np.arange(101) * 700).astype(np.uint16), 101, 40000)
    yield own.dot8((a * 3 - 100).astype(np.int8), (50 - a).astype(np.int8), 67)


@example("vectorised.c", flags=["-O3"])
def optimised(own):
    yield from _loops(own)


@example("vectorised.c", flags=["-Ofast", "-march=native", "-funroll-loops"])
def native(own):
    yield from _loops(own)
