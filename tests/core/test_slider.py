"""A slider says its parameter in words and its values with units."""

import pytest

from spe_lab.core.errors import SpeLabError
from spe_lab.core.slider import Slider


def test_the_label_is_the_name_unless_it_is_given_and_the_symbol_stands_behind_it():
    assert Slider("l2", "ns", 3.0, "a latency").title == "l2"
    assert Slider("l2", "ns", 3.0, "a latency", label="L2 latency").title == "L2 latency, l2"
    assert Slider("l2", "ns", 3.0, "a latency", label="L2 latency", symbol="l_L2").title == "L2 latency, l_L2"
    assert Slider.choice("payload", ("none",), "data", "usual", label="Payload").title == "Payload"
    count = Slider.count("n", 3, "how many", 1, 9, "few", label="Threads", symbol="N", group="Team")
    assert (count.title, count.group, count.multiple_of) == ("Threads, N", "Team", 1)


def test_a_share_is_shown_and_read_in_per_cent():
    share = Slider("p", "", 0.3, "a share", 0, 1, percent=True)
    assert [share.rendered(value) for value in (0.3, 0.0019531, 1, 0)] == ["30 %", "0.195 %", "100 %", "0 %"]
    assert share.checked("25 %") == share.checked("0.25") == share.checked(0.25) == 0.25
    with pytest.raises(SpeLabError, match="p must be between"):
        share.checked("130 %")
    with pytest.raises(SpeLabError, match="p must be"):
        Slider("p", "", 0.3, "a share", 0, 1).checked("25 %")


def test_what_is_no_number_is_shown_as_it_is():
    assert Slider("p", "", 0.3, "a share", 0, 1).rendered("deterministic") == "deterministic"
    assert Slider("size", "B", 1.0, "bytes").rendered(65536.0) == "64 KiB"
