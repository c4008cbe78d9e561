"""The lesson: by keys alone, in both languages, cut off from the network; left, taken up again, linked."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from driver import PATIENCE, finished, upload, wait

pytestmark = pytest.mark.browser

STEPS = ["guess", "chances", "who", "word", "place", "hide", "uniform", "own", "end"]
ASKING = ("word", "place", "hide", "uniform")
LANGUAGES = {"en-US": ("Lesson", "waits"), "ko-KR": ("수업", "기다립니다")}
OUTSIDE = """() => [...document.querySelectorAll('.sat-lesson :is(h2, p, button), .sat-word, .sat-transport > *')]
  .filter((each) => each.getClientRects().length && each.textContent.trim())
  .filter((each) => {
    const { top, right, bottom } = each.getBoundingClientRect();
    return bottom > innerHeight + 1 || right > innerWidth + 1 || top < -1;
  }).map((each) => each.className + ' ' + each.textContent)"""


def at(page, name: str) -> None:
    page.wait_for_selector(f".sat[data-lesson={name}]")


def told(page, part: str) -> str:
    return page.locator(f".sat-lesson-{part}").inner_text()


@pytest.fixture
def cut_off(browser):
    """Contexts that reach this machine alone; what they asked of others."""
    contexts, others = [], []

    def guard(route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            route.continue_()
        else:
            others.append(route.request.url)
            route.abort()

    def open_(address: str, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
        contexts.append(context)
        context.route("**/*", guard)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector(".sat")
        finished(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert others == []


@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_whole_lesson_by_keys(locale, address, cut_off):
    page = cut_off(address, locale=locale)
    name, waits = LANGUAGES[locale]
    page.keyboard.press("t")
    said = set()
    for number, step in enumerate(STEPS, start=1):
        at(page, step)
        page.wait_for_function(
            "text => document.querySelector('.sat-lesson-title').textContent.startsWith(text)",
            arg=f"{name} {number}/9 ",
        )
        assert f"lesson={number}" in page.url
        said.add(told(page, "says"))
        tries = told(page, "tries")
        assert "{" not in tries + told(page, "says") + page.locator(".sat-lesson-next").inner_text()
        if step == "guess":
            for key in ("ArrowUp", " ", "Enter", "Enter"):  # points, marks, shows the map, goes on
                page.keyboard.press(key)
            wait(page, "d.step === '1'")
        elif step == "who":
            assert page.locator(".sat-region-ranking li").count() > 0
        elif step == "own":
            page.keyboard.type("a dog on grass")
            page.keyboard.press("Enter")
        if step in ASKING:
            page.keyboard.press("PageDown")
            page.wait_for_function(
                "waits => document.querySelector('.sat-lesson-tries').textContent.includes(waits)", arg=waits
            )
            assert told(page, "tries") != tries
        if step in ASKING or step == "own":
            wait(page, "d.beside === '0'")
            page.wait_for_function(
                "([before, waits]) => { const now = document.querySelector('.sat-lesson-tries').textContent;"
                " return now !== before && !now.includes(waits); }",
                arg=[tries, waits],
            )
        page.keyboard.press("PageDown")
    page.wait_for_selector(".sat:not([data-lesson])")
    assert "lesson" not in page.url
    assert len(said) == len(STEPS)
    page.keyboard.press("t")
    at(page, "guess")


def test_it_is_left_and_taken_up_again_and_a_link_opens_at_a_step(address, open_page):
    page = open_page(f"{address}/?lesson=6")
    finished(page)
    at(page, "hide")
    page.wait_for_selector(".sat-top .sat-region:not([hidden])")
    page.keyboard.press("PageUp")
    at(page, "place")
    page.locator(".sat-lesson-close").click()
    page.wait_for_selector(".sat:not([data-lesson])")
    assert page.locator(".sat-question").first.is_visible()
    page.goto(address)
    finished(page)
    assert not page.locator(".sat-lesson").is_visible()
    page.locator(".sat-lesson-start").click()
    at(page, "place")
    assert page.evaluate("document.activeElement.classList.contains('sat-lesson-next')")


def test_a_photo_of_the_class_takes_the_step_over(address, open_page, photo):
    page = open_page(f"{address}/?lesson=2")
    finished(page)
    at(page, "chances")
    assert told(page, "note")
    run = page.evaluate("document.querySelector('.sat').dataset.run")
    upload(page, photo)
    finished(page, run)
    at(page, "chances")
    wait(page, "d.playing === 'false'")
    page.keyboard.press("PageDown")
    page.wait_for_selector(".sat-region-ranking li")


def test_before_there_is_a_caption_it_says_that_it_waits(address, open_page, slow, photo):
    page = open_page(address)
    run = finished(page)
    upload(page, photo)
    wait(page, f"Number(d.run) > {run} && d.phase !== 'done'")
    page.keyboard.press("t")
    page.keyboard.press("PageDown")
    at(page, "chances")
    assert (
        "still being written" in told(page, "tries")
        or page.evaluate("document.querySelector('.sat').dataset.phase") == "done"
    )
    finished(page, run)
    page.wait_for_function("!document.querySelector('.sat-lesson-tries').textContent.includes('still being written')")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (1920, 1080), (3840, 2160)])
def test_it_fits_a_lecture(width, height, address, open_page):
    page = open_page(f"{address}/?lesson=1", viewport={"width": width, "height": height})
    finished(page)
    page.keyboard.press("f")
    page.wait_for_selector(".sat-lecture")
    for step in STEPS:
        at(page, step)
        if step == "uniform":
            page.keyboard.press("PageDown")
            wait(page, "d.beside === '0'")
        page.wait_for_timeout(300)
        assert page.evaluate(OUTSIDE) == [], step
        if page.locator(".sat-paired").count() == 0:
            assert page.locator(".sat-top .sat-stage").bounding_box()["height"] >= 0.65 * height, step
        if step != "end":
            page.locator(
                ".sat-lesson-skip" if page.locator(".sat-lesson-skip").is_visible() else ".sat-lesson-next"
            ).click()
    page.keyboard.press("n")
    page.wait_for_selector(".sat-revealing .sat-equations li")
    assert page.locator(".sat-equations").is_visible()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (768, 1024)])
def test_it_is_there_on_small_screens(width, height, address, open_page):
    page = open_page(
        f"{address}/?lesson=4", viewport={"width": width, "height": height}, has_touch=True, is_mobile=True
    )
    finished(page)
    at(page, "word")
    panel = page.locator(".sat-lesson")
    box = panel.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    for button in panel.locator("button:visible").all():
        assert button.bounding_box()["height"] >= 44
    page.locator(".sat-lesson-next").tap()
    wait(page, "d.beside === '0'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_step_waits_for_its_answer_and_a_late_one_takes_no_others_place(address, open_page, slow):
    page = open_page(f"{address}/?lesson=7")
    finished(page)
    at(page, "uniform")
    for _ in range(3):
        page.keyboard.press("PageDown")
    assert "waits" in told(page, "tries")
    at(page, "uniform")
    page.locator(".sat-lesson-skip").click()
    at(page, "own")
    wait(page, "d.phase === 'done' && d.beside === ''")
    page.wait_for_function("document.querySelectorAll('.sat-captions li').length > 1")
    assert page.locator(".sat-own input").is_visible()
    assert "dictates" in told(page, "tries")
    page.keyboard.press("PageUp")
    at(page, "uniform")
    assert "Vote" in told(page, "tries")
    page.keyboard.press("PageDown")  # the answer is there
    wait(page, "d.beside === '0'")
    assert "nats" in told(page, "tries")


def test_the_same_photo_again_is_set_up_again(address, open_page):
    page = open_page(f"{address}/?lesson=6")
    run = finished(page)
    region = page.locator(".sat-top .sat-region")
    region.wait_for(state="visible")
    box = region.bounding_box()
    page.locator(".sat-example").first.click()
    finished(page, run)
    region.wait_for(state="visible")
    assert region.bounding_box() == box
    wait(page, "d.playing === 'false'")


def test_stopped_before_a_caption_it_says_what_to_do(address, open_page, slow, photo):
    page = open_page(f"{address}/?lesson=2")
    run = finished(page)
    upload(page, photo)
    wait(page, f"Number(d.run) > {run} && d.phase !== 'done'")
    page.locator("#stop").click()
    wait(page, "d.phase === 'stopped'")
    assert "please choose a photo" in told(page, "tries")
