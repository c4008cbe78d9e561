"""What-ifs of a tab: what is forced, what comes before and after, what Stop and newer runs do to them."""

import numpy as np
import pytest
from PIL import Image
from test_studio import GREEDY, gradient, texts
from tiny import make_checkpoint

from captioner.override import AttentionOverride
from captioner.pipeline import Captioner
from captioner.search import SearchSettings, SettingsError
from demo.sessions import MAX_ANSWERS, Result
from demo.studio import Studio
from demo.whatif import Question, forced, question, region_map

PLACE = Question("place", position=2, region=(0, 1, 1, 2))


@pytest.fixture
def studio(tmp_path):
    return Studio(Captioner(make_checkpoint()), tmp_path)


@pytest.fixture
def shown(studio):
    *_, last = studio.show("tab", gradient(), GREEDY)
    return last


@pytest.fixture
def look(studio):
    return studio.captioner.look(gradient())


def test_looking_elsewhere_shows_each_likely_word_before_and_after(studio, shown, look):
    asking, answered = studio.ask("tab", PLACE)
    assert (asking["phase"], asking["run"]) == ("asking", shown["run"])
    assert (answered["chosen"], answered["beside"], answered["start"]) == (1, 0, 2)
    change = answered["captions"][1]["change"]
    prefix = [*texts(shown)[:2]]
    override = AttentionOverride({2: region_map(PLACE.region, (3, 3))})
    for word, before, after in change["words"]:
        scored = [studio.captioner.score(look, [*prefix, word], each) for each in (None, override)]
        assert [before, after] == pytest.approx([each.word(2).probability for each in scored], rel=2e-3)
    listed = [word for word, *_ in change["words"]]
    assert len(set(listed)) == len(listed) >= 5
    assert change["word"] == texts(shown)[2]
    assert change["word"] in listed
    expected = studio.captioner.caption(look, GREEDY, prefix, override)
    assert texts(answered) == list(expected.words)


def test_another_search_is_answered_with_its_own_settings(studio, shown, look, monkeypatch):
    monkeypatch.setattr(studio.captioner, "look", lambda photo: pytest.fail("the photo is encoded once"))
    settings = SearchSettings(2, 1.0, 7)
    *_, answered = studio.ask("tab", Question("settings", settings=settings))
    assert texts(answered) == list(studio.captioner.caption(look, settings).words)
    assert answered["captions"][1]["settings"] == [2, 1.0, 7]
    assert "settings" not in answered["captions"][0]
    *_, branch = studio.ask("tab", Question("word", index=1, position=1, word="dog"))
    expected = studio.captioner.caption(look, settings, [texts(answered)[0], "dog"])
    assert texts(branch) == list(expected.words), "a branch of it keeps its settings"


def test_a_branch_keeps_the_attention_that_was_forced_before_it(studio, shown, look):
    studio_place = Question("place", position=0, region=(0, 0, 0, 0))
    *_, placed = studio.ask("tab", studio_place)
    *_, branch = studio.ask("tab", Question("word", index=1, position=1, word="dog"))
    override = AttentionOverride({0: region_map((0, 0, 0, 0), (3, 3))})
    expected = studio.captioner.caption(look, GREEDY, [texts(placed)[0], "dog"], override)
    assert texts(branch) == list(expected.words)
    assert branch["captions"][2]["words"][0]["m"] == 1.0


def test_only_maps_before_a_position_stay_forced():
    maps = {at: np.full((3, 2), at + 1.0) for at in range(3)}
    assert forced(None, 1) is None
    assert set(forced(AttentionOverride(maps), 1).maps) == {0}
    assert forced(AttentionOverride(maps), 0) is None
    everywhere = forced(AttentionOverride.uniform((3, 2)), 0, maps[2])
    assert (set(everywhere.maps), everywhere.otherwise.sum()) == ({0}, pytest.approx(1))


def test_stop_ends_an_answer_and_keeps_the_page(studio, shown):
    asked = studio.ask("tab", Question("uniform"))
    assert next(asked)["phase"] == "asking"
    studio.stop("tab")
    (back,) = asked
    assert (back["phase"], back["run"], texts(back)) == ("done", shown["run"], texts(shown))
    assert len(back["captions"]) == 1
    *_, answered = studio.ask("tab", Question("uniform"))
    assert len(answered["captions"]) == 2, "and the next question is answered"


