"""Kind 3: structures and unions, by value and by pointer, with everything that may stand inside."""

import numpy as np
from own_c.corpus.example import Refused, example, members


@example("histogram.c")
def histogram(own):
    h = {"low": -1, "high": 3, "bin": [7, -5, 0, 1], "outside": 65534}
    own.add(h, np.array([-0.5, 0.5, 2.9, 3, -7, 1.5, 0.25]), 7)
    yield h
    yield own.most(h)


@example("points.c")
def points(own):
    p, q = {"x": 3, "y": -4}, {"x": -2000000000, "y": 5}
    yield own.move(p, 10, -20)
    yield own.cross(p, q)
    yield own.multiply({"re": 0.1, "im": -2}, {"re": 3, "im": 4})
    yield own.mix({"r": 255, "g": 0, "b": 11}, {"r": 1, "g": 100, "b": 250})
    own.swap(p, q)
    yield p, q


@example("nested.c")
def nested(own):
    r = {"low": {"x": 1, "y": -2}, "high": {"x": 30, "y": 400}, "style": {"filled": True, "width": 0.1}, "tag": b"r"}
    one = {"low": {"x": 1, "y": 2}, "high": {"x": 3, "y": 4}, "style": {"filled": False, "width": 5.5}, "tag": b"x"}
    two = {"low": {"x": 6, "y": 7}, "high": {"x": 8, "y": 9}, "style": {"filled": True, "width": -1}, "tag": b"y"}
    s = {"before": b"b", "shapes": [one, two], "camera": {"eye": {"x": 10, "y": 11}, "time": -5}}
    yield own.area(r)
    yield own.grow(r, 5)
    yield own.advance(s)
    yield s


@example("person.c")
def person(own):
    p = {
        "name": b"Ada",
        "age": 36,
        "initial": b"A",
        "codes": [b"ab", b"cd"],
        "marks": [1, -2, 3],
        "raw": np.array([4, 5, 6, 200], np.uint8),
    }
    length = own.greet(p)
    yield own.output, length
    own.rename_to(p, b"Katherine")
    yield p
    length = own.greet(p)
    yield own.output, length
    own.rename_to(p, b"Bob")
    yield own.twin(p)


@example("bit_fields.c")
def bit_fields(own):
    d = own.next_month({"day": 31, "month": 12, "year": 2026})
    yield d
    yield own.day(d)
    r = {
        "low": -100,
        "offset": -31,
        "ready": True,
        "mode": 2,
        "rest": 1025,
        "kind": b"k",
        "address": (1 << 40) - 6,
        "size": 654321,
        "balance": 1 << 33,
    }
    yield own.update(r)
    yield r


@example("crossing.c")
def crossing(own):
    r = {"kind": -5, "id": 0x123456789ABCD, "count": 0x2AAA, "last": True, "offset": -(1 << 48), "after": -32767}
    yield own.step(r)
    yield r
    yield own.shifted({"words": [1, 2, 65535], "rest": 0x7123456789})


@example("packed.c")
def packed(own):
    h = {"version": 4, "length": 65000, "source": 0x7F000001, "time": 1 << 40, "load": 0.5}
    yield own.total(h)
    r = own.reply(h)
    yield r
    f = [{"id": 1, "header": h, "checksum": 0}, {"id": 0xFFFF, "header": r, "checksum": 7}]
    own.seal(f, 2)
    yield f[0]["checksum"], f[1]["checksum"]
    yield own.parts({"c": b"A", "i": -70000, "d": 0.1})


@example("aligned.c")
def aligned(own):
    slots = [{"state": b"a", "value": 1, "last": b"b"}, {"state": b"c", "value": -70000, "last": b"d"}]
    r, behind = {"before": b"q", "lines": [{"count": 1 << 40}, {"count": -3}]}, np.zeros(1, np.int64)
    yield own.size(slots, 2)
    b = own.twice({"lanes": [0.1, -2, 3, 4e10], "tag": b"x"})
    yield b
    yield own.lies_well(b, behind)
    yield behind
    yield own.count(r)
    yield r["lines"], r["before"]


