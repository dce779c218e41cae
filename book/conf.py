"""How Sphinx turns the notebooks into a book: executed with recorded data, complete without a network.

make book
"""

import importlib.util
import json
import os
from pathlib import Path

from spe_lab.ui.book_page import page

os.environ["SPE_LAB_BOOK"] = "1"  # the kernels inherit it: explorers show recorded data

project = "SPE Lab"
author = "SPE Lab"
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["**.ipynb_checkpoints"]
myst_enable_extensions = ["amsmath", "dollarmath", "html_image"]
myst_heading_anchors = 3
myst_heading_slug_func = "spe_lab.ui.book_page.anchor"


nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_mime_priority_overrides = [  # a widget needs a kernel,
    (builder, "application/vnd.jupyter.widget-view+json", None) for builder in ("html", "singlehtml")
]
nb_ipywidgets_js = {}  # and its scripts would be loaded from elsewhere
nb_render_markdown_format = "myst"

html_theme = "furo"
html_title = "SPE Lab"
html_copy_source = False
html_show_copyright = html_show_sphinx = False
html_css_files = ["book.css"]
# MathJax and its fonts come from a package, not from the network. Of its files the book needs those that set TeX in
# HTML.
MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static"
html_static_path = ["_static", str(MATHJAX)]
mathjax_path = "mathjax/tex-chtml.js"


def without_a_kernel(app, name, source):
    """A notebook becomes what can be read without a kernel."""
    if os.fspath(app.env.doc2path(name)).endswith(".ipynb"):
        source[0] = json.dumps(page(json.loads(source[0])))


def without_widgets(app, pagename, templatename, context, doctree):
    """The pictures that widgets held would be in each page twice."""
    context["script_files"] = [
        file
        for file in context["script_files"]
        if "widget-state" not in getattr(file, "attributes", {}).get("type", "")
    ]


def setup(app):
    app.connect("source-read", without_a_kernel)
    app.connect("html-page-context", without_widgets, priority=900)  # after myst_nb has put them in
