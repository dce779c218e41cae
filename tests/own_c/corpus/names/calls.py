"""Kind 5: names that mean something in Python, to the cell, or in the system's libraries."""

import numpy as np
from own_c.corpus.example import Refused, example


@example("keywords.c")
def keywords(own):
    to = np.zeros(3)
    own.copy(np.array([0.1, -2, 1e10]), to, 3)
    yield to
    yield own.decay(0.9, -7, 3)
    yield own.decay(is_=3, in_=-7, lambda_=0.9)
    yield own.count(1, None_=5 << 32, import_=4, def_=-2)
    yield own.member({"from": -70000, "class": 3, "in": 0.1}, yield_={"from": 1, "class": 2, "in": 7})
    yield own["and"](or_=1, not_=0)


METHODS = ("time", "close", "call", "output", "source", "functions", "function", "assembly", "sliders", "beside")
MEMBERS = ("warnings", "constants", "dtype", "name", "flags", "file", "limit_s")


@example("methods.c")
def methods(own):
    for at, name in enumerate((*METHODS, *MEMBERS, "ordinary")):
        assert own.function(name)(-100 * at) == own[name](x=-100 * at)
        yield own[name](-100 * at)
    assert 'own["' in repr(own), "the cell says how such a function is called"


@example("python_names.c")
def python_names(own):
    yield own.len(np.array([5, -1, 0, 7], np.int32), max=4)
    yield own.sum(self=0.1, arguments=-2, named=3)
    yield own.id(cell=1, name=-2, limit_s=3, own=4)
    yield own.print(7, args=-3, kwargs=5)
    yield own.isinstance(object=True, type=False)
    yield own["_private"](_x=-300)
    yield own["__dunder"](1 << 40)
    yield own.Case(N=70000, n=5)
    yield own.case_(-3)
    yield own.clash(-4, 3)


@example("library_names.c")
def library_names(own):
    a, b, to = np.array([5, -1, 70000, 2], np.int32), np.array([-8], np.int32), bytearray(b"zzz\0")
    yield own.gamma(5.5, 3)
    yield own.index(3, -2, 1000)
    yield own.y1(0.1, -2, 3)
    yield own.send(-300)
    yield own.signgam(-0.1)
    yield own.select(a, 4, 2)
    c = a[1:2].copy()
    own.swap(c, b)
    yield c, b
    yield own.strlcpy(to, b"letters", 4)
    yield to


@example("unnamed.c", needs="int f(int) { return 1; }")
def unnamed(own):
    out = np.array([-70000], np.int32)
    yield own.second(1, -300)
    yield own.third(np.ones(1), 2, 0.1)
    yield own.nothing()
    own.no_result(out)
    yield out


@example("unicode.c", needs="int größe;")
def unicode_names(own):
    k = {"größe": -2, "name": b"klein"}
    yield own.fläche(0.1, breite=-7)
    yield own.π(5)
    yield own["wächst"](k, 0.3)
    yield k


@example("inline_only.c")
def inline_only(own):
    yield own.six(-70000)


REFUSED = [
    Refused("inline_only.c", lambda own: own["twice"](3), ("twice", "inline", "static inline")),
    Refused("inline_only.c", lambda own: own["thrice"](3), ("thrice", "static")),
    Refused("inline_only.c", lambda own: own["in_a_comment"](3), ("in_a_comment", "six")),
    Refused("keywords.c", lambda own: own.decay(0.9, -7, in_=3), ("decay",)),
    Refused("keywords.c", lambda own: own.decay(lambda_=0.9, is_=3, inn=1), ("decay", "in")),
    Refused("python_names.c", lambda own: own.sum(1, 2, 3, 4), ("sum",)),
]