def test_a_refused_answer_brings_the_page_back(studio, shown):
    asked = studio.ask("tab", Question("word", word="unheard"))
    assert next(asked)["phase"] == "asking"
    assert (back := next(asked))["phase"] == "done"
    assert texts(back) == texts(shown)
    with pytest.raises(SettingsError, match="does not know the word 'unheard'"):
        next(asked)


@pytest.mark.parametrize("newer", ["photo", "slider"])
def test_a_new_photo_or_slider_silences_an_answer(studio, shown, newer):
    asked = studio.ask("tab", Question("uniform"))
    next(asked)
    stream = studio.show("tab", gradient(shift=90), GREEDY) if newer == "photo" else studio.search("tab", GREEDY)
    first = next(stream)
    assert list(asked) == []
    *_, last = stream
    assert last["run"] == first["run"] > shown["run"]
    assert len(last["captions"]) == 1
    assert isinstance(studio.sessions.get("tab").result, Result)


def test_the_newest_question_wins(studio, shown):
    older, newer = studio.ask("tab", Question("uniform")), studio.ask("tab", PLACE)
    next(older), next(newer)
    assert list(older) == []
    (answered,) = newer
    assert [each["origin"] for each in answered["captions"]] == ["search", "place"]


def test_a_hidden_photo_is_beside_the_whole_one(studio, shown):
    *_, answered = studio.ask("tab", Question("hide", region=(0, 0, 2, 0)))
    with Image.open(answered["photo"]) as whole, Image.open(answered["captions"][1]["photo"]["path"]) as painted:
        gap = np.abs(np.asarray(whole, int) - np.asarray(painted, int)).mean(axis=(0, 2))
    assert gap[:12].min() > 10
    assert gap[20:].max() < 6
    assert (answered["chosen"], answered["beside"]) == (1, 0)


def test_numbers_are_those_of_the_caption_with_what_was_forced(studio, shown, look):
    *_, answered = studio.ask("tab", PLACE)
    for index, override in ((0, None), (1, AttentionOverride({2: region_map(PLACE.region, (3, 3))}))):
        words = [word["w"] for word in answered["captions"][index]["words"]]
        got = studio.explain("tab", answered["run"], index, 2)
        expected = studio.captioner.explain(look, words, 2, override)
        np.testing.assert_allclose(got["energies"], expected.energies, rtol=1e-3)
        np.testing.assert_allclose(got["alpha"], expected.alpha, rtol=1e-3)
        assert np.sum(got["shares"]) == pytest.approx(1, abs=1e-3)
        assert (got["word"], got["previous"]) == (words[2], words[1])
    for run, index, position in ((shown["run"], 0, 0), (answered["run"], 9, 0), (answered["run"], 0, 99)):
        with pytest.raises(SettingsError):
            studio.explain("tab", run, index, position)


def test_settings_come_with_a_question():
    assert question({"kind": "settings", "settings": [2, 0.5, 3]}).settings == SearchSettings(2, 0.5, 3)
    for wrong in ([0, 0, 0], [1, 0], [1.5, 0, 0], [1, float("nan"), 0], [1, None, 0], "abc", 5, [1e400, 0, 0]):
        with pytest.raises(SettingsError):
            question({"kind": "settings", "settings": wrong})


def test_the_newest_answers_of_a_tab_are_kept_and_the_page_is_told(studio, shown, tmp_path):
    for answers in range(1, MAX_ANSWERS + 3):
        row, column = divmod(answers % 9, 3)
        *_, page = studio.ask("tab", Question("hide", region=(row, column, row, column)))
        kept = page["captions"][1:]
        assert len(kept) == min(answers, MAX_ANSWERS)
        assert page["forgotten"] == max(0, answers - MAX_ANSWERS)
        assert (page["chosen"], page["beside"]) == (len(kept), 0), "the newest one, beside what it was asked about"
        assert kept[-1]["photo"]["path"] not in {each["photo"]["path"] for each in kept[:-1][-8:]}
    assert "origin" in page["captions"][0]
    assert texts(page) != []


def test_the_answer_that_is_asked_about_is_never_the_one_forgotten(studio, shown):
    *_, page = studio.ask("tab", Question("hide", region=(0, 0, 0, 0)))
    first = page["captions"][1]
    for _ in range(MAX_ANSWERS):
        *_, page = studio.ask("tab", Question("uniform", index=1))
    assert page["forgotten"] == 1
    assert page["beside"] == 1
    assert page["captions"][1] == first
