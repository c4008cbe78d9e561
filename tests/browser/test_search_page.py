"""The search made visible, and what it costs on the wire."""

from __future__ import annotations

import pytest
from test_page import data, finished, wait, words

pytestmark = pytest.mark.browser

KILOBYTE = 1024
NODES = "() => document.querySelectorAll('.sat-node').length"


def search_again(page, beam: int, run: str, received: list[int] | None = None) -> str:
    """Set the beam size and wait for the captions; notes the bytes of every network response but the icon's."""
    if received is not None:
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
    page.locator("#beam input[type=number]").fill(str(beam))
    page.locator("#beam input[type=number]").press("Enter")
    run = finished(page, run)
    page.wait_for_timeout(1000)
    return run


def found(page) -> list[list[str]]:
    """The words of every caption of the search, as its rows show them."""
    return [row.split() for row in page.locator(".sat-captions bdi").all_inner_texts()]


def test_a_streamed_caption_costs_at_most_a_kilobyte_a_word(address, open_page):
    page = open_page(address)
    received: list[int] = []
    search_again(page, 1, finished(page), received)
    assert 0 < sum(received) <= KILOBYTE * int(data(page)["count"])
    assert page.locator(".sat-search").is_hidden()


def test_captions_of_a_beam_cost_at_most_a_kilobyte_a_new_word(address, open_page):
    page = open_page(address)
    received: list[int] = []
    search_again(page, 4, finished(page), received)
    captions = [[*caption, "<end>"] for caption in found(page)]
    assert len(captions) == 4
    new = {tuple(caption[:stop]) for caption in captions for stop in range(1, len(caption) + 1)}
    assert 0 < sum(received) <= KILOBYTE * len(new)


def test_the_tree_grows_and_ends_at_the_caption(address, slow, open_page):
    page = open_page(address)
    wait(page, "Number(d.count) >= 2 && d.phase === 'guessing'")
    assert page.locator(".sat-tree-badge").inner_text() == "Leading guess"
    early = page.evaluate(NODES)
    page.wait_for_function(f"() => document.querySelectorAll('.sat-node').length > {early}")
    finished(page)
    assert page.locator(".sat-tree-badge").inner_text() == "Final"
    assert page.locator(".sat-node.sat-lit bdi").all_inner_texts() == [*words(page), "■"]
    assert page.locator(".sat-tree-best").inner_text() == " ".join(words(page))
    assert page.locator(".sat-dropped").count() > 0
    assert page.locator(".sat-dropped:enabled").count() == 0


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
