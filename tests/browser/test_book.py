"""The book: `make book` builds it of all chapters; here, of one page that has one of everything, and looked at in a
browser.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from spe_lab.core.c import native

from .accessibility import findings
from .jupyter import MissingError, chromium

pytestmark = pytest.mark.slow
SOURCE = Path(__file__).parents[2] / "book"
CHAPTERS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
IMAGE = re.compile(r"<img\b[^>]*>")
FRAMES = [
    (
        f'<svg role="img" aria-label="state {i}" width="40" height="40"><circle cx="20" cy="20" r="{5 + i}"/></svg>',
        f"State {i}.",
    )
    for i in range(3)
]
CELLS = [
    new_markdown_cell(
        "# A page\n\nWith $x^2$ in line, a word to look for: zugzwang, and\n\n$$\\int_0^1 x\\,dx$$", id="title"
    ),
    new_code_cell("import sympy\n\nfrom spe_lab import explore\nfrom spe_lab.ui.stepper import Stepper", id="imports"),
    new_code_cell("sympy.Symbol('y') ** 3", id="formula", metadata={"tags": ["nbval-check-output"]}),
    new_code_cell('selectivity = explore("branches.selectivity")\nselectivity', id="lab"),
    new_code_cell("selectivity.measured().measured[0].source", id="source"),
    new_code_cell(f"Stepper({FRAMES!r})", id="stepper"),
    new_code_cell("selectivity.lab.parameters()", id="table"),
    new_code_cell("print('a long line ' * 40)", id="long"),
    new_code_cell("from spe_lab import noise\n\nnoise()", id="measures"),
    new_markdown_cell("## A lab\n\nPress *Measure*.", id="press", metadata={"tags": ["kernel"]}),
    new_code_cell("selectivity.text_of_a_button", id="left-out", metadata={"tags": ["kernel"]}),
    new_markdown_cell(
        "<details><summary>What you should see</summary>\n\nA *staircase*.\n\n</details>\n\n[The lab](#A-lab)",
        id="folded",
    ),
    new_markdown_cell("## For the lecturer\n\nShow it first.", id="lecturer", metadata={"tags": ["lecturer"]}),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a book: a page that has one of everything, executed, and all chapters as they are, which takes far
    less time.
    """
    if not importlib.util.find_spec("myst_nb"):
        pytest.skip("needs what builds the book: pip install 'spe-lab[book]'")
    folder = tmp_path_factory.mktemp("book")
    shutil.copytree(SOURCE, folder / "source", ignore=shutil.ignore_patterns("notebooks"))
    (folder / "source" / "notebooks").mkdir()
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(
        new_notebook(cells=CELLS, metadata=metadata), folder / "source" / "notebooks" / "00_everything.ipynb"
    )
    for path in CHAPTERS:
        chapter = nbformat.read(path, as_version=4)
        chapter.metadata |= {
            "mystnb": {"execution_mode": "off"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        }
        nbformat.write(chapter, folder / "source" / "notebooks" / path.name)
    shutil.copytree(CHAPTERS[0].parent / "pictures", folder / "source" / "notebooks" / "pictures")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "--builder",
        "html",
        "--fail-on-warning",
        "--quiet",
        str(folder / "source"),
        str(folder / "html"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def page(built):
    return (built / "notebooks" / "00_everything.html").read_text(encoding="utf-8")


def test_every_picture_has_a_text(page):
    images = IMAGE.findall(page)
    assert len(images) == (4 if native.available() else 3)
    assert all(re.search(r'alt="[^"]{20,}"', image) for image in images)


def test_formulas_cells_and_tables_are_there(page):
    for part in (r"\(x^2\)", r"\int_0^1 x\,dx", "y^{3}", "<th", "recorded"):
        assert part in page, part
    assert "widget-view" not in page


def test_what_needs_a_kernel_is_marked_or_left_out(page):
    framed = page.partition("With a running kernel")[2]
    assert framed.index("Press <em>Measure</em>") < framed.index("</div>")
    assert "text_of_a_button" not in page


def test_folds_hold_markdown_and_notes_for_the_lecturer(page):
    assert re.search(r"<summary>What you should see</summary>\s*<p>A <em>staircase</em>.</p>\s*</details>", page)
    assert re.search(r"<summary>Notes for a lecturer</summary>\s*<p>Show it first.</p>\s*</details>", page)


def test_links_between_notebooks_and_to_headings_lead_to_pages(built, page):
    assert 'href="#a-lab"' in page
    start = (built / "notebooks" / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{path.stem}.html"' in start for path in CHAPTERS if path.stem != "index")
    assert 'href="notebooks/index.html"' in (built / "index.html").read_text(encoding="utf-8")


@pytest.mark.skipif(not native.available(), reason="needs a C compiler to measure")
def test_only_what_was_measured_during_the_build_is_labelled_so(page):
    assert page.count("Measured while this page was built") == 1
    assert page.index('<span class="n">noise</span>') < page.index("Measured while this page was built")


def test_search_index_holds_a_word_of_the_page(built):
    assert "zugzwang" in (built / "searchindex.js").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(built, page):
    assert (built / "_static" / "mathjax" / "tex-chtml.js").is_file()
    for path in built.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link)\b[^>]*\b(?:src|href)="([^"]+)"', path.read_text(encoding="utf-8"))
        assert loaded
        assert not [url for url in loaded if url.startswith(("http:", "https:", "//"))], path.name


# In a browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """The test's own messages are enough."""


@pytest.fixture(scope="module")
def address(built):
    """Where a simple server serves the book."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(built)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    try:
        with chromium() as browser:
            yield browser
    except MissingError as error:
        pytest.skip(str(error))


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_needs_no_network(browser, address, scheme):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    wrong, foreign = [], []
    page.on(
        "console",
        lambda message: (
            wrong.append(message.text) if message.type == "error" and "favicon" not in message.location["url"] else None
        ),
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((address, "data:")) else foreign.append(request.url)
    )
    page.goto(f"{address}/notebooks/00_everything.html")
    page.locator("mjx-container").first.wait_for()
    found = findings(page, "html")
    assert not found, "\n".join(found)
    page.close()
    assert (wrong, foreign) == ([], [])


@pytest.mark.browser
@pytest.mark.parametrize("chapter", [path.stem for path in CHAPTERS])
def test_every_chapter_is_accessible(browser, address, chapter):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{address}/notebooks/{chapter}.html")
    page.locator("h1").first.wait_for()
    found = findings(page, "html")
    page.close()
    assert not found, "\n".join(found)


@pytest.mark.browser
def test_arrow_keys_choose_what_shows(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/notebooks/00_everything.html")
    group = page.get_by_role("radiogroup", name="step")
    pictures = group.locator("svg")
    assert [pictures.nth(i).is_visible() for i in range(3)] == [True, False, False]
    group.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowRight")
    assert [pictures.nth(i).is_visible() for i in range(3)] == [False, True, False]
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("served", [True, False], ids=["from a server", "from files"])
def test_search_finds_the_page(browser, built, address, served):
    page = browser.new_page()
    page.goto(f"{address if served else built.as_uri()}/search.html?q=zugzwang")
    page.locator("#search-results li", has_text="A page").wait_for()
    page.close()
