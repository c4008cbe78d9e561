"""A server that was started anew knows no photo; the page that stayed open sends the visitor's again."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from driver import PATIENCE, data, finished, set_beam, upload, wait, words

from demo.page.ui import build
from demo.server import launch_options

pytestmark = pytest.mark.browser

SHAPE = """() => {
  const { naturalWidth, naturalHeight } = document.querySelector('.sat-top .sat-photo');
  return naturalWidth / naturalHeight;
}"""


@pytest.fixture
def restart(tiny) -> Iterator[Callable[[], str]]:
    """Start the page, or stop it and start another at the same address; returns that."""
    pages = []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start() -> str:
        if pages:
            pages.pop().close(verbose=False)
        page = build(tiny)
        pages.append(page)
        options = {**launch_options(), "server_name": "127.0.0.1", "server_port": port}
        page.launch(**options, prevent_thread_lock=True, quiet=True)
        return f"http://127.0.0.1:{port}"

    yield start
    pages.pop().close(verbose=False)


@pytest.fixture
def visit(browser) -> Iterator[Callable[[str], object]]:
    """A page that may lose its server: what fails meanwhile is no fault."""
    contexts = []

    def open_(address: str):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector(".sat")
        return page

    yield open_
    for context in contexts:
        context.close()


def test_the_photo_and_the_settings_are_still_theirs(restart, visit, photo):
    page = visit(restart())
    run = finished(page)
    upload(page, photo)
    finished(page, run)
    before = words(page)
    assert page.evaluate(SHAPE) == pytest.approx(200 / 120, abs=0.01)
    restart()
    set_beam(page, 2)
    wait(page, "d.phase === 'done'")
    page.wait_for_function("location.search.includes('beam=2')")
    wait(page, "d.phase === 'done' && Number(d.count) > 0")
    assert page.evaluate(SHAPE) == pytest.approx(200 / 120, abs=0.01)
    assert "photo=own" in page.url
    assert len(words(page)) > 0
    set_beam(page, 3)
    page.wait_for_function("location.search.includes('beam=3')")
    wait(page, "d.phase === 'done' && Number(d.count) > 0")
    assert words(page) == before


def test_a_page_with_an_example_comes_back_with_it(restart, visit):
    page = visit(restart())
    run = finished(page)
    page.locator(".sat-example").nth(1).click()
    finished(page, run)
    before, address = words(page), page.url
    restart()
    with page.expect_navigation():
        page.locator(".sat-question[data-question=uniform]").click()
        page.locator(".sat-ask-uniform").click()
    page.wait_for_selector(".sat")
    finished(page)
    assert words(page) == before
    assert page.url == address
    assert data(page)["beside"] == ""
