"""JupyterLab under a Content-Security-Policy, as a JupyterHub may set it: our pages need no script in their HTML."""

import pytest

from spe_lab.core.c import native

from .jupyter import Explorer, MissingError, jupyterlab, write_notebook

pytestmark = pytest.mark.browser

# The strictest that works. JupyterLab itself (4.6) shows no notebook without 'unsafe-eval', as it compiles the schemas
# of its settings, nor without 'unsafe-inline' for styles. anywidget imports a widget's script from a blob: URL.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' {}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws:"
)
CELLS = (
    'from IPython.display import HTML\nHTML("""<style onload="window.inline = true"></style>""")',
    'from spe_lab import explore\nexplore("memory.stride")',
    "from spe_lab.topics import queueing\nfrom spe_lab.ui.player import Player\nPlayer(queueing.Watched())",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    write_notebook(folder / "policy.ipynb", *(CELLS if native.available() else CELLS[:2]))
    return folder


def opened(folder, policy):
    """The notebook under this policy, once all its cells have run."""
    try:
        with jupyterlab(folder, policy=policy) as lab, lab.open("policy.ipynb") as notebook:
            notebook.run_all()
            yield notebook
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def notebook(folder):
    yield from opened(folder, POLICY.format("blob:"))


def test_the_policy_stops_script_in_html(notebook):
    assert notebook.evaluate("return window.inline") is None
    assert any("Executing inline event handler violates" in said for said in notebook.console_errors)


def test_sliders_have_their_names_and_move(notebook):
    explorer = Explorer(notebook, 1)
    handle = explorer.slider("stride")
    notebook.wait(lambda: handle.get_attribute("aria-label"), "the slider has a name")
    assert handle.get_attribute("aria-label").startswith("Stride, s: distance of two accesses")
    explorer.press("stride", "ArrowRight")
    assert handle.get_attribute("aria-valuetext") == explorer.readout("stride")


@pytest.mark.skipif(not native.available(), reason="the player needs a C compiler")
def test_the_player_steps_and_follows_its_sliders(notebook):
    player = notebook.page.locator(".spe-player")
    strip, time = player.locator("svg[role=img]").first, player.locator(".time input")
    player.get_by_role("button", name="Next event").press("Enter")
    assert float(time.input_value()) > 0
    before = strip.get_attribute("aria-label")
    notebook.page.locator(".noUi-handle[aria-label^='Load']").press("ArrowRight")
    notebook.wait(lambda: strip.get_attribute("aria-label") != before, "other traces are shown")
    assert float(time.input_value()) == 0 and "FCFS: " in player.locator(".said").text_content()
