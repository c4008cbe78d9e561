"""Standing in line: whose turn it is, what those who wait are told, and who is refused."""

import threading

import numpy as np
import pytest
from pages import PlayedTabs
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from captioner.search import SearchSettings
from demo.runs.questions import NoAttention
from demo.runs.sessions import LEFT_AGE, Sessions
from demo.runs.waiting_line import BusyError, Run, WaitingLine

GREEDY = SearchSettings(1, max_length=4)
PHOTO = np.full((32, 48, 3), 90, np.uint8)


@pytest.fixture
def tabs(tmp_path, monkeypatch):
    monkeypatch.setattr("demo.runs.waiting_line.NEWS_SECONDS", 0.01)
    return PlayedTabs(Captioner(make_checkpoint()), tmp_path)


def test_turns_come_in_order():
    line = WaitingLine(places=2, waiting=2)
    stands = [line.stand() for _ in range(4)]
    ahead = [stand.__enter__() for stand in stands]
    assert [each(0) for each in ahead] == [0, 0, 1, 2]
    with pytest.raises(BusyError, match=r"^2 are waiting already; please try again"), line.stand():
        pass
    stands[1].__exit__(None, None, None)
    assert [ahead[index](0) for index in (0, 2, 3)] == [0, 0, 1]
    stands[2].__exit__(None, None, None)
    assert ahead[3](0) == 0
    assert len(line) == 2


def test_whoever_waits_is_woken():
    line, turns = WaitingLine(places=1), []
    with line.stand() as first:
        assert first(0) == 0

        def wait():
            with line.stand() as ahead:
                turns.append(ahead(60))

        waiting = threading.Thread(target=wait)
        waiting.start()
    waiting.join(60)
    assert turns == [0]


def test_a_person_in_line_sees_how_many_are_ahead(tabs):
    at_work = [tabs.show(name, PHOTO, GREEDY) for name in ("one", "two")]
    assert [next(run)["phase"] for run in at_work] == ["looking", "looking"]
    third, fourth = tabs.show("three", PHOTO, GREEDY), tabs.show("four", PHOTO, GREEDY)
    for run, ahead in ((third, 1), (fourth, 2)):
        waiting = next(run)
        assert (waiting["phase"], waiting["ahead"], waiting["done"]) == ("waiting", ahead, False)
    list(at_work[0])
    assert next(fourth)["ahead"] == 1
    assert [payload["phase"] for payload in third][-1] == "done"
    assert list(fourth)[-1]["done"]
    assert len(tabs.engine.line) == 1


def test_whoever_leaves_the_line_makes_room(tabs):
    at_work = [tabs.show(name, PHOTO, GREEDY) for name in ("one", "two")]
    for run in at_work:
        next(run)
    third, fourth = tabs.show("three", PHOTO, GREEDY), tabs.show("four", PHOTO, GREEDY)
    next(third), next(fourth)
    third.close()
    assert next(fourth)["ahead"] == 1
    tabs.sessions.leave("four")
    assert [payload["phase"] for payload in fourth] == ["stopped"]
    at_work[0].close()
    assert len(tabs.engine.line) == 1


def test_a_full_line_keeps_the_page_as_it_is(tabs):
    list(tabs.show("tab", PHOTO, GREEDY))
    result = tabs.sessions.get("tab").result
    tabs.engine.line = WaitingLine(places=1, waiting=0)
    with tabs.engine.line.stand():
        for refused in (
            tabs.show("tab", PHOTO, GREEDY),
            tabs.search("tab", GREEDY),
            tabs.ask("tab", NoAttention()),
        ):
            with pytest.raises(BusyError):
                next(refused)
    assert tabs.sessions.get("tab").result is result
    assert list(tabs.search("tab", GREEDY))[-1]["done"]


def test_whoever_waits_costs_no_encoding(tabs, monkeypatch):
    looks = []
    look = tabs.captioner.look
    monkeypatch.setattr(tabs.captioner, "look", lambda photo: looks.append(photo) or look(photo))
    tabs.engine.line = WaitingLine(places=1)
    with tabs.engine.line.stand():
        stopped, left, newer = (tabs.show(key, PHOTO, GREEDY) for key in ("stopped", "left", "newer"))
        for run in (stopped, left, newer):
            assert next(run)["phase"] == "waiting"
        tabs.stop("stopped")
        tabs.sessions.leave("left")
        Run(tabs.sessions.ticket(), tabs.sessions.get("newer")).begin()
        assert [[payload["phase"] for payload in run] for run in (stopped, left, newer)] == [["stopped"]] * 2 + [[]]
    assert looks == []


def test_a_question_waits_and_ends_when_the_tab_is_closed(tabs):
    list(tabs.show("tab", PHOTO, GREEDY))
    tabs.engine.line = WaitingLine(places=1)
    with tabs.engine.line.stand():
        answers = tabs.ask("tab", NoAttention())
        assert [next(answers)["ahead"] for _ in range(2)] == [0, 1]
        tabs.sessions.leave("tab")
        *_, page = answers
    assert len(page["captions"]) == 1


def test_sessions_are_forgotten_without_being_asked_for():
    now = [0.0]
    sessions = Sessions(max_age=1000, clock=lambda: now[0])
    kept = sessions.get("open")
    for key in ("closed", "back"):
        sessions.get(key)
        sessions.leave(key)
    sessions.leave("unknown")
    now[0] = LEFT_AGE
    sessions.sweep()
    assert len(sessions) == 3
    sessions.get("back")
    now[0] += 1
    sessions.sweep()
    assert len(sessions) == 2
    assert sessions.get("open") is kept
    now[0] += 1001
    sessions.sweep()
    assert len(sessions) == 0
