"""Side by side, looking elsewhere, and the lecture's numbers: what a person sees of each."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from driver import PIXELS, data, finished, question, set_beam, settle, upload, wait, weigh, words

from captioner.override import AttentionOverride
from captioner.photo import hide
from captioner.search import SearchSettings
from demo.page.examples import examples

pytestmark = pytest.mark.browser

OTHER_PIXELS = "() => document.querySelector('.sat-second-pane .sat-map').toDataURL()"
OTHER_WORDS = ".sat-second-pane .sat-caption .sat-word:not(.sat-end) bdi"


def other_words(page) -> list[str]:
    return page.locator(OTHER_WORDS).all_inner_texts()


def compare(page, beam: str, temperature: str, seed: str) -> None:
    question(page, "settings")
    for name, value in (("beam", beam), ("temperature", temperature), ("seed", seed)):
        page.locator(f".sat-settings input[name={name}]").fill(value)
    page.locator(".sat-settings button").click()
    wait(page, "d.beside === '0'")


def number(text: str) -> float:
    return float(text.split(maxsplit=1)[0].replace("−", "-").replace("+", ""))


def percents(text: str) -> list[float]:
    return [float(part) for part in text.replace("%", " ").replace("→", " ").split()]


def spoken_words(caption) -> list[str]:
    return [word for word in caption.words if word != "<end>"]


@pytest.fixture
def look(tiny):
    return tiny.look(str(examples()[0].path))


def test_two_settings_play_in_step(address, open_page, tiny, look):
    page = open_page(address)
    finished(page)
    compare(page, "2", "1.5", "4")
    settings = SearchSettings(2, 1.5, 4)
    expected = tiny.caption(look, settings)
    assert words(page) == spoken_words(expected)
    assert other_words(page) == spoken_words(tiny.caption(look))
    own, other = (
        page.locator(".sat-top .sat-head").inner_text(),
        page.locator(".sat-second-pane .sat-head").inner_text(),
    )
    assert "Beam size 2, temperature 1.5, seed 4" in own
    assert f"−{-expected.log_prob:.1f} nats" in own
    assert "Beam size 3" in other
    page.locator("body").press("Home")
    wait(page, "d.step === '0' && d.playing === 'false'")
    seen = (settle(page), page.evaluate(OTHER_PIXELS))
    page.locator("body").press("ArrowRight")
    wait(page, "d.step === '1'")
    moved = (settle(page), page.evaluate(OTHER_PIXELS))
    assert all(one != other for one, other in zip(seen, moved, strict=True)), "one key moves both maps"
    for holder in (".sat-top .sat-caption", ".sat-second-pane .sat-caption"):
        current = page.locator(f"{holder} .sat-word").evaluate_all(
            "all => all.findIndex((each) => each.classList.contains('sat-current'))"
        )
        assert current == 1
    page.locator("body").press(" ")
    wait(page, "d.playing === 'true' && Number(d.step) >= 3")


def test_the_shorter_one_waits_at_its_end(address, open_page):
    page = open_page(address)
    finished(page)
    weigh(page, "a dog")
    wait(page, "d.beside === '0'")
    page.locator("body").click(position={"x": 2, "y": 2})
    count = page.locator(".sat-second-pane .sat-caption .sat-word").count()
    assert page.locator(".sat-top .sat-caption .sat-word").count() == 3 < count
    page.locator(".sat-scrub").fill(str(count - 1))
    wait(page, f"d.step === '{count - 1}'")
    last = "all => all[all.length - 1].classList.contains('sat-current')"
    assert page.locator(".sat-top .sat-caption .sat-word").evaluate_all(last)
    assert page.locator(".sat-second-pane .sat-caption .sat-word").evaluate_all(last)
    assert page.locator(".sat-word-panel-word").inner_text() == "end"


def test_words_that_differ_are_underlined(address, open_page):
    page = open_page(address)
    finished(page)
    weigh(page, " ".join([*words(page)[:2], "ball"]))
    wait(page, "d.beside === '0'")
    own = page.locator(".sat-top .sat-caption .sat-differs bdi").all_inner_texts()
    other = page.locator(".sat-second-pane .sat-differs bdi").all_inner_texts()
    assert set(own) <= {"ball", "■"}
    assert len(words(page)) - len([w for w in own if w != "■"]) == len(other_words(page)) - len(
        [w for w in other if w != "■"]
    ), "what is not underlined is the same in both"
    assert "underlined" in page.locator(".sat-verdict").inner_text()


SAME_SENTENCE = {
    "en-US": r"The same sentence: (\S+) → (\S+) nats {}\. Written now: (?:“(.*)”, (\S+) nats|the same.*)\.",
    "ko-KR": r"같은 문장: {} (\S+) → (\S+)나트\. 지금 쓴 문장: (?:“(.*)”, (\S+)나트\.|단어 하나까지 똑같습니다\.)",
}


def told(page, locale: str, circumstance: str) -> tuple[list[float], str | None]:
    """The nats of a verdict on the same sentence, and what is written now if that is another one."""
    said = re.fullmatch(SAME_SENTENCE[locale].format(circumstance), page.locator(".sat-verdict").inner_text())
    assert said, page.locator(".sat-verdict").inner_text()
    before, after, caption, now = said.groups()
    return [number(each) for each in (before, after, now) if each], caption


@pytest.mark.parametrize(
    ("locale", "hidden", "without"),
    [("en-US", "with this place hidden", "without attention"), ("ko-KR", "이곳을 가리면", "주의가 없으면")],
)
def test_the_same_sentence_has_its_size_and_no_cause(locale, hidden, without, address, open_page, tiny, look):
    page = open_page(address, locale=locale)
    finished(page)
    own = tiny.caption(look)
    page.locator(".sat-top .sat-stage").click(position={"x": 30, "y": 30})
    mask = np.zeros((14, 14), bool)
    box = page.locator(".sat-top .sat-stage").bounding_box()
    mask[int(30 / box["height"] * 14), int(30 / box["width"] * 14)] = True
    painted = tiny.look(hide(look.view, mask, tiny.card.photo))
    uniform = AttentionOverride.uniform((14, 14))
    expected = {
        ("hide", hidden): (tiny.score(painted, own.words), tiny.caption(painted)),
        ("uniform", without): (tiny.score(look, own.words, uniform), tiny.caption(look, attention=uniform)),
    }
    for caption, ((kind, circumstance), (same, now)) in enumerate(expected.items(), 3):
        question(page, kind)
        page.click(f".sat-ask-{kind}")
        wait(page, f"d.caption === '{caption}' && d.beside === '0'")
        sizes, written = told(page, locale, circumstance)
        if written is None:
            assert now.words == own.words
            assert sizes == pytest.approx([own.log_prob, same.log_prob], abs=0.06)
        else:
            assert written == now.text
            assert sizes == pytest.approx([own.log_prob, same.log_prob, now.log_prob], abs=0.06)
        for step in (1, 2):
            page.locator("body").press(str(step + 1))
            wait(page, f"d.step === '{step}'")
            page.wait_for_timeout(200)
            said = page.locator(".sat-verdict-word").inner_text()
            assert said.startswith(f"“{own.words[step]}”: ")
            chances = [100 * each.word(step).probability for each in (own, same)]
            assert percents(said.split(": ")[1].rstrip(".")) == pytest.approx(chances, abs=0.51)


def test_a_hidden_place_stands_beside_the_whole_photo(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator(".sat-top .sat-stage").click(position={"x": 30, "y": 30})
    question(page, "hide")
    page.click(".sat-ask-hide")
    wait(page, "d.beside === '0'")
    sources = [page.locator(f"{holder} .sat-photo").get_attribute("src") for holder in (".sat-second-pane", ".sat-top")]
    assert sources[0] != sources[1]
    assert "whole photo" in page.locator(".sat-second-pane .sat-head").inner_text()
    panes = (".sat-second-pane .sat-head", ".sat-head-main")
    before, after = (number(page.locator(f"{pane} .sat-number").inner_text()) for pane in panes)
    sizes, written = told(page, "en-US", "with this place hidden")
    assert (sizes[0], sizes[-1]) == (before, after)
    assert written in (None, " ".join(words(page)))


@pytest.mark.parametrize(
    ("locale", "pattern"),
    [
        ("en-US", r"“(.*)” had (.*) %, “(.*)” has (.*) %\. The sentence: (\S+) → (\S+) nats\."),
        ("ko-KR", r"“(.*)”: (.*) %, “(.*)”: (.*) %\. 문장: (\S+) → (\S+)나트\."),
    ],
)
def test_a_word_that_was_said_has_its_size(locale, pattern, address, open_page, tiny, look):
    page = open_page(address, locale=locale)
    finished(page)
    own = tiny.caption(look)
    page.locator("body").press("2")
    wait(page, "d.step === '1'")
    ask(page, "word", 3)
    said = tiny.caption(look, None, words(page)[:2])
    old, was, new, now, before, after = re.match(pattern, page.locator(".sat-verdict").inner_text()).groups()
    assert (old, new) == (own.words[1], said.words[1])
    chances = [100 * caption.word(1).probability for caption in (own, said)]
    assert [float(was), float(now)] == pytest.approx(chances, abs=0.51)
    assert [number(before), number(after)] == pytest.approx([own.log_prob, said.log_prob], abs=0.06)


def heads(page) -> list[str]:
    """What the two panes are called, the one beside first."""
    return [
        page.locator(f"{holder} strong").text_content() for holder in (".sat-second-pane .sat-head", ".sat-head-main")
    ]


def ask(page, kind: str, caption: int) -> None:
    """Ask a question that needs no more than a click, and wait for its answer."""
    question(page, kind)
    page.locator(f".sat-panel[data-question={kind}] .sat-ask button").first.click()
    wait(page, f"d.caption === '{caption}' && d.phase === 'done'")


@pytest.mark.parametrize(
    ("locale", "names"),
    [
        (
            "en-US",
            ["The model’s sentence", "your sentence", "With attention", "no attention", "Beam size 3", "Beam size 1"],
        ),
        ("ko-KR", ["모델의 문장", "내 문장", "주의 있음", "주의 없음", "빔 크기 3", "빔 크기 1"]),
    ],
)
def test_every_answer_stands_beside_the_models_own_caption(locale, names, address, open_page, tiny, look):
    page = open_page(address, locale=locale)
    finished(page)
    own = spoken_words(tiny.caption(look))
    for sentence, caption in (("a dog", 3), ("red ball", 4)):
        weigh(page, sentence)
        wait(page, f"d.caption === '{caption}' && d.beside === '0'")
        assert (other_words(page), words(page)) == (own, sentence.split())
        assert heads(page) == names[:2]
    ask(page, "uniform", 5)
    assert (other_words(page), heads(page)) == (own, names[2:4])
    ask(page, "settings", 6)
    assert (other_words(page), heads(page)) == (own, names[4:])
    assert words(page) == spoken_words(tiny.caption(look, SearchSettings(1)))
    assert data(page)["beside"] == "0"


@pytest.mark.parametrize(
    ("locale", "said", "label", "kept"),
    [
        ("en-US", "“{}” as word 2", "Keep this change for the next question: {}", "Kept {}: {}"),
        ("ko-KR", "2번째 단어 “{}”", "다음 질문에서도 이 변경을 유지: {}", "{} 유지: {}"),
    ],
)
def test_a_change_is_kept_by_its_box_alone(locale, said, label, kept, address, open_page, tiny, look):
    page = open_page(address, locale=locale)
    finished(page)
    page.locator("body").press("2")
    wait(page, "d.step === '1'")
    box = page.locator(".sat-keep input")
    assert box.is_hidden()
    ask(page, "word", 3)
    beginning = words(page)[:2]
    change = said.format(beginning[1])
    assert not box.is_checked()
    assert page.locator(".sat-keep").inner_text() == label.format(change)
    ask(page, "uniform", 4)
    assert data(page)["beside"] == "0"
    assert box.is_hidden()
    contrast = heads(page)
    assert words(page) == spoken_words(tiny.caption(look, attention=AttentionOverride.uniform((14, 14))))
    page.locator(".sat-captions button").nth(3).click()
    wait(page, "d.caption === '3' && d.beside === '0'")
    box.check()
    ask(page, "uniform", 5)
    assert data(page)["beside"] == "3"
    assert heads(page) == [kept.format(change, each) for each in contrast]
    assert words(page) == spoken_words(tiny.caption(look, None, beginning, AttentionOverride.uniform((14, 14))))
    assert box.is_checked(), "the same change is kept"
    assert page.locator(".sat-captions button small").last.inner_text() == kept.format(change, contrast[1])
    box.uncheck()
    ask(page, "uniform", 4)  # the same question of the same caption goes to the answer that is there
    assert (data(page)["beside"], heads(page)) == ("0", contrast)


@pytest.mark.parametrize(
    ("locale", "mark", "none", "verdict"),
    [
        ("en-US", "not among its 8 words", "no total", "Yours has no total; not among its 8 words: “zxqv”, “blorp”."),
        ("ko-KR", "모델이 아는 단어 8개에 없음", "합계 없음", "모델이 아는 단어 8개에 없는 단어: “zxqv”, “blorp”."),
    ],
)
def test_a_word_that_it_does_not_know_has_no_number(locale, mark, none, verdict, address, open_page):
    page = open_page(address, locale=locale)
    finished(page)
    weigh(page, "zxqv Blorp dog")
    wait(page, "d.caption === '3' && d.beside === '0'")
    assert words(page) == ["zxqv", "blorp", "dog"]
    own = page.locator(".sat-versus li").last
    assert [text == mark for text in own.locator("small").all_inner_texts()] == [True, True, False, False]
    for total in (own.locator(".sat-number"), page.locator(".sat-head-main .sat-number")):
        assert total.inner_text() == none
    assert none in page.locator(".sat-captions button").last.inner_text()
    assert verdict in page.locator(".sat-verdict").inner_text()
    page.locator("body").click(position={"x": 2, "y": 2})
    for key, chance in (("1", mark), ("2", mark)):
        page.locator("body").press(key)
        wait(page, f"d.step === '{int(key) - 1}'")
        page.wait_for_timeout(200)
        assert page.locator(".sat-word-panel-chance").inner_text() == chance
    page.locator("body").press("3")
    wait(page, "d.step === '2'")
    page.wait_for_timeout(200)
    assert "%" in page.locator(".sat-word-panel-chance").inner_text()
    assert "unk" not in page.locator(".sat").inner_text()


def test_the_questions_speak_of_the_caption_that_they_are_about(address, open_page, tiny, look):
    page = open_page(address)
    finished(page)
    own = tiny.caption(look)
    weigh(page, "red ball")
    wait(page, "d.caption === '3'")
    page.locator("body").click(position={"x": 2, "y": 2})
    page.locator("body").press("1")
    question(page, "word")
    assert f"“{own.words[0]}”" in page.locator(".sat-panel[data-question=word] .sat-how").inner_text()
    shown = page.locator(".sat-ask-word bdi").all_inner_texts()
    assert shown == [each.word for each in own.alternatives[0] if each.word != own.words[0]]
    assert page.locator(".sat-bars button").count() == 0, "these are the runners-up of another caption"
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0'")
    assert page.locator(".sat-bars button").count() > 0


def test_what_is_kept_refuses_an_earlier_word(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("body").press("3")
    wait(page, "d.step === '2'")
    ask(page, "word", 3)
    said = words(page)[2]
    page.locator(".sat-keep input").check()
    page.locator("body").press("1")
    wait(page, "d.step === '0'")
    page.locator(".sat-ask-word button").first.click()
    toast = page.get_by_test_id("toast-body")
    toast.wait_for()
    assert f"'{said}' is kept; please choose a word after it" in toast.inner_text()
    assert data(page)["caption"] == "3"


def test_columns_on_a_projector_and_a_stack_on_a_phone(address, open_page):
    for width, columns in ((1920, True), (1280, True), (390, False)):
        page = open_page(address, viewport={"width": width, "height": 900})
        finished(page)
        question(page, "uniform")
        page.locator(".sat-ask-uniform").click()
        wait(page, "d.beside === '0'")
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_selector(".sat:not(.sat-stuck)")
        left, right = (
            page.locator(f"{holder} .sat-frame").bounding_box() for holder in (".sat-second-pane", ".sat-top")
        )
        if columns:
            assert left["x"] + left["width"] <= right["x"]
            assert left["y"] == pytest.approx(right["y"], abs=1)
        else:
            assert left["y"] + left["height"] <= right["y"]
        assert left["width"] == pytest.approx(right["width"], abs=1)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", [(390, 844), (1280, 800), (1920, 1080)], ids=str)
def test_nothing_lies_over_the_photo_in_a_lecture(size, address, open_page):
    page = open_page(address, viewport={"width": size[0], "height": size[1]})
    finished(page)
    page.locator("body").press("f")
    page.wait_for_selector(".sat-lecture")
    for key in ("1", "b"):
        page.locator("body").press(key)
        page.wait_for_timeout(500)
        photos = [frame.bounding_box() for frame in page.locator(".sat-frame").all()]
        lines = [line.bounding_box() for line in page.locator(".sat-caption, .sat-head").all() if line.is_visible()]
        assert len(photos) == (1 if key == "1" else 2)
        assert len(lines) == (1 if key == "1" else 4)
        for photo in photos:
            assert photo["width"] > 100
            assert photo["height"] > 100
            for line in lines:
                across = min(line["x"] + line["width"], photo["x"] + photo["width"]) - max(line["x"], photo["x"])
                down = min(line["y"] + line["height"], photo["y"] + photo["height"]) - max(line["y"], photo["y"])
                assert min(across, down) <= 0.5


def test_any_two_captions_can_be_put_side_by_side(address, open_page):
    page = open_page(address)
    finished(page)
    first = words(page)
    page.locator("body").press("b")
    wait(page, "d.beside === '1' && d.caption === '0'")
    second = other_words(page)
    page.locator(".sat-captions button").nth(2).click()
    wait(page, "d.caption === '2' && d.beside === '1'")
    assert other_words(page) == second
    page.locator(".sat-captions button").nth(1).click()
    wait(page, "d.caption === '1' && d.beside === '2'")
    page.locator(".sat-close").click()
    wait(page, "d.beside === ''")
    assert page.locator(".sat-second-pane").count() == 0
    assert words(page) == second
    assert page.locator(".sat-differs").count() == 0
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0'")
    assert words(page) == first


@pytest.mark.parametrize("change", ["photo", "slider"])
def test_a_new_photo_or_slider_in_mid_answer_leaves_no_mixed_state(change, address, tiny, open_page, photo):
    page = open_page(address)
    run = finished(page)
    tiny.decoder.pause = 0.8
    try:
        question(page, "settings")
        page.locator(".sat-settings button").click()
        wait(page, "d.phase === 'asking'")
        tiny.decoder.pause = 0.1
        if change == "photo":
            upload(page, photo)
        else:
            set_beam(page, 2)
        after = finished(page, run)
    finally:
        tiny.decoder.pause = 0.1
    page.wait_for_timeout(1500)
    assert data(page)["run"] == after
    assert data(page)["beside"] == ""
    assert page.locator(".sat-second-pane").count() == 0
    settings = SearchSettings(3 if change == "photo" else 2)
    source = str(photo if change == "photo" else examples()[0].path)
    assert words(page) == spoken_words(tiny.caption(source, settings))


def test_two_captions_that_were_found_answer_no_question(address, open_page):
    page = open_page(address)
    finished(page)
    question(page, "settings")
    page.locator("body").press("b")
    wait(page, "d.beside === '1'")
    page.locator(".sat-captions button").nth(1).click()
    wait(page, "d.caption === '1' && d.beside === '0'")
    answer = page.locator(".sat-answer")
    assert answer.is_visible()
    assert answer.locator("h3").first.inner_text() == "Two of the captions it found"
    assert page.locator(".sat-whatif .sat-answer").count() == 0
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.beside === '0' && d.caption === '3'")
    assert page.locator(".sat-panel[data-question=uniform] .sat-answer").is_visible()
    assert not answer.locator(".sat-answer-title").is_visible()


def test_the_tree_says_when_another_caption_plays(address, open_page):
    page = open_page(address)
    finished(page)
    line, tree = page.locator(".sat-tree-line"), page.locator(".sat-tree")
    own, opacity = line.inner_text(), "tree => Number(getComputedStyle(tree).opacity)"
    assert "captions were found" in own
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.caption === '3'")
    assert "for the original caption" in line.inner_text()
    assert tree.evaluate(opacity) < 0.6
    assert page.locator(".sat-node.sat-lit").count() == 0
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0'")
    assert line.inner_text() == own
    assert tree.evaluate(opacity) == 1


def test_a_new_photo_closes_the_side_by_side(address, tiny, open_page, photo):
    page = open_page(address)
    finished(page)
    compare(page, "1", "0", "0")
    run = data(page)["run"]
    upload(page, photo)
    finished(page, run)
    assert page.locator(".sat-second-pane").count() == 0
    assert words(page) == spoken_words(tiny.caption(str(photo)))


def test_stop_ends_an_answer(address, tiny, slow, open_page):
    tiny.decoder.pause = 0.1
    page = open_page(address)
    run = finished(page)
    shown = words(page)
    tiny.decoder.pause = 0.8
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.phase === 'asking'")
    assert page.locator(".sat-status").inner_text() == "The model is thinking…"
    page.click("#stop")
    wait(page, "d.phase === 'done'")
    page.wait_for_timeout(2500)
    assert (data(page)["run"], words(page)) == (run, shown)
    assert page.locator(".sat-second-pane").count() == 0


def test_looking_elsewhere_shows_before_and_after(address, open_page, tiny, look):
    page = open_page(address)
    run = finished(page)
    before = tiny.caption(look)
    page.locator("body").press("2")
    wait(page, "d.step === '1'")
    question(page, "place")
    page.locator(".sat-top .sat-stage").click(position={"x": 5, "y": 5})
    page.locator(".sat-ask-place").click()
    wait(page, f"Number(d.run) > {run} && d.beside === '0' && d.step === '1' && d.playing === 'false'")
    override = AttentionOverride.spot((14, 14), 1, 0, 0)
    own, forced = tiny.look_elsewhere(look, before.words, 1, override)
    chances = [{other.word: other.probability for other in word.alternatives} for word in (own, forced)]
    rows = page.locator(".sat-change li")
    assert rows.count() >= 5
    for row in rows.all():
        word = row.locator("bdi").inner_text().replace("■ end", "<end>")
        shown = percents(row.locator(".sat-number").inner_text())
        expected = [100 * each[word] for each in chances]
        assert shown == pytest.approx(expected, abs=0.51)
        assert number(row.locator(".sat-points").inner_text()) == pytest.approx(shown[1] - shown[0], abs=1e-9)
        bars = [row.locator(f".sat-{name}") for name in ("before", "after")]
        widths = [bar.evaluate("bar => bar.style.getPropertyValue('--share')") for bar in bars]
        assert [float(width) for width in widths] == pytest.approx([each / 100 for each in expected], abs=1e-3)
    assert f"“{before.words[1]}”" in page.locator(".sat-change-line").inner_text()
    assert "Word 2" in page.locator(".sat-change-title").inner_text()
    assert words(page) == spoken_words(tiny.caption(look, None, before.words[:1], override))
    assert other_words(page) == spoken_words(before), "the original stands beside it"
    assert settle(page) != page.evaluate(OTHER_PIXELS)


def cards(page) -> dict[str, tuple[str, str]]:
    return {
        card.get_attribute("data-part"): (card.locator("> strong").inner_text(), card.locator("> span").inner_text())
        for card in page.locator(".sat-equations li").all()
    }


def test_the_lecture_shows_this_words_real_numbers(address, open_page, tiny, look):
    page = open_page(address)
    finished(page)
    caption = tiny.caption(look)
    page.locator("body").press("3")
    page.locator("body").press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    expected = tiny.explain(look, caption.words, 2)
    box = page.locator(".sat-top .sat-stage").bounding_box()
    for row, column in ((3, 9), (12, 1)):
        page.mouse.move(box["x"] + box["width"] * (column + 0.5) / 14, box["y"] + box["height"] * (row + 0.5) / 14)
        page.wait_for_function(
            "place => document.querySelector('.sat-equations li > span').textContent.includes(place)",
            arg=f"row {row + 1}, column {column + 1};",
        )
        shown = cards(page)
        assert number(shown["energy"][0]) == pytest.approx(expected.energies[row, column], abs=0.006)
        assert number(shown["alpha"][0]) == pytest.approx(100 * expected.alpha[row, column], abs=0.006)
        assert number(shown["context"][0]) == pytest.approx(100 * expected.shares[row, column], abs=0.006)
    assert float(shown["gate"][0].split("= ")[1]) == pytest.approx(expected.beta, abs=0.006)
    assert f"{expected.gates.forget:.2f}" in shown["lstm"][0]
    assert f"“{caption.words[1]}”" in shown["lstm"][1]
    assert number(shown["softmax"][0]) == pytest.approx(100 * math.exp(caption.log_probs[2]), abs=0.06)
    assert page.locator(".sat-cursor").is_visible()


def test_a_cell_can_be_pointed_at_with_the_keys(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("body").press("1")
    page.locator("body").press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    page.locator(".sat-scrub").focus()
    while page.evaluate("() => !document.activeElement.classList.contains('sat-stage')"):
        page.keyboard.press("Shift+Tab")
    step = data(page)["step"]
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(300)
    first = cards(page)
    assert "row 7, column 8" in first["energy"][1]
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert "row 7, column 9" in cards(page)["energy"][1]
    assert page.locator(".sat-spoken").inner_text().startswith("Row 7, column 9:")
    assert data(page)["step"] == step, "the keys move over the photo, not through the words"
    page.keyboard.press("Enter")
    assert page.locator(".sat-top .sat-region").is_visible()
    page.keyboard.press("Shift+ArrowDown")
    boxes = [page.locator(selector).bounding_box()["height"] for selector in (".sat-top .sat-region", ".sat-cursor")]
    assert boxes[0] == pytest.approx(2 * boxes[1], rel=0.05)
    page.keyboard.press("Escape")
    assert not page.locator(".sat-top .sat-region").is_visible()


def test_forced_attention_is_told_apart_from_the_energies(address, open_page):
    page = open_page(address)
    finished(page)
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, "d.beside === '0'")
    page.locator(".sat-close").click()
    page.locator("body").press("3")
    page.locator("body").press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    value, meaning = cards(page)["alpha"]
    assert number(value) == pytest.approx(100 / 196, abs=0.006)
    assert "forced here" in meaning


def test_the_numbers_of_one_word_are_asked_for_once(address, open_page):
    page = open_page(address)
    finished(page)
    asked = []
    page.on("request", lambda request: asked.append(request.post_data or "") if "/queue/join" in request.url else None)
    page.locator("body").press("1")
    page.wait_for_timeout(500)
    assert asked == [], "nothing is asked outside the lecture"
    page.locator("body").press("f")
    page.wait_for_selector(".sat-equations [data-part=context]")
    for _ in range(2):
        page.locator("body").press("2")
        page.wait_for_timeout(600)
        page.locator("body").press("1")
        page.wait_for_timeout(600)
    assert len(asked) == 3, "words 1 and 2, and 3 ahead of time"
    assert np.unique(asked).size == 3


def test_hostile_words_stay_text_side_by_side(hostile_address, open_page):
    page = open_page(hostile_address)
    finished(page)
    weigh(page, "<img src=x onerror=alert(1)> ${1}")
    wait(page, "d.beside === '0'")
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0' && d.beside === '3'")
    page.locator("body").press("2")
    question(page, "place")
    page.locator(".sat-top .sat-stage").click(position={"x": 5, "y": 5})
    page.locator(".sat-ask-place").click()
    page.wait_for_selector(".sat-change li")
    page.locator("body").press("f")
    page.wait_for_timeout(800)
    assert page.locator(".sat img").count() == 2, "the two photos"
    assert page.evaluate(PIXELS)
