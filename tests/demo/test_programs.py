"""Programs: they take turns with each other and with tabs, step by step, and nothing of theirs is kept."""

import gc
import threading

import numpy as np
import pytest
from pages import PlayedTabs, gradient
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from captioner.search import SearchSettings
from demo.runs.programs import Programs
from demo.runs.questions import Hide, LookElsewhere, NoAttention

SETTINGS = SearchSettings(2, max_length=6)


@pytest.fixture
def tabs(tmp_path):
    return PlayedTabs(Captioner(make_checkpoint()), tmp_path)


@pytest.fixture
def engine(tabs):
    return tabs.engine


def is_free(turn) -> bool:
    taken = turn.acquire(blocking=False)
    if taken:
        turn.release()
    return taken


def test_every_step_of_a_program_takes_a_turn_and_gives_it_back(engine, monkeypatch):
    taken = []
    stream = engine.captioner.stream

    def watched(*arguments):
        for guess in stream(*arguments):
            taken.append(not is_free(engine.turn))
            yield guess

    monkeypatch.setattr(engine.captioner, "stream", watched)
    for _ in Programs(engine).captions(gradient(), SETTINGS):
        assert is_free(engine.turn), "between two steps it is anybody's turn"
    assert len(taken) > 1
    assert all(taken)


@pytest.mark.parametrize("verb", ["captions", "score", "explain", "what_if"])
def test_whoever_has_no_turn_waits(engine, verb):
    programs, done = Programs(engine), threading.Event()
    asked = {
        "captions": lambda: list(programs.captions(gradient(), SETTINGS)),
        "score": lambda: programs.score(gradient(), "a dog"),
        "explain": lambda: programs.explain(gradient(), "a dog", 0),
        "what_if": lambda: programs.what_if(gradient(), SETTINGS, NoAttention()),
    }[verb]
    thread = threading.Thread(target=lambda: (asked(), done.set()))
    with engine.turn:
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(60)
    thread.join()


def test_a_program_and_a_tab_are_both_at_work(tabs, engine):
    """Each goes on while the other is in the middle."""
    program, tab = Programs(engine).captions(gradient(), SETTINGS), tabs.show("tab", gradient(shift=90), SETTINGS)
    steps = [(next(program), next(tab)) for _ in range(3)]
    assert len(steps) == 3
    assert list(tab)[-1]["done"]
    *_, last = program
    assert last.done
    assert last.leader.words == engine.captioner.caption(gradient(), SETTINGS).words


def test_what_a_program_asks_is_answered_as_a_tab_is(tabs, engine):
    list(tabs.show("tab", gradient(), SETTINGS))
    for asked in (NoAttention(), LookElsewhere(position=1, weights=np.eye(3)), Hide(mask=np.eye(3))):
        before, after = Programs(engine).what_if(gradient(), SETTINGS, asked)
        *_, page = tabs.ask("tab", asked)
        assert [word["w"] for word in page["words"]] == list(after.caption.words)
        assert [word["w"] for word in page["captions"][0]["words"]] == list(before.caption.words)
        assert ("change" in page["captions"][-1]) == (after.change is not None) == isinstance(asked, LookElsewhere)


@pytest.mark.slow
def test_nothing_of_a_program_is_kept(engine, tmp_path):
    programs = Programs(engine)
    programs.what_if(gradient(), SETTINGS, Hide(mask=np.eye(3)))
    programs.score(gradient(), "a dog")
    gc.collect()
    assert engine.kept.bytes == 0
    assert list(tmp_path.iterdir()) == [], "no view is written of a photo that no page shows"
