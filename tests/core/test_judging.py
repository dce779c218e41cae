"""What judges share: whose run it is, and what a comparison of times must not be passed by."""

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.curve import Axis, Curve
from spe_lab.core.errors import SpeLabError, UnavailableError
from spe_lab.core.reader import judging
from spe_lab.core.reader.judging import c_text, judge_c, loops_of, own_run, same_code
from spe_lab.core.recording import Recording


class Open:
    """As what an open prediction gives in the place of a run."""

    def __bool__(self):
        return False

    def __getattr__(self, name):
        return self


def run(lab="branches.selectivity", source="measured", **point):
    x = Axis("p", "", np.array([0.0, 1.0]))
    return Recording(lab, {"payload": "none"} | point, x, [Curve("branching", source, x, "ns", [1, 2])], {}, {}, "0")


def test_one_s_own_run_is_given_back():
    own = run()
    assert own_run(own, "branches.selectivity") is own_run(own, "branches.selectivity", payload="none") is own
    assert own_run(run("branches.predictor", "simulated"), "branches.predictor")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (None, "there is none yet; press Measure"),
        (Open(), "there is none yet; press Measure"),
        (run("branches.rate"), "this is a run of branches.rate"),
        (run(source="recorded"), "recorded on another machine"),
        (run(payload="64 B"), "at payload = none, and this run has 64 B"),
    ],
)
def test_any_other_run_is_refused_with_the_cure(other, said):
    with pytest.raises(UnavailableError, match=said):
        own_run(other, "branches.selectivity", payload="none")


def test_c_that_cannot_be_written_to_a_file_is_refused():
    with pytest.raises(SpeLabError, match="UTF-8"):
        c_text("int f;  // \ud800")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("int a; // x", "int  a;\n", True),
        ("int a; /* x\n y */ int b;", "int a;\nint b;", True),
        ("int ab;", "int a b;", False),
        ('f("/* no */");', 'f("");', False),
        ("c = '\"'; // \"", "c = '\"';", True),
    ],
)
def test_comments_and_white_space_do_not_change_c(one, other, same):
    assert same_code(one, other) == same


def judged(monkeypatch, outcome, **options):
    monkeypatch.setattr(judging, "judged", lambda *_: outcome)
    monkeypatch.setattr(native, "compiler", lambda: None)
    options = {"limit": 2.0, "below": False} | options
    return judge_c("int f;", lambda _: outcome, "{} times", name="f", right=": yes", wrong=": no", **options)


@pytest.mark.parametrize(
    ("outcome", "options", "state", "said"),
    [
        ((2.9, 3.0, 3.1), {}, "right", "3.00 times (interval 2.90 to 3.10): yes"),
        ((0.9, 1.0, 1.1), {}, "wrong", ": no"),
        ((1.9, 2.0, 2.1), {}, "inconclusive", "includes 2"),
        ((2.9, 3.0, 3.1), {"below": True}, "wrong", ": no"),
        ((49, 50, 51), {"at_most": 8}, "wrong", "more than 8 is not asked for"),
        (((2.9, 3, 3.1), (0.9, 1, 1.1)), {"absolute": 2}, "right", ": yes"),
        (((2.9, 3, 3.1), (9, 10, 11)), {"absolute": 2}, "wrong", "10.0 times as long as our own function"),
        (((2.9, 3, 3.1), (np.nan,) * 3), {"absolute": 2}, "inconclusive", "too few clean samples"),
        ("it returns 1", {}, "wrong", "it returns 1"),
        ((2.9, 3.0, 3.1), {"look": lambda loops: "no division"}, "wrong", "no division"),
        ((2.9, 3.0, 3.1), {"look": lambda loops: ""}, "right", ": yes"),
    ],
)
def test_a_comparison_of_times_has_limits_on_both_sides(monkeypatch, outcome, options, state, said):
    monkeypatch.setattr(judging, "loops_of", lambda *_: [])
    verdict = judged(monkeypatch, outcome, **options)
    assert verdict.state == state and said in verdict.reason, verdict


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
def test_the_loops_of_an_answer_are_there_to_look_at():
    source = "unsigned f(unsigned *a, unsigned n) { for (unsigned i = 0; i < n; i++) a[i] /= a[0]; return 0; }"
    (loop, *_) = loops_of(source, "f")
    assert any("div" in line for line in loop)


@pytest.mark.skipif(not native.available(), reason="needs a C compiler")
def test_the_loops_of_an_answer_with_names_of_gnu_are_there_too():
    text = "#include <math.h>\ndouble f(const double *x, long n) { typeof(n * *x) s = M_PI; for (long i = 0; i < n; i++) s += x[i]; return s; }\n"
    assert loops_of(text, "f")
