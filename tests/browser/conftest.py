"""A page around a tiny random model, and a Chromium to drive it."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from driver import PATIENCE

from captioner.card import Card
from captioner.checkpoint import Checkpoint
from captioner.decoder import Decoder, DecoderConfig, DecoderState
from captioner.encoder import Encoder, EncoderConfig
from captioner.photo import PhotoFormat
from captioner.pipeline import Captioner
from captioner.vocabulary import Vocabulary
from demo.page.handlers import Handlers
from demo.page.ui import build
from demo.runs.engine import Engine
from demo.server import launch_options

PLAIN = ["a", "man", "dog", "ball", "on", "grass", "red", "runs"]
HOSTILE = ["<img src=x onerror=alert(1)>", "${1}", "{{value}}", "한국어", "مرحبا"]
NO_CHROMIUM = "no Chromium is installed (looked for chromium, chromium-browser, google-chrome)"
LOCAL = ("http://127.0.0.1:", "https://127.0.0.1:", "data:", "blob:", "file:")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


class CountedState(DecoderState):
    """Knows how many words it has seen: runs of several tabs, and a test's own, share one decoder."""

    words = 0

    def select(self, rows):
        return counted(super().select(rows), self.words)


def counted(state: DecoderState, words: int) -> CountedState:
    state = CountedState(*state)
    state.words = words
    return state


class UnhurriedDecoder(Decoder):
    """Takes a moment for every word, so that a test can see the page in mid-caption, and ends after eight or so."""

    end = 0
    pause = 0.1  # seconds a word

    def start(self, annotations):
        return counted(super().start(annotations), 0)

    def step(self, annotations, state, *arguments):
        time.sleep(self.pause)
        step = super().step(annotations, state, *arguments)
        words = state.words + 1
        step.logits[:, self.end] += 8 * (words - 8)
        return step._replace(state=counted(step.state, words))


def tiny_captioner(words: list[str]) -> Captioner:
    """A random model whose maps differ from word to word and whose captions end before the limit.

    A gate a feature is not folded, so every word passes through `UnhurriedDecoder.step`.
    """
    torch.manual_seed(3)
    vocabulary = Vocabulary.build([words])
    encoder = Encoder(EncoderConfig(blocks=(1, 1, 1, 1)))
    decoder = UnhurriedDecoder(
        DecoderConfig(len(vocabulary), embedding_size=12, hidden_size=16, attention_size=8, dropout=0, gate="feature")
    )
    decoder.end = vocabulary.end
    with torch.no_grad():
        decoder.attention.energy.weight *= 60
        decoder.attention.hidden_projection.weight *= 8
        decoder.output.words.weight *= 6
        decoder.lstm.weight_hh *= 3
    card = Card("tiny", encoder.config, decoder.config, PhotoFormat(size=64))
    return Captioner(Checkpoint(encoder, decoder, vocabulary, card))


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Captioner], str]]:
    """Start a page around a captioner; returns its address. ``pages`` are those that it has started."""
    pages = {}

    def start(captioner: Captioner) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        page = build(captioner)
        options = {**launch_options(), "server_name": "127.0.0.1", "server_port": port}
        page.launch(**options, prevent_thread_lock=True, quiet=True)
        address = f"http://127.0.0.1:{port}"
        pages[address] = page
        return address

    start.pages = pages
    yield start
    for page in pages.values():
        page.close(verbose=False)


@pytest.fixture(scope="session")
def tiny() -> Captioner:
    return tiny_captioner(PLAIN)


@pytest.fixture(scope="session")
def address(serve, tiny) -> str:
    return serve(tiny)


@pytest.fixture
def engine(address, serve) -> Engine:
    """What serves the page at ``address``."""
    owners = (getattr(event.fn, "__self__", None) for event in serve.pages[address].fns.values())
    return next(owner.tabs.engine for owner in owners if isinstance(owner, Handlers))


@pytest.fixture
def slow(tiny) -> Iterator[None]:
    """Every word takes long enough for a test to act in mid-caption, on a busy machine too."""
    tiny.decoder.pause = 0.8
    yield
    tiny.decoder.pause = UnhurriedDecoder.pause


@pytest.fixture(scope="session")
def hostile_address(serve) -> str:
    return serve(tiny_captioner(HOSTILE))


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Watched:
    """A tab that remembers everything that went wrong in it."""

    def __init__(self, page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (self.wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)

    def _request(self, request) -> None:
        if not request.url.startswith(LOCAL):
            self.wrong.append(f"left the machine: {request.url}")

    def _failed(self, request) -> None:
        # What the page itself gives up is no failure: its streams, and what is on its way when it is left.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"failed: {request.url} {request.failure}")


@pytest.fixture
def open_page(browser) -> Iterator[Callable[..., object]]:
    """Open an address in a fresh context; when the test ends nothing may have gone wrong in it."""
    opened = []

    def open_(url: str, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-US", **options})
        watched = Watched(context.new_page())
        watched.page.set_default_timeout(PATIENCE)
        opened.append((context, watched))
        watched.page.goto(url)
        watched.page.wait_for_selector(".sat")
        return watched.page

    yield open_
    for context, _ in opened:
        context.close()
    assert [watched.wrong for _, watched in opened] == [[] for _ in opened]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo of no data set: a gradient with a bright square, wider than tall."""
    pixels = np.zeros((120, 200, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, 200)
    pixels[..., 1] = np.linspace(0, 255, 120)[:, None]
    pixels[30:60, 40:80] = 255
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path
