"""The real page on loopback, asked as any program can ask it: with whatever bytes it likes."""

import json
import logging
import string
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx
from tiny import make_checkpoint

from captioner.pipeline import Captioner
from demo.page.ui import build
from demo.server import launch_options


class Served:
    """A page that is running, and a client that knows no manners."""

    def __init__(self, page, address: str) -> None:
        self.page, self.address = page, address.rstrip("/")
        self.client = httpx.Client(timeout=60)

    def get(self, path: str) -> httpx.Response:
        """A path as it is: httpx would tidy ``..`` away."""
        return self.client.get(
            httpx.URL(self.address).copy_with(raw_path=quote(path, safe=string.punctuation).encode())
        )

    def post(self, path: str, **content) -> httpx.Response:
        return self.client.post(self.address + path, **content)

    def upload(self, content: bytes, name: str = "photo.png") -> str:
        answer = self.post("/gradio_api/upload", files={"files": (name, content)})
        answer.raise_for_status()
        return answer.json()[0]

    def event(self, name: str) -> int:
        """The number of an event, public or the page's own."""
        return next(number for number, fn in self.page.fns.items() if name in (fn.api_name, fn.name))

    def message(self, name: str, data: list, event_data=None, session: str = "here") -> dict:
        return {"data": data, "event_data": event_data, "fn_index": self.event(name), "session_hash": session}

    def ask(self, name: str, data: list, event_data=None, session: str = "here") -> list[dict]:
        """All messages that the event brings; the last says whether it succeeded."""
        content = json.dumps(self.message(name, data, event_data, session))
        joined = self.post("/gradio_api/queue/join", content=content, headers={"Content-Type": "application/json"})
        joined.raise_for_status()
        return self.messages(session)

    def messages(self, session: str = "here") -> list[dict]:
        url = f"{self.address}/gradio_api/queue/data?session_hash={session}"
        with self.client.stream("GET", url) as stream:
            return [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]


def outcome(messages: list[dict]) -> tuple[str | None, list[str]]:
    """The error's sentence, None if it succeeded; and the toasts on the way."""
    toasts = [each["log"] for each in messages if each["msg"] == "log"]
    last = next(each for each in messages if each["msg"] == "process_completed")
    return (None if last["success"] else last["output"]["error"]), toasts


def uploaded(path: str, **changes) -> dict:
    """A file as the page sends it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **changes}


@contextmanager
def served(captioner: Captioner | None = None, **options) -> Iterator[Served]:
    page = build(captioner or Captioner(make_checkpoint()))
    _, address, _ = page.launch(**{**launch_options(), **options}, prevent_thread_lock=True, quiet=True)
    try:
        yield Served(page, address)
    finally:
        page.close(verbose=False)


class Lines(logging.Handler):
    """What an operator reads."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter("%(levelname)s %(message)s").format(record))


@contextmanager
def logged() -> Iterator[list[str]]:
    handler = Lines()
    logger = logging.getLogger("demo")
    logger.addHandler(handler)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
