"""Tabs, runs and turns: what the page's verbs promise, without the page."""

import json
import time

import numpy as np
import pytest
from pages import GREEDY, PlayedTabs, gradient, texts
from PIL import Image
from tiny import make_checkpoint

from captioner.photo import PhotoError
from captioner.pipeline import Captioner
from captioner.render import Style
from captioner.search import SearchSettings, SettingsError
from demo.page.downloads import KINDS, write_download
from demo.protocol.received import region_map
from demo.runs.questions import AnotherWord, Hide, LookElsewhere, NoAttention, OwnSentence
from demo.runs.sessions import Sessions
from demo.runs.waiting_line import Run

GRID = (3, 3)


@pytest.fixture
def tabs(tmp_path):
    return PlayedTabs(Captioner(make_checkpoint()), tmp_path)


def test_the_stream_ends_with_what_the_captioner_says(tabs):
    payloads = list(tabs.show("tab", gradient(), GREEDY))
    assert [payload["phase"] for payload in payloads[:2]] == ["looking", "writing"]
    assert [len(payload["words"]) for payload in payloads] == list(range(len(payloads)))
    expected = tabs.captioner.caption(gradient(), GREEDY)
    assert texts(payloads[-1]) == list(expected.words)
    assert payloads[-1]["done"]
    assert payloads[0]["size"] == [48, 32]


def test_a_new_search_does_not_encode_again(tabs, monkeypatch):
    looks = []
    look = tabs.captioner.look
    monkeypatch.setattr(tabs.captioner, "look", lambda photo: looks.append(photo) or look(photo))
    list(tabs.show("tab", gradient(), GREEDY))
    list(tabs.search("tab", SearchSettings(2, max_length=4)))
    assert len(looks) == 1


def test_a_newer_run_silences_the_older_one(tabs):
    old = tabs.show("tab", gradient(), GREEDY)
    first = next(old)
    next(old)
    new = tabs.show("tab", gradient(shift=90), GREEDY)
    second = next(new)
    assert second["run"] > first["run"]
    assert list(old) == []
    assert {payload["run"] for payload in new} == {second["run"]}


def test_a_slider_moved_before_the_photo_was_encoded_uses_that_photo(tabs):
    old = tabs.show("tab", gradient(), GREEDY)
    photo = next(old)["photo"]
    *_, last = tabs.search("tab", GREEDY)
    assert last["photo"] == photo
    assert list(old) == []


def test_a_photo_asked_for_earlier_never_replaces_a_later_one(tabs):
    early, late = (Run(tabs.sessions.ticket(), tabs.sessions.get("tab")) for _ in range(2))
    assert late.begin()
    assert not early.begin()


def test_stop_ends_the_run_and_keeps_its_words(tabs):
    run = tabs.show("tab", gradient(), GREEDY)
    next(run)
    written = next(run)
    tabs.stop("tab")
    stopped, *rest = run
    assert rest == []
    assert (stopped["phase"], stopped["done"], texts(stopped)) == ("stopped", True, texts(written))
    assert list(tabs.search("tab", GREEDY))[-1]["phase"] == "done"


def test_tabs_are_apart(tabs):
    one, two = tabs.show("one", gradient(), GREEDY), tabs.show("two", gradient(shift=200), GREEDY)
    assert next(one)["photo"] != next(two)["photo"]
    assert list(one)[-1]["done"]
    assert list(two)[-1]["done"]


def test_a_bad_photo_leaves_the_run_alone(tabs):
    run = tabs.show("tab", gradient(), GREEDY)
    next(run)
    with pytest.raises(PhotoError):
        next(tabs.show("tab", b"no photo", GREEDY))
    assert list(run)[-1]["done"]


def test_a_search_needs_a_photo(tabs):
    with pytest.raises(PhotoError, match="choose a photo"):
        next(tabs.search("tab", GREEDY))


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


def test_a_branch_keeps_what_came_before_it(tabs):
    *_, done = tabs.show("tab", gradient(), SearchSettings(2, max_length=6))
    word = next(other for other, _ in done["words"][1]["alt"] if other not in (done["words"][1]["w"], "<end>"))
    *_, branch = tabs.ask("tab", AnotherWord(position=1, word=word))
    assert texts(branch)[:2] == [done["words"][0]["w"], word]
    assert (branch["chosen"], branch["start"], branch["run"] > done["run"]) == (2, 1, True)
    assert [caption["origin"] for caption in branch["captions"]] == ["search", "search", "word"]
    assert branch["captions"][0]["words"] == done["captions"][0]["words"]


