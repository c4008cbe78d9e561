"""Tabs, runs and turns: what the page's verbs promise, without the page."""

import time

import numpy as np
import pytest
from PIL import Image
from tiny import make_checkpoint

from captioner.photo import PhotoError
from captioner.pipeline import Captioner
from captioner.render import Style
from captioner.search import SearchSettings, SettingsError
from demo.sessions import Sessions
from demo.studio import Studio
from demo.takeaway import KINDS
from demo.whatif import Question, question, region_map

GREEDY = SearchSettings(1, max_length=6)


@pytest.fixture
def studio(tmp_path):
    return Studio(Captioner(make_checkpoint()), tmp_path)


def gradient(width=48, height=32, shift=0):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255 - shift, width)
    return pixels


def texts(payload):
    return [word["w"] for word in payload["words"]]


def test_the_stream_ends_with_what_the_captioner_says(studio):
    payloads = list(studio.show("tab", gradient(), GREEDY))
    assert [payload["phase"] for payload in payloads[:2]] == ["looking", "writing"]
    assert [len(payload["words"]) for payload in payloads] == list(range(len(payloads)))
    expected = studio.captioner.caption(gradient(), GREEDY)
    assert texts(payloads[-1]) == list(expected.words)
    assert payloads[-1]["done"]
    assert payloads[0]["size"] == [48, 32]


def test_a_new_search_does_not_encode_again(studio, monkeypatch):
    looks = []
    look = studio.captioner.look
    monkeypatch.setattr(studio.captioner, "look", lambda photo: looks.append(photo) or look(photo))
    list(studio.show("tab", gradient(), GREEDY))
    list(studio.search("tab", SearchSettings(2, max_length=4)))
    assert len(looks) == 1


def test_a_newer_run_silences_the_older_one(studio):
    old = studio.show("tab", gradient(), GREEDY)
    first = next(old)
    next(old)
    new = studio.show("tab", gradient(shift=90), GREEDY)
    second = next(new)
    assert second["run"] > first["run"]
    assert list(old) == []
    assert {payload["run"] for payload in new} == {second["run"]}


def test_a_slider_moved_before_the_photo_was_encoded_uses_that_photo(studio):
    old = studio.show("tab", gradient(), GREEDY)
    photo = next(old)["photo"]
    *_, last = studio.search("tab", GREEDY)
    assert last["photo"] == photo
    assert list(old) == []


def test_a_photo_asked_for_earlier_never_replaces_a_later_one(studio):
    sessions, session = studio.sessions, studio.sessions.get("tab")
    early, late = sessions.ticket(), sessions.ticket()
    assert sessions.begin(session, late)
    assert not sessions.begin(session, early)


def test_stop_ends_the_run_and_keeps_its_words(studio):
    run = studio.show("tab", gradient(), GREEDY)
    next(run)
    written = next(run)
    studio.stop("tab")
    stopped, *rest = run
    assert rest == []
    assert (stopped["phase"], stopped["done"], texts(stopped)) == ("stopped", True, texts(written))
    assert list(studio.search("tab", GREEDY))[-1]["phase"] == "done"


def test_tabs_are_apart(studio):
    one, two = studio.show("one", gradient(), GREEDY), studio.show("two", gradient(shift=200), GREEDY)
    assert next(one)["photo"] != next(two)["photo"]
    assert list(one)[-1]["done"]
    assert list(two)[-1]["done"]


def test_a_bad_photo_leaves_the_run_alone(studio):
    run = studio.show("tab", gradient(), GREEDY)
    next(run)
    with pytest.raises(PhotoError):
        next(studio.show("tab", b"no photo", GREEDY))
    assert list(run)[-1]["done"]


def test_a_search_needs_a_photo(studio):
    with pytest.raises(PhotoError, match="choose a photo"):
        next(studio.search("tab", GREEDY))


def test_sessions_are_bounded_in_number_and_age():
    now = [0.0]
    sessions = Sessions(limit=2, max_age=100, clock=lambda: now[0])
    first = sessions.get("first")
    sessions.get("second")
    assert sessions.get("first") is first
    sessions.get("third")
    assert len(sessions) == 2
    assert sessions.get("first") is first
    now[0] = 101
    assert sessions.get("first") is first
    assert len(sessions) == 1


