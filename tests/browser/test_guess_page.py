"""Guess first: where the model will look for a word, before its map is shown; against NumPy."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from driver import data, finished, wait

from demo.page.examples import examples
from demo.protocol.payload import caption_message

pytestmark = pytest.mark.browser

SECRET = "!document.querySelector('.sat').classList.contains('sat-secret')"


@pytest.fixture
def alphas(tiny) -> np.ndarray:
    """The maps of the first example's caption as they travel, a byte a cell: `(words, 14, 14)`."""
    sent = caption_message(tiny.caption(str(examples()[0].path)))["words"]
    maps = [np.frombuffer(base64.b64decode(word["a"]), np.uint8) / 255 * word["m"] for word in sent]
    return np.array(maps).reshape(-1, 14, 14)


def begin(page) -> None:
    page.locator(".sat-guess-start").click()
    wait(page, "d.step === '0' && d.playing === 'false'")


def spot(page, row: float, column: float) -> tuple[float, float]:
    box = page.locator(".sat-top .sat-stage").bounding_box()
    return box["x"] + box["width"] * (column + 0.5) / 14, box["y"] + box["height"] * (row + 0.5) / 14


def is_hidden(page) -> bool:
    return page.locator(".sat-top .sat-map").evaluate("map => getComputedStyle(map).visibility") == "hidden"


def shown(share: float) -> str:
    """A share as the page tells it."""
    return f"{100 * share:.{1 if share < 0.1 else 0}f}"


def expected(alpha: np.ndarray, cells: np.ndarray) -> tuple[str, str, float]:
    """The share in the cells and the share of an even map, as they are told, and the points between these figures."""
    share, chance = shown(alpha[cells].sum() / alpha.sum()), shown(cells.mean())
    return share, chance, round(float(share) - float(chance), 1)


def told(page, part: str) -> list[str]:
    return page.locator(f".sat-guess-{part} li").all_inner_texts()


def points(page, part: str) -> list[float]:
    texts = page.locator(f".sat-guess-{part} strong").all_inner_texts()
    return [float(text.split()[0].replace("−", "-")) for text in texts]


def test_share_and_chance_of_a_guess_are_numpys(address, open_page, alphas):
    page = open_page(address)
    finished(page)
    begin(page)
    cells = np.zeros((14, 14), bool)
    total = 0.0
    for index in range(2):
        assert is_hidden(page)
        cells[:] = False
        page.mouse.move(*spot(page, 2 + index, 3))
        page.mouse.down()
        for column in range(3, 9):
            page.mouse.move(*spot(page, 2 + index, column), steps=3)
        page.mouse.up()
        cells[2 + index, 3:9] = True
        page.mouse.click(*spot(page, 10, 10))
        page.mouse.click(*spot(page, 2 + index, 4))  # unmarks it
        cells[10, 10], cells[2 + index, 4] = True, False
        page.wait_for_function(
            "count => document.querySelectorAll('.sat-guess-cells .sat-guess-0').length === count", arg=int(cells.sum())
        )
        page.locator(".sat-guess-next").click()
        page.wait_for_function(SECRET)
        assert not is_hidden(page)
        share, chance, gained = expected(alphas[index], cells)
        assert told(page, "found")[0].startswith(f"{share} % of the attention lies in these {cells.sum()} of 196 cells")
        assert f"by chance {chance} %" in told(page, "found")[0]
        assert points(page, "found") == [gained]
        total += gained
        assert points(page, "sums") == [pytest.approx(total, abs=0.05)]
        page.locator(".sat-guess-next").click()
        wait(page, f"d.step === '{index + 1}'")
    assert told(page, "sums")[0].startswith("2 of ")


def test_the_whole_guess_by_keys(address, open_page, alphas):
    page = open_page(address)
    finished(page)
    page.locator(".sat-guess-start").focus()
    page.keyboard.press("Enter")
    wait(page, "d.step === '0'")
    page.keyboard.press("Enter")  # nothing is marked yet
    assert is_hidden(page)
    for key in ("ArrowUp", "ArrowUp", "ArrowLeft", " ", "ArrowLeft", " "):
        page.keyboard.press(key)
    assert data(page)["playing"] == "false"
    assert page.locator(".sat-guess-spoken").inner_text() == "Row 7, column 6, marked"
    page.keyboard.press("Enter")
    page.wait_for_function(SECRET)
    cells = np.zeros((14, 14), bool)
    cells[6, 5:7] = True
    share, chance, _ = expected(alphas[0], cells)
    assert told(page, "found")[0].startswith(f"{share} % of the attention lies in these 2 of 196 cells")
    assert f"by chance {chance} %" in told(page, "found")[0]
    page.keyboard.press("Enter")
    wait(page, "d.step === '1'")
    assert is_hidden(page)
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('.sat-guessing')")
    assert not is_hidden(page)


