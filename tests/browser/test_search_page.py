"""The search made visible, and what it costs on the wire."""

from __future__ import annotations

import re

import pytest
from driver import data, finished, question, set_beam, wait, words

from captioner.search import SearchSettings
from demo.page.examples import examples

pytestmark = pytest.mark.browser

KILOBYTE = 1024
NODES = "() => document.querySelectorAll('.sat-node').length"


def search_again(page, beam: int, run: str, received: list[int] | None = None) -> str:
    """Set the beam size and wait for the captions; notes the bytes of every network response but the icon's."""
    if received is not None:
        page.locator("#settings > button").click()  # which loads the sliders, once
        page.wait_for_selector("#seed input")
        page.wait_for_timeout(1000)
        page.locator("#settings > button").click()
        session, icons = page.context.new_cdp_session(page), set()
        session.on(
            "Network.requestWillBeSent",
            lambda event: "favicon" in event["request"]["url"] and icons.add(event["requestId"]),
        )
        session.on(
            "Network.dataReceived",
            lambda event: event["requestId"] not in icons and received.append(event["dataLength"]),
        )
        session.send("Network.enable")
    set_beam(page, beam)
    run = finished(page, run)
    page.wait_for_timeout(1000)
    return run


def found(page) -> list[list[str]]:
    """The words of every caption of the search, as its rows show them."""
    return [row.split() for row in page.locator(".sat-captions bdi").all_inner_texts()]


def test_a_streamed_caption_costs_at_most_a_kilobyte_a_word(address, open_page):
    page = open_page(address)
    received: list[int] = []
    search_again(page, 1, search_again(page, 2, finished(page)), received)  # the photo came with the one before
    assert 0 < sum(received) <= KILOBYTE * int(data(page)["count"])
    assert page.locator(".sat-search").is_hidden()


def test_captions_of_a_beam_cost_at_most_a_kilobyte_a_new_word(address, open_page):
    page = open_page(address)
    received: list[int] = []
    search_again(page, 4, search_again(page, 2, finished(page)), received)
    captions = [[*caption, "<end>"] for caption in found(page)]
    assert len(captions) == 4
    new = {tuple(caption[:stop]) for caption in captions for stop in range(1, len(caption) + 1)}
    assert 0 < sum(received) <= KILOBYTE * len(new)


def test_the_tree_grows_and_ends_at_the_caption(address, slow, open_page):
    page = open_page(f"{address}/?photo=Corgi")
    wait(page, "Number(d.count) >= 2 && d.phase === 'guessing'")
    assert page.locator(".sat-tree-badge").inner_text() == "Leading guess"
    early = page.evaluate(NODES)
    page.wait_for_function(f"() => document.querySelectorAll('.sat-node').length > {early}")
    finished(page)
    assert page.locator(".sat-tree-badge").inner_text() == "Final"
    assert page.locator(".sat-node.sat-lit bdi").all_inner_texts() == [*words(page), "■"]
    assert page.locator(".sat-tree-best").inner_text() == " ".join(words(page))
    assert page.locator(".sat-dropped").count() > 0
    assert page.locator(".sat-dropped:disabled").count() == 0