def test_without_attention_every_map_is_uniform(tabs):
    list(tabs.show("tab", gradient(), GREEDY))
    *_, answered = tabs.ask("tab", NoAttention())
    assert [word["m"] for word in answered["words"]] == pytest.approx([1 / 9] * len(answered["words"]), abs=1e-4)


def test_a_sentence_of_ones_own_is_scored_as_the_captioner_scores_it(tabs):
    list(tabs.show("tab", gradient(), GREEDY))
    *_, answered = tabs.ask("tab", OwnSentence(sentence="a dog"))
    expected = tabs.captioner.score(tabs.captioner.look(gradient()), "a dog")
    assert answered["captions"][-1]["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)


def test_a_word_that_the_model_does_not_know_stays_as_typed_and_has_no_number(tabs):
    list(tabs.show("tab", gradient(), GREEDY))
    *_, answered = tabs.ask("tab", OwnSentence(sentence="A zxqv dog, Blorp!"))
    answer = json.loads(json.dumps(answered["captions"][-1], allow_nan=False))
    assert texts(answer) == ["a", "zxqv", "dog", "blorp", "<end>"]
    assert [word["p"] is None for word in answer["words"]] == [False, True, False, True, False]
    assert answer["log_prob"] is None
    assert answer["unknown"] == {"words": ["zxqv", "blorp"], "known": 5}
    assert "unknown" not in answered["captions"][0]


@pytest.mark.parametrize(
    "asked",
    [
        AnotherWord(index=9, position=0, word="a"),
        AnotherWord(position=99, word="a"),
        AnotherWord(position=-1, word="a"),
        AnotherWord(position=0, word="unheard"),
        LookElsewhere(position=99, weights=np.ones(GRID)),
        AnotherWord(position=0, word=""),
        OwnSentence(sentence=" "),
    ],
)
def test_a_question_without_sense_changes_nothing(tabs, asked):
    list(tabs.show("tab", gradient(), GREEDY))
    result = tabs.sessions.get("tab").result
    with pytest.raises(SettingsError):
        list(tabs.ask("tab", asked))
    assert tabs.sessions.get("tab").result is result


def test_a_question_needs_a_finished_caption(tabs):
    with pytest.raises(SettingsError, match="no finished caption"):
        list(tabs.ask("tab", NoAttention()))


def test_hiding_a_place_captions_the_painted_photo(tabs):
    list(tabs.show("tab", gradient(), GREEDY))
    *_, answered = tabs.ask("tab", Hide(mask=region_map((0, 0, 1, 2), GRID)))
    first, hidden = answered["captions"]
    assert "photo" not in first
    painted = gradient()
    painted[: round(2 * 32 / 3)] = (124, 116, 104)
    expected = tabs.captioner.caption(painted, GREEDY)
    assert [word["w"] for word in hidden["words"]] == list(expected.words)
    with Image.open(hidden["photo"]) as view:
        assert np.abs(np.asarray(view, int) - painted).mean() < 4
    *_, again = tabs.ask("tab", NoAttention(index=1, keep=True))
    assert again["captions"][2]["photo"] == hidden["photo"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_every_kind_of_file_is_written(tabs, tmp_path, kind):
    list(tabs.show("tab", gradient(), SearchSettings(2, max_length=4)))
    result = tabs.result("tab")
    path = write_download(result, 1, kind, Style(), tmp_path)
    assert path.suffix == f".{kind}"
    assert path.stat().st_size > 500
    with pytest.raises(SettingsError):
        write_download(result, 2, kind, Style(), tmp_path)
    with pytest.raises(SettingsError):
        write_download(result, 0, "exe", Style(), tmp_path)


def test_words_are_completed_in_the_place_of_a_word_on_the_page(tabs):
    *_, done = tabs.show("tab", gradient(), GREEDY)
    look, words = tabs.captioner.look(gradient()), texts(done)
    for position in range(len(words)):
        found = tabs.complete("tab", done["run"], 0, position, "d")
        assert found == tabs.captioner.complete(look, words[:position], "d")
    for run, index, position in (
        (done["run"] - 1, 0, 0),
        (done["run"], 9, 0),
        (done["run"], 0, 99),
        (done["run"], 0, -1),
    ):
        with pytest.raises(SettingsError):
            tabs.complete("tab", run, index, position, "d")
