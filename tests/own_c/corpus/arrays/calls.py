"""Kind 2: arrays of one to three dimensions, with fixed, macro and variable extents."""

import numpy as np
from own_c.corpus.example import Refused, example


@example("trace.c")
def trace(own):
    a = np.array([[1.5, 2, 3], [-4, 5.25, 6], [7, 8, -9.125]])
    yield own.trace(a)
    own.transpose(a)
    yield a
    yield own.determinant(np.array([[0.1, 2], [3, -4]], np.float32))


@example("variable_matrix.c")
def variable_matrix(own):
    a, b, c = np.array([[1, -2, 3], [0.5, 5, -6]]), np.array([[0.1], [7], [-1e5]]), np.zeros((2, 1))
    own.matmul(2, 3, 1, a, b, c)
    yield c
    sums = np.zeros(2, np.int64)
    yield own.sum_rows(2, 4, np.array([[1, 2, 3, 4], [-2000000000, -2000000000, 7, 8]], np.int32), sums)
    yield sums
    yield own.norm1(2, 3, a)


@example("gauss.c")
def gauss(own):
    a, x = np.array([[0, 2, 1, -8], [1, -2, -3, 0.5], [-1, 1, 2, 3]]), np.zeros(3)
    yield own.solve(3, a, x)
    yield x, a
    yield own.solve(2, np.array([[0.0, 1, 2], [0, 3, 4]]), x)
    to = np.zeros((2, 2), np.int16)
    own.pairs(2, np.array([1, -2, 300, -32768], np.int16), to)
    yield to


@example("macro_extent.c")
def macro_extent(own):
    one, c = np.ones((4, 4)), np.zeros((4, 4), np.int64)
    own.identity(one)
    yield one
    a = np.array([[1, 2], [3, -4], [5, 2000000000], [7, 8]], np.int32)
    own.multiply(a, np.array([[9, 8, 7, 6], [-5, 4, -3, 2000000000]], np.int32), c)
    yield c
    yield own.last(2, np.array([[1, 2, 3], [4, 5, -6]], np.int32))


@example("row_pointer.c")
def row_pointer(own):
    yield own.sum(np.array([[1, 2, 3], [-4, 5, 600000], [7, -8, 9]], np.int32), 3)
    reversed_rows, row = np.array([[1, 2, 65535], [4, 5, 6]], np.uint16), np.array([[10, 20, 30]], np.int32)
    own.reverse_rows(reversed_rows, 2)
    yield reversed_rows
    yield own.place(row, 2)
    yield own.place(row, 2)
    yield row


@example("typedef_array.c")
def typedef_array(own):
    a, b = np.array([1, -2, 0.1], np.float32), np.array([4, 5.5, 6], np.float32)
    c, middle, x = np.zeros(3, np.float32), np.zeros((1, 3), np.float32), np.array([1, -1, 1e10])
    yield own.dot(a, b)
    own.cross(a, b, c)
    yield c
    own.apply(np.array([[1, 2, 3], [4, -5, 6], [0.1, 8, 9]]), x)
    yield x
    own.centroid(np.array([[1, 2, 3], [-7, 0.3, 9]], np.float32), 2, middle)
    yield middle
    t = np.arange(1, 19, dtype=np.float32).reshape(2, 3, 3)
    t[1, 2, 0] = -7.5
    yield own.first_of_last(t, 2)


@example("volume.c")
def volume(own):
    a = np.arange(24).reshape(2, 3, 4) << 33
    yield own.at(a, 1, 2, 1)
    yield own.at(a, 0, 1, 3)
    before = np.array([[[1, 2, 3], [4, 5, 6.5]], [[-1, 20, 0.1], [7, 8, 9]]], np.float32)
    after = np.zeros_like(before)
    own.blur(2, 2, 3, before, after)
    yield after
    image = np.array([[[250, 3, 77], [9, 255, 1]]], np.uint8)
    own.grey(1, 2, image)
    yield image
    planes = np.arange(1, 13, dtype=np.int16).reshape(2, 2, 3)
    planes[1, 1, 2] = -1200
    yield own.plane(planes, 2)


@example("qualified.c")
def qualified(own):
    to = np.zeros(3, np.int16)
    yield own.first4(np.array([1, -2, 3000000, 4], np.int32))
    own.copy(3, to, np.array([-1, 20000, 3], np.int16))
    yield to
    yield own.last(3, np.array([1, 2, -0.1]))
    yield own.rows(2, np.array([[5, 3], [1, 4000000000]], np.uint32))
    yield own.star(2, np.array([[1, 2], [-3, 4]], np.int32))


@example("life.c")
def life(own):
    cells, board = np.zeros((5, 6), bool), np.zeros((5, 6), "S1")
    cells[0, 1] = cells[1, 2] = True
    cells[2, :3] = True
    yield own.step(cells)
    yield own.step(cells)
    yield cells
    yield own.letters(board, cells)
    yield board


@example("bubble.c")
def bubble(own):
    a = np.array([5, -3, 2000000000, 0, -2000000000], np.int32)
    own.sort(a, 5)
    yield a
    ordered = np.array([-(1 << 40), -1, 5, 1 << 33, 1 << 50])
    yield own.binary_search(ordered, 5, 1 << 33)
    yield own.binary_search(ordered, 5, 4)
    low, high = np.zeros(1, np.float32), np.zeros(1, np.float32)
    own.minmax(np.array([3, 1, 4, 1.5, -9.25, 2, 6, 5, 3.5, 8], np.float32), low, high)
    yield low, high
    own.print_array(np.array([1, 65535, 40000], np.uint16), 3)
    yield own.output
    yield own.mean_or(None, 3, 0.1)


@example("globals.c")
def arrays_of_c(own):
    into = bytearray(b"xxxxxx\0")
    yield own.weight(2, 0)
    yield own.remember(-(1 << 50))
    yield own.remember(12)
    yield own.recall(2)
    yield own.cell(1, 0, 10)
    yield own.cell(1, 0, -1)
    yield own["name"](2, into, 7)
    yield into


REFUSED = [
    Refused("trace.c", lambda own: own.trace(np.eye(3, dtype=np.float32)), ("a", "float32", "float64")),
    Refused("trace.c", lambda own: own.trace(np.zeros((3, 4))), ("a", "3", "4")),
    Refused("trace.c", lambda own: own.trace(np.zeros(9)), ("a", "2", "1")),
    Refused("trace.c", lambda own: own.trace(np.array([[1.0, 2, 3]] * 3).T), ("a", "contiguous")),
    Refused("trace.c", lambda own: own.trace([[1.0, 0, 0]] * 3), ("a", "array")),
    Refused("variable_matrix.c", lambda own: own.norm1(2, 4, np.zeros((2, 3))), ("a", "4", "3")),
    Refused("row_pointer.c", lambda own: own.sum(np.zeros((3, 4), np.int32), 3), ("grid", "3", "4")),
    Refused("typedef_array.c", lambda own: own.apply(np.zeros((3, 2)), np.zeros(3)), ("m", "3", "2")),
    Refused("volume.c", lambda own: own.at(np.zeros((2, 4, 3), np.int64), 0, 0, 0), ("a", "3", "4")),
    Refused("life.c", lambda own: own.step(np.zeros((5, 6), np.int8)), ("cells", "bool", "int8")),
    Refused("bubble.c", lambda own: own.sort(np.zeros(3, np.int64), 3), ("a", "int32", "int64")),
]
