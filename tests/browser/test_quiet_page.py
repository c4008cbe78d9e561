"""What the page says unasked: nothing to the console, one caption to those who listen, and where to drop a photo."""

from __future__ import annotations

import pytest
from conftest import ARGUMENTS
from driver import finished, question, upload, wait, words
from test_teaching import take

pytestmark = pytest.mark.browser

# All that a screen reader would read out by itself, as it comes.
LISTEN = """() => {
  window.heard = [];
  const live = '[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log]';
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
      if (region && region.closest('.sat') && region.textContent.trim()) window.heard.push(region.textContent.trim());
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
DRAG = """([kind, x, y, type]) => {
  const transfer = new DataTransfer();
  if (type === 'file') transfer.items.add(new File(['x'], 'a.png', { type: 'image/png' }));
  else transfer.setData('text/uri-list', 'https://example.org/');
  const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer });
  document.elementFromPoint(x, y).dispatchEvent(event);
  return event.defaultPrevented;
}"""
POINTS = [(5, 5), (300, 300), (700, 200), (1150, 120), (1150, 600), (640, 780)]


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_the_console_stays_empty(browser, address, locale):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale=locale)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append((message.type, message.text)))
    page.goto(address)
    page.wait_for_selector(".sat")
    finished(page)
    page.wait_for_timeout(5000)  # what was preloaded for nothing is told late
    context.close()
    assert said == []


def test_only_the_final_caption_is_announced_and_once(address, open_page):
    page = open_page(address)
    run = finished(page)
    page.evaluate(LISTEN)
    page.locator(".sat-example").nth(1).click()
    run = finished(page, run)
    page.wait_for_timeout(1500)
    assert page.evaluate("() => window.heard") == ["Caption: " + " ".join(words(page))]
    page.evaluate("() => (window.heard.length = 0)")
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    finished(page, run)
    page.wait_for_timeout(1500)
    verdict = page.locator(".sat-verdict").inner_text()
    assert verdict
    assert page.evaluate("() => window.heard") == ["Caption: " + " ".join(words(page)) + " " + verdict]


def test_the_photo_is_told_by_its_caption(address, open_page, slow, photo):
    page = open_page(address)
    run = finished(page)
    upload(page, photo)
    photo = page.locator(".sat-top .sat-photo")
    wait(page, f"Number(d.run) > {run} && Number(d.count) >= 2 && d.phase !== 'done'")
    assert photo.get_attribute("alt") == "The photo being captioned"
    finished(page, run)
    own = " ".join(words(page))
    assert photo.get_attribute("alt") == own
    page.locator(".sat-captions button").nth(1).click()
    wait(page, "d.caption === '1'")
    assert photo.get_attribute("alt") == " ".join(words(page)) != own
    page.keyboard.press("b")
    wait(page, "d.beside === '0'")
    assert page.locator(".sat-second-pane .sat-photo").get_attribute("alt") == own


def test_the_page_says_where_to_drop_and_takes_it_there(address, open_page):
    page = open_page(address)
    finished(page)
    target = page.locator(".sat-drop")
    assert page.evaluate(DRAG, ["dragover", 300, 300, "link"])
    assert target.count() == 0, "an address is not taken"
    for x, y in POINTS:
        assert page.evaluate(DRAG, ["dragover", x, y, "file"])
        assert target.inner_text() == "Drop the photo here"
        assert target.bounding_box() == {"x": 10, "y": 10, "width": 1260, "height": 780}, "all of the page"
        page.evaluate(DRAG, ["dragleave", x, y, "file"])
        assert target.count() == 0
    page.evaluate("() => document.querySelector('.sat').requestFullscreen()")
    page.wait_for_function("() => document.fullscreenElement")
    page.evaluate(DRAG, ["dragover", 300, 300, "file"])
    assert target.is_visible()
    assert page.evaluate("() => document.fullscreenElement.contains(document.querySelector('.sat-drop'))")
    page.evaluate(DRAG, ["drop", 300, 300, "link"])
    assert target.count() == 0


@pytest.mark.parametrize(("x", "y"), POINTS)
def test_a_photo_dropped_anywhere_goes_to_the_photo_field(address, open_page, x, y):
    page = open_page(address)
    finished(page)
    page.evaluate(
        """() => document.addEventListener('change', (event) => {
          if (!event.target.matches('#photo input')) return;
          event.stopImmediatePropagation();
          window.sent = event.target.files[0].name;
        }, true)"""
    )
    assert page.evaluate(DRAG, ["drop", x, y, "file"])
    assert page.evaluate("() => window.sent") == "a.png"


@pytest.mark.parametrize(("locale", "sentence"), [("en-US", "Use the camera"), ("ko-KR", "카메라 쓰기")])
def test_the_cameras_words_stand_above_the_line(address, open_page, locale, sentence):
    assert "--use-fake-ui-for-media-stream" in ARGUMENTS
    page = open_page(address, locale=locale)
    finished(page)
    page.locator("#photo .source-selection button").nth(1).click()
    words_box = page.locator('#photo [title="grant webcam access"] .wrap')
    words_box.wait_for()
    assert words_box.evaluate("part => getComputedStyle(part, '::after').content") == f'"{sentence}"'
    box, line = words_box.bounding_box(), page.locator("#photo .source-selection").bounding_box()
    assert box["y"] + box["height"] <= line["y"] + 1
    inside = words_box.evaluate("part => [part.scrollHeight, part.clientHeight]")
    assert inside[0] <= inside[1]


@pytest.mark.parametrize(
    ("locale", "credit"), [("en-US", "Made with Show, Attend and Tell, live"), ("ko-KR", "live로 만들었습니다")]
)
def test_the_offline_page_has_a_heading_and_says_whose_work_it_is(address, open_page, tmp_path, locale, credit):
    page = open_page(address, locale=locale)
    finished(page)
    alone = open_page(take(page, "html", tmp_path).as_uri())  # it speaks the language of the page that it is taken from
    wait(alone, "d.phase === 'done'")
    assert alone.get_by_role("heading", level=1).inner_text() == "Show, Attend and Tell"
    footer = alone.get_by_role("contentinfo")
    assert "Neural Image Caption Generation with Visual Attention" in footer.inner_text()
    assert credit in footer.inner_text()
    assert footer.get_by_role("link").get_attribute("href") == "https://arxiv.org/abs/1502.03044"
    assert alone.locator("html").get_attribute("lang") == locale[:2]
