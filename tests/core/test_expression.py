"""Answers in text are looked at before sympy evaluates them."""

import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader.exercise import exercises
from spe_lab.core.reader.expression import harmless

ENDLESS = [
    "9**9**9**9",
    "9^9^9",
    "2**(10**9)",
    "(" * 300 + "p" + ")" * 300,
    "__import__('os')",
    "p.q",
    "p if p else 1",
    "",
]


@pytest.mark.parametrize("text", ["p*(1-p)", "2*p - 2*p**2", "sqrt(p)", "1/S - 1/N", " p^2 ", "log(p)/log(2)", "-1"])
def test_a_formula_passes(text):
    assert harmless(text) == text


@pytest.mark.parametrize("text", [*ENDLESS, "p*" * 600 + "p"])
def test_other_text_is_refused_in_a_sentence(text):
    with pytest.raises(SpeLabError, match="; write for example"):
        harmless(text)


@pytest.mark.parametrize("id", ["branches.two_states", "scaling.serial_share"])
@pytest.mark.parametrize("text", ENDLESS)
def test_no_exercise_hangs_on_it(id, text):
    assert exercises()[id].check(text).state == "wrong"
