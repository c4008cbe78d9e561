"""What-ifs of a tab: what is forced, what comes before and after, what Stop and newer runs do to them."""

from dataclasses import replace

import numpy as np
import pytest
from pages import GREEDY, PlayedTabs, gradient, make_caption, texts
from PIL import Image
from tiny import make_checkpoint

from captioner.override import AttentionOverride
from captioner.photo import PhotoFormat, prepare
from captioner.pipeline import Captioner
from captioner.search import SearchSettings, SettingsError
from demo.protocol.answers import numbers_message
from demo.protocol.received import region_map
from demo.runs.questions import (
    AnotherWord,
    FinishBranch,
    Hide,
    LookElsewhere,
    NoAttention,
    OtherSettings,
    OwnSentence,
)
from demo.runs.updates import MAX_ANSWERS, Captioned, Result

GRID = (3, 3)
REGION = (0, 1, 1, 2)
PLACE = LookElsewhere(position=2, weights=region_map(REGION, GRID))


@pytest.fixture
def tabs(tmp_path):
    return PlayedTabs(Captioner(make_checkpoint()), tmp_path)


@pytest.fixture
def shown(tabs):
    *_, last = tabs.show("tab", gradient(), GREEDY)
    return last


@pytest.fixture
def look(tabs):
    return tabs.captioner.look(gradient())


def test_looking_elsewhere_shows_each_likely_word_before_and_after(tabs, shown, look):
    asking, answered = tabs.ask("tab", PLACE)
    assert (asking["phase"], asking["run"]) == ("asking", shown["run"])
    assert (answered["chosen"], answered["beside"], answered["start"]) == (1, 0, 2)
    change = answered["captions"][1]["change"]
    prefix = [*texts(shown)[:2]]
    override = AttentionOverride({2: region_map(REGION, GRID)})
    for word, before, after in change["words"]:
        scored = [tabs.captioner.score(look, [*prefix, word], each) for each in (None, override)]
        assert [before, after] == pytest.approx([each.word(2).probability for each in scored], rel=2e-3)
    listed = [word for word, *_ in change["words"]]
    assert len(set(listed)) == len(listed) >= 5
    assert change["word"] == texts(shown)[2]
    assert change["word"] in listed
    expected = tabs.captioner.caption(look, GREEDY, prefix, override)
    assert texts(answered) == list(expected.words)


def test_another_search_is_answered_with_its_own_settings(tabs, shown, look, monkeypatch):
    monkeypatch.setattr(tabs.captioner, "look", lambda photo: pytest.fail("the photo is encoded once"))
    settings = SearchSettings(2, 1.0, 7)
    *_, answered = tabs.ask("tab", OtherSettings(settings=settings))
    assert texts(answered) == list(tabs.captioner.caption(look, settings).words)
    assert answered["captions"][1]["settings"] == [2, 1.0, 7]
    assert "settings" not in answered["captions"][0]