@example("flexible.c")
def flexible(own):
    v = {"size": 3, "x": np.array([0.1, -2, 1e10])}
    yield own.sum(v)
    own.reverse(v)
    yield v
    yield own.length({"kind": -3, "text": b"flexible\0"})
    yield own.last({"count": 2, "items": [7, -300]})


@example("anonymous.c")
def anonymous(own):
    key = {"kind": own.constants["KEY"], "code": 65535, "letter": b"Q", "time": 5}
    mouse = {"kind": own.constants["MOUSE"], "x": 7, "y": -70000, "time": 1 << 40}
    c = {"r": 250, "g": 20, "b": 77, "a": 255}
    yield own.handle(key)
    yield key["letter"]
    yield own.handle(mouse)
    yield mouse["x"], mouse["y"], mouse["time"]
    yield own.blue(c)
    own.fade(c)
    yield c["r"], c["g"], c["b"], c["a"]
    c = {"rgba": c["r"] | c["g"] << 8 | c["b"] << 16 | c["a"] << 24}
    yield c


@example("unions.c")
def unions(own):
    yield own.sign({"real": -0.1})
    n = {"real": own.negate({"real": -0.1})["real"]}
    yield n
    own.scale(n, 3)
    yield n
    yield members(own.negate({"bytes": [1, 2, 3, 200]}), "bits", "real", "bytes")
    yield own.integer({"d": -2.5})
    yield own.larger({"d": -2.5}, {"d": 0.1})["d"]
    yield own.first({"text": b"some letters"}, 11)


@example("matrix_member.c")
def matrix_member(own):
    m = {"rows": 2, "cols": 3, "a": [[1, -2, 0.1], [4, 5, -6.5]]}
    f = {"name": b"f", "cells": np.arange(1, 13, dtype=np.int16).reshape(2, 2, 3), "mean": 0}
    f["cells"][1, 1, 2] = -32000
    yield own.scaled(m, 3)
    yield own.corner(m)
    yield own.flip(f)
    yield f


@example("array_of_structures.c")
def array_of_structures(own):
    p = [{"position": [1, -2, 0.5], "mass": 0.1, "charge": 100}, {"position": [3, 4, 5], "mass": 1e10, "charge": -7}]
    yield own.total_mass(p, 2)
    own.drift(p, 2, 0.25)
    yield p
    results = np.array([(1, 5), (2, -(1 << 40)), (65535, 1 << 40), (4, -5)], own.dtype("result"))
    own.sort(results, 4)
    yield results


@example("polygon.c")
def polygon(own):
    first = [{"x": 0, "weight": 0.5, "y": 0}, {"x": 4, "weight": 1.5, "y": 0.1}, {"x": -1, "weight": 2.5, "y": 3}, {}]
    p = [{"n": 3, "at": first, "closed": b"o"}, {"n": 1, "at": [{"x": 7, "weight": -1, "y": -8}, {}, {}, {}]}]
    p[1]["closed"] = b"x"
    yield own.area(p[0])
    yield own.extended(p[0], {"x": -5.5, "weight": 0.1, "y": 1e10})
    own.shift(p, 2, 0.25)
    yield p


@example("linked_list.c")
def linked_list(own):
    third = {"value": 30, "next": None, "visits": 7}
    second = {"value": -20, "next": third, "visits": 0}
    first = {"value": 10, "next": second, "visits": -1}
    yield own.sum(first)
    yield own.visit(first, -20)
    assert first["next"] is second and second["next"] is third and third["next"] is None
    yield [(node["value"], node["visits"]) for node in (first, second, third)]
    yield own.sum(None)
    root = {"left": {"left": {"key": -0.1}, "key": 2}, "right": {"key": 9}, "key": 5}
    yield own.depth(root)
    yield own.least(root)


