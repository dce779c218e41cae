"""Kind 2: numbers of every width and format, alone, in arrays, and behind more arguments than there are registers."""

import numpy as np
from own_c.corpus.example import Refused, example

SIGNED = ("int8_t", "int16_t", "int32_t", "int64_t")
UNSIGNED = ("uint8_t", "uint16_t", "uint32_t", "uint64_t")


@example("widths.c")
def widths(own):
    for name in SIGNED + UNSIGNED:
        kind = np.dtype(name.removesuffix("_t"))
        from_above = 0 if name in SIGNED else 1 << 8 * kind.itemsize
        yield own[f"next_{name}"](from_above - 7)
        x = np.array([from_above - 5, 100, 0], kind)
        own[f"halve_{name}"](x, 3)
        yield x
    yield own.next_uint64_t(2**64 - 2)
    yield own.next_int8_t(-128)
    yield own.mix(-1, 65535, -70000, 255, 1 << 40, -300, 4000000000, 7, -128)


@example("spellings.c")
def spellings(own):
    yield own.invert(0)
    yield own.shift(3, 62)
    yield own.negate(-(1 << 62))
    yield own.middle(-32768, 32767)
    yield own.all()
    yield own.least()
    yield own.rounded((1 << 33) + 1, 4096)
    yield own.distance(np.zeros(5, np.int32), 5)
    yield own.or_minus_one(0)
    yield own.or_minus_one(1 << 40)
    yield own.seek(1 << 40, -1)
    yield own.tomorrow(4102444800)
    yield own.as_integer(None)
    yield own.fast(255, -128)
    yield own.widest(-(2**63) + 1)


@example("int128.c", needs="__int128 x;")
def int128(own):
    yield own.multiply(2**64 - 1, 2**64 - 3)
    yield own.negate(1 << 100)
    yield own.high(0xFEDCBA9876543210 * 0x123456789ABCDEF)
    yield own.power_mod(3, 1000000006, 18446744073709551557)
    yield own.mixed(-1, -(1 << 90), 2.5, 7, (1 << 66) + 3, -(1 << 40), 11)


@example("reals.c")
def reals(own):
    yield own.third(np.float32(0.1))
    yield own.third_double(0.1)
    yield own.third_long(np.longdouble(1) / 10)
    yield own.third_long(1)
    yield own.kahan(np.array([1e16, 1, -1e16]), 3)
    yield own.digits()
    yield own.inverse(0)
    yield own.inverse(-np.inf)
    yield own.inverse(np.nan)
    yield own.smallest()
    yield own.largest()
    yield own.is_nan(np.nan)
    yield own.is_nan(np.inf)
    yield own.weigh(0.1, -0.2, 3, np.longdouble(4) / 10, 0.5, np.longdouble(-6) / 10)
    x, y = np.array([0.1, -3e38, 1e-40], np.float32), np.array([0.1, -1e300, 5e-324])
    own.scale(x, y, 3, 0.7)
    yield x, y


@example("complex_numbers.c")
def complex_numbers(own):
    yield own.rotate(3 - 4j, 0.3)
    yield own.conjugate(0.1 + 0.7j)
    yield own.size(-3 + 4j)
    yield own.mandelbrot(-0.75 + 0.1j, 500)
    before, after = np.array([1 + 2j, -0.5, 0.25j]), np.zeros(3, complex)
    own.dft(3, before, after)
    yield after
    z = np.array([0.1 - 2j, 3 + 4.5j], np.complex64)
    own.swap_parts(z, 2)
    yield z
    yield own.gate(np.array([[1, 2 - 1j], [3 + 0.1j, 4]]), 0, 1)
    yield own.blend(3, 0.5 - 2j, -0.1, 1e10 + 1j, 0.3)


@example("half_precision.c", needs="_Float16 x;")
def half_precision(own):
    a, b = np.array([0.1, -2, 65504], np.float16), np.array([3, 0.5, -1], np.float16)
    yield own.scale(0.1, 3)
    yield own.scale(-65504, 0.5)
    yield own.dot(a, b, 3)
    own.relu(a, 3)
    yield a


@example("characters.c")
def characters(own):
    text, pixels = bytearray(b"Ave, Caesar XYZ\0"), np.array([0, 3, 250, 255], np.uint8)
    yield own.shift(b"Y", 2)
    yield own.shift(ord('"'), 1)
    yield own.lowest()
    yield own.highest(200, 127)
    yield own.upper(ord("q"))
    own.greet(b"world", b"!")
    yield own.output
    yield own.vowels(b"Programming in C: aeiou AEIOU")
    own.caesar(text, 3)
    yield text
    own.invert(pixels, 4)
    yield pixels


@example("booleans.c")
def booleans(own):
    flags = np.array([1, 0, 0, 1, 1, 0, 1, 1], bool)
    yield own.leap(1900)
    yield own.leap(2024)
    yield own.both(True, False)
    yield own.both(1, np.True_)
    yield own.number(False)
    yield own.pack(flags)
    own.toggle(flags, 8)
    yield flags


@example("enumerations.c")
def enumerations(own):
    are = own.constants
    counts = np.array([10, 0, -1, 5], np.int32)
    yield own.turn(are["WEST"], 2)
    yield own.turn(are["NORTH"], -1)
    yield own.sign_of(-0.1)
    yield own.sign_of(2)
    yield own.weekend(are["SUNDAY"])
    yield own.without(are["ALL"], are["WRITE"])
    yield own.larger(are["TINY_VALUE"])
    yield own.larger(are["HUGE_VALUE"])
    yield own.step(are["LITTLE"])
    yield own.histogram(np.array([are[way] for way in ("WEST", "EAST", "WEST", "NORTH", "WEST")], np.uint32), 5, counts)
    yield counts
    yield own.buffer()
    yield are["MINUS"]
    yield are["HUGE_VALUE"]