def test_two_sides_guess_apart_and_are_told_apart(address, open_page, alphas):
    page = open_page(address)
    finished(page)
    begin(page)
    page.locator(".sat-guess-two").click()
    page.mouse.click(*spot(page, 1, 1))
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.sat-guess-question').textContent.startsWith('Side B')")
    assert is_hidden(page)
    assert page.locator(".sat-guess-cells .sat-guess-0").count() == 0, "the first side's marks are covered"
    page.mouse.click(*spot(page, 12, 12))
    page.keyboard.press("Enter")
    page.wait_for_function(SECRET)
    first, second = np.zeros((14, 14), bool), np.zeros((14, 14), bool)
    first[1, 1] = second[12, 12] = True
    assert points(page, "found") == [expected(alphas[0], each)[2] for each in (first, second)]
    assert points(page, "sums") == points(page, "found")


def test_no_word_tells_its_map_before_it_is_guessed(address, open_page, photo):
    page = open_page(address)
    run = finished(page)
    begin(page)
    told_of = page.locator(".sat-top .sat-word").evaluate_all("all => all.map(each => each.title + each.ariaLabel)")
    assert told_of
    assert not [each for each in told_of if "%" in each]
    page.locator(".sat-top .sat-word").nth(2).hover()
    assert is_hidden(page)
    page.keyboard.press("c")
    wait(page, "d.coverage === 'true'")
    assert is_hidden(page)
    assert not page.locator(".sat-strip").first.is_visible()
    page.set_input_files("#photo input[type=file]", str(photo))
    finished(page, run)
    assert is_hidden(page), "of the next photo too"
    assert data(page)["playing"] == "false"
    page.locator(".sat-play").click()
    wait(page, "d.playing === 'true'")
    assert not is_hidden(page)


def test_a_finger_marks_and_what_it_marks_is_large_enough(address, open_page):
    page = open_page(address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    finished(page)
    page.locator(".sat-guess-start").tap()
    wait(page, "d.step === '0'")
    page.touchscreen.tap(*spot(page, 5, 5))
    page.wait_for_selector(".sat-guess-cells .sat-guess-0")
    marked = page.locator(".sat-guess-cells .sat-guess-0")
    assert marked.count() == 9
    assert 3 * marked.first.bounding_box()["width"] >= 44
    buttons = page.locator(".sat-guess button")
    assert all(min(each.bounding_box()["width"], each.bounding_box()["height"]) >= 44 for each in buttons.all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.touchscreen.tap(*spot(page, 5, 5))
    page.wait_for_function("!document.querySelector('.sat-guess-cells .sat-guess-0')")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1280, 720), (1920, 1080)])
def test_photo_and_guess_are_in_sight_at_once(width, height, address, open_page):
    page = open_page(address, viewport={"width": width, "height": height})
    finished(page)
    begin(page)
    page.locator(".sat-guess-two").click()
    for row in (1, 2):
        page.mouse.click(*spot(page, row, row))
        page.keyboard.press("Enter")
    page.wait_for_function(SECRET)
    for part in (".sat-top .sat-frame", ".sat-caption", ".sat-transport", ".sat-guess"):
        box = page.locator(part).first.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= height, part


def test_points_stay_in_the_tab_and_go_when_asked(address, open_page):
    page = open_page(address)
    finished(page)
    sent = []
    begin(page)
    page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    page.mouse.click(*spot(page, 1, 1))
    page.keyboard.press("Enter")
    page.wait_for_function(SECRET)
    assert told(page, "sums")[0].startswith("1 of ")
    page.locator(".sat-guess-anew").click()
    page.wait_for_function("document.querySelector('.sat-guess-sums').textContent.startsWith('No word of ')")
    assert is_hidden(page)
    assert sent == []
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0
