"""The figures' colours for every kind of eye, by numbers: contrast against the white ground, and distance from each
other.

Colour vision deficiencies are simulated with the matrices of Machado, Oliveira and Fernandes ("A Physiologically-based
Model for Simulation of Color Vision Deficiency", IEEE TVCG 15, 2009) at severity 1, which apply to linear RGB.
Distances are CIE76 in CIELAB (D65); 2.3 is what an eye just notices.
"""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from spe_lab.ui import sheet
from spe_lab.ui.style import SHEET

VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
FAR_APART = 20  # CIE76: nearly ten times the just noticeable difference, for thin lines on a projector

POINTS = [*sheet.MEASURED, *((sheet.ELSEWHERE, marker) for marker in sheet.ELSEWHERE_MARKERS)]
LINES = [
    *sheet.PREDICTED,
    *((sheet.ELSEWHERE, style) for style in sheet.ELSEWHERE_STYLES),
    *((sheet.MARKED, style) for style in sheet.MARK_STYLES),
]
COLOURS = {colour for colour, _ in (*POINTS, *LINES)} | {sheet.COMMITTED}


def linear(colour):
    """Linear RGB of an sRGB colour."""
    c = np.array(to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def seen(colour, vision):
    return np.clip(VISION[vision] @ linear(colour), 0, 1)


def lab(rgb):
    """CIELAB of linear RGB."""
    t = TO_XYZ @ rgb / (TO_XYZ @ np.ones(3))
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast_with_white(rgb):
    return 1.05 / (TO_XYZ[1] @ rgb + 0.05)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colour", sorted(COLOURS))
def test_every_colour_stands_out_from_the_ground(colour, vision):
    assert contrast_with_white(seen(colour, vision)) >= 3  # WCAG 2.2, 1.4.11: graphical objects


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("kind", [POINTS, LINES], ids=["points", "lines"])
def test_any_two_curves_differ_in_shape_or_clearly_in_colour(kind, vision):
    for (colour, shape), (other, other_shape) in combinations(kind, 2):
        distance = np.linalg.norm(lab(seen(colour, vision)) - lab(seen(other, vision)))
        assert shape != other_shape or distance >= FAR_APART, (
            f"{colour} and {other} as {shape} look alike with {vision}: {distance:.0f}"
        )


def darkened(colour):
    """A colour in a dark theme: inverted, and its hue turned back, in sRGB as the filters of CSS do it.

    The matrix of hue-rotate(180deg) is that of Filter Effects Module Level 1, section 9.6.
    """
    lum = np.array([0.213, 0.715, 0.072])
    turned = 2 * np.outer(np.ones(3), lum) - np.eye(3)
    return np.clip(turned @ (1 - np.array(to_rgb(colour))), 0, 1)


@pytest.mark.parametrize("vision", VISION)
def test_in_a_dark_theme_colours_stand_out_from_black_and_from_each_other(vision):
    assert "filter: invert(1) hue-rotate(180deg)" in SHEET
    for colour in sorted(COLOURS):
        luminance = TO_XYZ[1] @ seen(darkened(colour), vision)
        assert (luminance + 0.05) / 0.05 >= 3, f"{colour} on black with {vision}"
    for kind in (POINTS, LINES):
        for (colour, shape), (other, other_shape) in combinations(kind, 2):
            distance = np.linalg.norm(lab(seen(darkened(colour), vision)) - lab(seen(darkened(other), vision)))
            assert shape != other_shape or distance >= FAR_APART, f"{colour} and {other} as {shape}: {distance:.0f}"


@pytest.mark.parametrize("vision", VISION)
def test_what_is_measured_differs_from_what_is_of_elsewhere_also_in_colour(vision):
    elsewhere = lab(seen(sheet.ELSEWHERE, vision))
    for colour, _ in sheet.MEASURED[:2]:  # no lab of this book measures more curves beside a recorded run
        assert np.linalg.norm(elsewhere - lab(seen(colour, vision))) >= FAR_APART, colour


def test_the_arithmetic_knows_published_values():
    assert contrast_with_white(linear("black")) == pytest.approx(21)
    assert contrast_with_white(linear("#767676")) == pytest.approx(
        4.54, abs=0.01
    )  # the lightest grey that passes for text at level AA
    assert lab(linear("red")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    for matrix in VISION.values():
        assert matrix.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)  # white stays white
