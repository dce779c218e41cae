"""Load on a companion: what is timed, open and closed loops, and round trips through the usual sweep."""

import os
import signal
import socket
import struct
import threading

import numpy as np
import pytest

from spe_lab.core.c import native
from spe_lab.core.cancel import Cancel
from spe_lab.core.errors import CancelledError, MeasurementError, SpeLabError
from spe_lab.core.sampling.companion import Companion, CompanionError
from spe_lab.core.sampling.load import Client, RoundTrips, arrivals
from spe_lab.core.sampling.teams import Setting, interleaved

pytestmark = pytest.mark.skipif(not native.available(), reason="needs a C compiler")
MS = 1_000_000


@pytest.fixture
def echo():
    with Companion(native.build_program("echo")) as companion:
        yield companion


def test_in_a_closed_loop_each_request_waits_for_the_answer_before(echo):
    service = np.array([0, 3 * MS, 0, 2 * MS])
    records, threads = Client(echo, 64).closed(4, service)
    latency = records["received_ns"] - records["sent_ns"]
    assert (latency >= service).all() and (records["due_ns"] == records["sent_ns"]).all()
    assert (records["sent_ns"][1:] >= records["received_ns"][:-1]).all()
    assert threads["began_ns"][0] <= records["sent_ns"][0] and records["received_ns"][-1] <= threads["ended_ns"][0]
    assert echo.ask("ECHO_COUNTS")[:2] == [4, 1]


def test_in_an_open_loop_a_stall_is_seen_by_all_requests_that_are_due_meanwhile(echo):
    """A stall of 60 ms at one request in 5: a closed loop sees one long latency, an open one sees all that waited."""
    due, service = np.arange(100) * MS, np.where(np.arange(100) == 20, 60 * MS, 0)
    records, threads = Client(echo, 64).open(due, service)
    assert (np.diff(records["due_ns"]) == MS).all() and threads.size == 2
    assert (records["sent_ns"] >= records["due_ns"]).all() and (records["received_ns"] >= records["sent_ns"]).all()
    latency = records["received_ns"] - records["due_ns"]
    waited = 60 * MS - (due[20:80] - due[20])  # first come, first served: nobody overtakes
    assert (latency[20:80] >= waited).all()
    assert (records["sent_ns"][21:80] < records["received_ns"][20]).sum() > 1  # they were not held back


def test_arrivals_are_decided_beforehand():
    assert (np.diff(arrivals(1e6, 1000)) >= 0).all() and (arrivals(1e6, 1000) == arrivals(1e6, 1000)).all()
    assert abs(arrivals(1000, 100_000)[-1] / 1e11 - 1) < 0.02  # standard error 0.3 %
    gaps = np.diff(arrivals(1000, 100_000, seed=2))
    assert abs(gaps.std() / gaps.mean() - 1) < 0.03
    assert set(np.diff(arrivals(1000, 100, poisson=False))) == {MS}


@pytest.mark.machine
@pytest.mark.may_skip_busy
def test_round_trips_against_message_size_go_through_the_usual_sweep(echo):
    """What a lab with a companion does: one Setting for each point."""
    sizes = (64, 65536, 262144)
    trips = {size: RoundTrips(echo, size) for size in sizes}
    try:
        *_, trials = interleaved([Setting(f"{size} B", trip.run) for size, trip in trips.items()], budget_s=0.5)
    except MeasurementError as error:
        pytest.skip(f"this machine is too busy: {error}")
    assert trials.rounds >= 1 and trials.estimate.tried.min() > 0
    time_ns = trials.estimate.value
    # Four copies of 256 KiB at 1 TB/s take 1 µs; a system call takes more than 20 ns.
    assert (time_ns > 80).all() and time_ns[2] > 1000
    assert time_ns[2] > time_ns[0]  # 4096 times the bytes
    assert echo.ask("ECHO_COUNTS")[0] >= sum(trip.rounds for trip in trips.values())


@pytest.mark.parametrize("kind", ["closed", "open"])
@pytest.mark.parametrize("wrong", ["silent", "gone", "other size", "other number"])
def test_a_service_that_does_not_answer_ends_in_a_sentence(echo, kind, wrong, monkeypatch):
    ours, theirs = socket.socketpair()
    monkeypatch.setattr(echo, "connect", lambda: ours)
    client = Client(echo, 32, limit_s=0.1)
    if wrong == "gone":
        theirs.close()
    if wrong.startswith("other"):
        theirs.sendall(struct.pack("=IIQ16x", *((32, 0, 7) if wrong == "other number" else (31, 0, 0))))
    said = {"silent": "must answer a request within 0.1 s, and was silent"}.get(
        wrong, "must send requests back as they are, and closed the connection or sent something else"
    )
    with pytest.raises(CompanionError, match=f"^echo {said}; look"):
        client.closed(3) if kind == "closed" else client.open(arrivals(1000, 3))
    ours.close()
    theirs.close()


@pytest.mark.parametrize("kind", ["closed", "open"])
def test_cancel_ends_a_load_and_its_companion(kind):
    cancel = Cancel()
    with Companion(native.build_program("echo"), cancel=cancel) as echo:
        client = Client(echo, 64)
        threading.Timer(0.1, cancel.set).start()
        with pytest.raises(CancelledError, match="the load on echo was cancelled"):
            client.closed(5, 4 * 10**9) if kind == "closed" else client.open([0, 10**12])
        assert not echo.folder.exists()


def test_a_crash_under_load_names_the_signal(echo):
    client = Client(echo, 64)
    threading.Timer(0.1, os.kill, (echo.pid, signal.SIGSEGV)).start()
    with pytest.raises(CompanionError, match="and was ended by SIGSEGV; look for a crash in its C file"):
        client.closed(100, 10 * MS)


def test_what_c_would_misread_is_refused(echo):
    client = Client(echo, 16)
    for call, said in (
        (lambda: Client(echo, 15), "size must be between 16 and 262144 bytes, got 15"),
        (lambda: client.open([2, 1]), "due_ns must be at least 0 and not fall"),
        (lambda: client.open([-1]), "due_ns must be at least 0"),
        (lambda: client.closed(-1), "n must be between 0 and 10,000,000 requests, got -1"),
        (lambda: client.closed(1, -1), "service_ns must be between 0 and 4.29 s, got -1 to -1 ns"),
        (lambda: client.closed(1, 2**32), "service_ns must be between"),
        (lambda: arrivals(0, 1), "rate_per_s must be above 0"),
    ):
        with pytest.raises(SpeLabError, match=said):
            call()
    assert client.closed(0)[0].size == 0 and client.open([])[0].size == 0
