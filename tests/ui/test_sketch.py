"""A curve drawn by sliders: what is committed is what they show, and it comes back."""

import pytest
from kinds import ALL_LABS

from spe_lab import explore, sketch
from spe_lab.core.errors import SpeLabError
from spe_lab.core.reader import journal


def test_moving_a_slider_draws_and_says_the_curve():
    drawing = sketch("memory.stride")
    assert len(drawing.sliders) == 5 and not drawing.committed and drawing.text.startswith("Not committed: ")
    before = drawing.picture.value
    list(drawing.sliders.values())[2].value = 20
    assert (
        drawing.picture.value != before
        and "20 ns at" in drawing.text
        and "20 ns at" in drawing.twin.value
        and "20 ns at" in drawing.picture.value
    )


def test_what_is_committed_comes_back_after_a_restart(capsys):
    drawing = sketch("memory.stride", points=3, within=2)
    list(drawing.sliders.values())[1].value = 10**1.3
    drawing.commit_button.click()
    assert (
        drawing.committed and drawing.text.startswith("Committed: ") and "Kept in your journal." in drawing.note.value
    )
    assert capsys.readouterr().out == ""  # a button has no cell to print below
    again = sketch("memory.stride", points=3)
    assert (
        again.curve == pytest.approx(drawing.curve)
        and again.prediction.within == 2
        and again.text.startswith("Committed: ")
    )
    assert "From your journal" in again.note.value and capsys.readouterr().out == ""
    next(iter(again.sliders.values())).value = 2
    assert again.text.startswith("Not committed: ")


def test_it_is_a_prediction_for_an_explorer_before_and_after_it_is_committed():
    drawing = sketch("memory.stride")
    explorer = explore("memory.stride", drawing)
    assert "Your prediction" not in explorer.text and str(drawing.score(None)).startswith("Commit a curve above, or ")
    drawing.commit()
    explorer.set(stride=64)
    assert "Your prediction: a curve through 5 points" in explorer.text
    assert drawing.score(None) == "No measurement yet: press Measure."


def test_after_a_look_a_drawn_curve_does_not_count():
    with journal.open_journal() as kept:
        kept.show("memory.stride")
    drawing = sketch("memory.stride")
    drawing.commit()
    assert "does not count" in drawing.note.value


@pytest.mark.parametrize("lab_id", ALL_LABS)
def test_a_curve_can_be_drawn_for_every_lab(lab_id):
    drawing = sketch(lab_id)
    drawing.commit()
    for slider in drawing.sliders.values():
        slider.value = 1.1 * slider.value
    assert drawing.drawn.low and "<img alt=" in drawing.picture.value and len(drawing.sliders) >= 2


@pytest.mark.parametrize("points", [1, 10])
def test_points_are_checked(points):
    with pytest.raises(SpeLabError, match="points must be between 2 and 9"):
        sketch("memory.stride", points=points)
