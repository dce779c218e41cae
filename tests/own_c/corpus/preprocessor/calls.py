"""Kind 1: only the preprocessor and the compiler's flags say what a type is."""

import numpy as np
from own_c.corpus.example import example, members


@example("if_zero.c")
def if_zero(own):
    yield own.half(3.0)
    yield own.half(-0.7)
    yield own.scale(-5000000007, 3)


def _real(own, dtype):
    x, y = np.array([1.1, -2.7, 4.3], dtype), np.array([10, -20, 1e-3], dtype)
    yield own.mean(x, 3)
    own.axpy(3, 0.1, x, y)
    yield y


@example("typedef_real.c")
def typedef_float(own):
    yield from _real(own, np.float32)


@example("typedef_real.c", flags=["-DUSE_DOUBLE"])
def typedef_double(own):
    yield from _real(own, np.float64)


def _push(own, **more):
    q = {"head": -2, "tail": 3, "items": [1, 2, 3, 4, 5], **more}
    yield own.push(q, -7)
    yield own.push(q, 100)
    assert q.pop("pushes", 2) == 2
    yield members(q, "head", "tail", "items", "load")


@example("debug_member.c")
def without_debug(own):
    yield from _push(own)


@example("debug_member.c", flags=["-DDEBUG"])
def with_debug(own):
    yield from _push(own, pushes=0)


@example("pragma_pack.c")
def pragma_pack(own):
    h = {"version": 1, "length": 0x07000016, "offset": 515, "gain": 0.1}
    entries = [{"tag": b"a", "value": 1, "stamp": 2}, {"tag": b"b", "value": -70000, "stamp": 1 << 40}]
    yield own.payload(h)
    yield own.next(h)
    yield own.last(entries, 2)


def _weigh(own):
    s = {"channel": b"x", "count": 7, "low": -300, "value": 2.5}
    yield own.count(s)
    yield own.weigh(s)
    yield s


@example("pack_struct_flag.c", flags=["-fpack-struct"])
def packed_by_flag(own):
    yield from _weigh(own)


@example("pack_struct_flag.c")
def packed_by_nothing(own):
    yield from _weigh(own)


@example("macro_sizes.c")
def macro_sizes(own):
    b = {"after": 41}
    own.fill(b, 100)
    yield members(b, "bytes", "cells", "after")
    yield own.corner(np.array([[1, 2, 3], [4, 5, -6]], np.int32))


def _levels(own):
    high, large = own.constants["HIGH"], own.constants["LARGE"]
    yield own.size_of_state()
    yield own.score({"level": high, "after": -3, "wide": large, "last": -500})
    yield own.raise_level(high)
    yield own.raise_level(own.constants["LOW"])


@example("short_enums.c", flags=["-fshort-enums"])
def short_enums(own):
    yield from _levels(own)


@example("short_enums.c")
def whole_enums(own):
    yield from _levels(own)


def _characters(own):
    yield own.brighter(b"\xc8", b"a")
    yield own.invert(b"A")
    yield own.sum(b"\xff\x01\x80", 3)


@example("unsigned_char_flag.c", flags=["-funsigned-char"])
def unsigned_char(own):
    assert own.brighter(200, 97) == 1
    yield from _characters(own)


@example("unsigned_char_flag.c", flags=["-fsigned-char"])
def signed_char(own):
    assert own.brighter(-56, 97) == 0
    yield from _characters(own)


@example("line_directive.c")
def line_directive(own):
    yield own.rule(7, 3 << 32)
    yield own.token(-9)
    yield own.token(9)


@example("per_compiler.c")
def per_compiler(own):
    yield own.third(-10)
    yield own.rotate(0xF0F1F2F3F4F5F6F7, 12)
    yield own.total({"id": -4, "value": 1 << 40})


@example("x_macros.c")
def x_macros(own):
    u = {"RED": 5, "GREEN": 1 << 33, "VIOLET": -7}
    yield own.rgb_of(own.constants["VIOLET"])
    yield own.parse_colour(b"GREEN")
    yield own.parse_colour(b"blue")
    yield own.used(u)
    yield u
    yield own.constants["COLOUR_COUNT"]


@example("token_paste.c")
def token_paste(own):
    s, r = {"size": 1, "items": np.array([-5, 0, 0, 0], np.int16)}, {}
    yield own.short_push(s, -32768)
    yield s
    yield own.short_pop(s)
    yield own.short_pop(s)
    yield own.real_push(r, 0.1)
    yield own.real_pop(r)
    yield r["size"]
    yield own.max_int(-3, -4)
    yield own.max_float(0.1, -0.1)
    yield own.max_uint64_t(1, 2**64 - 1)


@example("comments.c")
def comments(own):
    yield own.twice(0.35)
    yield own.length_of_pattern()
    yield own.count_char(b"/* // \\ */", b"/")
    yield own.divide(-100, 7)


def _wide(own):
    k = {"symbol": 0x20AC, "count": -1}
    yield own.width()
    yield own.upper(ord("q"))
    yield own.upper(0x20AC)
    yield own.add(k, 0x20AC)
    yield k


@example("wide_characters.c", flags=["-fshort-wchar"])
def short_wchar(own):
    yield from _wide(own)


@example("wide_characters.c")
def whole_wchar(own):
    yield from _wide(own)