def test_a_caption_and_its_path_are_chosen_together(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator(".sat-captions button").nth(1).click()
    wait(page, "d.caption === '1'")
    assert sorted(page.locator(".sat-lit bdi").all_inner_texts()) == sorted([*words(page), "■"])
    tips = page.locator(".sat-node.sat-ended:enabled:not(.sat-lit)")
    tips.first.focus()
    page.keyboard.press("Enter")
    wait(page, "d.caption !== '1' && d.playing === 'false'")
    assert int(data(page)["step"]) == int(data(page)["count"]) - 1
    assert sorted(page.locator(".sat-lit bdi").all_inner_texts()) == sorted([*words(page), "■"])


def test_a_word_in_the_tree_is_plain_text(hostile_address, open_page):
    page = open_page(hostile_address)
    search_again(page, 8, finished(page))
    shown = set(page.locator(".sat-node bdi").all_inner_texts())
    assert {"<img src=x onerror=alert(1)>", "${1}", "{{value}}", "한국어"} <= shown
    assert page.locator(".sat-tree img").count() == 0


@pytest.mark.parametrize(
    ("locale", "offered", "size"),
    [
        ("en-US", "Finish this one", r"model’s sentence: −(\d+\.\d) nats; the one that begins “(.+)”: −(\d+\.\d) nats"),
        ("ko-KR", "이어서 완성하기", r"모델의 문장: −(\d+\.\d)나트, “(.+)”\(으\)로 시작하는 문장: −(\d+\.\d)나트"),
    ],
)
def test_a_dropped_beginning_is_finished_beside_the_models_caption(locale, offered, size, address, open_page, tiny):
    page = open_page(address, locale=locale)
    run = search_again(page, 4, finished(page))
    own = words(page)
    page.locator(".sat-dropped:not(.sat-ended)").first.click()
    button = page.locator(".sat-finish")
    assert button.inner_text() == offered
    page.keyboard.press("Escape")
    assert button.count() == 0
    page.locator(".sat-dropped:not(.sat-ended)").first.click()
    beginning = re.search("“(.+)”", button.get_attribute("aria-label"))[1].split()
    page.keyboard.press("Enter")
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
    look = tiny.look(str(examples()[0].path))
    settings = SearchSettings(4)
    expected, best = tiny.caption(look, settings, beginning), tiny.caption(look, settings)
    assert words(page) == expected.text.split()
    assert words(page)[: len(beginning)] == beginning
    answer = page.locator(".sat-search .sat-answer")
    before, begun, after = re.search(size, answer.locator(".sat-verdict").inner_text()).groups()
    assert begun.split() == beginning
    assert [float(before), float(after)] == pytest.approx([-best.log_prob, -expected.log_prob], abs=0.051)
    assert page.locator(".sat-lit bdi").all_inner_texts() == beginning
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0'")
    assert words(page) == own


def test_asking_the_same_again_sends_nothing(address, open_page):
    page = open_page(address)
    run = finished(page)
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    wait(page, f"Number(d.run) > {run} && d.beside === '0'")
    answered = data(page)
    page.locator(".sat-close").click()
    page.locator(".sat-captions button").first.click()
    wait(page, "d.caption === '0' && d.beside === ''")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "queue/join" in request.url else None)
    page.locator(".sat-ask-uniform").click()
    wait(page, f"d.caption === '{answered['caption']}' && d.beside === '0'")
    page.wait_for_timeout(500)
    assert sent == []
    assert data(page)["run"] == answered["run"]
    assert page.locator(".sat-answer").is_visible()


def test_a_tree_that_is_wider_than_its_box_fades_at_its_edges_and_follows_the_words(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844})
    search_again(page, 4, finished(page))
    scroller = page.locator(".sat-tree-scroll")
    edges = "each => [each.classList.contains('sat-more-before'), each.classList.contains('sat-more-after')]"
    assert scroller.evaluate("each => each.scrollWidth > each.clientWidth")
    for key, expected in (("Home", [False, True]), ("End", [True, False])):
        page.locator("body").press(key)
        page.wait_for_function(
            f"expected => {{ const each = document.querySelector('.sat-tree-scroll'); "
            f"return JSON.stringify(({edges})(each)) === JSON.stringify(expected); }}",
            arg=expected,
        )
        box, word = scroller.bounding_box(), page.locator(".sat-now").bounding_box()
        assert box["x"] <= word["x"]
        assert word["x"] + word["width"] <= box["x"] + box["width"]
        assert scroller.evaluate("each => getComputedStyle(each).maskImage") != "none"
    wide = open_page(address, viewport={"width": 1920, "height": 1080})
    finished(wide)
    assert wide.locator(".sat-tree-scroll").evaluate(edges) == [False, False]
