"""A visitor who leaves stops costing: through the real server, as a browser leaves."""

import itertools
import math
import time

import httpx
import pytest
from PIL import Image
from serving import logged, outcome, served

from benchmarks.tab import Tab
from demo.page.ui import build
from demo.runs.sessions import MAX_SESSIONS, Sessions
from demo.server import launch_options

PATIENCE = 60  # seconds, on a busy machine


@pytest.fixture(scope="module")
def sessions():
    return Sessions()


@pytest.fixture(scope="module")
def address(captioner, sessions):
    page = build(captioner, sessions)
    _, address, _ = page.launch(**launch_options(), server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield address
    page.close(verbose=False)


def wait_until(happened) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("event", ["show", "caption"])
def test_a_run_ends_when_the_tab_or_the_program_goes(address, captioner, tmp_path, monkeypatch, caplog, event):
    """The caption never ends by itself here."""
    caplog.set_level("INFO", "demo")
    stream = captioner.stream

    def endless(*arguments):
        yield from itertools.repeat(next(stream(*arguments)))

    monkeypatch.setattr(captioner, "stream", endless)
    path = tmp_path / "photo.png"
    Image.new("RGB", (48, 32), "red").save(path)
    with logged() as lines:
        tab = Tab(address)
        messages = tab.messages(event, [tab.upload(path), 1, 0, 0])
        for message, _ in zip(messages, range(4), strict=False):
            assert message["msg"] != "process_completed"
        assert lines == []
        messages.close()
        tab.close()
        wait_until(lambda: lines)
    name = {"show": "photo", "caption": "/caption"}[event]
    assert lines[0].startswith(f"INFO left {name} in ")


def test_a_closed_tab_is_noticed(address, sessions):
    session = sessions.get("tab")
    with httpx.stream("GET", f"{address}gradio_api/heartbeat/tab", timeout=PATIENCE, trust_env=False) as beat:
        assert next(beat.iter_raw())
        assert session.left == math.inf
    wait_until(lambda: session.left < math.inf)
    assert session.stopped > session.run


def phase_of(page, session: str) -> str:
    """What the page of a tab is told that asks about something that nobody knows."""
    messages = page.ask("ask", [], {"kind": "uniform", "run": 1}, session)
    assert outcome(messages) == (None, [])
    return next(each for each in messages if each["msg"] == "process_generating")["output"]["data"][0][0]["phase"]


@pytest.mark.slow
def test_tabs_that_went_without_a_word_are_forgotten_by_gradio_too():
    """It keeps a copy of the page for each, of ten thousand tabs if it is not told otherwise."""
    with served() as page:
        for number in range(MAX_SESSIONS + 5):
            assert phase_of(page, f"tab-{number}") == "lost"
        kept = page.page.state_holder
        assert len(kept.session_data) == MAX_SESSIONS
        assert "tab-0" not in kept
        assert f"tab-{MAX_SESSIONS}" in kept
        assert phase_of(page, "tab-0") == "lost", "and may come back"
