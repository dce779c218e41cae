"""The player: traces against the run that they were cut from, and a page that says in words what it shows."""

import json
import re

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.errors import SpeLabError
from spe_lab.models.queues import Priority, Shared, Sharing, Split, bimodal, poisson, simulate
from spe_lab.models.queues.trace import Trace
from spe_lab.topics.queueing import Watched
from spe_lab.ui import player
from spe_lab.ui.player import Player

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
LAW = bimodal(1.0, 0.05, 20.0)
CUT = 3.0


def traced(system, servers=1, who=True):
    return Trace.of("made up", simulate(system, poisson(0.7 * servers), LAW, 4000, seed=2, who=who), 200, CUT)


@pytest.mark.parametrize(("system", "servers"), [(Shared(1), 1), (Shared(3), 3), (Split(3), 3), (Priority(2, CUT), 2)])
def test_no_server_of_a_trace_serves_two_at_once_and_nobody_starts_before_it_comes(system, servers):
    trace = traced(system, servers)
    assert (trace.start >= trace.arrival - 1e-9).all() and np.allclose(trace.departure - trace.start, trace.service)
    for server in range(servers):
        mine = np.argsort(trace.start[trace.server == server])
        begin, end = trace.start[trace.server == server][mine], trace.departure[trace.server == server][mine]
        assert (begin[1:] >= end[:-1] - 1e-9).all()
    _, present = trace.present()
    assert present.min() >= 0 and present[-1] == 0


def test_virtual_time_gives_each_shared_job_its_service():
    trace = traced(Sharing(1))
    at, gone = trace.elapsed
    inside = (trace.arrival >= at[0]) & (trace.departure <= trace.end)
    had = np.interp(trace.departure[inside], at, gone) - np.interp(trace.arrival[inside], at, gone)
    assert inside.sum() > 150 and had == pytest.approx(trace.service[inside], abs=1e-6)


def test_who_is_behind_a_long_job_is_found_by_walking_through_time_too():
    for system, servers in ((Shared(1), 1), (Split(3), 3), (Shared(2), 2)):
        trace = traced(system, servers)
        times = np.unique(np.concatenate([trace.arrival, trace.start, trace.departure]))
        seen = np.zeros(trace.arrival.size, bool)
        for at in (times[1:] + times[:-1]) / 2:
            waiting = (trace.arrival <= at) & (at < trace.start) & ~trace.long
            for i in np.flatnonzero(waiting):
                seen[i] |= trace.blocked(at, trace.server[i])
        assert np.array_equal(seen, trace.behind_long())


def test_a_trace_needs_to_know_who_served():
    with pytest.raises(SpeLabError, match="who=True"):
        traced(Shared(1), who=False)


def test_the_page_holds_the_traces_and_says_them_in_words():
    shown = Player(Watched(), systems="four servers")
    stage = shown.stage
    scenes = stage.traces["scenes"]
    assert [scene["name"] for scene in scenes] == ["one queue", "a queue each"] and scenes[0]["servers"] == 4
    assert json.loads(json.dumps(stage.traces, allow_nan=False)) == stage.traces  # the page reads the same
    assert stage.markup.count('class="moving"') == 2 and 'role="status"' in stage.markup
    for trace in shown.traces:
        assert trace.said() in shown.text and trace.said() in stage.markup
    before = stage.markup, stage.traces
    shown.sliders["load"].value = 0.9
    assert stage.markup != before[0] and stage.traces != before[1]


def test_markup_and_traces_reach_the_page_in_one_message(monkeypatch):
    shown = Player(Watched())
    sent = []
    monkeypatch.setattr(shown.stage.comm, "publish_msg", lambda _kind, data=None, **_more: sent.append(data))
    shown.sliders["load"].value = 0.9
    assert [sorted(data["state"]) for data in sent] == [["markup", "traces"]]


@pytest.mark.parametrize("source", ["markup", "still"])
def test_there_is_no_script_in_the_markup(source):
    shown = Player(Watched())
    markup = shown.stage.markup if source == "markup" else shown._repr_mimebundle_()[0]["text/html"]
    assert not re.search(r"<script|\son\w+=", markup)


def test_without_a_kernel_the_strips_are_left(monkeypatch):
    monkeypatch.setenv("SPE_LAB_BOOK", "1")
    data, _ = Player(Watched())._repr_mimebundle_()
    assert data["text/html"].count("<svg") == 3 and "behind a long one" in data["text/plain"]
    assert player.most(Watched().traces(Player(Watched()).point)) > 3


def test_a_slider_that_is_none_is_refused():
    with pytest.raises(SpeLabError, match="settings must be sliders"):
        Player(Watched(), speed=3)