def painted(mask):
    """The photo with the cells of a 3×3 mask painted over, each third of its width and height."""
    photo = gradient()
    rows, columns = (np.arange(size) * 3 // size for size in photo.shape[:2])
    photo[mask[np.ix_(rows, columns)] > 0] = (124, 116, 104)
    return photo


def last_of(asked):
    *_, page = asked
    return page


LEFT, RIGHT = region_map((0, 0, 2, 0), GRID), region_map((0, 2, 2, 2), GRID)
SEARCHED = SearchSettings(2, max_length=6)
FIRST = [
    OwnSentence(sentence="a dog"),
    NoAttention(),
    Hide(mask=LEFT),
    AnotherWord(position=0, word="dog"),
    PLACE,
    OtherSettings(settings=SearchSettings(1, 1.0, 3, max_length=6)),
]


@pytest.mark.parametrize("first", FIRST, ids=lambda each: each.origin)
def test_every_answer_stands_beside_the_models_own_caption(tabs, first):
    """Whatever was answered before, the next answer differs from the model's own caption by what is asked alone."""
    list(tabs.show("tab", gradient(), SEARCHED))
    captioner, look = tabs.captioner, tabs.captioner.look(gradient())
    index = last_of(tabs.ask("tab", first))["chosen"]
    uniform, spot = AttentionOverride.uniform(GRID), AttentionOverride({1: RIGHT})
    own = captioner.caption(look, SEARCHED)
    settings = SearchSettings(2, 0.7, 5, max_length=6)
    word = next(each.word for each in own.alternatives[1] if each.word not in (own.words[1], "<end>"))
    expected = {
        NoAttention(index=index): captioner.caption(look, SEARCHED, attention=uniform),
        Hide(index=index, mask=RIGHT): captioner.caption(painted(RIGHT), SEARCHED),
        OtherSettings(index=index, settings=settings): captioner.caption(look, settings),
        OwnSentence(index=index, sentence="dog runs"): captioner.score(look, "dog runs"),
        AnotherWord(index=index, position=1, word=word): captioner.caption(look, SEARCHED, [own.words[0], word]),
        LookElsewhere(index=index, position=1, weights=RIGHT): captioner.caption(look, SEARCHED, own.words[:1], spot),
    }
    for asked, caption in expected.items():
        page = last_of(tabs.ask("tab", asked))
        answer = page["captions"][page["chosen"]]
        assert (page["beside"], answer["about"]) == (0, 0)
        assert texts(page["captions"][0]) == list(own.words)
        assert texts(answer) == list(caption.words)
        assert answer["log_prob"] == pytest.approx(caption.log_prob, rel=2e-3)


def test_the_same_sentence_is_weighed_where_the_model_sees_otherwise(tabs):
    *_, done = tabs.show("tab", gradient(), SEARCHED)
    captioner, words = tabs.captioner, texts(done)
    whole, hidden = captioner.look(gradient()), captioner.look(painted(LEFT))
    uniform, spot = AttentionOverride.uniform(GRID), AttentionOverride({1: RIGHT})
    expected = {
        Hide(mask=LEFT): captioner.score(hidden, words),
        NoAttention(): captioner.score(whole, words, uniform),
        LookElsewhere(position=1, weights=RIGHT): captioner.score(whole, words, spot),
    }
    for asked, caption in expected.items():
        answer = last_of(tabs.ask("tab", asked))["captions"][-1]
        np.testing.assert_allclose(answer["same"], caption.log_probs[: len(words)], rtol=2e-3)
    for asked in (FIRST[0], FIRST[3], FIRST[5]):
        assert "same" not in last_of(tabs.ask("tab", asked))["captions"][-1]


def test_a_word_can_be_one_of_any_caption_that_was_found(tabs):
    done = last_of(tabs.show("tab", gradient(), SEARCHED))
    second = texts(done["captions"][1])
    word = next(text for text, _ in done["captions"][1]["words"][1]["alt"] if text not in (second[1], "<end>"))
    page = last_of(tabs.ask("tab", AnotherWord(index=1, position=1, word=word)))
    assert page["beside"] == 1
    assert texts(page)[:2] == [second[0], word]
    assert last_of(tabs.ask("tab", NoAttention(index=1)))["beside"] == 0, "what is asked of all of it is of the best"


def kept_word(tabs):
    """The page after a word was said in the third place, the caption with it, and the word."""
    done = last_of(tabs.show("tab", gradient(), GREEDY))
    word = next(text for text, _ in done["words"][2]["alt"] if text not in (done["words"][2]["w"], "<end>"))
    page = last_of(tabs.ask("tab", AnotherWord(position=2, word=word)))
    assert page["captions"][1]["conditions"] == [["word", 2, word]]
    return page, texts(page), word


def test_a_word_that_is_kept_is_said_in_every_further_answer(tabs, look):
    page, said, word = kept_word(tabs)
    beginning = said[:3]
    settings = SearchSettings(2, 0.7, 5, max_length=6)
    uniform, spot = AttentionOverride.uniform(GRID), AttentionOverride({3: RIGHT})
    captioner = tabs.captioner
    expected = {
        NoAttention(index=1, keep=True): captioner.caption(look, GREEDY, beginning, uniform),
        Hide(index=1, keep=True, mask=LEFT): captioner.caption(painted(LEFT), GREEDY, beginning),
        OtherSettings(index=1, keep=True, settings=settings): captioner.caption(look, settings, beginning),
        AnotherWord(index=1, keep=True, position=3, word="dog"): captioner.caption(look, GREEDY, [*beginning, "dog"]),
        LookElsewhere(index=1, keep=True, position=3, weights=RIGHT): captioner.caption(look, GREEDY, beginning, spot),
    }
    for asked, caption in expected.items():
        page = last_of(tabs.ask("tab", asked))
        answer = page["captions"][page["chosen"]]
        assert (page["beside"], answer["about"]) == (1, 1)
        assert answer["conditions"][0] == ["word", 2, word]
        assert texts(answer)[:3] == beginning
        assert texts(answer) == list(caption.words)
    assert [each["conditions"][1:] for each in page["captions"][2:]] == [
        [],
        [["hide", -1, ""]],
        [],
        [["word", 3, "dog"]],
        [],
    ]
    page = last_of(tabs.ask("tab", NoAttention(index=1)))
    assert page["beside"] == 0, "without a word of the visitor's nothing is kept"


def test_a_place_that_is_kept_stays_hidden(tabs):
    list(tabs.show("tab", gradient(), GREEDY))
    last_of(tabs.ask("tab", Hide(mask=LEFT)))
    captioner, both = tabs.captioner, np.maximum(LEFT, RIGHT)
    page = last_of(tabs.ask("tab", Hide(index=1, keep=True, mask=RIGHT)))
    assert texts(page) == list(captioner.caption(painted(both), GREEDY).words)
    assert (page["beside"], page["captions"][2]["conditions"]) == (1, [["hide", -1, ""]] * 2)
    page = last_of(tabs.ask("tab", OwnSentence(index=2, keep=True, sentence="a dog")))
    assert page["captions"][3]["log_prob"] == pytest.approx(
        captioner.score(captioner.look(painted(both)), "a dog").log_prob, rel=2e-3
    )
    assert page["beside"] == 2


@pytest.mark.parametrize("first", [FIRST[0], FIRST[1], FIRST[4], FIRST[5]], ids=lambda each: each.origin)
def test_only_a_word_or_a_place_can_be_kept(tabs, first):
    list(tabs.show("tab", gradient(), SEARCHED))
    index = last_of(tabs.ask("tab", first))["chosen"]
    page = last_of(tabs.ask("tab", NoAttention(index=index, keep=True)))
    assert page["beside"] == 0
    assert page["captions"][-1]["conditions"] == []


def test_what_is_kept_refuses_what_would_undo_it(tabs):
    _, _, word = kept_word(tabs)
    refused = {
        AnotherWord(index=1, keep=True, position=1, word="dog"): f"{word!r} is kept; please choose a word after it",
        LookElsewhere(
            index=1, keep=True, position=2, weights=RIGHT
        ): f"{word!r} is kept; please choose a word after it",
        OwnSentence(index=1, keep=True, sentence="a dog"): "Your sentence has words of its own",
    }
    for asked, sentence in refused.items():
        with pytest.raises(SettingsError, match=sentence):
            list(tabs.ask("tab", asked))
    assert tabs.sessions.get("tab").result.found[-1].origin == "word", "the page keeps what it has"


def test_stop_ends_an_answer_and_keeps_the_page(tabs, shown):
    asked = tabs.ask("tab", NoAttention())
    assert next(asked)["phase"] == "asking"
    tabs.stop("tab")
    (back,) = asked
    assert (back["phase"], back["run"], texts(back)) == ("done", shown["run"], texts(shown))
    assert len(back["captions"]) == 1
    *_, answered = tabs.ask("tab", NoAttention())
    assert len(answered["captions"]) == 2, "and the next question is answered"


def test_a_refused_answer_brings_the_page_back(tabs, shown):
    asked = tabs.ask("tab", AnotherWord(position=0, word="unheard"))
    assert next(asked)["phase"] == "asking"
    assert (back := next(asked))["phase"] == "done"
    assert texts(back) == texts(shown)
    with pytest.raises(SettingsError, match="does not know the word 'unheard'"):
        next(asked)


@pytest.mark.parametrize("newer", ["photo", "slider"])
def test_a_new_photo_or_slider_silences_an_answer(tabs, shown, newer):
    asked = tabs.ask("tab", NoAttention())
    next(asked)
    stream = tabs.show("tab", gradient(shift=90), GREEDY) if newer == "photo" else tabs.search("tab", GREEDY)
    first = next(stream)
    assert list(asked) == []
    *_, last = stream
    assert last["run"] == first["run"] > shown["run"]
    assert len(last["captions"]) == 1
    assert isinstance(tabs.sessions.get("tab").result, Result)


def test_the_newest_question_wins(tabs, shown):
    older, newer = tabs.ask("tab", NoAttention()), tabs.ask("tab", PLACE)
    next(older), next(newer)
    assert list(older) == []
    (answered,) = newer
    assert [each["origin"] for each in answered["captions"]] == ["search", "place"]


def test_a_hidden_photo_is_beside_the_whole_one(tabs, shown):
    *_, answered = tabs.ask("tab", Hide(mask=region_map((0, 0, 2, 0), GRID)))
    with Image.open(answered["photo"]) as whole, Image.open(answered["captions"][1]["photo"]) as painted:
        gap = np.abs(np.asarray(whole, int) - np.asarray(painted, int)).mean(axis=(0, 2))
    assert gap[:12].min() > 10
    assert gap[20:].max() < 6
    assert (answered["chosen"], answered["beside"]) == (1, 0)


def test_numbers_are_those_of_the_caption_with_what_was_forced(tabs, shown, look):
    *_, answered = tabs.ask("tab", PLACE)
    for index, override in ((0, None), (1, AttentionOverride({2: region_map(REGION, GRID)}))):
        words = [word["w"] for word in answered["captions"][index]["words"]]
        got = numbers_message(tabs.explain("tab", answered["run"], index, 2))
        expected = tabs.captioner.explain(look, words, 2, override)
        np.testing.assert_allclose(got["energies"], expected.energies, rtol=1e-3)
        np.testing.assert_allclose(got["alpha"], expected.alpha, rtol=1e-3)
        assert np.sum(got["shares"]) == pytest.approx(1, abs=1e-3)
        assert (got["word"], got["previous"]) == (words[2], words[1])
    for run, index, position in ((shown["run"], 0, 0), (answered["run"], 9, 0), (answered["run"], 0, 99)):
        with pytest.raises(SettingsError):
            tabs.explain("tab", run, index, position)


def test_the_newest_answers_of_a_tab_are_kept_and_the_page_is_told(tabs, shown, tmp_path):
    for answers in range(1, MAX_ANSWERS + 3):
        row, column = divmod(answers % 9, 3)
        region = (row, column, row, column) if answers < 9 else (row, 0, 2, column)
        *_, page = tabs.ask("tab", Hide(mask=region_map(region, GRID)))
        kept = page["captions"][1:]
        assert len(kept) == min(answers, MAX_ANSWERS)
        assert page["forgotten"] == max(0, answers - MAX_ANSWERS)
        assert (page["chosen"], page["beside"]) == (len(kept), 0), "the newest one, beside what it was asked about"
        assert kept[-1]["photo"] not in {each["photo"] for each in kept[:-1][-8:]}
    assert "origin" in page["captions"][0]
    assert texts(page) != []


def test_the_answer_that_is_asked_about_is_never_the_one_forgotten(tabs, shown):
    *_, page = tabs.ask("tab", Hide(mask=region_map((0, 0, 0, 0), GRID)))
    first = page["captions"][1]
    for seed in range(MAX_ANSWERS):
        *_, page = tabs.ask("tab", OtherSettings(index=1, keep=True, settings=SearchSettings(1, 1.0, seed)))
    assert page["forgotten"] == 1
    assert page["beside"] == 1
    assert page["captions"][1] == first


def test_an_answer_about_one_that_was_forgotten_is_about_none_that_is_kept(tabs, shown):
    list(tabs.ask("tab", Hide(mask=LEFT)))
    *_, page = tabs.ask("tab", NoAttention(index=1, keep=True))
    assert [each.get("about") for each in page["captions"]] == [None, 0, 1]
    for count in range(1, MAX_ANSWERS):
        *_, page = tabs.ask("tab", OwnSentence(sentence="a" + " dog" * count))
    assert [each.get("about") for each in page["captions"][:3]] == [None, -1, 0]


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("length", [3, 4])
def test_the_last_place_to_put_a_word_is_that_of_the_end(tabs, ends, length):
    """After an unfinished caption's last word, or where ``<end>`` stands; never after it."""
    words = (*("dog",) * (length - 1), "<end>" if ends else "runs")
    about = Captioned(make_caption(words, ends, GRID), tabs.engine.viewed(prepare(gradient(), PhotoFormat(64))), GREEDY)
    last = length - 1 if ends else length
    plan = AnotherWord(position=last, word="a").plan(tabs.engine, about)
    assert plan.beginning == (*words[:last], "a")
    with pytest.raises(SettingsError, match=f"from 0 to {last}, got {last + 1}"):
        AnotherWord(position=last + 1, word="a").plan(tabs.engine, about)


def dropped(tree):
    """The words of every beginning that the search dropped, from the tree as the page reads it."""
    branches = tree["branches"]

    def path(tip):
        return [] if tip < 0 else [*path(branches[tip][0]), tip]

    alive = {each for tip in tree["race"] for each in path(tip)}
    return [[branches[each][1] for each in path(tip)] for tip in range(len(branches)) if tip not in alive]


def test_a_dropped_beginning_is_finished_as_the_search_began(tabs, look):
    settings = SearchSettings(4, max_length=6)
    *_, done = tabs.show("tab", gradient(), settings)
    beginnings = dropped(done["tree"])
    assert len(beginnings) > 2
    for beginning in beginnings:
        page = last_of(tabs.ask("tab", FinishBranch(words=tuple(beginning))))
        answer = page["captions"][page["chosen"]]
        assert texts(answer) == list(tabs.captioner.caption(look, settings, beginning).words)
        assert texts(answer)[: len(beginning)] == beginning
        assert (answer["origin"], answer["about"], page["beside"]) == ("branch", 0, 0)
        assert page["start"] == len(beginning) - 1
        assert answer["asked"] == ["branch", *beginning]
        assert page["tree"] == done["tree"], "the search stays as it was"


def test_a_dropped_beginning_keeps_nothing_that_was_changed_later(tabs, look):
    kept_word(tabs)
    page = last_of(tabs.ask("tab", FinishBranch(index=1, keep=True, words=("dog",))))
    assert (page["beside"], page["captions"][-1]["conditions"]) == (0, [])
    assert texts(page) == list(tabs.captioner.caption(look, GREEDY, ["dog"]).words)


def test_a_sentence_that_was_dropped_whole_is_weighed_as_it_is(tabs, shown, look):
    page = last_of(tabs.ask("tab", FinishBranch(words=("dog", "runs", "<end>"))))
    assert texts(page) == ["dog", "runs", "<end>"]
    assert page["captions"][-1]["log_prob"] == pytest.approx(tabs.captioner.score(look, "dog runs").log_prob, rel=2e-3)


@pytest.mark.parametrize("words", [(), ("unheard",), ("<end>", "dog"), ("dog",) * 99], ids=str)
def test_a_beginning_without_sense_is_refused(tabs, shown, words):
    with pytest.raises(SettingsError):
        list(tabs.ask("tab", FinishBranch(words=words)))
    assert len(tabs.sessions.get("tab").result.found) == 1


AGAIN = [*FIRST, FinishBranch(words=("dog",))]


@pytest.mark.parametrize("asked", AGAIN, ids=lambda each: each.origin)
def test_asking_the_same_again_goes_to_the_answer_that_is_there(tabs, asked, monkeypatch):
    list(tabs.show("tab", gradient(), SEARCHED))
    first = last_of(tabs.ask("tab", asked))
    between = last_of(tabs.ask("tab", OwnSentence(sentence="dog dog runs")))
    for verb in ("stream", "score", "look", "look_elsewhere"):
        monkeypatch.setattr(tabs.captioner, verb, lambda *_: pytest.fail("nothing is computed again"))
    (again,) = tabs.ask("tab", replace(asked))
    assert again["captions"] == between["captions"]
    assert again["run"] > between["run"]
    assert [again[name] for name in ("chosen", "beside", "start")] == [
        first[name] for name in ("chosen", "beside", "start")
    ]


def test_another_question_or_one_about_another_caption_is_computed(tabs):
    list(tabs.show("tab", gradient(), SEARCHED))
    asked = [
        Hide(mask=LEFT),
        Hide(mask=RIGHT),
        NoAttention(),
        NoAttention(index=2, keep=True),
        AnotherWord(position=0, word="dog"),
        AnotherWord(position=1, word="dog"),
        LookElsewhere(position=1, weights=LEFT),
        LookElsewhere(position=1, weights=2 * LEFT),
        LookElsewhere(position=2, weights=LEFT),
        OtherSettings(settings=SearchSettings(1, 1.0, 3)),
        OtherSettings(settings=SearchSettings(1, 1.0, 4)),
    ]
    for count, each in enumerate(asked, 1):
        page = last_of(tabs.ask("tab", each))
        assert (page["chosen"], len(page["captions"])) == (count + 1, count + 2), each


def test_a_new_search_forgets_what_was_asked(tabs):
    list(tabs.show("tab", gradient(), SEARCHED))
    list(tabs.ask("tab", NoAttention()))
    list(tabs.search("tab", GREEDY))
    page = last_of(tabs.ask("tab", NoAttention()))
    assert texts(page) == list(
        tabs.captioner.caption(tabs.captioner.look(gradient()), GREEDY, attention=AttentionOverride.uniform(GRID)).words
    )