@example("atomic_arguments.c")
def atomic_arguments(own):
    counter, cell = np.array([4294967290], np.uint32), np.array([-(1 << 40)])
    yield own.add(-7)
    yield own.add(100)
    yield own.next_ticket()
    yield own.next_ticket()
    own.count(counter, 3)
    yield counter
    yield own.try_lock()
    yield own.try_lock()
    own.unlock()
    yield own.try_lock()
    yield own.exchange(cell, 12)
    yield cell


@example("bits.c")
def bits(own):
    yield own.popcount(0xF00000000000000F)
    yield own.bits_of(-0.1)
    yield own.from_bits(0x7FF0000000000000)
    yield own.from_bits(0x8000000000000001)
    yield own.swap16(0xFF01)
    yield own.sign_extend(0x90)
    yield own.fast_inverse_sqrt(0.15625)
    yield own.collatz(27)


@example("vectors.c")
def vectors(own):
    sums = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
    yield own.add([0.1, -2], np.array([3, 1e300]))
    yield own.scale([1, -2, 0.1, 4], 3)
    yield own.compare([1, -2, 3, 2000000000], [0, 5, 3, -4])
    yield own.invert([*range(15), 255])
    yield own.first([1, -7.5], 1)
    own.accumulate(sums, np.array([[0.5, -1, 0, 1e10], [-5, 6.25, 7, 8]], np.float32), 2)
    yield sums


@example("many_arguments.c")
def many_arguments(own):
    one = (1, 2.5, -(1 << 40), 0.1, -128, 1e10, 65535, -3.25, -7, 0.7)
    yield own.all(*one, 1 << 33, 1e-3, -300, 0.3, 200, -0.5, 2**64 - 1, 12, -1, 0.9)
    yield own.tenth(1, -2, 3, -4, 5, -6, 7, -32768, 255, -2000000000)
    to = np.zeros(1)
    kinds = ((1.5, "f8"), (-2.25, "f8"), (0.1, "f4"), (-7, "i4"), (300, "i2"), (-100, "i1"), (2**64 - 1, "u8"))
    own.store(to, *(np.array([value], kind) for value, kind in kinds))
    yield to


@example("odd_numbers.c")
def odd_numbers(own):
    yield own.plain(0.35)


@example("quad_precision.c", needs="__float128 x;")
def quad_precision(own):
    yield own.plain(-5)


@example("decimal.c", needs="_Decimal64 x;")
def decimal(own):
    yield own.plain(-7)


@example("bit_int.c", needs="_BitInt(37) x;")
def bit_int(own):
    yield own.plain(-7)


REFUSED = [
    Refused("widths.c", lambda own: own.next_int8_t(128), ("x", "-128", "127", "128")),
    Refused("widths.c", lambda own: own.next_uint16_t(-1), ("x", "65535", "-1")),
    Refused("widths.c", lambda own: own.next_uint64_t(2**64), ("x", str(2**64))),
    Refused("widths.c", lambda own: own.next_int32_t(1.5), ("x", "1.5")),
    Refused("int128.c", lambda own: own.negate(2**127), ("x", str(2**127))),
    Refused("reals.c", lambda own: own.third(1e39), ("x", "float", "1e+39")),
    Refused("reals.c", lambda own: own.third_double(10**400), ("x", "double")),
    Refused("reals.c", lambda own: own.third_double("1"), ("x", "'1'")),
    Refused("reals.c", lambda own: own.third_double(1j), ("x", "1j")),
    Refused("complex_numbers.c", lambda own: own.conjugate(1e39j), ("z", "1e+39")),
    Refused("half_precision.c", lambda own: own.scale(70000, 1), ("x", "70000")),
    Refused("characters.c", lambda own: own.shift(b"ab", 1), ("letter", "b'ab'")),
    Refused("characters.c", lambda own: own.shift("a", 1), ("letter", "'a'")),
    Refused("characters.c", lambda own: own.caesar(b"text", 1), ("text", "bytearray")),
    Refused("vectors.c", lambda own: own.first([1, 2, 3], 1), ("v", "2", "3")),
    Refused("odd_numbers.c", lambda own: own.square(3 + 4j), ("z", "complex"), "gauss square("),
    Refused("quad_precision.c", lambda own: own.rounded(0.1), ("x", "loat128"), "double rounded("),
    Refused("quad_precision.c", lambda own: own.third(0.1), ("third", "loat128"), "_Float128 third("),
    Refused(
        "quad_precision.c",
        lambda own: own.scale(np.ones(2, np.longdouble), 2),
        ("x", "loat128"),
        "void scale(",
    ),
    Refused("decimal.c", lambda own: own.price(9.5), ("net", "ecimal"), "_Decimal64 price("),
    Refused("decimal.c", lambda own: own.small(3), ("small", "ecimal"), "_Decimal32 small("),
    Refused("bit_int.c", lambda own: own.wide(-(2**36) + 5), ("x", "BitInt"), "_BitInt(37) wide(", -(2**36) + 6),
    Refused("bit_int.c", lambda own: own.narrow(7), ("x", "BitInt"), "unsigned _BitInt(3) narrow(", 0),
    Refused(
        "odd_numbers.c",
        lambda own: own.turn(1 - 2j),
        ("z", "long double"),
        "long double _Complex turn(",
        np.clongdouble(2 + 1j),
    ),
]
