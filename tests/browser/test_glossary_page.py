"""The words of the field, explained where they stand: by pointing, by keys, in both languages."""

from __future__ import annotations

import pytest
from driver import data, finished, question

from demo.texts import english, korean

pytestmark = pytest.mark.browser

TIP = ".sat-gloss"


def says(page) -> str:
    page.wait_for_selector(TIP, state="visible")
    return page.locator(TIP).inner_text()


def term(page, name: str, focusable: str = "[tabindex]"):
    return page.locator(f".sat-term[data-term='{name}']{focusable} >> visible=true").first


def layout(page) -> list[object]:
    return page.evaluate(
        "[...document.querySelectorAll('.sat *:not(.sat-gloss)')].map((each) => "
        "[each.offsetLeft, each.offsetTop, each.offsetWidth]).concat([document.documentElement.scrollHeight])"
    )


@pytest.mark.parametrize(("language", "texts"), [("en", english), ("ko", korean)])
def test_every_word_is_explained_by_pointing_and_by_keys(language, texts, address, open_page):
    page = open_page(f"{address}/?lang={language}", viewport={"width": 1366, "height": 1600})
    finished(page)
    page.keyboard.press("Home")
    for name in texts.GLOSSARY:
        if name == "log-probability":
            question(page, "hide")
        if name in ("beam", "temperature"):
            question(page, "settings")
        word = term(page, name, "")
        before = layout(page)
        word.hover()
        assert says(page) == texts.GLOSSARY[name]["says"], name
        assert layout(page) == before, "nothing moves"
        page.mouse.move(2, 2)
        page.wait_for_selector(TIP, state="hidden")
        if name in ("beam", "temperature"):
            page.locator(f".sat-settings input[name={name}]").focus()
        else:
            term(page, name).focus()
        assert says(page) == texts.GLOSSARY[name]["says"], name
        assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "sat-gloss"
        page.keyboard.press("Escape")
        page.wait_for_selector(TIP, state="hidden")
        assert page.evaluate("document.querySelectorAll('[aria-describedby=sat-gloss]').length") == 0
    assert page.locator(TIP).get_attribute("role") == "tooltip"


def test_gradios_own_settings_are_explained_too(address, open_page):
    page = open_page(address)
    finished(page)
    page.locator("#settings > button").click()
    for name in ("beam", "temperature"):
        page.locator(f"#{name} input[type=number]").focus()
        assert says(page) == english.GLOSSARY[name]["says"]
        page.keyboard.press("Escape")
        page.wait_for_selector(TIP, state="hidden")


def test_the_explanation_can_be_pointed_at_and_lies_in_the_window(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844})
    finished(page)
    word = term(page, "gate")
    word.scroll_into_view_if_needed()
    word.hover()
    says(page)
    box = page.locator(TIP).bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2)
    page.wait_for_timeout(400)
    assert page.locator(TIP).is_visible()


def test_no_word_of_the_models_is_explained_and_keys_stay(address, open_page):
    page = open_page(address)
    finished(page)
    for part in (".sat-word", ".sat-thumb", "bdi"):
        assert page.locator(f"{part} .sat-term").count() == 0
    assert page.locator("button .sat-term[tabindex], label .sat-term[tabindex]").count() == 0
    page.keyboard.press("Home")
    term(page, "gate").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.sat').dataset.step === '1'")
    assert data(page)["playing"] == "false"
