"""Kind 4: ordinary C, which compiles, and of which a function at most is refused."""

import numpy as np
from own_c.corpus.example import Refused, example


@example("constant_sizes.c")
def constant_sizes(own):
    t = {"used": [1, 2], "entries": [3, 0, 0, 0, 0, 0, 0, 8], "name": b"constant", "tail": [7, 8, -32767]}
    yield own.sum(np.array([5, 0, 70000], np.int32))
    yield own.size_of_table()
    own.mark(t, 9)
    yield t
    yield own.value([{"value": 1}, {"value": -(1 << 40)}])


@example("aligned_globals.c")
def aligned_globals(own):
    yield own.well_aligned()
    yield own.entry(0)
    yield own.count()
    yield own.count()
    yield own.put(3, -500)
    yield own.put(3, -500)


@example("header_style.c")
def header_style(own):
    v = {"x": 0.1, "y": -7}
    yield own.vec2_dot(v, {"x": 3, "y": 0.5})
    own.vec2_scale(v, 3)
    yield v
    yield own.geometry_version()


@example("static_assertions.c")
def static_assertions(own):
    yield own.exponent(-0.1)
    yield own.both({"a": -100, "b": 30000})


@example("file_global.c")
def file_global(own):
    yield own.open_log()
    yield own.note(b"load", 0.12345)
    yield own.note(b"temperature", -273.15)
    yield own.characters(b"t")
    yield own.close_it(None)
    yield own.sane()


@example("setjmp_errors.c")
def setjmp_errors(own):
    yield own.number(b"123")
    failed = own.number(b"45!6")
    yield own.output, failed
    yield own.number(b"7")


@example("state_machine.c")
def state_machine(own):
    to = np.full(7, 9, np.int16)
    a = np.array([3, 1, 4, 1, -70000, 9], np.int32)
    yield own.tokens(b"the 3 mice and 42 more 7up")
    own.copy(to, np.array([1, -2, 300, -32768, 5, 6], np.int16), 6)
    yield to
    yield own.find(a, 2, 3, -70000)
    yield own.find(a, 2, 3, 8)


@example("generic_selection.c")
def generic_selection(own):
    yield own.abs_of_float(-0.1)
    yield own.abs_of_double(-0.1)
    yield own.abs_of_long(-(1 << 40))
    yield own.kind_of_sum(b"a", 1)
    yield own.kind_of_mix(1, 2)
    yield own.kind_of_pointer(None)


@example("initialisers.c")
def initialisers(own):
    yield own.year()
    yield own.find(b"verbose")
    yield own.find(b"depth")
    yield own.find(b"none")
    yield own.range(1, 0)
    yield own.range(0, 1)
    yield own.literal(-300, 7)


@example("recursion.c")
def recursion(own):
    yield own.fibonacci(93)
    yield own.ackermann(2, 7)
    moves = own.hanoi(3, b"A", b"C", b"B")
    yield own.output, moves
    yield own.is_even(7)
    yield own.queens(7)


@example("strings.c")
def strings(own):
    text, roman, sentence = bytearray(b"stressed\0"), bytearray(20), bytearray(b"to be, or not to be.\0")
    histogram = np.zeros(256, np.uint32)
    own.reverse(text)
    yield text
    yield own.is_palindrome(b"A man, a plan, a canal: Panama!")
    yield own.is_palindrome(b"no")
    yield own.my_strlen("ä umlaut".encode())
    yield own.to_roman(1994, roman)
    yield roman
    count = own.words(sentence)
    yield own.output, count
    yield sentence
    own.counts(b"\xff\xff a", histogram)
    yield histogram[255], histogram[ord("a")]
    yield own.parse(b"-0x7fffffffffff", 16)


@example("callbacks.c")
def callbacks(own):
    a = np.array([3, -70000, 12, 0, 500], np.int32)
    own.sort_down(a, 5)
    yield a
    yield own.apply(1, -0.1)
    yield own.apply(2, 2)
    yield own.area(0)
    yield own.newton(None, 0.7)


@example("variadic.c")
def variadic(own):
    yield own.sum3(1, -2, 300)
    length = own.tell(b"load", -0.125, 1 << 40)
    yield own.output, length


@example("opaque.c")
def opaque(own):
    yield own.start(12)
    yield own.created_so_far()
    yield own.stack_depth({"depth": 4, "room": -9})
    yield own.is_same(None)


@example("pointers_to_pointers.c")
def pointers_to_pointers(own):
    yield own.of_globals()
    yield own.sum_rows(None, 2, 2)
    yield own.longest(None, 0)
    yield own.deeper(None)
    yield own.rows_of(None, -7)


@example("results_that_are_pointers.c")
def results_that_are_pointers(own):
    yield own.length_of_name(1)
    yield own.position(-70000)
    yield own.position(5)


@example("knr.c")
def knr(own):
    yield own.add(-2000000000, 5)
    yield own.average(0.1, -3)
    yield own.next(b"a")
    yield own.sum(np.array([1 << 40, -3, 7]), 3)
    yield own.three()
    yield own.half(0.7)
    yield own.many(1, 20, 300, 4000, 50000, 600000, 7000000, -80000000)


@example("whole_program.c")
def whole_program(own):
    yield own.is_prime(91)
    yield own.is_prime(97)
    yield own.fill(20)
    status = own.main(0, None)
    yield own.output, status