@example("classes.c", needs="__int128 x;")
def classes(own):
    yield own.f_bytes3({"c": b"ab\x80"})
    yield own.f_float1({"x": 0.1})
    yield own.f_floats3({"x": 0.1, "y": -2, "z": 3e10})
    yield own.f_doubles4({"a": 0.1, "b": -2, "c": 3, "d": 4e300})
    yield own.f_int_double({"i": -70000, "d": 0.1})
    yield own.f_double_int({"d": 0.1, "i": -60})
    yield own.f_float_int({"f": 0.1, "i": -70000})
    yield own.f_longs2({"a": 1 << 40, "b": -3})
    yield own.f_longs3({"a": 1 << 40, "b": -3, "c": 1 << 50})
    yield own.f_extended({"x": 1})
    yield own.f_extended_int({"x": -1, "n": 7})
    yield own.f_complexes({"z": 0.1 + 2j})
    yield own.f_complex_float({"z": 0.1 - 2j, "x": 3})
    yield own.f_wide({"w": (1 << 90) + 7, "s": -32767})
    yield own.f_of_one({"out": {"in": {"x": -300}}})
    yield own.together(
        1,
        {"x": 0.5, "y": 7, "z": -2},
        0.1,
        {"a": 1 << 40, "b": 8, "c": -3},
        {"i": -9, "d": 0.3},
        -128,
        {"a": 5, "b": -(1 << 33)},
        {"a": -1, "b": 12},
        0.7,
        {"d": 1e3, "i": 99},
        -70000,
    )


@example("with_pointers.c")
def with_pointers(own):
    values = np.array([0.1, -2, 5])
    s = {"title": b"sales", "values": values, "n": 3, "scale": 2.5}
    yield own.total(s)
    yield own.total({"title": None, "values": values[:2], "n": 2, "scale": 0.1})
    own.normalise(s)
    assert s["values"] is values and s["title"] == b"sales"
    yield values, s["n"], s["scale"]
    pairs, sizes = [{"first": 1, "second": -2}, {"first": 300, "second": -32768}], np.array([2**64 - 2, 7], np.uint64)
    index = {"pairs": pairs, "sizes": sizes, "count": 2}
    yield own.flip(index)
    yield pairs, sizes, index["count"]


@example("member_kinds.c")
def member_kinds(own):
    are = own.constants
    a = {
        "yes": True,
        "level": are["HIGH"],
        "small": -127,
        "large": 5,
        "fixed": -7,
        "changing": 30000,
        "counter": -2,
        "z": 0.1 - 2j,
        "precise": -1,
        "difference": 1 << 40,
        "flags": [True, False, False],
        "levels": [are["HIGH"], are["HIGH"]],
        "path": [1, 2 - 0.1j],
        "masks": np.array([1, 2**64 - 1], np.uint64),
    }
    yield own.update(a)
    yield a


@example("system_structures.c")
def system_structures(own):
    yield own.divide(-17, 5)
    yield own.divide_long(1 << 50, -1000)
    t, date = {"tv_sec": 1 << 33, "tv_nsec": 999999999}, {"tm_year": 124, "tm_mon": 1, "tm_mday": 31}
    yield own.seconds(t)
    own.later(t, 2000000002)
    yield t
    yield own.day_of_year(date)
    yield date["tm_mon"], date["tm_mday"]


@example("tagged_union.c")
def tagged_union(own):
    circle, triangle, rectangle = (own.constants[name] for name in ("CIRCLE", "TRIANGLE", "RECTANGLE"))
    c = {"kind": circle, "as": {"circle": {"radius": 0.1}}, "label": b"c"}
    t = {"kind": triangle, "as": {"triangle": {"a": 1, "b": -2.5, "c": 0.1}}}
    yield own.perimeter(c)
    yield own.perimeter(t)
    s = own.square(0.7)
    assert s["kind"] == rectangle
    yield s["kind"], s["as"]["rectangle"], s["label"]
    yield own.all([c, t], 2)