def test_run_numbers_rise_across_restarts():
    before = Sessions().ticket()
    time.sleep(0.005)
    assert Sessions().ticket() > before


def test_a_branch_keeps_what_came_before_it(studio):
    *_, done = studio.show("tab", gradient(), SearchSettings(2, max_length=6))
    word = next(other for other, _ in done["words"][1]["alt"] if other not in (done["words"][1]["w"], "<end>"))
    *_, branch = studio.ask("tab", Question("word", position=1, word=word))
    assert texts(branch)[:2] == [done["words"][0]["w"], word]
    assert (branch["chosen"], branch["start"], branch["run"] > done["run"]) == (2, 1, True)
    assert [caption["origin"] for caption in branch["captions"]] == ["search", "search", "word"]
    assert branch["captions"][0]["words"] == done["captions"][0]["words"]


def test_without_attention_every_map_is_uniform(studio):
    list(studio.show("tab", gradient(), GREEDY))
    *_, answered = studio.ask("tab", Question("uniform"))
    assert [word["m"] for word in answered["words"]] == pytest.approx([1 / 9] * len(answered["words"]), abs=1e-4)


def test_a_sentence_of_ones_own_is_scored_as_the_captioner_scores_it(studio):
    list(studio.show("tab", gradient(), GREEDY))
    *_, answered = studio.ask("tab", Question("own", sentence="a dog"))
    expected = studio.captioner.score(studio.captioner.look(gradient()), "a dog")
    assert answered["captions"][-1]["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)


@pytest.mark.parametrize(
    "asked",
    [
        Question("word", index=9),
        Question("word", position=99, word="a"),
        Question("word", position=-1, word="a"),
        Question("word", word="unheard"),
        Question("place", region=(0, 0, 99, 0)),
        Question("hide", region=(2, 0, 1, 0)),
        Question("own", sentence=" "),
        Question("what"),
    ],
)
def test_a_question_without_sense_changes_nothing(studio, asked):
    list(studio.show("tab", gradient(), GREEDY))
    result = studio.sessions.get("tab").result
    with pytest.raises(SettingsError):
        list(studio.ask("tab", asked))
    assert studio.sessions.get("tab").result is result


def test_a_question_needs_a_finished_caption(studio):
    with pytest.raises(SettingsError, match="no finished caption"):
        list(studio.ask("tab", Question("uniform")))
    for wrong in ({}, {"kind": "word", "position": "x"}, {"kind": "word", "index": None}, {"kind": "a", "region": [1]}):
        with pytest.raises(SettingsError):
            question(wrong)


def test_hiding_a_place_captions_the_painted_photo(studio):
    list(studio.show("tab", gradient(), GREEDY))
    *_, answered = studio.ask("tab", Question("hide", region=(0, 0, 1, 2)))
    first, hidden = answered["captions"]
    assert "photo" not in first
    painted = gradient()
    painted[: round(2 * 32 / 3)] = (124, 116, 104)
    expected = studio.captioner.caption(painted, GREEDY)
    assert [word["w"] for word in hidden["words"]] == list(expected.words)
    with Image.open(hidden["photo"]["path"]) as view:
        assert np.abs(np.asarray(view, int) - painted).mean() < 4
    *_, again = studio.ask("tab", Question("uniform", index=1))
    assert again["captions"][2]["photo"] == hidden["photo"]


def test_a_region_becomes_a_map():
    expected = np.zeros((3, 2))
    expected[1:3, 1] = 1
    np.testing.assert_array_equal(region_map((1, 1, 2, 1), (3, 2)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_written(studio, kind):
    list(studio.show("tab", gradient(), SearchSettings(2, max_length=4)))
    path = studio.take("tab", kind, 1, Style())
    assert path.suffix == f".{kind}"
    assert path.stat().st_size > 500
    with pytest.raises(SettingsError):
        studio.take("tab", kind, 2, Style())
    with pytest.raises(SettingsError):
        studio.take("tab", "exe", 0, Style())
