"""Notes for the lecturer: a page of its own."""

import re

import pytest

from spe_lab.ui.lecture_notes import notes_name, notes_page

pytest.importorskip("mdit_py_plugins", reason="needs what make lecture needs: pip install 'spe-lab[lecture]'")


def page(*cells, name="03b_memory.ipynb"):
    """The page of a notebook with cells of (kind, source, tag)."""
    made = [{"cell_type": k, "source": [s], "metadata": {"tags": [t] if t else []}} for k, s, t in cells]
    return notes_page({"cells": made}, name)


def test_notes_are_gathered_and_nothing_else():
    text = page(
        ("markdown", "# 03b · Memory", ""),
        ("markdown", "## For the lecturer\n\n| a | b |\n|---|---|\n| 1 | 2 |", "lecturer"),
        ("code", "demo()", "lecturer"),
        ("markdown", "## Sources", ""),
    )
    assert "<h1>Notes for the lecturer: 03b · Memory</h1>" in text
    assert "<h2>For the lecturer</h2>" in text
    assert "<td>1</td>" in text
    assert "demo()" in text
    assert "Sources" not in text
    assert notes_name("notebooks/03b_memory.ipynb") == "03b_notes.html"


def test_page_is_self_contained_and_harmless():
    text = page(
        ("markdown", '<script>alert(1)</script> [x](javascript:alert(1)) <img src="http://a/b.png">', "lecturer")
    )
    assert "<script" not in text
    assert 'href="javascript:' not in text
    assert not re.search(r'<[^>]+(src|href)="http', text)


def test_formulas_are_pictures_and_what_cannot_be_drawn_is_text():
    text = page(("markdown", "Say $l_2 = 4$ and\n\n$$\\frac{a}{b}$$\n\nand $\\nosuchthing{x}$ for $5.", "lecturer"))
    assert text.count("data:image/svg+xml;base64,") == 2
    assert 'alt="l_2 = 4"' in text
    assert "<code>\\nosuchthing{x}</code>" in text


def test_chapter_without_notes_says_so():
    text = page(("markdown", "# 03b · Memory", ""))
    assert "no notes for the lecturer yet" in text
    assert "45 minutes" not in text


def test_short_path_is_listed():
    text = page(("markdown", "## The <b> question\n\nText.", "lecture"), ("markdown", "## Not this", ""))
    assert "SHORT=1" in text
    assert "The &lt;b&gt; question" in text
    assert "Not this" not in text