@example("names_of_types.c")
def names_of_types(own):
    i, t = {"price": 1 << 40, "size": b"m"}, {"item": -21}
    yield own.raise_price(i, -1)
    yield i
    yield own.both([{"price": 7, "size": b"a"}, {"price": -9, "size": b"b"}])
    yield own.twice(t)
    own.clear(t)
    yield t


@example("records.c")
def records(own):
    s = np.zeros(2, own.dtype("sample"))
    s[0] = (200, -2000000000, (0.1, 7), (-300, 5))
    s[1] = (3, 2000000000, (-0.7, 0), (12, -32768))
    yield own.readings(s, 2)
    own.calibrate(s, 2, 3)
    yield s
    yield own.brightest(s[0], s[1])
    i = np.zeros((), own.dtype("image"))[()]
    i["pixels"] = np.arange(64)[:, None] * 3 + np.arange(64)
    i = own.checked(i)
    yield i["sum"], i["pixels"][63][62]


@example("edge_cases.c")
def edge_cases(own):
    yield own.count({}, -4)
    yield own.negate({"only": -127})
    yield own.run({"callback": None, "priority": -7, "next": {"priority": 40}}, 3)
    yield own.after({"n": -70000, "after": 300})


REFUSED = [
    Refused("points.c", lambda own: own.move({"x": 1, "z": 2}, 1, 1), ("p", "'z'", "x", "y")),
    Refused("points.c", lambda own: own.move({"x": 2**31}, 1, 1), ("p.x", str(2**31))),
    Refused("points.c", lambda own: own.move(5, 1, 1), ("p", "dict", "struct point")),
    Refused("points.c", lambda own: own.move(None, 1, 1), ("p", "dict", "None")),
    Refused("points.c", lambda own: own.swap(np.zeros(2, np.int32), None), ("a", "struct point")),
    Refused("nested.c", lambda own: own.area({"low": {"x": 1, "w": 2}}), ("r.low", "'w'")),
    Refused("nested.c", lambda own: own.area({"low": [1, 2]}), ("r.low", "dict")),
    Refused("histogram.c", lambda own: own.most({"bin": [1, 2, 3]}), ("h.bin", "4", "3")),
    Refused("histogram.c", lambda own: own.most({"bin": [1, 2, 3, 0.5]}), ("h.bin", "0.5")),
    Refused("person.c", lambda own: own.greet({"name": b"Katherine"}), ("p.name", "8", "9")),
    Refused("person.c", lambda own: own.greet({"name": "Ada"}), ("p.name", "bytes")),
    Refused("bit_fields.c", lambda own: own.day({"day": 32}), ("d.day", "31", "32")),
    Refused("bit_fields.c", lambda own: own.update({"offset": -33}), ("r.offset", "-32", "-33")),
    # clang's debug information puts this member where it is not.
    Refused(
        "crossing.c",
        lambda own: own.value({"low": 5, "value": -70000, "high": 9}),
        ("f", "struct full", "value"),
        "int value(",
        -69991,
    ),
    Refused("matrix_member.c", lambda own: own.corner({"a": [[1, 2], [3, 4], [5, 6]]}), ("m.a", "2", "3")),
    Refused("unions.c", lambda own: own.sign({"word": 1}), ("n", "'word'", "bits", "real", "bytes")),
    Refused("with_pointers.c", lambda own: own.total({"values": [1.0, 2.0]}), ("s.values", "array")),
    Refused(
        "with_pointers.c", lambda own: own.total({"values": np.zeros(2, "f4")}), ("s.values", "float64", "float32")
    ),
    Refused("edge_cases.c", lambda own: own.run({"callback": max}, 3), ("h.callback", "function")),
]
