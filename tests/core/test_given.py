"""Arguments in words: every kind for every type of C, seeds, extents, and words that fit nothing."""

import contextlib

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.own_c.compiled import Cell
from spe_lab.core.own_c.given import Given
from spe_lab.core.own_c.messages import CellError

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")

SOURCE = """
#include <complex.h>
#include <stdint.h>
struct point { double x, y; };
struct body { double mass; struct point at; float trace[3]; int n; const int16_t *id; };
enum mode { SLOW, FAST = 7 };
void numbers(int n, unsigned char u, char c, _Bool b, float f, double d, float complex z, enum mode mode) {}
void arrays(int n, int max, double *x, float *f, int8_t *i, uint64_t *u, char *s, _Bool *b, double complex *z, void *v) {}
double plane(int n, int m, double a[n][m]) { return a[0][0]; }
void by_value(struct body body) {}
void pointed(const struct body *body, struct point *end) {}
double apply(double (*f)(double), double **rows) { return 0; }
struct tree { struct tree *left, *right; double key; };
double least(struct tree *t) { return t->left ? least(t->left) : t->key; }
struct keys { uint64_t n, place; };
uint64_t work(struct keys *keys, uint64_t work) { return keys->n + work; }
"""


@pytest.fixture(scope="module")
def functions():
    with contextlib.closing(Cell(SOURCE, "own")) as cell:
        yield {name: function.declared for name, function in cell.functions.items()}


def values(function, text, **options):
    words = dict(word.split("=", 1) for word in text.split())
    return Given(words, **options).values(function)


def test_numbers_of_every_type(functions):
    given = values(functions["numbers"], "n=-0x10 u=1e2 c=a b=true f=inf d=2.5e-3 z=1+2i mode=FAST")
    assert given == {"n": -16, "u": 100, "c": b"a", "b": True, "f": np.inf, "d": 0.0025, "z": 1 + 2j, "mode": 7}
    assert list(given) == ["n", "u", "c", "b", "f", "d", "z", "mode"]


ARRAYS = "n=6 max=4 x=random:n f=random:n:-2:2 i=range:n u=random:n:1000:2000 s=random:n b=random:n z=random:n v=null"


def test_arrays_of_every_type_have_their_ranges(functions):
    given = values(functions["arrays"], ARRAYS)
    kinds = {name: given[name].dtype.str for name in "xfiusbz"}
    assert kinds == {"x": "<f8", "f": "<f4", "i": "|i1", "u": "<u8", "s": "|S1", "b": "|b1", "z": "<c16"}
    assert ((given["x"] >= 0) & (given["x"] < 1)).all() and ((given["f"] >= -2) & (given["f"] < 2)).all()
    assert given["i"].tolist() == list(range(6)) and ((given["u"] >= 1000) & (given["u"] < 2000)).all()
    text = given["s"].tobytes()
    assert text[-1] == 0 and text[:-1].isalpha() and text.islower()
    assert given["v"] is None


def test_an_array_depends_on_its_name_and_the_seed_and_is_the_same_for_both_versions(functions):
    one = Given({"n": "6", "max": "4", **dict.fromkeys("xf", "random:n"), **dict.fromkeys("iusbzv", "zeros:2")})
    first, second = (one.values(functions["arrays"]) for _ in range(2))
    assert first["x"] is second["x"] and not np.allclose(first["x"], first["f"])
    assert (values(functions["arrays"], ARRAYS)["x"] == first["x"]).all()
    assert (values(functions["arrays"], ARRAYS, seed=2)["x"] != first["x"]).all()


@pytest.mark.parametrize(
    ("word", "shape"),
    [("random:n", (6,)), ("zeros:max", (4,)), ("ones:nxmax", (6, 4)), ("range:3xmaxx2", (3, 4, 2)), ("zeros:0", (0,)),
     ("1,2,3.5", (3,)), ("5", (1,))],
)  # fmt: skip
def test_extents_are_numbers_or_names_which_may_hold_an_x(functions, word, shape):
    given = values(functions["arrays"], f"n=6 max=4 x={word} f=null i=null u=null s=null b=null z=null v=zeros:8")
    assert given["x"].shape == shape and given["v"].dtype == np.uint8


def test_structures_are_given_by_their_members(functions):
    words = "body.mass=2 body.at.y=1 body.trace=1,2,3 body.n=4 body.id=range:body.n"
    given = values(functions["by_value"], words)["body"]
    assert (given["mass"], given["at"], given["trace"].tolist()) == (2, {"y": 1}, [1, 2, 3])
    assert given["id"].dtype == np.int16 and given["id"].tolist() == [0, 1, 2, 3]
    pointed = values(functions["pointed"], f"{words} end=null")
    assert pointed["end"] is None and pointed["body"]["n"] == 4
    assert values(functions["least"], "t.key=2 t.left.key=1")["t"] == {"key": 2, "left": {"key": 1}}
    assert values(functions["work"], "n=3") == {"n": 3}  # of a work kernel: the members of its structure


