"""The player's script in a page of its own, without JupyterLab: what it shows against the traces, by keyboard."""

import pytest

from spe_lab.core.c import native
from spe_lab.topics.queueing.animation import SYSTEMS, Watched
from spe_lab.ui.player import SCRIPT, STYLE, Player

from .accessibility import findings
from .jupyter import MissingError, chromium

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not native.available(), reason="needs a C compiler")]

# What anywidget does with a script: it loads the text as a module and gives it the model and an element.
LOAD = """async ([script, state]) => {
  const url = URL.createObjectURL(new Blob([script], {type: 'text/javascript'}));
  const {default: {render}} = await import(url), listeners = {};
  const model = {get: name => state[name], on: (event, call) => { listeners[event] = call; }};
  window.change = fresh => { Object.assign(state, fresh); listeners['change:traces'](); };
  window.cleanup = render({model, el: document.querySelector('main')});
}"""
PAGE = f"<!DOCTYPE html><html lang=en><title>player</title><style>{STYLE.read_text()}</style><main></main></html>"


@pytest.fixture(scope="module")
def browser():
    try:
        with chromium() as browser:
            yield browser
    except MissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_content(PAGE)
    yield page
    page.close()


def load(page, player):
    page.evaluate(LOAD, [SCRIPT.read_text(), state(player)])


def state(player):
    return {"markup": player.stage.markup, "traces": player.stage.traces}


def text(page, part):
    return page.locator(part).first.text_content()


def time(page):
    return float(page.locator(".time input").input_value())


def said_of(trace, at):
    """What the page must say of a trace: counted from its columns."""
    present = (trace.arrival <= at) & (at < trace.departure)
    if trace.shape == "sharing":
        return f"{present.sum()} share the server, nobody waits"
    serving = present & (trace.start <= at)
    waiting = present & ~serving
    blocked = sum(trace.blocked(at, trace.server[i]) for i in (waiting & ~trace.long).nonzero()[0])
    behind = f", {blocked} of them short and behind a long job" if blocked else ""
    return f"{serving.sum()} in service, {waiting.sum()} waiting{behind}"


@pytest.mark.parametrize("systems", SYSTEMS)
def test_at_any_time_the_page_counts_the_customers_of_the_traces(page, systems):
    player = Player(Watched(), systems=systems, load=0.9)
    load(page, player)
    end = player.traces[0].end
    # Between events: at an event itself, the rounding of the traces to four digits decides.
    for at in (end * (k + 0.4567) / 12 for k in range(12)):
        page.locator(".time input").evaluate("(e, at) => { e.value = at; e.oninput(); }", at)
        shown = time(page)
        for scene, trace in zip(page.locator(".scene").all(), player.traces, strict=True):
            said = scene.locator(".live").text_content()
            assert said == said_of(trace, shown)
            assert f"{trace.name}: {said}" in text(page, ".said")


def test_the_keyboard_steps_from_event_to_event_and_back_to_the_start(page):
    player = Player(Watched())
    load(page, player)
    trace = player.traces[0]
    events = sorted({*trace.arrival, *(t for each in player.traces for t in (*each.start, *each.departure))})
    page.get_by_role("button", name="Next event").focus()
    for event in [event for event in events if event > 0][:5]:
        page.keyboard.press("Enter")
        assert time(page) == pytest.approx(event, abs=1e-3)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert time(page) == 0 and text(page, ".said").startswith("At 0.0: ")
    assert page.locator(".time input").get_attribute("aria-valuetext") == "0.0 mean services"


def test_it_goes_on_playing_when_the_traces_change_and_stops_when_the_view_goes(page):
    player = Player(Watched())
    load(page, player)
    page.get_by_label("mean services per second").select_option("20")
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('.time input').value > 1")
    player.sliders["load"].value = 0.9
    page.evaluate("fresh => change(fresh)", state(player))
    assert text(page, ".play") == "Pause" and page.get_by_label("mean services per second").input_value() == "20"
    page.wait_for_function("document.querySelector('.time input').value > 1")
    page.evaluate("cleanup()")
    page.evaluate("new Promise(requestAnimationFrame)")
    stopped = time(page)
    page.wait_for_timeout(100)
    assert time(page) == stopped


def test_who_wants_no_motion_is_shown_events_alone(page):
    page.emulate_media(reduced_motion="reduce")
    player = Player(Watched())
    load(page, player)
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('.time input').value > 0")
    events = [t for trace in player.traces for t in (*trace.arrival, *trace.start, *trace.departure)]
    shown = time(page)
    assert min(abs(shown - event) for event in events) < 1e-3


def test_it_is_a_group_with_names_and_keeps_its_keys_from_jupyterlab(page):
    load(page, Player(Watched()))
    group = page.get_by_role("group", name="Customers in queues")
    assert group.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert not findings(page, "main", ("minor", "moderate", "serious", "critical"))