@example("memory.c")
def memory(own):
    x, word = np.array([0.1, -2]), np.array([0x1234, 0xFF00], np.uint16)
    yield own.push(1 << 40)
    yield own.push(-5)
    yield own.push(7)
    yield own.pop()
    yield own.pop()
    own.release()
    yield own.pop()
    yield own.sieve(10000)
    yield own.checksum(b"Wikipedia", 9)
    yield own.checksum(x, x.nbytes)
    own.swap_bytes(word, word.nbytes)
    yield word


@example("generators.c")
def generators(own):
    cards = np.array([1, 2, 3, 4, 5, -6], np.int32)
    yield own.xorshift()
    yield own.xorshift()
    yield own.next()
    own.seed(4000000000)
    yield own.next()
    own.shuffle(cards, 6)
    yield cards
    yield own.of_the_system(42)
    yield own.fnv1a(b"corpus")


@example("qualifiers.c")
def qualifiers(own):
    to = np.array([1.0, -2])
    yield own.twice(-(1 << 40))
    yield own.square(-300)
    yield own.half(0.7)
    yield own.weak(5)
    yield own.registers(1 << 40, -3)
    yield own.in_thread()
    yield own.in_thread()
    yield own.started()
    yield own.started()
    own.add(2, to, np.array([0.1, 1e10]), 3)
    yield to


@example("errors_of_the_system.c")
def errors_of_the_system(own):
    value = np.zeros(1, np.int64)
    yield own.open_nothing()
    yield own.parse(b"-123456789012", value)
    yield value
    yield own.parse(b"12x", value)
    yield value
    yield own.parse(b"99999999999999999999", value)
    yield own.signals(3)
    own.complain(-7)
    yield own.output


@example("local_arrays.c")
def local_arrays(own):
    yield own.determinant(4, np.array([[0.5, -1, 2, 3], [4, 5, 6, 7], [-8, 9, 1, 11], [1, 13, 14, 15.25]]))
    yield own.distance(b"kitten", b"sitting")
    yield own.distance(b"", b"abc")
    yield own.large(30000)


@example("prototypes_apart.c")
def prototypes_apart(own):
    yield own.weigh(np.array([0.1, -2, 3]), 3, 0.7)
    yield own.twice(-70000)
    yield own.thrice(-70000)
    yield own.minus(-5, 2000000000)
    yield own.unused_parameter(-300, 1)
    yield own.bracketed(0)
    yield own.call_static()


@example("matrices_of_a_course.c")
def matrices_of_a_course(own):
    a, x = np.array([[10, -1, 2], [1, 8, -0.5], [2, -3, 15]]), np.zeros(3)
    y, u = np.zeros(2, np.float32), np.array([0.0, 1, -3, 10, 100])
    yield own.jacobi(a, np.array([0.5, -7, 100]), x, 1e-9)
    yield x
    own.polynomial(np.array([0.1, -2, 3], np.float32), 2, np.array([0.5, -1e5], np.float32), y, 2)
    yield y
    yield own.bisect(1, 2, 1e-10)
    own.heat(u, np.zeros(5), 5, 7, 0.3)
    yield u


REFUSED = [
    Refused("callbacks.c", lambda own: own.integrate(np.sin, 0, 1, 4), ("f", "function"), "double integrate("),
    Refused("callbacks.c", lambda own: own.newton(abs, 1), ("f", "function"), "double newton("),
    Refused(
        "callbacks.c",
        lambda own: own.sort_with(np.zeros(3, np.int32), 3, lambda a, b: a - b),
        ("compare", "function"),
        "void sort_with(",
    ),
    Refused("callbacks.c", lambda own: own.choose(1), ("choose", "(*)"), "function_t choose("),
    Refused("variadic.c", lambda own: own.sum(2, 3, 4), ("sum", "..."), "int sum("),
    Refused("variadic.c", lambda own: own["take"](np.zeros(24, np.uint8)), ("list", "va_list"), "int take("),
    Refused("opaque.c", lambda own: own.stack_new(3), ("stack_new", "pointer"), "struct stack *stack_new(int room)\n{"),
    Refused("opaque.c", lambda own: own.compare_hidden({}), ("h", "struct hidden"), "int compare_hidden("),
    Refused(
        "pointers_to_pointers.c",
        lambda own: own.sum_rows(np.zeros((2, 2)), 2, 2),
        ("rows", "double **"),
        "double sum_rows(",
    ),
    Refused("pointers_to_pointers.c", lambda own: own.longest([b"a"], 1), ("words", "char **"), "int longest("),
    Refused(
        "pointers_to_pointers.c",
        lambda own: own.allocate(np.zeros(1, np.int64)),
        ("out", "int **"),
        "void allocate(",
    ),
    Refused("results_that_are_pointers.c", lambda own: own.name_of(1), ("name_of", "char *"), "const char *name_of("),
    Refused("results_that_are_pointers.c", lambda own: own.find(5), ("find", "int *"), "int *find("),
    Refused("results_that_are_pointers.c", lambda own: own.zeros(5), ("zeros", "double *"), "double *zeros("),
    Refused("strings.c", lambda own: own.my_strcpy(bytearray(4), b"abc"), ("my_strcpy", "char *"), "char *my_strcpy("),
    Refused("strings.c", lambda own: own.my_strlen("text"), ("s", "bytes")),
    Refused("strings.c", lambda own: own.reverse(b"text"), ("s", "bytearray")),
    Refused("knr.c", lambda own: own.add(1), ("add", "b")),
    Refused("qualifiers.c", lambda own: own["other_name"](-300), ("other_name",), "", 90000),
    Refused("memory.c", lambda own: own.checksum([1, 2], 2), ("data",)),
    Refused("matrices_of_a_course.c", lambda own: own.bisect(1, 2), ("bisect", "tolerance")),
]