def test_text_and_files(functions, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(3.0))
    nothing = "n=1 max=1 f=null i=null u=null b=null z=null v=null"
    given = values(functions["arrays"], f"{nothing} s=text:abc x={tmp_path / 'x.npy'}")
    assert given["s"] == b"abc\0" and given["x"].tolist() == [0, 1, 2]
    (tmp_path / "x.npy").write_text("1, 2, 3")
    with pytest.raises(CellError, match=r"x must be a file of one numpy array of numbers, got .*; write it with numpy"):
        values(functions["arrays"], f"{nothing} s=null x={tmp_path / 'x.npy'}")
    with pytest.raises(FileNotFoundError):
        values(functions["arrays"], f"{nothing} s=null x={tmp_path / 'gone.npy'}")


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        (
            "plane",
            "n=3",
            r"plane needs a value for m, a, as double plane\(.*\) says; write --set m=1000 --set a=random:10x10",
        ),
        ("plane", "n=3 m=2 a=zeros:nxm k=1", r"must name one of n, m, a of double plane\(.*\), got k; leave it out"),
        (
            "plane",
            "n=1.5 m=2 a=zeros:nxm",
            r"n must be a whole number for C's int, got '1.5'; write for example --set n=",
        ),
        ("plane", "n=x m=2 a=zeros:nxm", r"n must be a whole number for C's int, got 'x'"),
        (
            "plane",
            "n=3 m=2 a=zeros",
            r"a must be an array for C's double \(\*\)\[\], got 'zeros'; write for example --set",
        ),
        ("plane", "n=3 m=2 a=zeros:k", r"a must be an array .* got 'zeros:k'"),
        ("plane", "n=3 m=2 a=fill:3", r"a must be an array .* got 'fill:3'"),
        ("plane", "n=3 m=2 a=zeros:3:1:2", r"a must be an array .* got 'zeros:3:1:2'"),
        ("plane", "n=3 m=2 a=zeros:-3", r"a must be an array .* got 'zeros:-3'"),
        ("plane", "n=3 m=2 a=random:3:0:many", r"the bounds of a must be numbers or names that are set, got 'many'"),
        ("plane", "n=3 m=2 a=random:3:nan:1", r"the bounds of a must be numbers or names that are set, got 'nan'"),
        ("plane", "n=3 m=2 a=zeros:99999x99999999", r"a must have at most 1 GiB, got 8e\+13 B; choose smaller extents"),
        ("plane", f"n=3 m=2 a=zeros:{'9' * 5000}", r"a must be an array"),
        ("plane", f"n=3 m=2 a=zeros:{'1x' * 90}1", r"a must be an array"),
        ("arrays", ARRAYS.replace("i=range:n", "i=range:129"), r"i must hold numbers that fit int8"),
        (
            "arrays",
            ARRAYS.replace("1000:2000", "-1:2000"),
            r"u must hold numbers that fit uint64, got -1; choose closer",
        ),
        ("arrays", ARRAYS.replace("-2:2", "-1e39:2"), r"f must hold numbers that fit float32, got -1e\+39"),
        ("arrays", ARRAYS.replace("1000:2000", "5:5"), r"u must have bounds with numbers between them, got 5 and 5"),
        (
            "arrays",
            ARRAYS.replace("i=range:n", "i=1,300"),
            r"i must be between -128 and 127 to fit C's int8_t, got 300",
        ),
        ("least", "", r"least needs a value for t, as double least\(struct tree \*t\) says; write --set t.key=1000"),
        ("arrays", ARRAYS.replace("b=random:n", "b=range:n"), r"b must hold numbers that fit bool, got 5"),
        ("by_value", "body=2", r"body must be given by its members, got '2'; write --set body.mass=1000"),
        ("by_value", "body.x=2", r"must name one of mass, at, trace, n, id of struct body, got body.x"),
        ("numbers", "n.x=1 u=1 c=a b=0 f=1 d=1 z=1 mode=0", r"n must be one value, since C's int has no members"),
        ("numbers", "n=1 u=1 c=a b=0 f=1 d=1 z=q mode=0", r"z must be a number for C's"),
        ("apply", "f=1 rows=null", r"f must be null for C's double \(\*\)\(\), got '1'; write --set f=null"),
        ("apply", "f=null rows=zeros:3", r"rows must be null for C's double \*\*, got 'zeros:3'"),
    ],
)
def test_words_that_fit_nothing_are_refused_in_one_sentence(functions, name, words, sentence):
    with pytest.raises(CellError, match=sentence) as refused:
        values(functions[name], words)
    assert "\n" not in str(refused.value) and ";" in str(refused.value)
