"""One screen, one photo: what is in sight without scrolling, what moves by itself, and what a finger finds."""

from __future__ import annotations

import pytest
from driver import PATIENCE, data, finished, wait

from demo.page.examples import examples

pytestmark = pytest.mark.browser

DESKTOPS = [(1366, 768), (1280, 720), (1280, 800), (1024, 768)]
SIZES = [(390, 844), (1366, 768), (1920, 1080), (2560, 1440), (1080, 1920), (3840, 2160)]
PARTS = [
    ".sat-top .sat-frame",
    ".sat-caption",
    ".sat-transport",
    ".sat-looks",
    ".sat-word-panel",
    ".sat-panel:not([hidden])",
]
SHIFTS = """
  window.shifts = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifts += each.value;
  }).observe({ type: 'layout-shift', buffered: true });
"""
AIM = 0.05


def bottom(page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    return box["y"] + box["height"]


@pytest.mark.parametrize(("width", "height"), DESKTOPS)
def test_everything_of_a_word_is_in_sight_at_once(width, height, address, open_page):
    page = open_page(address, viewport={"width": width, "height": height})
    finished(page)
    for question in ("word", "place", "hide", "uniform", "own", "settings"):
        page.evaluate(f"document.querySelector('.sat-question[data-question={question}]').click()")
        below = {part: bottom(page, part) for part in PARTS}
        assert {part: edge for part, edge in below.items() if edge > height} == {}, question
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_jumps_and_nothing_scrolls_by_itself(width, height, browser, address, photo):
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US")
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector(".sat")
    run = finished(page)
    assert page.evaluate("[window.shifts < 0.05, scrollY]") == [True, 0], page.evaluate("window.shifts")
    page.evaluate("window.shifts = 0")
    page.set_input_files("#photo input[type=file]", photo)  # wider than the one before
    finished(page, run)
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifts") < AIM
    assert page.evaluate("scrollY") == 0
    context.close()


def test_a_wide_screen_is_filled(address, open_page):
    page = open_page(address, viewport={"width": 3840, "height": 2160})
    finished(page)
    player = page.locator(".sat").bounding_box()
    assert player["width"] > 0.94 * 3840
    assert bottom(page, ".sat-transport") <= 2160
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.sat-caption')).fontSize)")
    grown = page.evaluate("document.querySelector('.sat-caption .sat-word').getBoundingClientRect().height")
    assert grown > 1.9 * size


def test_on_a_phone_the_photo_and_its_caption_stay_in_sight(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    finished(page)
    page.evaluate("document.querySelector('.sat-question').scrollIntoView()")
    page.wait_for_selector(".sat-stuck")
    for part in (".sat-top .sat-stage", ".sat-caption"):
        box = page.locator(part).first.bounding_box()
        assert -1 <= box["y"] < 130, part
        assert box["height"] > 40, part
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_selector(".sat:not(.sat-stuck)")
    assert page.locator(".sat-top .sat-frame").bounding_box()["height"] > 200


def test_on_a_phone_on_its_side_the_caption_is_in_sight(address, open_page):
    page = open_page(address, viewport={"width": 844, "height": 390}, has_touch=True, is_mobile=True)
    finished(page)
    assert bottom(page, ".sat-caption") <= 390
    assert bottom(page, ".sat-top .sat-frame") <= 390


def touches(page, points: list[tuple[float, float]]) -> None:
    """One finger, down at the first point, up at the last one, as a touch screen reports it."""
    client = page.context.new_cdp_session(page)
    for at, (x, y) in enumerate(points):
        client.send(
            "Input.dispatchTouchEvent", {"type": "touchMove" if at else "touchStart", "touchPoints": [{"x": x, "y": y}]}
        )
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


# Back to the top, and at rest there: a fling may go on for a while.
UP = """() => new Promise((done) => {
  let rest = 0;
  requestAnimationFrame(function look() {
    rest = scrollY === 0 ? rest + 1 : 0;
    if (scrollY) scrollTo(0, 0);
    if (rest < 30) requestAnimationFrame(look);
    else done(true);
  });
})"""


def test_a_swipe_over_the_photo_scrolls_and_a_tap_asks(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    finished(page)
    box = page.locator(".sat-top .sat-stage").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    touches(page, [(middle[0], middle[1] - 20 * each) for each in range(8)])
    page.wait_for_function("scrollY > 40")
    assert not page.locator(".sat-top .sat-region").is_visible()
    page.wait_for_function(UP)
    page.touchscreen.tap(*middle)
    page.wait_for_selector(".sat-top .sat-region:not([hidden])")
    chips = page.locator(".sat-top .sat-chips button")
    assert chips.count() == 3
    assert all(chip.bounding_box()["height"] >= 44 for chip in chips.all())
    wider = page.locator(".sat-top .sat-region").bounding_box()["width"]
    corner = page.locator(".sat-top .sat-handle[data-corner=end]").bounding_box()
    at = (corner["x"] + 22, corner["y"] + 22)
    touches(page, [at, (at[0] + 30, at[1] + 10), (at[0] + 60, at[1] + 20)])
    page.wait_for_function(
        f"document.querySelector('.sat-top .sat-region').getBoundingClientRect().width > {wider + 20}"
    )
    assert page.evaluate("scrollY") == 0


def test_sliders_and_fields_are_large_enough_for_a_finger(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    finished(page)
    page.locator("#settings > button").tap()
    page.wait_for_selector("#beam input[type=range]")
    page.evaluate("document.querySelector('.sat-question[data-question=settings]').click()")
    fields = "#knobs input, .sat-opacity, .sat-scrub, .sat-settings input, .sat-own input"
    boxes = [
        (each.evaluate("each => each.className + each.name + each.id"), each.bounding_box())
        for each in page.locator(fields).all()
    ]
    assert len(boxes) > 8
    assert [name for name, box in boxes if box and box["height"] < 44] == []


def test_chips_ask_at_the_place_in_both_panes(address, open_page):
    page = open_page(address)
    run = finished(page)
    page.keyboard.press("Home")
    box = page.locator(".sat-top .sat-stage").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 150, steps=4)
    page.mouse.up()
    chips = page.locator(".sat-top .sat-chips")
    frame = page.locator(".sat-top .sat-frame").bounding_box()
    shown = chips.bounding_box()
    assert frame["y"] <= shown["y"]
    assert shown["y"] + shown["height"] <= frame["y"] + frame["height"]
    assert not page.locator(".sat-region-ranking").is_visible()
    chips.get_by_text("Who looked here?").click()
    assert page.locator(".sat-region-ranking").is_visible()
    chips.get_by_text("Hide this").click()
    run = finished(page, run)
    page.wait_for_selector(".sat-second-pane")
    left = page.locator(".sat-second-pane .sat-stage")
    left.click(position={"x": 40, "y": 40})
    page.locator(".sat-second-pane .sat-chips").get_by_text("Hide this").click()
    finished(page, run)
    assert data(page)["beside"] == "0"


def test_runners_up_stay_while_they_are_pointed_at(address, open_page):
    page = open_page(address)
    finished(page)
    page.keyboard.press("Home")
    wait(page, "d.step === '0'")
    others = page.locator(".sat-bars button")
    first = others.all_inner_texts()
    others.first.hover()
    page.keyboard.press("ArrowRight")
    wait(page, "d.step === '1'")
    page.wait_for_timeout(200)
    assert others.all_inner_texts() == first
    page.mouse.move(2, 2)
    page.keyboard.press("ArrowRight")
    wait(page, "d.step === '2'")
    page.wait_for_function("document.querySelector('.sat-word-panel-word').textContent.length > 0")
    page.keyboard.press("Home")
    wait(page, "d.step === '0'")
    others.first.click()
    page.locator(".sat-say").click()
    page.wait_for_selector(".sat-paired")


def test_the_first_load_is_small_beyond_gradios_own(address, browser):
    """A megabyte is the aim; every byte that the page brings but Gradio's own scripts and styles."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(address)
    page.wait_for_selector(".sat")
    finished(page)
    page.wait_for_function("document.querySelectorAll('.sat-example img').length === 8")
    page.wait_for_function("[...document.images].every(({ complete }) => complete)")
    entries = """() => ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))
      .map(({ name, encodedBodySize }) => [name, encodedBodySize])"""
    loaded = page.evaluate(entries)
    page.context.close()
    own = [(name, size) for name, size in loaded if "/assets/" not in name and "/static/" not in name]
    assert any(name.rstrip("/") == address for name, _ in own)
    assert any(examples()[0].path.stem in name for name, _ in own)
    assert sum(size for _, size in own) < 1_000_000 / 2
