"""The live camera: words follow the scene and stay within it, a moment becomes a photo, and the light goes off."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ARGUMENTS
from driver import PATIENCE, data, finished, question, wait
from PIL import Image, ImageOps

from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from demo.page.examples import example
from demo.page.handlers import Handlers

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here"),
]

SIZE = (320, 240)
RATE = 5  # frames a second
SCENE = 8  # seconds
STREAMS = """
  window.streams = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (...wishes) => {
    window.streams.push(await open(...wishes));
    return window.streams[window.streams.length - 1];
  };
"""
LIGHT = "() => window.streams.some((each) => each.getTracks().some((track) => track.readyState === 'live'))"
CAPTION = "() => document.querySelector('.sat-camera-caption').innerText.replace(/\\s+/g, ' ').trim()"


def film(path: Path, photos: list[Path]) -> Path:
    """The photos one after the other, each for a while, as a camera's picture: Y4M, 4:2:0."""
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C420\n" % (*SIZE, RATE))
        for each in photos:
            with Image.open(each) as image:
                planes = np.asarray(ImageOps.fit(image.convert("RGB"), SIZE).convert("YCbCr"))
            luma = planes[..., 0].tobytes()
            chroma = b"".join(planes[::2, ::2, channel].tobytes() for channel in (1, 2))
            file.write((b"FRAME\n" + luma + chroma) * (RATE * SCENE))
    return path


@pytest.fixture(scope="module")
def live_address(serve) -> str:
    return serve(Captioner.load())


@pytest.fixture
def live_engine(live_address, serve):
    owners = (getattr(event.fn, "__self__", None) for event in serve.pages[live_address].fns.values())
    return next(owner.tabs.engine for owner in owners if isinstance(owner, Handlers))


@pytest.fixture(scope="module")
def camera(browser, tmp_path_factory):
    """A browser whose camera sees a dog and a motorcycle in turn."""
    photos = [found.path for name in ("Shepherd", "Motorcycle") if (found := example(name))]
    assert len(photos) == 2
    capture = film(tmp_path_factory.mktemp("camera") / "scenes.y4m", photos)
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={capture}"]
    chromium = browser.browser_type.launch(executable_path=path, args=arguments)
    yield chromium
    chromium.close()


@pytest.fixture
def visit(camera, live_address):
    opened = []

    def open_(script: str = STREAMS):
        context = camera.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
        context.add_init_script(script)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(live_address)
        page.wait_for_selector(".sat")
        finished(page)
        return page

    yield open_
    for context in opened:
        context.close()


def start(page, captions: int = 3) -> None:
    page.locator(".sat-live-switch").click()
    wait(page, f"d.live === 'on' && Number(d.liveCaptions) >= {captions}")


def test_words_change_with_the_scene_and_stay_within_it(visit):
    page = visit()
    start(page)
    before, captions = int(data(page)["liveChanges"]), []
    for _ in range(4 * SCENE * 4):  # four scenes, four looks a second
        captions.append(page.evaluate(CAPTION))
        page.wait_for_timeout(250)
    changes = int(data(page)["liveChanges"]) - before
    assert any("dog" in each for each in captions)
    assert any("motorcycle" in each for each in captions)
    assert 2 <= changes <= 8, "four scenes, each seen to begin and to end"
    rate = re.fullmatch(
        r"([\d.]+) captions a second, (\d+) ms from frame to caption", page.locator(".sat-camera-pace").inner_text()
    )
    assert rate
    assert float(rate[1]) > 0.2
    lit = page.evaluate(
        "() => { const { width, height } = document.querySelector('.sat-camera .sat-map');"
        " return document.querySelector('.sat-camera .sat-map').getContext('2d')"
        ".getImageData(0, 0, width, height).data.some((each) => each > 0); }"
    )
    assert lit, "attention lies over the picture"


def test_a_moment_becomes_a_photo_and_the_light_goes_off(visit):
    page = visit()
    run = data(page)["run"]
    start(page)
    assert page.evaluate(LIGHT)
    page.locator(".sat-camera-study").click()
    run = finished(page, run)
    wait(page, "d.live === 'off'")
    assert not page.evaluate(LIGHT)
    assert page.locator(".sat-top .sat-stage").is_visible()
    question(page, "uniform")
    page.locator(".sat-ask-uniform").click()
    finished(page, run)
    assert data(page)["beside"] == "0"


def test_the_camera_at_the_back_comes_first(visit):
    page = visit(STREAMS.replace("...wishes) => {", "...wishes) => { window.wished = wishes[0];"))
    start(page, captions=1)
    assert page.evaluate("window.wished") == {
        "video": {"facingMode": {"ideal": "environment"}, "width": {"ideal": 1280}, "height": {"ideal": 720}},
        "audio": False,
    }


def test_out_of_sight_the_camera_goes_off(visit):
    page = visit()
    start(page)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true });"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    wait(page, "d.live === 'ended'")
    assert not page.evaluate(LIGHT)
    assert "out of sight" in page.locator(".sat-camera-note").inner_text()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert [url for url in asked if "live" in url] == []


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };",
            "please allow it",
        ),
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };",
            "finds no camera",
        ),
        ("Object.defineProperty(window, 'isSecureContext', { value: false });"
         "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });", "over https"),
    ],
)  # fmt: skip
def test_no_camera_is_a_sentence(visit, script, sentence):
    page = visit(script)
    words = page.locator(".sat-top .sat-caption").inner_text()
    page.locator(".sat-live-switch").click()
    wait(page, "d.live === 'ended'")
    assert sentence in page.locator(".sat-camera-note").inner_text()
    page.locator(".sat-camera-end").click()
    wait(page, "d.live === 'off'")
    assert page.locator(".sat-top .sat-caption").inner_text() == words


def test_two_visitors_and_whoever_waits_goes_first(visit, live_engine):
    one, two = visit(), visit()
    start(one)
    start(two)
    for page in (one, two):
        had = int(data(page)["liveCaptions"])
        wait(page, f"Number(d.liveCaptions) > {had + 1}")
    with live_engine.line.stand(), live_engine.line.stand(), live_engine.line.stand():
        one.wait_for_selector(".sat[data-live=waiting]")
        assert one.locator(".sat-camera-note").inner_text() == "Others are waiting: live waits for its turn."
    wait(one, "d.live === 'on'")


def test_nothing_is_kept_or_logged_of_a_frame(visit, live_engine, caplog):
    page = visit()
    stored = sorted(live_engine.folder.rglob("*"))
    kept = live_engine.kept.bytes
    with caplog.at_level(logging.INFO):
        start(page, captions=5)
    assert sorted(live_engine.folder.rglob("*")) == stored
    assert live_engine.kept.bytes == kept
    assert [each.getMessage() for each in caplog.records if "live" in each.getMessage()] == []


def test_a_class_holds_things_up(visit):
    page = visit()
    start(page)
    page.locator(".sat-camera-full").click()
    page.wait_for_selector(".sat-lecture .sat-camera")
    frame = page.locator(".sat-camera-frame").bounding_box()
    assert frame["height"] > 0.6 * 800
    page.keyboard.press("l")
    wait(page, "d.live === 'off'")
    assert not page.evaluate(LIGHT)
